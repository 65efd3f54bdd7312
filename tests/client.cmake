# Whole processes with real clients and guests: slow on hosts whose KVM is emulated, so they run side by side.
add_subdirectory(guest/boot_sector)
add_subdirectory(guest/direct_boot)
add_dependencies(thread_tests minivmm boot_sector_hello)

function(minivmm_client_test name script)
  cmake_parse_arguments(C "" "TIMEOUT" "CASES;LABELS" ${ARGN})
  add_test(NAME client_${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/client/${script} ${C_CASES})
  set_tests_properties(client_${name} PROPERTIES
    TIMEOUT ${C_TIMEOUT}
    LABELS "client;${C_LABELS}"
    ENVIRONMENT "MINIVMM=$<TARGET_FILE:minivmm>;GUESTS=${CMAKE_CURRENT_BINARY_DIR}/guest;PYTHONDONTWRITEBYTECODE=1")
endfunction()

minivmm_client_test(command_line cli_test.py TIMEOUT 300 LABELS threads)
minivmm_client_test(spice spice_test.py TIMEOUT 1500 LABELS threads)
minivmm_client_test(seabios boot_test.py TIMEOUT 400 CASES seabios_without_bootable_device debug_exit_gives_its_status)
minivmm_client_test(direct_boot boot_test.py TIMEOUT 400 CASES direct_boot_without_firmware direct_boot_after_the_firmware)
minivmm_client_test(reset boot_test.py TIMEOUT 900 CASES system_reset_boots_again)
minivmm_client_test(grub boot_test.py TIMEOUT 2000 CASES grub_rescue_to_its_menu_and_shell_with_keys_through_spice)

# Style is a test.
add_test(NAME style_include_rule COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/style/include_rule.py)
add_test(NAME style_limits COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/style/limits.py)
