# One file a line, sorted.
minivmm_test(devices_platform
  SOURCES
    device/platform/debug_ports_test.cpp
    device/platform/hpet_test.cpp
    device/platform/i440fx_test.cpp
    device/platform/i8042_test.cpp
    device/platform/ioapic_test.cpp
    device/platform/isa_irqs_test.cpp
    device/platform/pci_config_ports_test.cpp
    device/platform/pic_test.cpp
    device/platform/piix3_test.cpp
    device/platform/piix4_pm_test.cpp
    device/platform/pit_late_guest_test.cpp
    device/platform/pit_test.cpp
    device/platform/port92_test.cpp
    device/platform/ps2_keyboard_test.cpp
    device/platform/ps2_mouse_test.cpp
    device/platform/pvpanic_test.cpp
    device/platform/rtc_test.cpp
    device/platform/uart16550_test.cpp
    device/platform/x87_error_test.cpp
  USES devices/platform)

minivmm_fuzz(hpet
  SOURCES fuzz/hpet.cpp
  USES devices/platform
  LIBS GTest::gtest)
minivmm_fuzz(pci_config
  SOURCES fuzz/pci_config.cpp
  USES devices/platform)
minivmm_fuzz(platform
  SOURCES fuzz/platform.cpp
  USES devices/platform
  LIBS GTest::gtest)
