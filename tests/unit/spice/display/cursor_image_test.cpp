#include "spice/display/cursor_image.h"

#include <gmock/gmock.h>

namespace {

using core::CursorType;
using spice::display::CursorState;
using spice::display::draw_cursor;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr std::uint32_t kUnder = 0x00204060;

// 4 x 2 pixels.
struct Picture {
  Picture() : pixels(8, kUnder) {}
  core::PixelView view() { return {pixels.data(), 4, 2, 4}; }
  std::vector<std::uint32_t> pixels;
};

CursorState shown(CursorType type, std::uint16_t width, std::uint16_t height, std::vector<std::uint8_t> data,
                  core::Point position = {}, core::Point hot_spot = {}) {
  CursorState state{.position = position, .visible = true};
  data.resize(*spice::display::cursor_bytes(type, width, height));
  state.shape = std::make_shared<const core::CursorShape>(
      core::CursorShape{.type = type, .width = width, .height = height, .hot_spot = hot_spot, .data = std::move(data)});
  return state;
}

TEST(CursorImage, hidden_pointer_is_not_drawn) {
  Picture picture;
  auto state = shown(CursorType::Color32, 4, 2, {});
  state.visible = false;
  draw_cursor(state, picture.view());
  draw_cursor({.visible = true}, picture.view());
  EXPECT_THAT(picture.pixels, Each(kUnder));
}

TEST(CursorImage, alpha_lies_over_the_picture) {
  Picture picture;
  draw_cursor(shown(CursorType::Alpha, 3, 1,
                    {0, 0, 0, 0,              // nothing
                     0x10, 0x20, 0x30, 0x80,  // half of it, premultiplied
                     1, 2, 3, 0xff}),         // all
              picture.view());
  EXPECT_EQ(picture.pixels[0], kUnder);
  EXPECT_EQ(picture.pixels[1], 0x00404040U);
  EXPECT_EQ(picture.pixels[2], 0x00030201U);
  EXPECT_EQ(picture.pixels[3], kUnder);
}

TEST(CursorImage, alpha_that_is_not_premultiplied_saturates) {
  Picture picture;
  draw_cursor(shown(CursorType::Alpha, 1, 1, {0xff, 0xff, 0xff, 0x01}), picture.view());
  EXPECT_EQ(picture.pixels[0], 0x00ffffffU);
}

TEST(CursorImage, mono_has_four_kinds_of_pixels) {
  Picture picture;
  draw_cursor(shown(CursorType::Mono, 4, 1, {0b0011'0000, 0b0101'0000}), picture.view());
  EXPECT_THAT(std::vector(picture.pixels.begin(), picture.pixels.begin() + 4),
              ElementsAre(0, 0xffffff, kUnder, kUnder ^ 0xffffff));
}

TEST(CursorImage, colours_of_every_depth_have_a_mask) {
  // Two pixels, red and black; the black one is masked out.
  std::vector<std::uint8_t> color4{0x12, 0, 0, 0, 0, 0, 0, 0xff};  // indices 1 and 2, colours from index 0 on
  color4.resize(1 + 64);
  color4.push_back(0x40);
  std::vector<std::uint8_t> color8{1, 2, 0, 0, 0, 0, 0, 0, 0xff};
  color8.resize(2 + 1024);
  color8.push_back(0x40);
  const std::vector<std::pair<CursorType, std::vector<std::uint8_t>>> shapes{
      {CursorType::Color4, color4},
      {CursorType::Color8, color8},
      {CursorType::Color16, {0x00, 0x7c, 0, 0, 0x40}},
      {CursorType::Color24, {0, 0, 0xf8, 0, 0, 0, 0x40}},
      {CursorType::Color32, {0, 0, 0xf8, 0, 0, 0, 0, 0, 0x40}},
  };
  for (const auto& [type, data] : shapes) {
    Picture picture;
    draw_cursor(shown(type, 2, 1, data), picture.view());
    EXPECT_EQ(picture.pixels[0] & 0xf8ffff, 0x00f80000U) << static_cast<int>(type);
    EXPECT_EQ(picture.pixels[1], kUnder) << static_cast<int>(type);
  }
}

TEST(CursorImage, hot_spot_lies_at_the_position_and_what_is_outside_is_left_out) {
  Picture picture;
  std::vector<std::uint8_t> white(4 * 4 * 4, 0xff);
  draw_cursor(shown(CursorType::Alpha, 4, 4, white, {0, 0}, {3, 3}), picture.view());
  EXPECT_THAT(picture.pixels, ElementsAre(0xffffff, kUnder, kUnder, kUnder, kUnder, kUnder, kUnder, kUnder));
}

TEST(CursorImage, positions_far_outside_draw_nothing) {
  constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int32_t>::min();
  Picture picture;
  for (const auto position : {kMost, kLeast}) {
    for (const auto hot : {kMost, kLeast}) {
      if (position == hot) continue;
      draw_cursor(shown(CursorType::Color32, 2, 2, {}, {position, position}, {hot, hot}), picture.view());
    }
  }
  EXPECT_THAT(picture.pixels, Each(kUnder));
}

TEST(CursorImage, picture_of_its_own_shows_what_it_would_over_black_and_white) {
  const auto alpha = shown(CursorType::Alpha, 3, 1,
                           {0, 0, 0, 0,              // nothing
                            0x08, 0x20, 0x40, 0x80,  // half of it, premultiplied
                            1, 2, 3, 0xff},          // all
                           {}, {2, 0});
  const auto picture = spice::display::cursor_picture(*alpha.shape);
  EXPECT_EQ(picture.width, 3);
  EXPECT_EQ(picture.height, 1);
  EXPECT_EQ(picture.hot_spot, (core::Point{2, 0}));
  EXPECT_THAT(picture.pixels, ElementsAre(0, 0x80804010, 0xff030201));
  const auto mono = shown(CursorType::Mono, 4, 1, {0b0011'0000, 0b0101'0000});
  EXPECT_THAT(spice::display::cursor_picture(*mono.shape).pixels, ElementsAre(0xff000000, 0xffffffff, 0, 0xff808080));
}

}  // namespace
