minivmm_test(vmm_config SOURCES unit/vmm/config_test.cpp USES vmm/config)
minivmm_test(vmm_control SOURCES unit/vmm/control_test.cpp USES vmm/control)
minivmm_test(vmm_machine SOURCES unit/vmm/snapshot_test.cpp USES vmm/machine)
minivmm_fuzz(snapshot SOURCES fuzz/snapshot.cpp USES vmm/machine)
