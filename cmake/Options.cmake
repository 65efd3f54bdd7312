# Build switches and the flags every target of ours gets.

option(MINIVMM_TESTS "Build the tests" ON)
option(MINIVMM_BENCH "Build the benchmarks" OFF)
option(MINIVMM_FUZZ "Build fuzz targets with libFuzzer (clang); otherwise they only replay their corpus" OFF)
set(MINIVMM_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them (address,undefined or thread)")

find_program(CCACHE ccache)
if(CCACHE)
  # Several build trees of one checkout share objects: the working directory must not enter the hash. The sloppiness is what
  # ccache asks for with precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

add_library(minivmm_flags INTERFACE)
target_include_directories(minivmm_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(minivmm_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror
  -fno-strict-aliasing)

if(MINIVMM_SANITIZE)
  add_compile_options(-fsanitize=${MINIVMM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MINIVMM_SANITIZE})
endif()
if(MINIVMM_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # TSan does not see fences. Ours are a guest's, between its CPUs and devices; our own threads do without.
  target_compile_options(minivmm_flags INTERFACE -Wno-tsan)
endif()
if(MINIVMM_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Asio 1.22 does not recognise coroutines of current clang by itself.
  add_compile_definitions(ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
endif()
