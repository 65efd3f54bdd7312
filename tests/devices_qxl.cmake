# One file a line, sorted.
minivmm_test(devices_qxl
  SOURCES
    device/qxl/qxl_function_test.cpp
    device/qxl/vga_memory_test.cpp
    device/qxl/vga_regs_test.cpp
  USES devices/qxl)
