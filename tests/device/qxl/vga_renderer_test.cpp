// What the display worker sees: pixels of every kind of mode, against an independent description of each, and reports
// that name only what changed.
#include <chrono>
#include <cstring>
#include <functional>

#include "devices/qxl/qxl_source.h"
#include "tests/device/qxl/qxl_rig.h"
#include "tests/device/qxl/vga_modes.h"

namespace {

using namespace std::chrono_literals;
using core::Rect;
using tests::QxlRig;
using tests::shown_colour;

// The palette registers of a mode, looked up in the DAC.
std::uint32_t palette(const tests::VgaMode& mode, unsigned index) {
  return shown_colour(mode.attr[index]);
}

struct Screen : testing::Test {
  void load(const tests::VgaMode& mode) { tests::set_mode(rig, mode); }

  // Memory that looks different everywhere.
  void fill_noise(std::uint32_t bytes) {
    std::vector<std::uint8_t> noise(bytes);
    std::uint32_t value = 12345;
    for (auto& byte : noise) {
      value = value * 1664525 + 1013904223;
      byte = static_cast<std::uint8_t>(value >> 24);
    }
    rig.fill_vram(0, noise);
  }
  std::uint8_t byte_at(std::uint32_t offset) { return rig.ram().all().read<std::uint8_t>(offset).value_or(0); }

  void expect_picture(std::int32_t width, std::int32_t height,
                      const std::function<std::uint32_t(std::uint32_t, std::uint32_t)>& pixel) {
    ASSERT_EQ(rig.canvas.width, width);
    ASSERT_EQ(rig.canvas.height, height);
    for (std::int32_t y = 0; y < height; ++y) {
      for (std::int32_t x = 0; x < width; ++x) {
        ASSERT_EQ(rig.canvas.at(x, y), pixel(static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y)))
            << "at " << x << ", " << y;
      }
    }
  }
  std::uint64_t bytes_read() { return static_cast<devices::qxl::QxlSource&>(rig.device.source()).bytes_read(); }
  // Brings the screen up to date, so that the next refresh reports only what follows.
  void settle() {
    rig.refresh();
    EXPECT_FALSE(rig.refresh());
    EXPECT_TRUE(rig.canvas.reported.empty());
  }
  std::vector<Rect> next_report() {
    rig.refresh();
    return rig.canvas.reported;
  }

  QxlRig rig;
};

// Text
// -----------------------------------------------------------------------------------------------------------------

struct Text : Screen {
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

// Idle
// -----------------------------------------------------------------------------------------------------------------

struct Idle : Screen, testing::WithParamInterface<int> {};

TEST_P(Idle, refresh_reports_nothing_and_reads_no_video_memory) {
  fill_noise(1 << 20);
  switch (GetParam()) {
    case 0: load(tests::kMode3); break;
    case 1: load(tests::kMode12); break;
    case 2: load(tests::kMode13); break;
    default: rig.vbe_mode(1024, 768, 32, 0xc1); break;
  }
  rig.crtc(0x0a, 0x20);
  ASSERT_TRUE(rig.refresh());
  const auto read = bytes_read();
  EXPECT_GT(read, 0u);
  rig.canvas.reported.clear();
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(rig.device.source().refresh(rig.canvas, false));
  EXPECT_TRUE(rig.canvas.reported.empty());
  EXPECT_EQ(bytes_read(), read);
}

INSTANTIATE_TEST_SUITE_P(Modes, Idle, testing::Range(0, 4));

// Graphics
// -------------------------------------------------------------------------------------------------------------

struct Graphics : Screen {
  unsigned planar_index(std::uint32_t word, unsigned x) {
    unsigned index = 0;
    for (unsigned plane = 0; plane < 4; ++plane)
      index |= (byte_at(word * 4 + plane) >> (7 - x) & 1u) << plane;
    return index;
  }
};

TEST_F(Graphics, mode_12_shows_four_planes) {
  fill_noise(0x40000);
  load(tests::kMode12);
  rig.refresh();
  expect_picture(640, 480, [this](unsigned x, unsigned y) {
    return palette(tests::kMode12, planar_index(y * 80 + x / 8, x % 8));
  });
}

TEST_F(Graphics, planes_that_are_off_read_as_zeros) {
  fill_noise(0x40000);
  load(tests::kMode12);
  rig.attr(0x12, 0x5);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(77, 3), palette(tests::kMode12, planar_index(3 * 80 + 9, 5) & 5));
}

TEST_F(Graphics, mode_13_doubles_pixels_both_ways) {
  fill_noise(0x40000);
  load(tests::kMode13);
  rig.refresh();
  expect_picture(640, 400, [this](unsigned x, unsigned y) { return shown_colour(byte_at(y / 2 * 320 + x / 2)); });
}

TEST_F(Graphics, mode_x_takes_pixels_from_the_planes_in_turn) {
  fill_noise(0x40000);
  load(tests::kModeX);
  rig.crtc(0x0c, 0x4b);  // its second page
  rig.refresh();
  expect_picture(640, 480,
                 [this](unsigned x, unsigned y) { return shown_colour(byte_at(0x4b00 * 4 + y / 2 * 320 + x / 2)); });
}

TEST_F(Graphics, mode_4_interleaves_two_banks_of_two_bits) {
  load(tests::kMode4);
  for (std::uint32_t i = 0; i < 0x4000; ++i)
    rig.poke(0xb8000 + i, i * 7 ^ i >> 5);
  rig.refresh();
  expect_picture(640, 400, [this](unsigned x, unsigned y) {
    const auto row = y / 2;
    const auto at = (row & 1) * 0x2000 + row / 2 * 80 + x / 8;
    return palette(tests::kMode4, rig.peek(0xb8000 + at) >> (6 - x % 8 / 2 * 2) & 3);
  });
}

TEST_F(Graphics, mode_6_interleaves_two_banks_of_one_bit) {
  load(tests::kMode6);
  for (std::uint32_t i = 0; i < 0x4000; ++i)
    rig.poke(0xb8000 + i, i * 7 ^ i >> 5);
  rig.refresh();
  expect_picture(640, 400, [this](unsigned x, unsigned y) {
    const auto row = y / 2;
    const auto at = (row & 1) * 0x2000 + row / 2 * 80 + x / 8;
    return palette(tests::kMode6, rig.peek(0xb8000 + at) >> (7 - x % 8) & 1);
  });
}

TEST_F(Graphics, addresses_wrap_at_64_ki) {
  fill_noise(0x40000);
  load(tests::kMode12);
  rig.crtc(0x0c, 0xff);
  rig.crtc(0x0d, 0xf0);
  rig.refresh();
  expect_picture(640, 480, [this](unsigned x, unsigned y) {
    return palette(tests::kMode12, planar_index((0xfff0 + y * 80 + x / 8) & 0xffff, x % 8));
  });
}

TEST_F(Graphics, pans_by_pixels_and_bytes) {
  fill_noise(0x40000);
  load(tests::kMode12);
  rig.attr(0x13, 5);
  rig.crtc(0x08, 0x40);
  rig.refresh();
  expect_picture(640, 480, [this](unsigned x, unsigned y) {
    return palette(tests::kMode12, planar_index(y * 80 + 2 + (x + 5) / 8, (x + 5) % 8));
  });
}

TEST_F(Graphics, split_screen_shows_the_start_of_memory_below_the_line) {
  fill_noise(0x40000);
  load(tests::kMode12);
  rig.crtc(0x0c, 0x50);
  rig.crtc(0x11, 0);
  rig.crtc(0x07, 0x2e);
  rig.crtc(0x09, 0x00);
  rig.crtc(0x18, 199);
  rig.refresh();
  expect_picture(640, 480, [this](unsigned x, unsigned y) {
    const auto word = y <= 199 ? 0x5000 + y * 80 : (y - 200) * 80;
    return palette(tests::kMode12, planar_index(word + x / 8, x % 8));
  });
}

TEST_F(Graphics, one_pixel_is_one_pixel) {
  load(tests::kMode12);
  settle();
  rig.gfx(8, 0x10);
  rig.poke(0xa0000 + 100 * 80 + 40, 0xff);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{323, 100, 324, 101}}));
}

TEST_F(Graphics, far_changes_are_separate_rectangles) {
  load(tests::kMode13);
  settle();
  rig.ram().all().write(0, std::uint8_t{1});
  rig.ram().all().write(300, std::uint8_t{1});
  rig.ram().all().write(320 * 150 + 20, std::uint8_t{1});
  EXPECT_EQ(next_report(), (std::vector<Rect>{{0, 0, 2, 2}, {600, 0, 602, 2}, {40, 300, 42, 302}}));
}

TEST_F(Graphics, dac_mask_and_palette_apply) {
  load(tests::kMode13);
  rig.ram().all().write(0, std::uint8_t{0xc7});
  rig.out8(0x3c6, 0x0f);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(0, 0), shown_colour(0x07));
}

// VBE
// ------------------------------------------------------------------------------------------------------------------

struct Vbe : Graphics {};

TEST_F(Vbe, four_bits_are_planes) {
  load(tests::kMode12);
  rig.vbe_mode(800, 600, 4);
  fill_noise(800 * 600 / 2);
  rig.refresh();
  expect_picture(800, 600, [this](unsigned x, unsigned y) {
    return palette(tests::kMode12, planar_index(y * 100 + x / 8, x % 8));
  });
}

TEST_F(Vbe, eight_bits_use_the_dac) {
  load(tests::kMode13);
  rig.vbe_mode(640, 480, 8);
  fill_noise(640 * 480);
  rig.refresh();
  expect_picture(640, 480, [this](unsigned x, unsigned y) { return shown_colour(byte_at(y * 640 + x)); });
}

TEST_F(Vbe, eight_bit_dac_is_exact) {
  rig.vbe_mode(640, 480, 8, 0x61);
  rig.dac(0, 0xfedcba);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(0, 0), 0xfedcbau);
}

TEST_F(Vbe, fifteen_and_sixteen_bits_are_widened) {
  rig.vbe_mode(640, 480, 15);
  rig.ram().all().write(0, core::le16(0x7fff));
  rig.ram().all().write(2, core::le16(0x8000 | 1 << 10 | 2 << 5 | 16));
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(0, 0), 0xffffffu);
  EXPECT_EQ(rig.canvas.at(1, 0), 0x081084u);
  rig.vbe_mode(640, 480, 16, 0xc1);
  rig.ram().all().write(0, core::le16(0xffff));
  rig.ram().all().write(2, core::le16(1 << 11 | 2 << 5 | 16));
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(0, 0), 0xffffffu);
  EXPECT_EQ(rig.canvas.at(1, 0), 0x080884u);
}

TEST_F(Vbe, twenty_four_bits_are_three_bytes) {
  rig.vbe_mode(1024, 768, 24);
  fill_noise(1024 * 768 * 3);
  rig.refresh();
  expect_picture(1024, 768, [this](unsigned x, unsigned y) {
    const auto at = (y * 1024 + x) * 3;
    return byte_at(at) | byte_at(at + 1) << 8 | static_cast<std::uint32_t>(byte_at(at + 2)) << 16;
  });
}

TEST_F(Vbe, thirty_two_bits_lose_their_padding) {
  rig.vbe_mode(1920, 1080, 32);
  fill_noise(1920 * 1080 * 4);
  rig.refresh();
  ASSERT_EQ(rig.canvas.width, 1920);
  ASSERT_EQ(rig.canvas.height, 1080);
  for (unsigned i : {0u, 1u, 1919u, 1920u, 1920u * 1080 - 1}) {
    const auto word = rig.word(i) & 0xffffff;
    EXPECT_EQ(rig.canvas.raw()[i], word);
  }
}

TEST_F(Vbe, virtual_screen_pans) {
  rig.vbe_mode(640, 480, 32);
  rig.vbe(6, 1024);
  rig.vbe(8, 17);
  rig.vbe(9, 33);
  fill_noise(1024 * 600 * 4);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(0, 0), rig.word(33 * 1024 + 17) & 0xffffff);
  EXPECT_EQ(rig.canvas.at(639, 479), rig.word(512 * 1024 + 656) & 0xffffff);
}

TEST_F(Vbe, only_written_pages_are_read) {
  rig.vbe_mode(1024, 768, 32);
  settle();
  const auto read = bytes_read();
  rig.set_word(1024 * 100 + 50, 0x00abcdef);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{50, 100, 51, 101}}));
  EXPECT_EQ(bytes_read() - read, 4096u);
}

TEST_F(Vbe, padding_alone_is_no_change) {
  rig.vbe_mode(640, 480, 32);
  settle();
  rig.set_word(5, 0xff000000);
  EXPECT_FALSE(rig.refresh());
}

TEST_F(Vbe, page_flip_shows_what_was_written_before) {
  rig.vbe_mode(640, 480, 32);
  rig.vbe(6, 640);
  settle();
  rig.set_word(640 * 480, 0x123456);
  EXPECT_FALSE(rig.refresh()) << "not in view";
  rig.vbe(9, 480);
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(0, 0), 0x123456u);
  EXPECT_EQ(rig.canvas.reported, (std::vector<Rect>{{0, 0, 1, 1}}));
}

// Modes
// ----------------------------------------------------------------------------------------------------------------

TEST_F(Screen, before_the_first_mode_is_black) {
  EXPECT_TRUE(rig.refresh());
  expect_picture(720, 400, [](unsigned, unsigned) { return 0u; });
  EXPECT_FALSE(rig.refresh());
}

TEST_F(Screen, blanked_is_black_and_comes_back) {
  fill_noise(0x40000);
  load(tests::kMode12);
  rig.refresh();
  const auto shown = rig.canvas.hash();
  rig.seq(1, 0x21);
  EXPECT_EQ(next_report(), (std::vector<Rect>{{0, 0, 640, 480}}));
  expect_picture(640, 480, [](unsigned, unsigned) { return 0u; });
  rig.seq(1, 0x01);
  rig.refresh();
  EXPECT_EQ(rig.canvas.hash(), shown);
  rig.in8(0x3da);
  rig.out8(0x3c0, 0x00);  // the palette is the CPU's
  rig.refresh();
  EXPECT_EQ(rig.canvas.at(10, 10), 0u);
}

TEST_F(Screen, full_refresh_draws_everything) {
  load(tests::kMode12);
  settle();
  auto view = rig.canvas.pixels();
  view.row(7)[7] = 0xdeadbe;
  EXPECT_TRUE(rig.refresh(true));
  EXPECT_EQ(rig.canvas.reported, (std::vector<Rect>{{0, 0, 640, 480}}));
  EXPECT_EQ(rig.canvas.at(7, 7), shown_colour(0));
}

TEST_F(Screen, size_changes_replace_the_surface_once) {
  load(tests::kMode3);
  rig.refresh();
  EXPECT_EQ(rig.canvas.modes, 1u);
  load(tests::kMode12);
  rig.refresh();
  rig.refresh();
  EXPECT_EQ(rig.canvas.modes, 2u);
  rig.vbe_mode(640, 480, 32);
  rig.refresh();
  EXPECT_EQ(rig.canvas.modes, 2u) << "the same size";
}

TEST_F(Screen, text_returns_after_graphics) {
  load(tests::kMode3);
  tests::load_font(rig, 0);
  tests::put_text(rig, 0, 'X', 0x07);
  rig.crtc(0x0a, 0x20);
  rig.refresh();
  const auto shown = rig.canvas.hash();
  load(tests::kMode12);
  rig.refresh();
  load(tests::kMode3);
  rig.crtc(0x0a, 0x20);
  rig.refresh();
  EXPECT_EQ(rig.canvas.hash(), shown);
}

TEST_F(Screen, loaded_state_shows_the_same_picture) {
  fill_noise(0x40000);
  load(tests::kModeX);
  rig.refresh();
  core::Stateful* const from[] = {&rig.device};
  const auto saved = core::save_state(from);
  QxlRig other;
  std::vector<std::uint8_t> memory(0x40000);
  rig.ram().all().read(0, memory);
  other.fill_vram(0, memory);
  core::Stateful* const to[] = {&other.device};
  ASSERT_TRUE(core::load_state(saved, to));
  other.refresh();
  EXPECT_EQ(other.canvas.hash(), rig.canvas.hash());
}

}  // namespace
