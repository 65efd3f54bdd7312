// Text screens as the display worker draws them: pixels against an independent description, and tight reports.
#include <chrono>

#include "tests/device/qxl/screen_fixture.h"

namespace {

using namespace std::chrono_literals;
using core::Rect;
using tests::palette;
using tests::shown_colour;

struct Text : tests::ScreenTest {
  Text() {
    load(tests::kMode3);
    tests::load_font(rig, 0);
    for (unsigned cell = 0; cell < 2000; ++cell)
      tests::put_text(rig, cell, cell, (cell >> 4) & 0x7f);
    rig.crtc(0x0a, 0x20);  // no cursor
  }
  static bool dot(unsigned code, unsigned x, unsigned line) {
    if (x < 8) return (tests::test_glyph(code, line) >> (7 - x) & 1) != 0;
    return code >= 0xb0 && code <= 0xdf && (tests::test_glyph(code, line) & 1) != 0;
  }
  std::uint32_t text_pixel(unsigned x, unsigned y, unsigned width) const {
    const auto cell = y / 16 * 80 + x / width;
    const auto code = cell & 0xff;
    const auto attribute = cell >> 4 & 0x7f;
    return palette(tests::kMode3, dot(code, x % width, y % 16) ? attribute & 15 : attribute >> 4);
  }
};

TEST_F(Text, has_720_by_400_pixels_with_nine_dots) {
  ASSERT_TRUE(rig.refresh());
  expect_picture(720, 400, [this](unsigned x, unsigned y) { return text_pixel(x, y, 9); });
  EXPECT_EQ(rig.canvas.reported, (std::vector<Rect>{{0, 0, 720, 400}}));
}

TEST_F(Text, has_640_pixels_with_eight_dots) {
  rig.seq(1, 1);
  rig.refresh();
  expect_picture(640, 400, [this](unsigned x, unsigned y) { return text_pixel(x, y, 8); });
}

TEST_F(Text, equals_its_golden_hash) {
  rig.refresh();
  EXPECT_EQ(rig.canvas.hash(), 0xf380fbf2478d5404ull);
}

TEST_F(Text, has_132_columns_when_the_crt_controller_says_so) {
  rig.crtc(0x11, 0);
  rig.crtc(0x00, 0xa0);
  rig.crtc(0x01, 131);
  rig.crtc(0x13, 66);
  rig.refresh();
  EXPECT_EQ(rig.canvas.width, 132 * 9);
  EXPECT_EQ(rig.canvas.at(131 * 9, 0), palette(tests::kMode3, dot(131, 0, 0) ? 8 : 0));
}

TEST_F(Text, forty_columns_are_doubled) {
  load(tests::kMode1);
  rig.crtc(0x0a, 0x20);
  rig.refresh();
  expect_picture(640, 400, [](unsigned x, unsigned y) {
    const auto cell = y / 16 * 40 + x / 16;
    const auto attribute = cell >> 4 & 0x7f;
    return palette(tests::kMode1, dot(cell & 0xff, x % 16 / 2, y % 16) ? attribute & 15 : attribute >> 4);
  });
}

TEST_F(Text, line_graphics_need_their_bit) {
  tests::put_text(rig, 0, 0xdb, 0x0f);
  rig.set_word(0xdb * 32, 0x00ff0000 | (rig.word(0xdb * 32) & 0xffff));
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(8, 0), palette(tests::kMode3, 15));
  rig.attr(0x10, 0x08);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(8, 0), palette(tests::kMode3, 0));
}

TEST_F(Text, attribute_bit_3_chooses_the_second_font) {
  tests::load_font(rig, 5, 0xff);
  rig.seq(3, 0x24);  // font A: number 5, font B: number 0
  rig.refresh();
  const auto expected = [](unsigned cell) {
    const auto attribute = cell >> 4 & 0x7f;
    const bool on = dot(cell & 0xff, 2, 5) != ((attribute & 8) != 0);
    return palette(tests::kMode3, on ? attribute & 15 : attribute >> 4);
  };
  EXPECT_EQ(rig.canvas.at(9 * 3 + 2, 5), expected(3));
  EXPECT_EQ(rig.canvas.at(9 * 50 + 2, 16 + 5), expected(130));
}

TEST_F(Text, intensity_replaces_blinking) {
  tests::put_text(rig, 0, 'A', 0xc2);
  rig.attr(0x10, 0x04);
  rig.refresh();
  const bool on = dot('A', 0, 3);
  EXPECT_EQ(rig.canvas.at(0, 3), palette(tests::kMode3, on ? 2 : 12));
}

TEST_F(Text, blinking_characters_come_and_go) {
  tests::put_text(rig, 81, 'A', 0xc2);
  settle();
  const auto shown = rig.canvas.hash();
  rig.clock.advance(460ms);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{9, 16, 18, 32}}));
  for (int y = 16; y < 32; ++y)
    EXPECT_EQ(rig.canvas.at(12, y), palette(tests::kMode3, 4));
  rig.clock.advance(460ms);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{9, 16, 18, 32}}));
  EXPECT_EQ(rig.canvas.hash(), shown);
}

struct Cursor : Text {
  Cursor() {
    rig.crtc(0x0a, 0x0d);
    rig.crtc(0x0b, 0x0e);
    rig.crtc(0x0e, 0);
    rig.crtc(0x0f, 85);
  }
};

TEST_F(Cursor, covers_its_lines) {
  rig.refresh();
  const auto fore = palette(tests::kMode3, 5);  // cell 85 has attribute 5
  for (int x = 45; x < 54; ++x) {
    EXPECT_EQ(rig.canvas.at(x, 16 + 13), fore);
    EXPECT_EQ(rig.canvas.at(x, 16 + 14), fore);
  }
  EXPECT_EQ(rig.canvas.at(53, 16 + 12), palette(tests::kMode3, 0));
  EXPECT_EQ(rig.canvas.at(53, 16 + 15), palette(tests::kMode3, 0));
}

TEST_F(Cursor, blinks_in_its_cell_without_reading_memory) {
  settle();
  const auto read = bytes_read();
  rig.clock.advance(230ms);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{45, 16, 54, 32}}));
  EXPECT_EQ(rig.canvas.at(53, 16 + 13), palette(tests::kMode3, 0));
  rig.clock.advance(230ms);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{45, 16, 54, 32}}));
  EXPECT_EQ(bytes_read(), read);
}

TEST_F(Cursor, moves_between_two_cells) {
  settle();
  rig.crtc(0x0f, 90);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{45, 16, 54, 32}, {90, 16, 99, 32}}));
}

TEST_F(Cursor, inverted_or_disabled_shape_shows_nothing) {
  rig.crtc(0x0a, 0x2d);
  rig.refresh();
  const auto none = rig.canvas.hash();
  rig.crtc(0x0a, 0x0f);
  rig.refresh();
  EXPECT_EQ(rig.canvas.hash(), none);
}

TEST_F(Text, underline_follows_its_location) {
  tests::put_text(rig, 0, 0, 0x01);
  rig.crtc(0x14, 12);
  rig.refresh();
  for (int x = 0; x < 9; ++x)
    EXPECT_EQ(rig.canvas.at(x, 12), palette(tests::kMode3, 1));
}

TEST_F(Text, pans_by_dots_and_rows) {
  rig.attr(0x13, 2);  // three dots with nine-dot characters
  rig.crtc(0x08, 5);
  rig.refresh();
  for (unsigned y : {0u, 10u, 11u, 300u})
    for (unsigned x : {0u, 5u, 6u, 400u})
      EXPECT_EQ(rig.canvas.at(static_cast<int>(x), static_cast<int>(y)), text_pixel(x + 3, y + 5, 9)) << x << "," << y;
}

TEST_F(Text, start_address_scrolls) {
  rig.crtc(0x0d, 80);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(100, 100), text_pixel(100, 116, 9));
}

TEST_F(Text, split_screen_starts_again_at_address_zero) {
  rig.crtc(0x11, 0);
  rig.crtc(0x0d, 160);
  rig.crtc(0x07, 0x0f);
  rig.crtc(0x09, 0x0f);
  rig.crtc(0x18, 99);
  rig.attr(0x13, 3);
  rig.attr(0x10, 0x2c);  // the lower part is not panned
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(30, 99), text_pixel(34, 99 + 32, 9));
  EXPECT_EQ(rig.canvas.at(30, 100), text_pixel(30, 0, 9));
  EXPECT_EQ(rig.canvas.at(30, 150), text_pixel(30, 50, 9));
  rig.attr(0x10, 0x0c);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(30, 100), text_pixel(34, 0, 9));
}

TEST_F(Text, double_scan_repeats_lines) {
  rig.crtc(0x09, 0xcf);
  rig.refresh();
  EXPECT_EQ(rig.canvas.height, 400);
  for (unsigned y : {0u, 1u, 2u, 31u, 32u, 33u, 399u})
    EXPECT_EQ(rig.canvas.at(21, static_cast<int>(y)), text_pixel(21, y / 2, 9)) << y;
}

TEST_F(Text, one_character_is_one_small_rectangle) {
  settle();
  rig.mmio.write(0xb8000 + 2 * (80 * 12 + 40), 2, 0x1fdb);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{360, 192, 369, 208}}));
}

TEST_F(Text, same_character_again_reports_nothing) {
  settle();
  rig.mmio.write(0xb8000, 2, rig.word(0) & 0xffff);
  EXPECT_FALSE(rig.refresh());
}

TEST_F(Text, new_glyph_redraws_its_characters_only) {
  settle();
  const auto at = 7u * 32 + 4;
  rig.set_word(at, rig.word(at) ^ 0xff0000);
  rig.refresh();
  ASSERT_FALSE(rig.canvas.reported.empty());
  EXPECT_EQ(rig.canvas.reported[0], (Rect{63, 0, 72, 16}));
  EXPECT_LE(rig.canvas.reported.size(), 8u);
}

TEST_F(Text, palette_change_redraws) {
  settle();
  rig.dac(0x3f, 0x3f0000);
  rig.refresh();
  EXPECT_EQ(rig.canvas.reported.size(), 1u);
  const auto lit = 240u;  // attribute 15 on 0
  EXPECT_EQ(rig.canvas.at(9 * static_cast<int>(lit % 80), 16 * static_cast<int>(lit / 80)),
            dot(lit & 0xff, 0, 0) ? 0xff0000u : shown_colour(0));
}

}  // namespace
