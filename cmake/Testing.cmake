# minivmm_test(core_base SOURCES ... USES core/base ... [LABELS threads] [LIBS ...] [OPTIMIZED]): one GoogleTest program.
# minivmm_fuzz(name SOURCES target.cpp USES ... [RANDOM seconds]): a libFuzzer target in the fuzz preset; elsewhere a program
# that replays tests/data/fuzz/<name>, run as a test, and with AddressSanitizer also its variations for some seconds.
find_package(GTest REQUIRED)

# What ThreadSanitizer has to see; the tsan preset builds nothing else.
add_custom_target(thread_tests)

# GoogleTest's macros take a compiler's optimizer longer than the tests run.
set(minivmm_test_options -O0)
minivmm_precompile(precompiled_tests
  <algorithm> <array> <atomic> <chrono> <cstdint> <functional> <gmock/gmock.h> <gtest/gtest.h> <map> <memory> <mutex>
  <optional> <span> <string> <string_view> <thread> <utility> <variant> <vector>)
target_link_libraries(precompiled_tests PRIVATE GTest::gmock)
target_compile_options(precompiled_tests PRIVATE ${minivmm_test_options})

function(minivmm_link_modules target)
  foreach(use IN LISTS ARGN)
    string(REPLACE "/" "_" dep ${use})
    target_link_libraries(${target} PRIVATE ${dep})
  endforeach()
endfunction()

function(minivmm_test name)
  cmake_parse_arguments(T "OPTIMIZED" "TIMEOUT" "SOURCES;USES;LIBS;LABELS" ${ARGN})
  set(target test_${name})
  add_executable(${target} ${T_SOURCES})
  target_link_libraries(${target} PRIVATE minivmm_flags GTest::gmock GTest::gtest_main ${T_LIBS})
  minivmm_link_modules(${target} ${T_USES})
  if(NOT T_OPTIMIZED)
    target_compile_options(${target} PRIVATE ${minivmm_test_options})
    minivmm_use_precompiled(${target} precompiled_tests)
  endif()
  target_compile_definitions(${target} PRIVATE MINIVMM_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 600)
  endif()
  if("threads" IN_LIST T_LABELS)
    add_dependencies(thread_tests ${target})
  endif()
  # One process a program, not one a test: starting a sanitized program costs more than most tests.
  add_test(NAME ${name} COMMAND ${target} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
endfunction()

function(minivmm_fuzz name)
  cmake_parse_arguments(F "" "RANDOM" "SOURCES;USES;LIBS" ${ARGN})
  set(target fuzz_${name})
  add_executable(${target} ${F_SOURCES})
  target_link_libraries(${target} PRIVATE minivmm_flags ${F_LIBS})
  minivmm_link_modules(${target} ${F_USES})
  if(MINIVMM_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.cpp)
    add_test(NAME fuzz_${name} COMMAND ${target} ${CMAKE_SOURCE_DIR}/tests/data/fuzz/${name})
    set_tests_properties(fuzz_${name} PROPERTIES TIMEOUT 600 LABELS fuzz)
    if(F_RANDOM AND MINIVMM_SANITIZE MATCHES "address")
      add_test(NAME fuzz_${name}_random
        COMMAND ${target} --random ${F_RANDOM} ${CMAKE_SOURCE_DIR}/tests/data/fuzz/${name})
      set_tests_properties(fuzz_${name}_random PROPERTIES TIMEOUT 600 LABELS fuzz)
    endif()
  endif()
endfunction()
