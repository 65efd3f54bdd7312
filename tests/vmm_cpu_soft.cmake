# Unit tests of vmm/cpu/soft: a program a part. Those of instructions compare them with the host's processor.
set(soft_tests ${CMAKE_CURRENT_LIST_DIR}/unit/vmm/cpu/soft)
set(soft_uses USES core/base core/bus core/memory core/state core/event vmm/cpu vmm/cpu/soft)
set(soft_differential
    ${soft_tests}/differential/campaign.cpp ${soft_tests}/differential/form_syntax.cpp
    ${soft_tests}/differential/generator.cpp ${soft_tests}/differential/native.cpp ${soft_tests}/differential/soft.cpp)
# Runs cases for the differential tests; see its comment for why it has no sanitizer.
add_executable(native_child ${soft_tests}/differential/native_child.cpp)
target_link_libraries(native_child PRIVATE minivmm_flags)
target_compile_options(native_child PRIVATE -fno-sanitize=all)
target_link_options(native_child PRIVATE -fno-sanitize=all)
minivmm_test(vmm_cpu_soft_engine SOURCES
    ${soft_tests}/engine/executor_test.cpp ${soft_tests}/engine/flat_test.cpp
    ${soft_tests}/engine/stack_test.cpp ${soft_tests}/engine/string_test.cpp
  ${soft_uses})
minivmm_test(vmm_cpu_soft_integer OPTIMIZED SOURCES
    ${soft_tests}/integer/differential_test.cpp
    ${soft_differential}
  ${soft_uses})
minivmm_test(vmm_cpu_soft_system SOURCES
    ${soft_tests}/system/delivery_test.cpp ${soft_tests}/system/features_test.cpp
    ${soft_tests}/system/hostile_test.cpp
    ${soft_tests}/system/instructions_test.cpp ${soft_tests}/system/paging_test.cpp
    ${soft_tests}/system/transfer_test.cpp
  ${soft_uses})
minivmm_test(vmm_cpu_soft_fpu OPTIMIZED SOURCES
    ${soft_tests}/fpu/differential_test.cpp ${soft_tests}/fpu/state_test.cpp
    ${soft_differential}
  ${soft_uses})
minivmm_test(vmm_cpu_soft_avx OPTIMIZED SOURCES
    ${soft_tests}/avx/differential_test.cpp ${soft_tests}/avx/state_test.cpp
    ${soft_differential}
  ${soft_uses})
foreach(test IN ITEMS test_vmm_cpu_soft_integer test_vmm_cpu_soft_fpu test_vmm_cpu_soft_avx)
  add_dependencies(${test} native_child)
  target_compile_definitions(${test} PRIVATE MINIVMM_NATIVE_CHILD="$<TARGET_FILE:native_child>")
endforeach()
minivmm_test(vmm_cpu_soft_machine SOURCES
    ${soft_tests}/machine/local_apic_test.cpp ${soft_tests}/machine/runner_test.cpp
  ${soft_uses})

if(MINIVMM_BENCH)
  find_package(benchmark REQUIRED)
  add_executable(cpu_bench bench/cpu_bench.cpp)
  target_link_libraries(cpu_bench PRIVATE minivmm_flags vmm_cpu_soft benchmark::benchmark GTest::gtest)
endif()
minivmm_fuzz(cpu
  RANDOM 60
  SOURCES fuzz/cpu.cpp fuzz/cpu_scene.cpp
  USES core/base core/bus core/memory core/state vmm/cpu vmm/cpu/soft)
if(MINIVMM_FUZZ)
  # Its comparisons are of addresses mostly: watching them would cost half of the speed and tell nothing.
  target_compile_options(vmm_cpu_soft PRIVATE -fno-sanitize-coverage=trace-cmp)
  target_compile_options(fuzz_cpu PRIVATE -fno-sanitize-coverage=trace-cmp)
endif()
