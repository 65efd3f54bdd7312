# Everything comes from Debian packages (see ./dev for their names); all are SYSTEM includes.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(turbojpeg REQUIRED IMPORTED_TARGET libturbojpeg)
# Their headers only: the libraries are loaded when they are wanted.
pkg_check_modules(vpx REQUIRED IMPORTED_TARGET vpx)
pkg_check_modules(sdl2 REQUIRED sdl2)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(pixman REQUIRED IMPORTED_TARGET pixman-1)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(sasl REQUIRED IMPORTED_TARGET libsasl2)
pkg_check_modules(spice-protocol REQUIRED IMPORTED_TARGET spice-protocol)

# Asio is headers only and has no CMake package.
find_path(ASIO_INCLUDE_DIR asio.hpp REQUIRED)
add_library(asio INTERFACE)
target_include_directories(asio SYSTEM INTERFACE ${ASIO_INCLUDE_DIR})
# Whether Asio 1.22 sees aligned_alloc depends on what was included before it, and a program of both kinds of files frees
# with delete what came from aligned_alloc: none of them shall see it.
target_compile_definitions(asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC)
# GCC 12 takes Asio's recycled handler memory for a mismatched new/delete.
target_compile_options(asio INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
# ThreadSanitizer does not know fences; Asio's queues lock mutexes, which it does know.
if(MINIVMM_SANITIZE MATCHES "thread")
  target_compile_definitions(asio INTERFACE ASIO_DISABLE_FENCED_BLOCK)
endif()
target_link_libraries(asio INTERFACE Threads::Threads)
