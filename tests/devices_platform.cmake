# One file a line, sorted.
minivmm_test(devices_platform
  SOURCES
    device/platform/isa_irqs_test.cpp
    device/platform/port92_test.cpp
  USES devices/platform)
