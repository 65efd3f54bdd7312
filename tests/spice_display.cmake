# The codec, canvas and display folders of spice/.
find_package(ZLIB REQUIRED)

minivmm_test(spice_codec
  SOURCES
    unit/spice/codec/glz_test.cpp
    unit/spice/codec/lz_test.cpp
    unit/spice/codec/quic_test.cpp
    unit/spice/codec/wrapped_test.cpp
  USES spice/codec
  LIBS ZLIB::ZLIB)
minivmm_test(spice_canvas
  SOURCES unit/spice/canvas/region_test.cpp unit/spice/canvas/surface_test.cpp unit/spice/canvas/vectors_test.cpp
          unit/spice/canvas/draw_test.cpp unit/spice/canvas/effect_test.cpp unit/spice/canvas/model_test.cpp
          unit/spice/canvas/unpacked_images_test.cpp vectors/render.cpp vectors/render_images.cpp
  USES spice/canvas
  LIBS ZLIB::ZLIB nlohmann_json::nlohmann_json)
minivmm_test(spice_video
  SOURCES unit/spice/video/client_streams_test.cpp unit/spice/video/codecs_test.cpp unit/spice/video/encoders_test.cpp
          unit/spice/video/rate_control_test.cpp unit/spice/video/rate_rules_test.cpp
          unit/spice/video/stream_detector_test.cpp
  USES spice/video
  LIBS PkgConfig::vpx)
minivmm_test(spice_image
  SOURCES unit/spice/image/choice_test.cpp unit/spice/image/image_encoder_test.cpp
          unit/spice/image/image_sender_test.cpp unit/spice/image/image_source_test.cpp
          unit/spice/image/image_strips_test.cpp
          unit/spice/image/lossy_areas_test.cpp
          unit/spice/image/captures_test.cpp unit/spice/image/model_client.cpp unit/spice/image/pictures.cpp
  USES spice/image
  LIBS ZLIB::ZLIB)
minivmm_test(spice_image_threads
  SOURCES unit/spice/image/encoder_pool_test.cpp unit/spice/image/model_client.cpp unit/spice/image/pictures.cpp
          unit/spice/image/pixmap_cache_test.cpp unit/spice/image/threads_test.cpp
  USES spice/image LABELS threads)
minivmm_test(spice_display
  SOURCES unit/spice/display/client_cursor_test.cpp unit/spice/display/client_picture_test.cpp
          unit/spice/display/client_video_test.cpp unit/spice/display/client_writer_test.cpp
          unit/spice/display/cursor_channel_test.cpp unit/spice/display/cursor_image_test.cpp
          unit/spice/display/cursor_test.cpp unit/spice/display/display_figures_test.cpp
          unit/spice/display/display_model.cpp
          unit/spice/display/display_model_test.cpp unit/spice/display/drawing_strips_test.cpp
          unit/spice/display/display_worker_test.cpp unit/spice/display/local_view_test.cpp
          unit/spice/display/model_client.cpp unit/spice/display/model_images.cpp
          unit/spice/display/native_worker_test.cpp unit/spice/display/painted_pictures_test.cpp
          unit/spice/display/patience_test.cpp
          unit/spice/display/refresh_pace_test.cpp unit/spice/display/screen_test.cpp
          unit/spice/display/surface_store_test.cpp
          unit/spice/display/unseen_test.cpp unit/spice/display/update_plan_test.cpp
  USES spice/display LABELS threads)
foreach(codec glz jpeg lz lz4 quic)
  minivmm_fuzz(${codec}_decode
    SOURCES fuzz/${codec}_decode.cpp
    USES spice/codec)
endforeach()

minivmm_fuzz(video
  SOURCES fuzz/video.cpp
  USES spice/video
  RANDOM 20)
minivmm_fuzz(canvas
  SOURCES fuzz/canvas.cpp
  USES spice/canvas
  RANDOM 60)

minivmm_fuzz(display
  SOURCES fuzz/display.cpp unit/spice/display/display_model.cpp unit/spice/display/model_client.cpp
          unit/spice/display/model_images.cpp
  USES spice/display
  RANDOM 60)

# The codecs and the canvas over one vector, by hand and for tests/vectors/check.py.
add_executable(spice-vectors vectors/codec_verbs.cpp vectors/main.cpp vectors/picture.cpp vectors/render.cpp vectors/render_images.cpp)
target_link_libraries(spice-vectors PRIVATE minivmm_flags spice_canvas spice_codec nlohmann_json::nlohmann_json ZLIB::ZLIB)
set_target_properties(spice-vectors PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
add_test(NAME spice_vectors
  COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/vectors/check.py --tool $<TARGET_FILE:spice-vectors>)
set_tests_properties(spice_vectors PROPERTIES TIMEOUT 600)

if(MINIVMM_BENCH)
  find_package(benchmark REQUIRED)
  add_executable(canvas_bench bench/canvas_bench.cpp)
  target_link_libraries(canvas_bench PRIVATE minivmm_flags spice_canvas benchmark::benchmark)
  add_executable(codec_bench bench/codec_bench.cpp vectors/picture.cpp)
  target_link_libraries(codec_bench PRIVATE minivmm_flags spice_codec benchmark::benchmark nlohmann_json::nlohmann_json ZLIB::ZLIB)
  add_executable(image_bench bench/image_bench.cpp)
  target_link_libraries(image_bench PRIVATE minivmm_flags spice_image benchmark::benchmark ZLIB::ZLIB)
  target_compile_definitions(image_bench PRIVATE MINIVMM_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
  target_compile_definitions(codec_bench PRIVATE MINIVMM_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
endif()
