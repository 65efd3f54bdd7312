# One file a line, sorted.
minivmm_test(devices_character
  SOURCES
    unit/devices/character/open_test.cpp
    unit/devices/character/pump_test.cpp
  USES devices/character
  LABELS threads)
