# One file a line, sorted.
minivmm_test(devices_qxl
  SOURCES
    device/qxl/change_rects_test.cpp
    device/qxl/qxl_function_test.cpp
    device/qxl/vga_memory_test.cpp
    device/qxl/vga_regs_test.cpp
    device/qxl/vga_renderer_test.cpp
  USES devices/qxl)

minivmm_fuzz(vga SOURCES fuzz/vga.cpp USES devices/qxl LIBS GTest::gtest)
