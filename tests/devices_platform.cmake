# One file a line, sorted.
minivmm_test(devices_platform
  SOURCES
    device/platform/ioapic_test.cpp
    device/platform/isa_irqs_test.cpp
    device/platform/pic_test.cpp
    device/platform/pit_test.cpp
    device/platform/port92_test.cpp
  USES devices/platform)
