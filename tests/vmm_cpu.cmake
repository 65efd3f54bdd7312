# Unit tests of vmm/cpu, and bare guests on the real KVM accelerator.
minivmm_test(vmm_cpu_kvm_seabios
  SOURCES guest/kvm_seabios_test.cpp guest/kvm_rig.cpp
  USES core/base core/bus core/memory vmm/cpu vmm/cpu/kvm LABELS kvm)
target_compile_definitions(test_vmm_cpu_kvm_seabios PRIVATE MINIVMM_GUESTS="${CMAKE_BINARY_DIR}/guests")
