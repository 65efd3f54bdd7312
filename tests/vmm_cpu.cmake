# Unit tests of vmm/cpu, and bare guests on real accelerators.
include(${CMAKE_CURRENT_LIST_DIR}/guest/bare/guest.cmake)

foreach(guest interrupts ports memory processors compute triple_fault virtqueue sleeper posted)
  minivmm_guest(${guest} SOURCES guest/bare/guests/${guest}.cpp)
endforeach()
foreach(guest cpuid ext_int kvm_clock nowhere)
  minivmm_guest(${guest} REAL_MODE SOURCES guest/bare/guests/${guest}.S)
endforeach()
if(MINIVMM_BENCH)
  minivmm_guest(device_bench SOURCES bench/guest/device_bench.cpp bench/guest/ahci.cpp bench/guest/pci.cpp
    bench/guest/virtio.cpp bench/guest/virtio_blk.cpp)
  minivmm_guest(port_bench SOURCES bench/guest/port_bench.cpp bench/guest/pci.cpp bench/guest/virtio.cpp
    bench/guest/virtio_console.cpp)
  minivmm_guest(usb_bench SOURCES bench/guest/usb_bench.cpp bench/guest/ehci.cpp bench/guest/pci.cpp)
endif()

# The same guests on both accelerators.
set(guest_tests guest/cpu_rig.cpp guest/cpu_interrupt_test.cpp guest/cpu_io_test.cpp guest/cpu_lifecycle_test.cpp
  guest/cpu_memory_test.cpp guest/cpu_seabios_test.cpp guest/cpu_state_test.cpp guest/cpu_virtio_test.cpp)
minivmm_test(vmm_cpu_kvm SOURCES ${guest_tests} guest/accelerator_kvm.cpp guest/kvm_test.cpp
  USES core/base core/bus core/event core/memory core/pci core/state devices/virtio vmm/cpu vmm/cpu/kvm
  LABELS kvm TIMEOUT 1800)
minivmm_test(vmm_cpu_soft SOURCES ${guest_tests} guest/accelerator_soft.cpp
  USES core/base core/bus core/event core/memory core/pci core/state devices/virtio vmm/cpu vmm/cpu/soft
  LABELS threads TIMEOUT 1800)
foreach(accelerator kvm soft)
  target_compile_definitions(test_vmm_cpu_${accelerator} PRIVATE MINIVMM_GUESTS="${MINIVMM_GUEST_DIR}")
  add_dependencies(test_vmm_cpu_${accelerator} guest_interrupts guest_ports guest_memory guest_processors guest_compute
    guest_cpuid guest_ext_int guest_kvm_clock guest_triple_fault guest_nowhere guest_posted
    guest_virtqueue)
endforeach()

minivmm_test(vmm_cpu
  SOURCES unit/vmm/cpu/cpu_state_test.cpp unit/vmm/cpu/cpuid_test.cpp unit/vmm/cpu/kvm/slot_allocator_test.cpp
    unit/vmm/cpu/kvm/system_test.cpp unit/vmm/cpu/vcpu_thread_test.cpp
  USES core/base core/state vmm/cpu vmm/cpu/kvm LABELS threads)
