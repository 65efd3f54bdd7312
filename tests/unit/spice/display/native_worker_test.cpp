// Native mode from a source to clients over sockets.
#include <cstring>
#include <gmock/gmock.h>
#include <memory>
#include <thread>

#include "spice/canvas/draw.h"
#include "spice/display/display_worker.h"
#include "tests/unit/spice/display/model_client.h"
#include "tests/unit/spice/display/raw_client.h"
#include "tests/unit/spice/display/scripted_source.h"

namespace {

using core::DisplayCanvas;
using display_test::ModelClient;
using display_test::RawClient;
using display_test::ScriptedSource;
using spice::display::DisplayWorker;
namespace wire = spice::wire;

constexpr std::int32_t kWidth = 80, kHeight = 60;

core::DrawingPtr fill(core::SurfaceId surface, const core::Rect& box, std::uint32_t color) {
  return std::make_shared<core::Drawing>(
      core::Drawing{.surface = surface, .box = box, .operation = core::DrawFill{.brush = core::SolidBrush{color}}});
}

core::DrawingPtr copy_surface(core::SurfaceId from, const core::Rect& box) {
  auto image = std::make_shared<core::Image>();
  image->content = core::SurfacePixels{from};
  const core::Rect area{0, 0, box.width(), box.height()};
  return std::make_shared<core::Drawing>(
      core::Drawing{.box = box, .operation = core::DrawCopy{.source = {.image = std::move(image), .area = area}}});
}

core::DrawingPtr noise(const core::Rect& box, std::uint32_t seed) {
  core::Bitmap bitmap{.width = static_cast<std::uint32_t>(box.width()),
                      .height = static_cast<std::uint32_t>(box.height())};
  bitmap.stride = bitmap.width * 4;
  bitmap.data.resize(std::size_t{bitmap.stride} * bitmap.height);
  for (auto& byte : bitmap.data)
    byte = static_cast<std::uint8_t>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
  const auto bytes = bitmap.data.size();
  auto image = std::make_shared<core::Image>();
  image->content = std::move(bitmap);
  return std::make_shared<core::Drawing>(core::Drawing{
      .box = box,
      .memory = bytes,
      .operation = core::DrawCopy{.source = {.image = std::move(image), .area = {0, 0, box.width(), box.height()}}}});
}

struct Rig {
  explicit Rig(const DisplayWorker::Config& config = {}) : worker(config, source) {
    source.queue([](DisplayCanvas& canvas) { EXPECT_TRUE(canvas.create_surface(0, {kWidth, kHeight})); });
    worker.start();
  }
  ScriptedSource source;
  DisplayWorker worker;
};

// A client and what it shows.
struct Viewer {
  explicit Viewer(Rig& rig, const RawClient::Options& options = {}) : Viewer(rig.worker, options, {}) {}
  Viewer(DisplayWorker& worker, const RawClient::Options& options, const wire::DisplayInit& init)
      : raw(worker.display_provider(), options) {
    raw.send(init);
  }
  // Takes messages until it shows the picture.
  bool shows(const spice::display::Picture& picture) {
    while (!is_equal(picture)) {
      const auto message = raw.receive();
      if (!message) return false;
      types.push_back(message->type);
      if (message->type != wire::SetAck::kType) model.apply(message->type, message->body);
      EXPECT_EQ(model.complaint(), "");
    }
    return true;
  }
  bool is_equal(const spice::display::Picture& picture) {
    const auto* const surface = model.surface(0);
    if (surface == nullptr || !model.is_marked() || surface->width() != picture.width ||
        surface->height() != picture.height)
      return false;
    for (std::int32_t i = 0; i < picture.width * picture.height; ++i) {
      if ((surface->at(0, 0)[i] & 0xff'ffff) != picture.pixels[static_cast<std::size_t>(i)]) return false;
    }
    return true;
  }

  RawClient raw;
  ModelClient model;
  std::vector<std::uint16_t> types;
};

TEST(NativeMode, screenshot_shows_what_was_drawn) {
  Rig rig;
  rig.source.run([](DisplayCanvas& canvas) { canvas.draw(fill(0, {1, 1, 3, 2}, 0x12'3456)); });
  const auto picture = rig.worker.screenshot();
  ASSERT_EQ(picture.width, kWidth);
  EXPECT_EQ(picture.pixels[kWidth], 0U);
  EXPECT_EQ(picture.pixels[kWidth + 1], 0x12'3456U);
}

TEST(NativeMode, screenshot_of_a_head_is_its_part_of_the_surface) {
  Rig rig;
  rig.source.run([](DisplayCanvas& canvas) {
    canvas.draw(fill(0, {1, 1, 3, 2}, 0x12'3456));
    canvas.set_monitors(
        {.max_allowed = 2, .heads = {{.id = 0, .area = {0, 0, 2, 3}}, {.id = 1, .area = {2, 1, kWidth + 9, 5}}}});
  });
  const auto left = rig.worker.screenshot_of_head(0, spice::display::Pointer::LeftOut);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->pixels, (std::vector<std::uint32_t>{0, 0, 0, 0x12'3456, 0, 0}));
  const auto right = rig.worker.screenshot_of_head(1, spice::display::Pointer::LeftOut);
  ASSERT_TRUE(right);
  EXPECT_EQ(right->width, kWidth - 2);
  EXPECT_EQ(right->height, 4);
  EXPECT_EQ(right->pixels.front(), 0x12'3456U);
  EXPECT_FALSE(rig.worker.screenshot_of_head(2, spice::display::Pointer::LeftOut));
}

TEST(NativeMode, screenshot_of_a_single_monitor_leaves_out_what_it_does_not_show) {
  Rig rig;
  const auto size_with = [&rig](std::vector<core::MonitorHead> heads) {
    rig.source.run(
        [&heads](DisplayCanvas& canvas) { canvas.set_monitors({.max_allowed = 4, .heads = std::move(heads)}); });
    const auto picture = rig.worker.screenshot();
    return std::pair{picture.width, picture.height};
  };
  const auto whole = std::pair{kWidth, kHeight};
  EXPECT_EQ(size_with({{.id = 0, .area = {0, 0, 5, 4}}}), std::pair(5, 4));
  EXPECT_EQ(size_with({{.id = 0, .area = {0, 0, 5, 4}}, {.id = 1, .area = {5, 0, 8, 4}}}), whole);
  EXPECT_EQ(size_with({{.id = 0, .area = {0, 0, 5, 4}}, {.id = 1, .area = {}}}), std::pair(5, 4));
  EXPECT_EQ(size_with({{.id = 0, .area = {0, 0, kWidth + 9, 4}}}), std::pair(kWidth, 4));
  EXPECT_EQ(size_with({{.id = 0, .area = {kWidth, 0, kWidth + 9, 4}}}), whole);
  EXPECT_EQ(size_with({}), whole) << "ignored, and the last one was beyond the surface";
}

TEST(NativeMode, picture_that_is_more_than_may_wait_is_sent_as_the_client_takes_it) {
  constexpr core::Rect kLarge{0, 0, 2304, 2304};
  Rig rig({.images = {.compression = wire::ImageCompression::Lz4}});
  rig.source.run([&](DisplayCanvas& canvas) {
    canvas.destroy_surface(0);
    EXPECT_TRUE(canvas.create_surface(0, {kLarge.width(), kLarge.height()}));
  });
  rig.worker.screenshot();
  Viewer viewer(rig, {.caps = {wire::kLz4Cap}, .server_send_buffer = 4096});
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  rig.source.run([&](DisplayCanvas& canvas) {
    canvas.draw(noise(kLarge, 1));
    canvas.draw(fill(0, {5, 5, 900, 900}, 0x12'3456));
  });
  EXPECT_TRUE(viewer.shows(rig.worker.screenshot()));
}

TEST(NativeMode, connected_client_gets_drawings_and_a_late_one_the_picture) {
  Rig rig;
  Viewer early(rig);
  ASSERT_TRUE(early.shows(rig.worker.screenshot()));
  rig.source.run([](DisplayCanvas& canvas) { canvas.draw(fill(0, {1, 1, 30, 20}, 0x12'3456)); });
  ASSERT_TRUE(early.shows(rig.worker.screenshot()));
  EXPECT_EQ(early.types.back(), wire::DisplayDrawFill::kType);
  Viewer late(rig);
  ASSERT_TRUE(late.shows(rig.worker.screenshot()));
  EXPECT_THAT(late.types, testing::ElementsAre(wire::SetAck::kType, wire::DisplayInvalAllPalettes::kType,
                                               wire::DisplaySurfaceCreate::kType, wire::DisplayDrawCopy::kType,
                                               wire::DisplayMonitorsConfig::kType, wire::DisplayMark::kType));
}

TEST(NativeMode, other_surface_reaches_the_client_when_it_is_copied_from) {
  Rig rig;
  Viewer viewer(rig);
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  viewer.types.clear();
  rig.source.queue([](DisplayCanvas& canvas) {
    EXPECT_TRUE(canvas.create_surface(4, {20, 10}));
    canvas.draw(fill(4, {0, 0, 20, 10}, 0xab'cdef));
  });
  rig.source.run([](DisplayCanvas& canvas) { canvas.draw(copy_surface(4, {5, 5, 25, 15})); });
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  EXPECT_THAT(viewer.types, testing::ElementsAre(wire::DisplaySurfaceCreate::kType, wire::DisplayDrawCopy::kType,
                                                 wire::DisplayDrawCopy::kType));
  rig.source.run([](DisplayCanvas& canvas) { canvas.destroy_surface(4); });
  const auto message = viewer.raw.receive();
  EXPECT_EQ(message->type, wire::DisplaySurfaceDestroy::kType);
}

TEST(NativeMode, drawing_that_is_covered_before_it_is_sent_is_not_sent) {
  Rig rig;
  Viewer viewer(rig);
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  viewer.types.clear();
  rig.source.run([](DisplayCanvas& canvas) {
    for (std::uint32_t i = 0; i < 100; ++i)
      canvas.draw(fill(0, {10, 10, 20, 20}, i));
    canvas.draw(fill(0, {5, 5, 30, 30}, 0xff'0000));
  });
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  EXPECT_THAT(viewer.types, testing::ElementsAre(wire::DisplayDrawFill::kType));
}

TEST(NativeMode, drawing_and_its_reversal_are_not_sent) {
  Rig rig;
  Viewer viewer(rig);
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  viewer.types.clear();
  rig.source.run([](DisplayCanvas& canvas) {
    const core::Drawing marker{.box = {3, 3, 9, 9},
                               .effect = core::Effect::RevertOnDuplicate,
                               .operation = core::DrawFill{.brush = core::SolidBrush{77}, .rop = core::kRopXor}};
    for (int i = 0; i < 4; ++i)
      canvas.draw(std::make_shared<core::Drawing>(marker));
    canvas.draw(fill(0, {20, 20, 30, 30}, 0xff'0000));
  });
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  EXPECT_THAT(viewer.types, testing::ElementsAre(wire::DisplayDrawFill::kType));
  rig.source.run([](DisplayCanvas& canvas) {
    const core::Drawing liar{.box = {3, 3, 9, 9},
                             .effect = core::Effect::RevertOnDuplicate,
                             .operation = core::DrawFill{.brush = core::SolidBrush{77}}};
    canvas.draw(std::make_shared<core::Drawing>(liar));
    canvas.draw(std::make_shared<core::Drawing>(liar));
  });
  const auto picture = rig.worker.screenshot();
  EXPECT_EQ(picture.pixels[3 * kWidth + 3], 77U);
  EXPECT_TRUE(viewer.shows(picture));
}

TEST(NativeMode, slow_client_gets_the_newest_picture_and_not_what_lies_between) {
  Rig rig({.images = {.compression = wire::ImageCompression::Off}});
  Viewer slow(rig, {.server_send_buffer = 4096});
  Viewer quick(rig);
  ASSERT_TRUE(quick.shows(rig.worker.screenshot()));
  for (std::uint32_t i = 0; i < 50; ++i) {  // the slow one reads nothing meanwhile
    rig.source.run([i](DisplayCanvas& canvas) {
      for (std::int32_t n = 0; n < 40; ++n)
        canvas.draw(noise({n, n % 13, n + 17, n % 13 + 19}, i));
    });
    ASSERT_TRUE(quick.shows(rig.worker.screenshot()));
  }
  const auto picture = rig.worker.screenshot();
  ASSERT_TRUE(quick.shows(picture));
  ASSERT_TRUE(slow.shows(picture));
  EXPECT_LT(slow.raw.received_bytes(), quick.raw.received_bytes());
}

// A picture of many bands, half of it like a photo.
core::DrawingPtr large_picture(std::int32_t width, std::int32_t height) {
  core::Bitmap bitmap{.width = static_cast<std::uint32_t>(width), .height = static_cast<std::uint32_t>(height)};
  bitmap.stride = bitmap.width * 4;
  bitmap.data.resize(std::size_t{bitmap.stride} * bitmap.height);
  std::uint32_t seed = 1;
  for (std::size_t i = 0; i < bitmap.data.size(); ++i) {
    seed = seed * 1'664'525 + 1'013'904'223;
    bitmap.data[i] = static_cast<std::uint8_t>(i % 4 == 3 ? 0 : i / bitmap.stride + i % bitmap.stride / 16 + seed % 3);
  }
  auto image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  const core::Rect area{0, 0, width, height};
  return std::make_shared<core::Drawing>(
      core::Drawing{.box = area, .operation = core::DrawFill{.brush = core::PatternBrush{std::move(image), {}}}});
}

// All that a client is sent from its mark on, for pixels that come in bands.
std::vector<display_test::Bytes> bands_sent(wire::ImageCompression compression,
                                            const std::shared_ptr<spice::image::EncoderPool>& pool) {
  constexpr std::int32_t kWide = 900, kHigh = 700;
  ScriptedSource source;
  DisplayWorker worker({.images = {.compression = compression}, .pool = pool}, source);
  source.queue([](DisplayCanvas& canvas) { EXPECT_TRUE(canvas.create_surface(0, {kWide, kHigh})); });
  worker.start();
  RawClient client(worker.display_provider());
  client.init();
  while (client.receive()->type != wire::DisplayMark::kType) {
  }
  source.run([](DisplayCanvas& canvas) {
    spice::canvas::Surface pixels(kWide, kHigh);
    struct Table final : spice::canvas::SurfaceTable {
      spice::canvas::Surface* surface = nullptr;
      spice::canvas::Surface* find(core::SurfaceId) override { return surface; }
    } table;
    table.surface = &pixels;
    EXPECT_TRUE(spice::canvas::draw(*large_picture(kWide, kHigh), table));
    canvas.load_surface(0, pixels.pixels());
  });
  std::vector<display_test::Bytes> sent;
  for (std::int64_t pixels = 0; pixels < std::int64_t{kWide} * kHigh;) {
    auto message = client.receive();
    const auto box = wire::decode<wire::DisplayDrawCopy>(message->body)->base.box;
    pixels += std::int64_t{box.right - box.left} * (box.bottom - box.top);
    sent.push_back(std::move(message->body));
  }
  return sent;
}

TEST(NativeMode, several_encoders_change_neither_order_nor_bytes) {
  const auto pool = std::make_shared<spice::image::EncoderPool>(3, core::ThreadStart{});
  using enum wire::ImageCompression;
  for (const auto compression : {Quic, Lz, AutoGlz}) {
    const auto alone = bands_sent(compression, nullptr);
    EXPECT_GT(alone.size(), 4U);
    EXPECT_EQ(bands_sent(compression, pool), alone) << static_cast<int>(compression);
  }
}

TEST(NativeMode, drawings_wait_for_a_client_but_no_cpu_does) {
  constexpr int kMostRounds = 100;  // it is waited for but a moment, which may have passed
  Rig rig({.images = {.compression = wire::ImageCompression::Off}});
  Viewer slow(rig, {.server_send_buffer = 4096});
  for (int round = 0; round < kMostRounds && rig.source.serves() == 0; ++round) {
    rig.source.run([&rig](DisplayCanvas& canvas) {
      for (std::int32_t n = 0; n < 100; ++n)
        canvas.draw(noise({n % 10 * 4, n / 10 * 2, n % 10 * 4 + 40, n / 10 * 2 + 40}, static_cast<std::uint32_t>(n)));
      rig.source.wake();
    });
    ASSERT_TRUE(slow.shows(rig.worker.screenshot()));
  }
  EXPECT_GT(rig.source.serves(), 0);
}

TEST(NativeMode, drawings_that_nobody_takes_stay_within_their_memory) {
  Rig rig({.drawing_bytes = 1 << 20});
  Viewer slow(rig, {.server_send_buffer = 4096});
  for (std::uint32_t i = 0; i < 50; ++i) {  // 9.6 MB
    rig.source.run([i](DisplayCanvas& canvas) {
      for (std::int32_t n = 0; n < 10; ++n)
        canvas.draw(noise({n, 0, n + 70, 60}, i));
    });
  }
  ASSERT_TRUE(slow.shows(rig.worker.screenshot()));
}

TEST(NativeMode, switches_between_modes_arrive) {
  Rig rig;
  Viewer viewer(rig);
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  rig.source.run([](DisplayCanvas& canvas) {
    auto view = canvas.set_mode(40, 30);
    view.row(3)[4] = 0x55'6677;
  });
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  rig.source.run([](DisplayCanvas& canvas) {
    EXPECT_TRUE(canvas.create_surface(0, {kWidth, 20}));
    canvas.draw(fill(0, {0, 0, 9, 9}, 0x77'8899));
  });
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  rig.source.run([](DisplayCanvas& canvas) { canvas.destroy_surfaces(); });
  const auto message = viewer.raw.receive();
  EXPECT_EQ(message->type, wire::DisplaySurfaceDestroy::kType);
  EXPECT_EQ(rig.worker.screenshot().width, kWidth);  // black, of the last size
}

// An image that the client is to keep under its name, of indices into a palette that it is to keep as well.
core::DrawingPtr named(std::uint64_t name, std::uint32_t color) {
  auto palette = std::make_shared<core::Palette>(core::Palette{.unique = name, .colors = {0, color}});
  auto image = std::make_shared<core::Image>(
      core::Image{.id = name,
                  .cacheable = true,
                  .content = core::Bitmap{.format = core::BitmapFormat::Indexed8,
                                          .width = 32,
                                          .height = 32,
                                          .stride = 32,
                                          .palette = std::move(palette),
                                          .data = std::vector<std::uint8_t>(std::size_t{32} * 32, 1)}});
  return std::make_shared<core::Drawing>(
      core::Drawing{.box = {0, 0, 32, 32},
                    .operation = core::DrawCopy{.source = {.image = std::move(image), .area = {0, 0, 32, 32}}}});
}

// After a snapshot is loaded a guest gives the names that it has given before to other things.
TEST(NativeMode, restored_guest_has_clients_forget_what_its_names_meant) {
  ScriptedSource source;
  source.on_full = [](DisplayCanvas& canvas) { EXPECT_TRUE(canvas.create_surface(0, {kWidth, kHeight})); };
  DisplayWorker worker({}, source);
  worker.start();
  Viewer viewer(worker, {},
                {.cache_id = 1, .cache_pixels = 1 << 20, .dictionary_id = 1, .dictionary_window_pixels = 1 << 20});
  ASSERT_TRUE(viewer.shows(worker.screenshot()));
  const auto show = [&](std::uint32_t color) {
    source.run([](DisplayCanvas& canvas) { canvas.draw(fill(0, {0, 0, 32, 32}, 0)); });
    EXPECT_TRUE(viewer.shows(worker.screenshot()));
    source.run([color](DisplayCanvas& canvas) { canvas.draw(named(7, color)); });
    EXPECT_TRUE(viewer.shows(worker.screenshot()));
    EXPECT_EQ(*viewer.model.surface(0)->at(5, 5) & 0xff'ffff, color);
  };
  const auto sent = [&viewer](std::uint16_t type) { return std::ranges::count(viewer.types, type); };
  show(0x12'3456);
  show(0x12'3456);
  EXPECT_EQ(sent(wire::DisplayInvalAllPixmaps::kType), 0);
  const auto palettes = sent(wire::DisplayInvalAllPalettes::kType);
  worker.hold(false);
  worker.redraw();
  worker.release();
  show(0x65'4321);
  EXPECT_EQ(sent(wire::DisplayInvalAllPixmaps::kType), 1);
  EXPECT_EQ(sent(wire::DisplayInvalAllPalettes::kType), palettes + 1);
}

TEST(NativeMode, monitors_are_those_that_the_driver_sets) {
  Rig rig;
  Viewer viewer(rig);
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  ASSERT_TRUE(viewer.model.monitors().has_value());
  EXPECT_EQ(viewer.model.monitors()->heads[0].width, 80U);
  rig.source.run([](DisplayCanvas& canvas) {
    canvas.set_monitors({.max_allowed = 4,
                         .heads = {{.id = 0, .area = {0, 0, 40, 60}}, {.id = 1, .area = {40, 0, 80, 60}}, {.id = 2}}});
  });
  const auto message = viewer.raw.receive();
  ASSERT_EQ(message->type, wire::DisplayMonitorsConfig::kType);
  const auto monitors = wire::decode<wire::DisplayMonitorsConfig>(message->body);
  EXPECT_EQ(monitors->max_allowed, 4);
  ASSERT_EQ(monitors->heads.size(), 2U);
  EXPECT_EQ(monitors->heads[1].x, 40U);
}

TEST(NativeMode, source_is_pulled_again_soon_if_it_says_so) {
  Rig rig;
  rig.worker.screenshot();
  rig.source.set_when_empty(core::DisplaySource::Next::Soon);
  rig.source.run([](DisplayCanvas&) {});
  const auto pulls = rig.source.pulls();
  while (rig.source.pulls() < pulls + 5)
    std::this_thread::yield();
}

TEST(NativeMode, no_frame_buffer_is_looked_at) {
  Rig rig;
  Viewer viewer(rig);
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  const auto refreshes = rig.source.refreshes();
  for (std::uint32_t i = 0; i < 10; ++i)
    rig.source.run([i](DisplayCanvas& canvas) { canvas.draw(fill(0, {0, 0, 9, 9}, i)); });
  ASSERT_TRUE(viewer.shows(rig.worker.screenshot()));
  EXPECT_EQ(rig.source.refreshes(), refreshes);
}

TEST(NativeMode, source_hears_what_all_clients_can) {
  Rig rig;
  {
    Viewer first(rig, {.caps = {wire::kMonitorsConfigCap, wire::kCompositeCap}});
    Viewer second(rig, {.caps = {wire::kCompositeCap, wire::kA8SurfaceCap}});
    ASSERT_TRUE(first.shows(rig.worker.screenshot()));
    ASSERT_TRUE(second.shows(rig.worker.screenshot()));
    core::DisplayClients both{.present = true, .capabilities = {1U << wire::kCompositeCap}};
    while (rig.source.clients().empty() || rig.source.clients().back() != both)
      std::this_thread::yield();
  }
  while (rig.source.clients().back().present)
    std::this_thread::yield();
}

TEST(NativeMode, source_hears_whether_clients_get_quic_and_no_video) {
  using spice::video::StreamingMode;
  Rig rig;
  const auto set = [&rig](wire::ImageCompression compression, StreamingMode video) {
    rig.worker.set_pictures({.compression = compression}, video);
    rig.worker.screenshot();
    return rig.source.compression_levels().back();
  };
  rig.worker.screenshot();
  EXPECT_EQ(rig.source.compression_levels(), std::vector{0U});
  EXPECT_EQ(set(wire::ImageCompression::Quic, StreamingMode::Off), 1U);
  EXPECT_EQ(set(wire::ImageCompression::Quic, StreamingMode::Filter), 0U);
  EXPECT_EQ(set(wire::ImageCompression::Lz, StreamingMode::Off), 0U);
}

TEST(NativeMode, held_source_is_stored_and_then_left_alone) {
  ScriptedSource source;
  std::uint32_t stored = 0;
  source.on_store = [&stored](DisplayCanvas& canvas) {
    const auto pixels = canvas.read_surface(0, {0, 0, kWidth, kHeight});
    std::memcpy(&stored, pixels.row(0), sizeof stored);
  };
  DisplayWorker worker({}, source);
  worker.start();
  source.queue([](DisplayCanvas& canvas) { canvas.create_surface(0, {kWidth, kHeight}); });
  source.queue([](DisplayCanvas& canvas) { canvas.draw(fill(0, {0, 0, 5, 5}, 0x11'2233)); });
  worker.hold(true);
  EXPECT_EQ(stored, 0x11'2233U);
  const auto pulls = source.pulls();
  source.run([](DisplayCanvas& canvas) { canvas.draw(fill(0, {0, 0, 5, 5}, 0x44'5566)); });
  EXPECT_EQ(worker.screenshot().pixels[0], 0x11'2233U);
  EXPECT_EQ(source.pulls(), pulls);
  worker.release();
  EXPECT_EQ(worker.screenshot().pixels[0], 0x44'5566U);
}

}  // namespace
