minivmm_test(firmware
  SOURCES
    device/firmware/fw_cfg_test.cpp
    unit/firmware/acpi_test.cpp
    unit/firmware/aml_test.cpp
    unit/firmware/boot_rom_test.cpp
    unit/firmware/images_test.cpp
    unit/firmware/kernel_boot_test.cpp
    unit/firmware/kernel_image_test.cpp
    unit/firmware/platform_test.cpp
    unit/firmware/smbios_test.cpp
  USES firmware)
# iasl has compiled our DSDT (firmware/CMakeLists.txt), so it is here.
target_compile_definitions(test_firmware PRIVATE MINIVMM_IASL="${IASL}")

minivmm_fuzz(fw_cfg SOURCES fuzz/fw_cfg.cpp USES firmware)
minivmm_fuzz(kernel_image SOURCES fuzz/kernel_image.cpp USES firmware)
