# Whole processes with real clients and guests. Those on KVM are slow where it is emulated and wait most of their time;
# those on the software CPU take a processor each.
add_subdirectory(guest/boot_sector)
add_subdirectory(guest/direct_boot)
add_dependencies(thread_tests minivmm boot_sector_hello)

set(MINIVMM_DEBIAN_GUESTS ${CMAKE_SOURCE_DIR}/build/guests CACHE PATH "Guests made of Debian packages; all trees share them")

function(minivmm_client_test name script)
  cmake_parse_arguments(C "" "TIMEOUT;ACCEL;FIXTURE;COST" "CASES;LABELS" ${ARGN})
  if(NOT C_COST)
    set(C_COST 0)
  endif()
  if(NOT C_ACCEL)
    set(C_ACCEL soft)
  endif()
  set(processors 1)
  if(C_FIXTURE)
    set(processors 2)  # of the jobs that CTest runs side by side, two for each processor
  endif()
  add_test(NAME client_${name} COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/client/${script} ${C_CASES})
  set_tests_properties(client_${name} PROPERTIES
    TIMEOUT ${C_TIMEOUT}
    COST ${C_COST}
    LABELS "client;${C_LABELS}"
    PROCESSORS ${processors}
    FIXTURES_REQUIRED "${C_FIXTURE}"
    ENVIRONMENT "ACCEL=${C_ACCEL};MINIVMM=$<TARGET_FILE:minivmm>;GUESTS=${CMAKE_CURRENT_BINARY_DIR}/guest;SNAPSHOTS=${CMAKE_CURRENT_BINARY_DIR}/snapshots;DEBIAN_GUESTS=${MINIVMM_DEBIAN_GUESTS};PYTHONDONTWRITEBYTECODE=1")
endfunction()

minivmm_client_test(command_line cli_test.py TIMEOUT 900 LABELS threads)

# Displays without a machine: one shows films, the other plays recordings.
add_executable(film client/film.cpp client/served_display.cpp)
target_link_libraries(film PRIVATE minivmm_flags spice_server spice_display vmm_sandbox)
add_executable(player client/player.cpp client/served_display.cpp)
target_link_libraries(player PRIVATE minivmm_flags spice_server spice_display vmm_replay vmm_sandbox)
minivmm_client_test(pictures pictures_test.py TIMEOUT 600 COST 20)
set(shown_tests pictures)
if(NOT MINIVMM_SANITIZE)  # it plays what the other one plays, for another reader
  minivmm_client_test(dissector dissector_test.py TIMEOUT 900 COST 20)
  set_tests_properties(client_dissector PROPERTIES SKIP_RETURN_CODE 77)  # where packets cannot be captured
  list(APPEND shown_tests dissector)
endif()
foreach(test IN LISTS shown_tests)
  set_property(TEST client_${test} APPEND PROPERTY ENVIRONMENT "FILM=$<TARGET_FILE:film>" "PLAYER=$<TARGET_FILE:player>")
endforeach()
if(NOT MINIVMM_SANITIZE)  # frames keep to a line's rate, which a slow encoder has no part in
  minivmm_client_test(video video_test.py TIMEOUT 600)
  set_property(TEST client_video APPEND PROPERTY ENVIRONMENT "FILM=$<TARGET_FILE:film>")
endif()

minivmm_client_test(sandbox sandbox_test.py TIMEOUT 300)
minivmm_client_test(window window_test.py TIMEOUT 600 LABELS threads)
set_property(TEST client_window APPEND PROPERTY
  ENVIRONMENT "LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_SOURCE_DIR}/client/leaks_of_libraries.txt")

foreach(accel kvm soft)
  minivmm_client_test(seabios_${accel} boot_test.py ACCEL ${accel} TIMEOUT 1500
    CASES seabios_without_bootable_device debug_exit_gives_its_status sata_and_virtio_disks_boot usb_sticks_boot snapshots)
  minivmm_client_test(direct_boot_${accel} boot_test.py ACCEL ${accel} TIMEOUT 1500
    CASES direct_boot_without_firmware direct_boot_after_the_firmware)
  minivmm_client_test(reset_${accel} boot_test.py ACCEL ${accel} TIMEOUT 1500 CASES system_reset_boots_again sleep_and_wake_up)
  if(accel STREQUAL "soft" OR NOT MINIVMM_SANITIZE)  # the device is the same, and KVM slow where it is emulated
    minivmm_client_test(qxl_rig_${accel} qxl_rig_test.py ACCEL ${accel} TIMEOUT 1500)
  endif()
  minivmm_client_test(grub_${accel} boot_test.py ACCEL ${accel} TIMEOUT 2000
    CASES grub_rescue_to_its_menu_and_shell_with_keys_through_spice)
endforeach()

# Guests as Debian ships them.
add_test(NAME guests_from_debian COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/guest/debian/build ${MINIVMM_DEBIAN_GUESTS})
set_tests_properties(guests_from_debian PROPERTIES TIMEOUT 1500 FIXTURES_SETUP debian_guests)
set(guest_cases cloud_kernel_with_1_cpu cloud_kernel_with_4_cpus cloud_kernel_with_avx isolinux_to_shell ipxe_finds_no_network_card
  memtest_tests)
if(NOT MINIVMM_SANITIZE)
  # With sanitizers these take minutes each and show nothing that the others do not.
  list(APPEND guest_cases generic_kernel_with_1_cpu generic_kernel_with_4_cpus installer_i386 installer_amd64)
endif()
foreach(case IN LISTS guest_cases)
  minivmm_client_test(${case} guest_test.py TIMEOUT 1500 COST 10 FIXTURE debian_guests CASES ${case})
endforeach()
if(NOT MINIVMM_SANITIZE)
  minivmm_client_test(devices devices_test.py TIMEOUT 2400 COST 200 FIXTURE debian_guests)
  minivmm_client_test(usb usb_test.py TIMEOUT 1500 COST 80 FIXTURE debian_guests)
  minivmm_client_test(qxl qxl_test.py TIMEOUT 1500 COST 60 FIXTURE debian_guests)
  # largest_mode_with_the_devices_driver and two_devices_with_modesetting are left to be run by hand.
  minivmm_client_test(xorg xorg_test.py TIMEOUT 1500 COST 250 FIXTURE debian_guests
    CASES modesetting_on_the_kernels_driver device_driver_on_the_kernels_driver device_driver_alone
      device_driver_alone_with_surfaces surfaces_survive_a_snapshot device_driver_alone_renders modes_from_small_to_large
      clients_choose_sizes_and_heads agent_enables_a_second_head screen_follows_the_window_of_remote_viewer
      local_window_is_a_second_head largest_mode_with_modesetting two_devices_with_the_devices_driver)
  foreach(disk ide ahci)
    minivmm_client_test(desktop_on_${disk} desktop_test.py TIMEOUT 1500 COST 50 FIXTURE debian_guests CASES boots_from_${disk})
  endforeach()
  minivmm_client_test(desktop desktop_test.py TIMEOUT 1500 COST 120 FIXTURE debian_guests
    CASES restored_guest_has_its_desktop fio_verifies_every_disk trim_gives_blocks_back acpi_tables_are_clean
    keys_and_mouse_reach_evdev poweroff_ends_it power_button_is_a_key reboot_boots_again flushed_data_survives_a_kill)
  minivmm_client_test(vdagent vdagent_test.py TIMEOUT 1500 COST 90 FIXTURE debian_guests)
  minivmm_client_test(icount_desktop icount_test.py TIMEOUT 1500 COST 95 FIXTURE debian_guests CASES desktop_on_virtio)
endif()
# The longest first, so that none is left over at the end.
set(icount_cases kernel_with_1_cpu rig_with_rings)
if(NOT MINIVMM_SANITIZE)
  list(APPEND icount_cases kernel_with_4_cpus kernels_console_in_native_mode cd_until_the_firmware_gives_up)
endif()
minivmm_client_test(icount icount_test.py TIMEOUT 1500 COST 100 FIXTURE debian_guests CASES ${icount_cases})
minivmm_client_test(spice spice_test.py TIMEOUT 1500 COST 50 LABELS threads)
minivmm_client_test(agent agent_test.py TIMEOUT 1500 COST 30 FIXTURE debian_guests)
minivmm_client_test(transports transport_test.py TIMEOUT 600 COST 20 LABELS threads)
minivmm_client_test(sasl sasl_test.py TIMEOUT 1500 COST 10 LABELS threads)
minivmm_client_test(web web_test.py TIMEOUT 1500 COST 10)
minivmm_client_test(monitor monitor_test.py TIMEOUT 1500 COST 50 LABELS threads)

# Style is a test.
add_test(NAME style_include_rule COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/style/include_rule.py)
add_test(NAME style_limits COMMAND /usr/bin/python3 ${CMAKE_SOURCE_DIR}/tests/style/limits.py)
