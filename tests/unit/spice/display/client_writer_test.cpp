// What a client is sent on a slow line: photos with loss, and without what must be exact.
#include "spice/display/client_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/image/client_images.h"
#include "spice/wire/coding.h"
#include "tests/unit/spice/display/scripted_source.h"

namespace {

namespace wire = spice::wire;
using core::Rect;
using spice::canvas::Region;
using spice::display::ClientSurfaces;
using spice::display::ClientWriter;
using spice::display::PlacedDrawingPtr;
using spice::display::Screen;
using spice::display::SurfaceKey;
using testing::ElementsAre;
using testing::IsEmpty;
using wire::ImageType;

constexpr Rect kPhoto{10, 10, 70, 60};
constexpr Rect kLarge{0, 0, 1024, 800};

core::ImagePtr photo(std::uint64_t id, const Rect& box = kPhoto) {
  core::Bitmap bitmap{.width = static_cast<std::uint32_t>(box.width()),
                      .height = static_cast<std::uint32_t>(box.height())};
  bitmap.stride = bitmap.width * 4;
  for (std::uint32_t at = 0; at < bitmap.stride * bitmap.height; ++at)
    bitmap.data.push_back(static_cast<std::uint8_t>(at % bitmap.stride / 4 * 2 + at / bitmap.stride + at % 4 * 9));
  return std::make_shared<core::Image>(core::Image{.id = id, .cacheable = id != 0, .content = std::move(bitmap)});
}

// The types of images in DRAW_COPY messages, and of all other messages.
struct Sent {
  std::vector<ImageType> images;
  std::vector<std::uint16_t> others;

  void add(std::uint16_t type, const wire::Gather& body) {
    if (type != wire::DisplayDrawCopy::kType) return others.push_back(type);
    const auto bytes = body.flatten();
    images.push_back(wire::decode<wire::DisplayDrawCopy>(bytes)->source.type);
  }
};

class OnSlowLine : public testing::Test, private spice::display::ScreenListener {
 protected:
  OnSlowLine() {
    screen.set_listener(this);
    writer.images().open(caches, 0, {.cache_pixels = 1 << 20, .dictionary_window_pixels = 1 << 20});
    run([](core::DisplayCanvas& canvas) { canvas.create_surface(0, {100, 80, core::SurfaceFormat::Xrgb}); });
    (void)sent_now();
  }

  void run(display_test::ScriptedSource::Command command) {
    source.queue(std::move(command));
    auto next = core::DisplaySource::Next::OnWake;
    screen.pull(source, next);
  }
  void draw(core::Drawing drawing) {
    run([&drawing](core::DisplayCanvas& canvas) { canvas.draw(std::make_shared<core::Drawing>(std::move(drawing))); });
  }
  void show_photo(std::uint64_t id, const Rect& box = kPhoto) {
    core::DrawCopy copy;
    copy.source = {.image = photo(id, box), .area = {0, 0, box.width(), box.height()}};
    draw({.box = box, .operation = std::move(copy)});
  }
  void begin_large_photo() {
    run([](core::DisplayCanvas& canvas) { canvas.create_surface(0, {kLarge.right, kLarge.bottom}); });
    (void)sent_now();
    show_photo(0, kLarge);  // that the client does not keep
    ASSERT_TRUE(writer.write(*surfaces.next()));
  }
  void invert(const Rect& box) { draw({.box = box, .operation = core::DrawInvers{}}); }
  Sent sent_now() {
    while (writer.is_unfinished())
      writer.go_on();
    while (const auto step = surfaces.next()) {
      if (!writer.write(*step)) surfaces.not_sent(*step->drawing);
      while (writer.is_unfinished())
        writer.go_on();
    }
    return std::exchange(sent, {});
  }

  Region inexact() const {
    const auto* const region = writer.inexact(screen.primary());
    return region == nullptr ? Region{} : *region;
  }

  display_test::ScriptedSource source;
  Screen screen;
  spice::image::ImageEncoder encoder;
  spice::image::ClientImages caches;
  Sent sent;
  std::uint64_t serial = 1;
  ClientWriter writer{screen,
                      encoder,
                      {.jpeg = spice::image::OnSlowLines::Always},
                      {},
                      {.send =
                           [this](std::uint16_t type, const wire::Gather& body) {
                             ++serial;
                             sent.add(type, body);
                           },
                       .next_serial = [this] { return serial; }}};
  ClientSurfaces surfaces{std::as_const(screen).surfaces(), screen.primary(), writer.abilities()};

 private:
  void primary_made(SurfaceKey key) override {
    writer.primary_made();
    surfaces.primary_made(key);
  }
  void surface_gone(SurfaceKey key) override {
    writer.surface_gone(key);
    surfaces.surface_gone(key);
  }
  void painted(SurfaceKey key, const spice::canvas::Region& region) override { surfaces.painted(key, region); }
  void drawn(const PlacedDrawingPtr& drawing) override { surfaces.drawn(drawing); }
  void monitors_changed() override {}
  void drawings_too_many() override {}
};

TEST_F(OnSlowLine, photo_that_is_only_shown_may_lose_something) {
  show_photo(1);
  EXPECT_THAT(sent_now().images, ElementsAre(ImageType::Jpeg));
  EXPECT_EQ(inexact(), Region(kPhoto));
}

TEST_F(OnSlowLine, what_mixes_with_it_is_sent_as_exact_pixels) {
  show_photo(1);
  (void)sent_now();
  invert({0, 0, 10, 10});
  EXPECT_THAT(sent_now().others, ElementsAre(wire::DisplayDrawInvers::kType));
  invert({0, 10, 100, 30});
  const auto mixed = sent_now();
  EXPECT_THAT(mixed.others, IsEmpty());
  EXPECT_THAT(mixed.images, testing::Not(testing::Contains(ImageType::Jpeg)));
  EXPECT_EQ(inexact(), Region(Rect{10, 30, 70, 60}));
}

TEST_F(OnSlowLine, what_covers_it_is_sent_as_it_is) {
  show_photo(1);
  (void)sent_now();
  draw({.box = {0, 0, 100, 80}, .operation = core::DrawBlackness{}});
  EXPECT_THAT(sent_now().others, ElementsAre(wire::DisplayDrawBlackness::kType));
  EXPECT_EQ(writer.inexact(screen.primary()), nullptr);
}

TEST_F(OnSlowLine, image_that_the_client_keeps_is_as_lossy_as_it_was) {
  show_photo(1);
  (void)sent_now();
  draw({.box = {0, 0, 100, 80}, .operation = core::DrawBlackness{}});
  show_photo(1);
  EXPECT_THAT(sent_now().images, ElementsAre(ImageType::FromCache));
  EXPECT_EQ(inexact(), Region(kPhoto));
}

TEST_F(OnSlowLine, large_photo_is_sent_one_message_at_a_time) {
  begin_large_photo();
  EXPECT_THAT(sent.images, ElementsAre(ImageType::Jpeg));
  EXPECT_TRUE(writer.is_unfinished());
  EXPECT_EQ(sent_now().images.size(), 3U);
  EXPECT_EQ(inexact(), Region(kLarge));
}

TEST_F(OnSlowLine, rest_of_a_photo_goes_with_its_surface) {
  begin_large_photo();
  run([](core::DisplayCanvas& canvas) { canvas.destroy_surface(0); });
  EXPECT_THAT(sent_now().images, ElementsAre(ImageType::Jpeg));
  run([](core::DisplayCanvas& canvas) { canvas.create_surface(0, {100, 80}); });
  (void)sent_now();
  EXPECT_EQ(writer.inexact(screen.primary()), nullptr);
}

TEST_F(OnSlowLine, new_primary_surface_ends_what_the_client_keeps) {
  show_photo(1);
  (void)sent_now();
  run([](core::DisplayCanvas& canvas) { canvas.create_surface(0, {100, 80, core::SurfaceFormat::Xrgb}); });
  EXPECT_THAT(sent_now().others, testing::Contains(wire::DisplayInvalAllPixmaps::kType));
  show_photo(1);
  EXPECT_THAT(sent_now().images, ElementsAre(ImageType::Jpeg));
  run([](core::DisplayCanvas& canvas) { canvas.destroy_surface(0); });
  EXPECT_EQ(writer.inexact(screen.primary()), nullptr);
}

}  // namespace
