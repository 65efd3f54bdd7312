minivmm_test(vmm_config SOURCES unit/vmm/config_test.cpp USES vmm/config)
minivmm_test(vmm_control SOURCES unit/vmm/control_test.cpp USES vmm/control)
