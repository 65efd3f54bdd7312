# One file a line, sorted.
minivmm_test(devices_qxl
  SOURCES
    device/qxl/change_rects_test.cpp
    device/qxl/commands_test.cpp
    device/qxl/known_flaws_test.cpp
    device/qxl/native_mode_test.cpp
    device/qxl/qxl_function_test.cpp
    device/qxl/qxl_ports_test.cpp
    device/qxl/text_screen_test.cpp
    device/qxl/vga_memory_test.cpp
    device/qxl/vga_regs_test.cpp
    device/qxl/vga_renderer_test.cpp
  USES devices/qxl)

minivmm_test(devices_qxl_threads SOURCES device/qxl/qxl_threads_test.cpp USES devices/qxl LABELS threads)
minivmm_fuzz(qxl RANDOM 60 SOURCES fuzz/qxl.cpp USES devices/qxl)
minivmm_fuzz(vga SOURCES fuzz/vga.cpp USES devices/qxl LIBS GTest::gtest)

# A bare guest that drives a QXL display by itself.
add_subdirectory(${CMAKE_SOURCE_DIR}/examples/qxl-rig ${CMAKE_BINARY_DIR}/examples/qxl-rig)
set(rig ${CMAKE_SOURCE_DIR}/examples/qxl-rig)
include(${CMAKE_CURRENT_LIST_DIR}/guest/bare/guest.cmake)
minivmm_guest(qxl_still SOURCES guest/bare/guests/qxl_still.cpp ${rig}/drawings.cpp ${rig}/driver.cpp
  INCLUDES ${spice-protocol_INCLUDE_DIRS})
minivmm_guest(qxl_interrupts SOURCES guest/bare/guests/qxl_interrupts.cpp bench/guest/pci.cpp ${rig}/drawings.cpp
  ${rig}/driver.cpp INCLUDES ${spice-protocol_INCLUDE_DIRS})
minivmm_guest(qxl_modes SOURCES guest/bare/guests/qxl_modes.cpp bench/guest/pci.cpp ${rig}/drawings.cpp ${rig}/driver.cpp
  INCLUDES ${spice-protocol_INCLUDE_DIRS})
if(MINIVMM_BENCH)
  minivmm_guest(qxl_bench SOURCES bench/guest/qxl_bench.cpp bench/guest/pci.cpp ${rig}/drawings.cpp ${rig}/driver.cpp
    INCLUDES ${spice-protocol_INCLUDE_DIRS})
  minivmm_guest(pointer_bench SOURCES bench/guest/pointer_bench.cpp bench/guest/pci.cpp bench/guest/ps2_mouse.cpp
    ${rig}/drawings.cpp ${rig}/driver.cpp INCLUDES ${spice-protocol_INCLUDE_DIRS})
endif()
