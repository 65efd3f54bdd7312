// What the display worker sees of graphics modes: pixels of every kind against an independent description of each, and
// reports that name only what changed.
#include "tests/device/qxl/screen_fixture.h"

namespace {

using core::Rect;
using tests::palette;
using tests::QxlRig;
using tests::shown_colour;

struct Idle : tests::ScreenTest, testing::WithParamInterface<int> {};

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

struct Screen : tests::ScreenTest {};

struct Graphics : tests::ScreenTest {
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
