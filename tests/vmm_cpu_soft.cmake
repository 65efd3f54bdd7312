# Unit tests of vmm/cpu/soft: a program a part. Those of instructions compare them with the host's processor.
file(GLOB differential CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/unit/vmm/cpu/soft/differential/*.cpp)
set(soft_rig_integer ${differential})
set(soft_rig_fpu ${differential})
foreach(part engine integer system fpu machine)
  file(GLOB soft_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/unit/vmm/cpu/soft/${part}/*.cpp)
  if(soft_tests)
    minivmm_test(vmm_cpu_soft_${part} SOURCES ${soft_tests} ${soft_rig_${part}}
      USES core/base core/bus core/memory core/state vmm/cpu vmm/cpu/soft)
  endif()
endforeach()

if(MINIVMM_BENCH)
  find_package(benchmark REQUIRED)
  add_executable(cpu_bench bench/cpu_bench.cpp)
  target_link_libraries(cpu_bench PRIVATE minivmm_flags vmm_cpu_soft benchmark::benchmark GTest::gtest)
endif()
