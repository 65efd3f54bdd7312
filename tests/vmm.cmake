minivmm_test(vmm_config SOURCES unit/vmm/config_test.cpp USES vmm/config)
