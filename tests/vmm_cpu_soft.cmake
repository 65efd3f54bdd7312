# Unit tests of vmm/cpu/soft: a program a part.
foreach(part engine integer system fpu machine)
  file(GLOB soft_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/unit/vmm/cpu/soft/${part}/*.cpp)
  if(soft_tests)
    minivmm_test(vmm_cpu_soft_${part} SOURCES ${soft_tests}
      USES core/base core/bus core/memory core/state vmm/cpu vmm/cpu/soft)
  endif()
endforeach()
