minivmm_test(vmm_config SOURCES unit/vmm/config_test.cpp USES vmm/config)
minivmm_test(vmm_control
  SOURCES unit/vmm/control/hmp_test.cpp unit/vmm/control/parts_test.cpp unit/vmm/control/qmp_test.cpp
  USES vmm/control
  LIBS nlohmann_json::nlohmann_json)
minivmm_test(vmm_sandbox SOURCES unit/vmm/sandbox_test.cpp USES vmm/sandbox)
minivmm_fuzz(qmp RANDOM 60 SOURCES fuzz/qmp.cpp USES vmm/control LIBS nlohmann_json::nlohmann_json)
minivmm_test(vmm_machine SOURCES unit/vmm/input_choice_test.cpp unit/vmm/snapshot_test.cpp USES vmm/machine LABELS threads)
minivmm_fuzz(snapshot SOURCES fuzz/snapshot.cpp USES vmm/machine)
minivmm_test(vmm_replay
  SOURCES unit/vmm/replay/immediate_canvas_test.cpp unit/vmm/replay/recording_test.cpp unit/vmm/replay/replay_test.cpp
    unit/vmm/replay/spice_replay_test.cpp
  USES vmm/replay)
minivmm_fuzz(recording RANDOM 60 SOURCES fuzz/recording.cpp USES vmm/replay)
minivmm_test(vmm_window SOURCES unit/vmm/window/key_map_test.cpp unit/vmm/window/placement_test.cpp USES vmm/window)
