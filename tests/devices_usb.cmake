# One file a line, sorted.
minivmm_test(devices_usb
  SOURCES
    device/usb/ehci_test.cpp
    device/usb/hid_test.cpp
    device/usb/mass_storage_test.cpp
    device/usb/uhci_test.cpp
    device/usb/usb_hub_test.cpp
  USES devices/usb
  TIMEOUT 900)
foreach(target devices ehci uhci)
  minivmm_fuzz(usb_${target}
    SOURCES
      fuzz/usb_${target}.cpp
    USES devices/usb
    LIBS GTest::gtest)
endforeach()
