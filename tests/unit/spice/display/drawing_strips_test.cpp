// Large pictures reach a client in strips, and look as if they were one.
#include "spice/display/drawing_strips.h"

#include <gtest/gtest.h>

#include "spice/canvas/draw.h"
#include "spice/display/drawing_message.h"
#include "spice/wire/coding.h"
#include "tests/unit/spice/display/model_client.h"

namespace {

namespace wire = spice::wire;
using core::Rect;
using display_test::ModelClient;
using spice::display::DrawingStrips;

constexpr std::int32_t kWidth = 1024, kHeight = 800;
constexpr Rect kBox{20, -30, 20 + kWidth, -30 + kHeight};

core::Drawing picture() {
  core::Bitmap bitmap{.width = kWidth, .height = kHeight, .stride = kWidth * 4};
  for (std::uint32_t at = 0; at < std::uint32_t{kWidth} * 4 * kHeight; ++at)
    bitmap.data.push_back(at % 4 == 3 ? std::uint8_t{0} : static_cast<std::uint8_t>(at / 64 + at / 4096 + at % 4 * 9));
  const auto image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  return {.box = kBox, .operation = core::DrawCopy{.source = {.image = image, .area = {0, 0, kWidth, kHeight}}}};
}

struct Sender {
  spice::image::ImageEncoder encoder;
  spice::image::ImageSender images{encoder, {.compression = wire::ImageCompression::Quic}};

  // The strips' messages.
  std::vector<wire::DisplayDrawCopy> messages(const core::Drawing& drawing) {
    std::vector<wire::DisplayDrawCopy> all;
    const auto strips = DrawingStrips::of(drawing, images);
    if (!strips) return all;
    for (const auto strip : strips->shown()) {
      auto message = images.message();
      all.push_back(strips->message(strip, message.of_strip(strips->image(), strips->cuts(), strip).image));
      message.send_before(1, [](const auto&) {});
    }
    return all;
  }
};

// What a client shows of it, and what a surface does that is drawn on at once.
struct Screens final : spice::canvas::SurfaceTable {
  spice::canvas::Surface drawn{1100, 700};
  ModelClient client;

  Screens() {
    const wire::DisplaySurfaceCreate create{
        .id = 0, .width = 1100, .height = 700, .format = wire::SurfaceFormat::Xrgb, .flags = wire::kPrimarySurface};
    client.apply(create.kType, wire::encode(create).flatten());
  }
  spice::canvas::Surface* find(core::SurfaceId id) override { return id == 0 ? &drawn : nullptr; }
  bool are_equal() {
    for (std::int32_t y = 0; y < drawn.height(); ++y) {
      if (!std::equal(drawn.at(0, y), drawn.at(0, y) + drawn.width(), client.surface(0)->at(0, y))) return false;
    }
    return true;
  }
};

TEST(DrawingStrips, show_what_the_drawing_does) {
  for (const auto& clip : {core::Clip{}, core::Clip{{{30, 10, 500, 600}, {600, 100, 610, 110}, {0, 650, 300, 690}}}}) {
    Sender sender;
    Screens screens;
    auto drawing = picture();
    drawing.clip = clip;
    ASSERT_TRUE(spice::canvas::draw(drawing, screens));
    const auto messages = sender.messages(drawing);
    EXPECT_EQ(messages.size(), 3U);
    for (const auto& message : messages)
      screens.client.apply(message.kType, wire::encode(message).flatten());
    EXPECT_EQ(screens.client.complaint(), "");
    EXPECT_TRUE(screens.are_equal());
  }
}

TEST(DrawingStrips, that_nobody_sees_are_not_sent) {
  Sender sender;
  auto drawing = picture();
  drawing.clip = std::vector{Rect{0, 300, 1000, 400}};
  const auto messages = sender.messages(drawing);
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].base.box.top, -30 + 256);
  drawing.clip->clear();
  EXPECT_TRUE(sender.messages(drawing).empty());
}

TEST(DrawingStrips, only_of_plain_copies_of_all_of_a_bitmap) {
  Sender sender;
  const auto is_cut = [&sender](const core::Drawing& drawing) {
    return DrawingStrips::of(drawing, sender.images).has_value();
  };
  EXPECT_TRUE(is_cut(picture()));
  auto drawing = picture();
  auto& copy = std::get<core::DrawCopy>(drawing.operation);
  drawing.box.right += 1;
  EXPECT_FALSE(is_cut(drawing));
  drawing.box = kBox;
  copy.source.area.top = 1;
  EXPECT_FALSE(is_cut(drawing));
  copy.source.area.top = 0;
  copy.mask.image = copy.source.image;
  EXPECT_FALSE(is_cut(drawing));
  copy.mask.image = nullptr;
  copy.rop ^= 1;
  EXPECT_FALSE(is_cut(drawing));
  drawing = picture();
  drawing.box = {INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
  EXPECT_FALSE(is_cut(drawing));
  EXPECT_FALSE(is_cut({.operation = core::DrawInvers{}}));
}

}  // namespace
