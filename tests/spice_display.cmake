# The codec, canvas and display folders of spice/.
find_package(ZLIB REQUIRED)

minivmm_test(spice_codec
  SOURCES unit/spice/codec/lz_test.cpp
  USES spice/codec
  LIBS ZLIB::ZLIB)
minivmm_test(spice_canvas
  SOURCES unit/spice/canvas/region_test.cpp unit/spice/canvas/surface_test.cpp
  USES spice/canvas)
minivmm_test(spice_display
  SOURCES unit/spice/display/client_picture_test.cpp unit/spice/display/display_worker_test.cpp
          unit/spice/display/image_encoder_test.cpp
          unit/spice/display/refresh_pace_test.cpp unit/spice/display/screen_test.cpp
          unit/spice/display/update_plan_test.cpp
  USES spice/display LABELS threads)
minivmm_fuzz(lz_decode
  SOURCES fuzz/lz_decode.cpp
  USES spice/codec)

if(MINIVMM_BENCH)
  find_package(benchmark REQUIRED)
  add_executable(lz_bench bench/lz_bench.cpp)
  target_link_libraries(lz_bench PRIVATE minivmm_flags spice_codec benchmark::benchmark ZLIB::ZLIB)
  target_compile_definitions(lz_bench PRIVATE MINIVMM_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
endif()
