#include "spice/wire/display.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

Golden rect(std::uint32_t top, std::uint32_t left, std::uint32_t bottom, std::uint32_t right) {
  return joined({u32(top), u32(left), u32(bottom), u32(right)});
}

// A copy of the picture `image` into 10,20 - 12,24, without clip and mask: 57 bytes, then the image.
Golden draw_copy(const Golden& image, std::uint32_t image_offset = 57) {
  return joined({
      u32(0),                // surface
      rect(20, 10, 24, 12),  // box
      u8(0),                 // clip: none
      u32(image_offset),     // *image
      rect(0, 0, 4, 2),      // source area
      u16(kRopPut),          // rop
      u8(0),                 // scale
      u8(0),
      u32(0),
      u32(0),
      u32(0),  // mask: flags, position, no bitmap
      image,
  });
}

Golden image_header(ImageType type) {
  return joined({u64(0x3'0000'0002), u8(static_cast<std::uint8_t>(type)), u8(kImageCacheMe), u32(2), u32(4)});
}

TEST(DisplayWire, surfaces) {
  const auto create = check_golden<DisplaySurfaceCreate>(joined({u32(0), u32(720), u32(400), u32(32), u32(1)}));
  EXPECT_EQ(create.width, 720U);
  EXPECT_EQ(create.format, SurfaceFormat::Xrgb);
  EXPECT_EQ(create.flags, kPrimarySurface);
  EXPECT_EQ(check_golden<DisplaySurfaceDestroy>(u32(4)).id, 4U);
}

TEST(DisplayWire, draw_copy_of_a_compressed_image) {
  const auto message =
      check_golden<DisplayDrawCopy>(draw_copy(joined({image_header(ImageType::LzRgb), u32(5), text("bytes")})));
  EXPECT_EQ(message.base.box, (Rect{20, 10, 24, 12}));
  EXPECT_EQ(message.source_area, (Rect{0, 0, 4, 2}));
  EXPECT_EQ(message.source.id, 0x3'0000'0002U);
  EXPECT_EQ(message.source.type, ImageType::LzRgb);
  EXPECT_EQ(std::get<CompressedData>(message.source.data).data.size(), 5U);
  EXPECT_FALSE(message.mask.bitmap.has_value());
}

TEST(DisplayWire, draw_copy_of_a_bitmap) {
  const auto message = check_golden<DisplayDrawCopy>(draw_copy(joined({
      image_header(ImageType::Bitmap),
      u8(8),      // format
      u8(4),      // flags: top-down
      u32(2),     // width
      u32(4),     // height
      u32(8),     // stride
      u32(0),     // no palette
      zeros(32),  // rows
  })));
  const auto& bitmap = std::get<BitmapData>(message.source.data);
  EXPECT_EQ(bitmap.format, BitmapFormat::Rgb32);
  EXPECT_EQ(bitmap.stride, 8U);
  EXPECT_EQ(bitmap.data.size(), 32U);
}

TEST(DisplayWire, draw_copy_with_a_palette_behind_the_image) {
  const auto message = check_golden<DisplayDrawCopy>(draw_copy(joined({
      image_header(ImageType::LzPlt),
      u8(4),              // flags
      u32(3),             // size
      u32(57 + 18 + 12),  // *palette
      text("plt"),        // data
      u64(77),            // palette: unique
      u16(2),             // entries
      u32(0),
      u32(0xffffff),
  })));
  const auto& image = std::get<LzPltData>(message.source.data);
  EXPECT_EQ(image.data.size(), 3U);
  ASSERT_TRUE(image.palette.palette.has_value());
  EXPECT_EQ(image.palette.palette->unique, 77U);
  EXPECT_THAT(image.palette.palette->entries, testing::ElementsAre(0, 0xffffff));
}

TEST(DisplayWire, draw_copy_with_a_cached_palette) {
  const auto message = check_golden<DisplayDrawCopy>(
      draw_copy(joined({image_header(ImageType::LzPlt), u8(kPaletteFromCache), u32(3), u64(77), text("plt")})));
  EXPECT_EQ(std::get<LzPltData>(message.source.data).palette.cached_id, 77U);
}

TEST(DisplayWire, draw_copy_of_other_images) {
  const auto copy_of = [](const Golden& image) { return check_golden<DisplayDrawCopy>(draw_copy(image)).source; };
  EXPECT_EQ(copy_of(image_header(ImageType::FromCache)).type, ImageType::FromCache);
  const auto surface = copy_of(joined({image_header(ImageType::Surface), u32(6)}));
  EXPECT_EQ(std::get<SurfaceData>(surface.data).surface_id, 6U);
  const auto glz = copy_of(joined({image_header(ImageType::ZlibGlzRgb), u32(100), u32(2), text("zz")}));
  EXPECT_EQ(std::get<ZlibGlzData>(glz.data).glz_size, 100U);
  const auto jpeg = copy_of(joined({image_header(ImageType::JpegAlpha), u8(1), u32(2), u32(3), text("jja")}));
  EXPECT_EQ(std::get<JpegAlphaData>(jpeg.data).jpeg_size, 2U);
}

TEST(DisplayWire, draw_copy_with_clip_and_mask) {
  const auto message = check_golden<DisplayDrawCopy>(joined({
      u32(3), rect(0, 0, 4, 2),                    // surface, box
      u8(1), u32(1), rect(1, 1, 2, 2),             // clip: one rectangle
      u32(77), rect(0, 0, 4, 2), u16(8), u8(1),    // *image, source area, rop, scale
      u8(1), u32(5), u32(6), u32(77 + 22),         // mask: inverted, position, *bitmap
      image_header(ImageType::Surface), u32(6),    // the image
      image_header(ImageType::FromCacheLossless),  // the mask's bitmap
  }));
  EXPECT_THAT(message.base.clip.rects, testing::ElementsAre(Rect{1, 1, 2, 2}));
  EXPECT_EQ(message.scale, ScaleMode::Nearest);
  EXPECT_EQ(message.mask.flags, 1);
  EXPECT_EQ(message.mask.position, (Point{5, 6}));
  EXPECT_EQ(message.mask.bitmap->type, ImageType::FromCacheLossless);
}

TEST(DisplayWire, draw_copy_with_bad_offsets_is_refused) {
  const auto image = image_header(ImageType::FromCache);
  EXPECT_TRUE(decode<DisplayDrawCopy>(draw_copy(image)).has_value());
  EXPECT_FALSE(decode<DisplayDrawCopy>(draw_copy(image, 0)).has_value());   // null
  EXPECT_FALSE(decode<DisplayDrawCopy>(draw_copy(image, 20)).has_value());  // backward
  EXPECT_FALSE(decode<DisplayDrawCopy>(draw_copy(image, 58)).has_value());  // runs over the end
  EXPECT_FALSE(decode<DisplayDrawCopy>(draw_copy(image, 0xffff'ffff)).has_value());
}

// CVE-2018-10873: what an offset pointed to was read without asking whether all of it is in the message.
TEST(DisplayWire, cve_2018_10873_what_is_pointed_to_must_be_there) {
  const auto whole = draw_copy(joined({image_header(ImageType::LzRgb), u32(5), text("bytes")}));
  const auto pointed = draw_copy(image_header(ImageType::FromCache)).size();
  for (std::uint32_t offset = 58; offset < whole.size() + 8; ++offset)
    EXPECT_FALSE(decode<DisplayDrawCopy>(draw_copy(image_header(ImageType::FromCache), offset)).has_value()) << offset;
  for (auto size = pointed - 18; size < whole.size(); ++size)
    EXPECT_FALSE(
        decode<DisplayDrawCopy>(Golden(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).has_value())
        << size;
  for (const auto length : {6U, 0x7fff'ffffU, 0xffff'fffbU, 0xffff'ffffU})
    EXPECT_FALSE(
        decode<DisplayDrawCopy>(draw_copy(joined({image_header(ImageType::LzRgb), u32(length), text("bytes")})))
            .has_value());
}

TEST(DisplayWire, draw_copy_of_an_unknown_image_is_refused) {
  EXPECT_FALSE(decode<DisplayDrawCopy>(draw_copy(image_header(ImageType{55}))).has_value());
}

TEST(DisplayWire, draw_copy_of_a_bitmap_larger_than_the_message_is_refused) {
  const auto bitmap = [](std::uint32_t height, std::uint32_t stride) {
    return draw_copy(
        joined({image_header(ImageType::Bitmap), u8(8), u8(4), u32(2), u32(height), u32(stride), u32(0), zeros(32)}));
  };
  EXPECT_TRUE(decode<DisplayDrawCopy>(bitmap(4, 8)).has_value());
  EXPECT_FALSE(decode<DisplayDrawCopy>(bitmap(5, 8)).has_value());
  EXPECT_FALSE(decode<DisplayDrawCopy>(bitmap(0x8000'0000, 2)).has_value());  // 0 in 32 bits
}

TEST(DisplayWire, large_payload_is_not_copied) {
  const Payload pixels(std::vector<std::uint8_t>(100'000, 7));
  DisplayDrawCopy message;
  message.source = {
      .id = 1, .type = ImageType::LzRgb, .flags = 0, .width = 9, .height = 9, .data = CompressedData{pixels}};
  const auto encoded = encode(message);
  std::array<std::span<const std::uint8_t>, 4> pieces;
  ASSERT_EQ(encoded.pieces(0, pieces), 2U);
  EXPECT_EQ(pieces[1].data(), pixels.bytes().data());
  ASSERT_EQ(encoded.pieces(pieces[0].size() + 99'999, pieces), 1U);
  EXPECT_EQ(pieces[0].size(), 1U);
}

TEST(DisplayWire, draw_fill) {
  const auto tail = joined({u16(8), u8(0), u32(0), u32(0), u32(0)});
  const auto base = joined({u32(0), rect(0, 0, 1, 1), u8(0)});
  const auto solid = check_golden<DisplayDrawFill>(joined({base, u8(1), u32(0xff00ff), tail}));
  EXPECT_EQ(std::get<SolidBrush>(solid.brush.fill).color, 0xff00ffU);
  const auto none = check_golden<DisplayDrawFill>(joined({base, u8(0), tail}));
  EXPECT_EQ(none.brush.kind, Brush::Kind::None);
  const auto pattern = check_golden<DisplayDrawFill>(
      joined({base, u8(2), u32(49), u32(1), u32(2), tail, image_header(ImageType::FromCache)}));
  EXPECT_EQ(std::get<PatternBrush>(pattern.brush.fill).position, (Point{1, 2}));
  EXPECT_FALSE(decode<DisplayDrawFill>(joined({base, u8(3), u32(0), tail})).has_value());
}

TEST(DisplayWire, copy_bits) {
  const auto message = check_golden<DisplayCopyBits>(joined({u32(0), rect(1, 2, 3, 4), u8(0), u32(5), u32(6)}));
  EXPECT_EQ(message.source, (Point{5, 6}));
}

// Base of a drawing on surface 5 without a clip: 21 bytes.
Golden base_of_drawing() {
  return joined({u32(5), rect(1, 2, 3, 4), u8(0)});
}

Golden no_mask() {
  return joined({u8(0), u32(0), u32(0), u32(0)});
}

Golden cached_image() {
  return image_header(ImageType::FromCache);
}

TEST(DisplayWire, draw_opaque) {
  const auto message = check_golden<DisplayDrawOpaque>(joined({
      base_of_drawing(),
      u32(62),           // *image
      rect(0, 0, 4, 2),  // its area
      u8(1),
      u32(0xff),  // brush: solid
      u16(64),
      u8(1),  // rop, scale
      no_mask(),
      cached_image(),
  }));
  EXPECT_EQ(message.base.surface_id, 5U);
  EXPECT_EQ(std::get<SolidBrush>(message.brush.fill).color, 0xffU);
  EXPECT_EQ(message.rop, kRopXor);
}

TEST(DisplayWire, draw_blend) {
  const auto message = check_golden<DisplayDrawBlend>(
      joined({base_of_drawing(), u32(57), rect(0, 0, 4, 2), u16(32), u8(0), no_mask(), cached_image()}));
  EXPECT_EQ(message.rop, kRopAnd);
  EXPECT_EQ(message.source.type, ImageType::FromCache);
}

TEST(DisplayWire, drawings_without_operands) {
  const auto masked = joined({base_of_drawing(), u8(1), u32(7), u32(8), u32(34), cached_image()});
  EXPECT_EQ(check_golden<DisplayDrawBlackness>(masked).mask.position, (Point{7, 8}));
  EXPECT_EQ(check_golden<DisplayDrawWhiteness>(masked).mask.flags, 1);
  EXPECT_TRUE(check_golden<DisplayDrawInvers>(masked).mask.bitmap.has_value());
  EXPECT_FALSE(check_golden<DisplayDrawInvers>(joined({base_of_drawing(), no_mask()})).mask.bitmap.has_value());
}

TEST(DisplayWire, draw_rop3) {
  const auto message = check_golden<DisplayDrawRop3>(joined({
      base_of_drawing(),
      u32(69),
      rect(0, 0, 4, 2),  // *image, its area
      u8(2),
      u32(87),
      u32(3),
      u32(4),  // brush: pattern, origin
      u8(0xb8),
      u8(1),  // code, scale
      no_mask(),
      cached_image(),
      cached_image(),
  }));
  EXPECT_EQ(message.code, 0xb8);
  EXPECT_EQ(std::get<PatternBrush>(message.brush.fill).position, (Point{3, 4}));
}

TEST(DisplayWire, draw_stroke) {
  const auto message = check_golden<DisplayDrawStroke>(joined({
      base_of_drawing(),
      u32(40),  // *path
      u8(12),
      u8(2),
      u32(70),  // styled, starts with a gap; two dashes
      u8(1),
      u32(9),
      u16(8),
      u16(16),  // solid brush, modes
      u32(2),   // path: two segments
      u8(1),
      u32(2),  // the first begins, and has two points
      u32(16),
      u32(32),
      u32(48),
      u32(0xfffffff0),
      u8(18),
      u32(0),  // the second ends, is Bezier, and has no points
      u32(48),
      u32(32),  // dashes
  }));
  ASSERT_EQ(message.path.segments.size(), 2U);
  EXPECT_THAT(message.path.segments[0].points, testing::ElementsAre(PathPoint{16, 32}, PathPoint{48, -16}));
  EXPECT_THAT(message.line.dashes.lengths, testing::ElementsAre(48, 32));
  const auto solid = check_golden<DisplayDrawStroke>(
      joined({base_of_drawing(), u32(35), u8(0), u8(1), u32(9), u16(8), u16(16), u32(0)}));
  EXPECT_TRUE(solid.path.segments.empty());
}

TEST(DisplayWire, draw_text) {
  const auto message = check_golden<DisplayDrawText>(joined({
      base_of_drawing(),
      u32(51),  // *string
      rect(0, 0, 0, 0),
      u8(1),
      u32(0xff),
      u8(0),  // back area, brushes: solid and none
      u16(8),
      u16(0),  // modes
      u16(2),
      u8(kGlyphsA4 | kGlyphsTopDown),  // two glyphs
      u32(1),
      u32(2),
      u32(3),
      u32(4),
      u16(3),
      u16(2),
      u32(0x44332211),
      u32(5),
      u32(6),
      u32(7),
      u32(8),
      u16(0),
      u16(9),
  }));
  ASSERT_EQ(message.string.glyphs.size(), 2U);
  EXPECT_EQ(message.string.glyphs[0].data.size(), 4U);
  EXPECT_EQ(message.string.glyphs[1].origin, (Point{7, 8}));
}

TEST(DisplayWire, draw_transparent_and_alpha_blend) {
  const auto transparent = check_golden<DisplayDrawTransparent>(
      joined({base_of_drawing(), u32(49), rect(0, 0, 4, 2), u32(0x11), u32(0x22), cached_image()}));
  EXPECT_EQ(transparent.true_color, 0x22U);
  const auto blend = check_golden<DisplayDrawAlphaBlend>(
      joined({base_of_drawing(), u8(2), u8(77), u32(43), rect(0, 0, 4, 2), cached_image()}));
  EXPECT_EQ(blend.flags, kSourceSurfaceHasAlpha);
  EXPECT_EQ(blend.alpha, 77);
}

TEST(DisplayWire, draw_composite) {
  const auto plain = check_golden<DisplayDrawComposite>(
      joined({base_of_drawing(), u32(3), u32(37), u16(1), u16(2), u16(3), u16(4), cached_image()}));
  EXPECT_EQ(plain.source_origin, (Point16{1, 2}));
  EXPECT_EQ(plain.mask_origin, (Point16{3, 4}));
  const auto flags = kCompositeHasMask | kCompositeHasSourceTransform | kCompositeHasMaskTransform;
  const auto full = check_golden<DisplayDrawComposite>(joined({
      base_of_drawing(),
      u32(flags),
      u32(89),
      u32(107),
      u32(1),
      u32(2),
      u32(3),
      u32(4),
      u32(5),
      u32(6),
      u32(7),
      u32(8),
      u32(9),
      u32(10),
      u32(11),
      u32(12),
      u16(0),
      u16(0),
      u16(0),
      u16(0),
      cached_image(),
      cached_image(),
  }));
  EXPECT_EQ(full.source_transform, (Transform{{1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(full.mask_transform, (Transform{{7, 8, 9, 10, 11, 12}}));
}

TEST(DisplayWire, invalidations) {
  EXPECT_EQ(check_golden<DisplayInvalList>(joined({u16(1), u8(1), u64(99)})).items[0].id, 99U);
  EXPECT_EQ(check_golden<DisplayInvalAllPixmaps>(joined({u8(1), u8(2), u8(0), u64(9)})).waits[0].serial, 9U);
  EXPECT_EQ(check_golden<DisplayInvalPalette>(u64(3)).id, 3U);
  check_golden<DisplayInvalAllPalettes>({});
  check_golden<DisplayStreamDestroyAll>({});
  check_golden<DisplayMark>({});
}

TEST(DisplayWire, monitors_config) {
  const auto message = check_golden<DisplayMonitorsConfig>(
      joined({u16(1), u16(4), u32(0), u32(0), u32(720), u32(400), u32(0), u32(0), u32(0)}));
  EXPECT_EQ(message.max_allowed, 4);
  ASSERT_EQ(message.heads.size(), 1U);
  EXPECT_EQ(message.heads[0].width, 720U);
  EXPECT_FALSE(decode<DisplayMonitorsConfig>(joined({u16(0xffff), u16(1), zeros(28)})).has_value());
}

TEST(DisplayWire, client_messages) {
  const auto init = check_golden<DisplayInit>(joined({u8(1), u64(20 << 20), u8(1), u32(0x5ffc00)}));
  EXPECT_EQ(init.cache_pixels, 20 << 20);
  EXPECT_EQ(init.dictionary_window_pixels, 0x5ffc00);
  EXPECT_EQ(check_golden<DisplayPreferredCompression>(u8(6)).compression, ImageCompression::Lz);
  EXPECT_THAT(check_golden<DisplayPreferredVideoCodec>({2, 1, 3}).codecs, testing::ElementsAre(1, 3));
}

}  // namespace
}  // namespace spice::wire
