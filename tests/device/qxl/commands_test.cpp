// What drivers put into the rings, as the display gets it: drawables of every type, images, chunks, cursors.
#include "tests/device/qxl/native_rig.h"

namespace {

namespace abi = devices::qxl::abi;
using tests::NativeRig;
using Type = abi::QxlCommandType;
using Draw = abi::QxlDrawType;

struct Commands : testing::Test {
  Commands() { rig.go_native(); }

  std::vector<std::uint8_t> bytes(std::size_t count, std::uint8_t first = 0) {
    std::vector<std::uint8_t> result(count);
    for (std::size_t i = 0; i < count; ++i)
      result[i] = static_cast<std::uint8_t>(first + i);
    return result;
  }
  abi::QXLImageDescriptor descriptor(std::uint8_t type, std::uint8_t flags = 0) {
    return {.id = 0x1234, .type = type, .flags = flags, .width = 4, .height = 2};
  }
  // 4 x 2 pixels in two chunks.
  std::uint64_t bitmap(std::uint8_t format = 8, std::uint32_t stride = 16, std::uint64_t palette = 0) {
    const auto all = bytes(stride * 2);
    const auto second = rig.chunk(std::span(all).subspan(stride));
    const auto empty = rig.chunk({}, second);
    const auto first = rig.chunk(std::span(all).first(stride), empty);
    return rig.put_all(descriptor(0, 1), abi::QXLBitmap{format, 4, 4, 2, stride, palette, first});
  }
  template <class Body>
  void draw(Draw type, const Body& body) {
    rig.submit(rig.put_all(rig.drawable(type, box), body));
  }
  // The one drawing that has come so far, of this kind.
  template <class Operation>
  const Operation& drawn() {
    static const Operation none{};
    EXPECT_EQ(rig.canvas.drawings.size(), 1u) << rig.device.describe();
    if (rig.canvas.drawings.empty()) return none;
    const auto* operation = std::get_if<Operation>(&rig.canvas.drawings.back()->operation);
    EXPECT_NE(operation, nullptr);
    return operation != nullptr ? *operation : none;
  }
  bool refused(std::string_view why) {
    return rig.canvas.drawings.empty() && rig.device.describe().find(why) != std::string::npos;
  }
  template <class Content>
  static const Content& content(const core::ImagePtr& image) {
    static const Content none{};
    const auto* found = image ? std::get_if<Content>(&image->content) : nullptr;
    EXPECT_NE(found, nullptr);
    return found != nullptr ? *found : none;
  }

  NativeRig rig;
  abi::QXLRect box = NativeRig::box(0, 0, 4, 2);
  abi::QXLRect area = NativeRig::box(0, 0, 4, 2);
};

TEST_F(Commands, copy_has_its_bitmap_of_chunks) {
  draw(Draw::Copy, abi::QXLCopy{bitmap(), area, 8, 1, {}});
  const auto& copy = drawn<core::DrawCopy>();
  const auto& image = content<core::Bitmap>(copy.source.image);
  EXPECT_EQ(image.width, 4u);
  EXPECT_EQ(image.height, 2u);
  EXPECT_TRUE(image.top_down);
  EXPECT_EQ(image.data, bytes(32));
  EXPECT_EQ(copy.source.image->id, 0x1234u);
  EXPECT_TRUE(copy.source.image->cacheable);
  EXPECT_EQ(copy.source.scale, core::ScaleMode::Nearest);
  EXPECT_GE(rig.canvas.drawings[0]->memory, 32u);
}

TEST_F(Commands, direct_bitmap_is_read_in_one_piece) {
  const auto data = rig.put(bytes(32, 7));
  const auto image = rig.put_all(descriptor(0), abi::QXLBitmap{8, 1, 4, 2, 16, 0, data});
  draw(Draw::Copy, abi::QXLCopy{image, area, 8, 1, {}});
  const auto& bitmap = content<core::Bitmap>(drawn<core::DrawCopy>().source.image);
  EXPECT_EQ(bitmap.data, bytes(32, 7));
  EXPECT_FALSE(bitmap.top_down);
}

TEST_F(Commands, palette_comes_with_its_bitmap) {
  const auto palette = rig.put_all(abi::QXLPalette{99, 2}, core::le32(0x111111), core::le32(0x222222));
  draw(Draw::Copy, abi::QXLCopy{bitmap(5, 4, palette), area, 8, 1, {}});
  const auto& image = content<core::Bitmap>(drawn<core::DrawCopy>().source.image);
  ASSERT_NE(image.palette, nullptr);
  EXPECT_EQ(image.palette->unique, 99u);
  EXPECT_EQ(image.palette->colors, (std::vector<std::uint32_t>{0x111111, 0x222222}));
}

TEST_F(Commands, bitmap_of_indices_without_palette_is_refused) {
  draw(Draw::Copy, abi::QXLCopy{bitmap(5, 4), area, 8, 1, {}});
  EXPECT_TRUE(refused("has no palette"));
}

TEST_F(Commands, mask_needs_no_palette) {
  const abi::QXLQMask mask{1, {2, 3}, bitmap(1, 4)};
  draw(Draw::Blackness, mask);
  const auto& black = drawn<core::DrawBlackness>();
  EXPECT_TRUE(black.mask.inverted);
  EXPECT_EQ(black.mask.origin, (core::Point{2, 3}));
  EXPECT_EQ(content<core::Bitmap>(black.mask.image).format, core::BitmapFormat::Le1);
}

TEST_F(Commands, quic_data_is_as_long_as_it_says) {
  const auto data = bytes(40);
  const abi::QXLDataChunk head{40, 0, 0};
  std::array<std::uint8_t, 40> array{};
  std::ranges::copy(data, array.begin());
  const auto image = rig.put_all(descriptor(1), core::le32(40), head, array);
  draw(Draw::Copy, abi::QXLCopy{image, area, 8, 1, {}});
  EXPECT_EQ(content<core::QuicBitmap>(drawn<core::DrawCopy>().source.image).data, data);
}

TEST_F(Commands, surface_image_ignores_the_rest_of_its_descriptor) {
  const auto image = rig.put_all(descriptor(104, 0xff), core::le32(7));
  draw(Draw::Copy, abi::QXLCopy{image, area, 8, 1, {}});
  const auto& copy = drawn<core::DrawCopy>();
  EXPECT_EQ(content<core::SurfacePixels>(copy.source.image).surface, 7u);
  EXPECT_FALSE(copy.source.image->cacheable);
}

TEST_F(Commands, images_of_clients_types_are_refused) {
  draw(Draw::Copy, abi::QXLCopy{rig.put_all(descriptor(101), core::le32(7)), area, 8, 1, {}});
  EXPECT_TRUE(refused("a type that drivers do not send"));
}

TEST_F(Commands, circle_of_chunks_ends) {
  const auto first = NativeRig::kSlotRam + rig.heap_;
  rig.chunk({}, first);
  const auto image = rig.put_all(descriptor(0), abi::QXLBitmap{8, 4, 4, 2, 16, 0, first});
  draw(Draw::Copy, abi::QXLCopy{image, area, 8, 1, {}});
  EXPECT_TRUE(refused("a circle"));
}

TEST_F(Commands, short_list_of_chunks_is_refused) {
  const auto image = rig.put_all(descriptor(0), abi::QXLBitmap{8, 4, 4, 2, 16, 0, rig.chunk(bytes(31))});
  draw(Draw::Copy, abi::QXLCopy{image, area, 8, 1, {}});
  EXPECT_TRUE(refused("less data"));
}

TEST_F(Commands, image_of_chunks_that_show_one_page_again_and_again_has_an_end) {
  // 8 chunks of 12 MiB each: no memory has that, so they overlap.
  std::uint64_t next = 0;
  for (unsigned i = 0; i < 8; ++i)
    next = rig.put_all(abi::QXLDataChunk{6 << 20, 0, next});
  std::uint64_t many = next;
  for (unsigned i = 0; i < 8; ++i)
    many = rig.put_all(abi::QXLDataChunk{6 << 20, 0, many});
  const auto image = rig.put_all(descriptor(0), abi::QXLBitmap{8, 4, 4096, 6144, 16384, 0, many});
  draw(Draw::Copy, abi::QXLCopy{image, area, 8, 1, {}});
  EXPECT_TRUE(refused("more data than the device copies"));
}

TEST_F(Commands, source_area_outside_of_the_bitmap_is_refused) {
  draw(Draw::Copy, abi::QXLCopy{bitmap(), NativeRig::box(0, 0, 5, 2), 8, 1, {}});
  EXPECT_TRUE(refused("larger than its image"));
}

TEST_F(Commands, own_pixels_take_the_place_of_a_null_image) {
  auto head = rig.drawable(Draw::Opaque, box);
  head.self_bitmap = 1;
  head.self_bitmap_area = NativeRig::box(3, 4, 7, 6);
  rig.submit(rig.put_all(head, abi::QXLOpaque{0, area, {1, 5, {}}, 8, 0, {}}));
  const auto& opaque = drawn<core::DrawOpaque>();
  EXPECT_EQ(content<core::OwnPixels>(opaque.source.image).area, (core::Rect{3, 4, 7, 6}));
  EXPECT_EQ(std::get<core::SolidBrush>(opaque.brush).color, 5u);
}

TEST_F(Commands, pattern_brush_has_its_image_and_origin) {
  draw(Draw::Fill, abi::QXLFill{{2, bitmap(), {5, 0xffffffff}}, 0x20, {}});
  const auto& fill = drawn<core::DrawFill>();
  const auto& pattern = std::get<core::PatternBrush>(fill.brush);
  EXPECT_EQ(pattern.origin, (core::Point{5, -1}));
  EXPECT_EQ(content<core::Bitmap>(pattern.image).width, 4u);
  EXPECT_EQ(fill.rop, 0x20);
}

TEST_F(Commands, clip_has_its_rectangles) {
  const abi::QXLRect rects[] = {NativeRig::box(0, 0, 1, 1), NativeRig::box(2, 0, 3, 2)};
  auto head = rig.drawable(Draw::Invers, box);
  head.clip = {1, rig.put_all(core::le32(2), abi::QXLDataChunk{32, 0, 0}, rects)};
  head.release_info = rig.heap_;
  rig.submit(rig.put_all(head, abi::QXLQMask{}));
  drawn<core::DrawInvers>();
  EXPECT_EQ(rig.canvas.drawings[0]->clip, (core::Clip{{{0, 0, 1, 1}, {2, 0, 3, 2}}}));
}

TEST_F(Commands, clip_of_a_thousand_rectangles_comes_in_chunks) {
  constexpr std::uint32_t kRects = 1000, kChunk = 100;
  std::uint64_t following = 0;
  core::Clip wanted = std::vector<core::Rect>(kRects);
  for (std::uint32_t first = kRects - kChunk; first != 0; first -= kChunk) {
    std::vector<std::uint8_t> rects;
    for (auto i = first; i < first + kChunk; ++i) {
      const auto rect = NativeRig::box(i, 0, i + 1, 2);
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(&rect);
      rects.insert(rects.end(), bytes, bytes + sizeof rect);
    }
    following = rig.chunk(rects, following);
  }
  std::array<abi::QXLRect, kChunk> rects;
  for (std::uint32_t i = 0; i < kChunk; ++i)
    rects[i] = NativeRig::box(i, 0, i + 1, 2);
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(kRects); ++i)
    (*wanted)[static_cast<std::size_t>(i)] = {i, 0, i + 1, 2};
  auto head = rig.drawable(Draw::Invers, box);
  head.clip = {1, rig.put_all(core::le32(kRects), abi::QXLDataChunk{sizeof rects, 0, following}, rects)};
  head.release_info = rig.heap_;
  rig.submit(rig.put_all(head, abi::QXLQMask{}));
  drawn<core::DrawInvers>();
  EXPECT_EQ(rig.canvas.drawings[0]->clip, wanted);
}

TEST_F(Commands, stroke_has_path_and_dashes) {
  const std::array<core::le32, 4> points{16, 32, 48, 0xfffffff0};
  const auto path = rig.put_all(core::le32(24), abi::QXLDataChunk{24, 0, 0}, abi::QXLPathSeg{3, 2}, points);
  const auto style = rig.put_all(core::le32(64), core::le32(32));
  draw(Draw::Stroke, abi::QXLStroke{path, {12, 0, 0, 2, 0, 0, style}, {1, 9, {}}, 8, 8});
  const auto& stroke = drawn<core::DrawStroke>();
  ASSERT_EQ(stroke.path.size(), 1u);
  EXPECT_EQ(stroke.path[0].flags, 3u);
  ASSERT_EQ(stroke.path[0].points.size(), 2u);
  EXPECT_EQ(stroke.path[0].points[1].y, -16);
  EXPECT_EQ(stroke.dashes, (std::vector{64, 32}));
  EXPECT_TRUE(stroke.starts_with_gap);
}

TEST_F(Commands, path_that_ends_within_a_segment_is_refused) {
  const auto path = rig.put_all(core::le32(8), abi::QXLDataChunk{8, 0, 0}, abi::QXLPathSeg{3, 0x20000000});
  draw(Draw::Stroke, abi::QXLStroke{path, {}, {1, 9, {}}, 8, 8});
  EXPECT_TRUE(refused("within a segment"));
}

TEST_F(Commands, text_has_its_glyphs) {
  const std::array<std::uint8_t, 2> first{0xf0, 0x0f};
  const std::array<std::uint8_t, 6> second{1, 2, 3, 4, 5, 6};
  const auto string =
      rig.put_all(abi::QXLString{48, 2, 2 | 8}, abi::QXLDataChunk{48, 0, 0}, abi::QXLRasterGlyph{{1, 2}, {3, 4}, 2, 2},
                  first, abi::QXLRasterGlyph{{5, 6}, {7, 8}, 3, 3}, second);
  draw(Draw::Text, abi::QXLText{string, area, {1, 9, {}}, {}, 8, 8});
  const auto& text = drawn<core::DrawText>();
  EXPECT_EQ(text.depth, core::GlyphDepth::A4);
  EXPECT_TRUE(text.top_down);
  ASSERT_EQ(text.glyphs.size(), 2u);
  EXPECT_TRUE(std::ranges::equal(core::values_of(text.glyphs[0], text), first));
  EXPECT_EQ(text.glyphs[1].position, (core::Point{5, 6}));
  EXPECT_TRUE(std::ranges::equal(core::values_of(text.glyphs[1], text), second));
}

TEST_F(Commands, string_with_less_than_its_glyphs_is_refused) {
  const auto string = rig.put_all(abi::QXLString{20, 1, 1}, abi::QXLDataChunk{20, 0, 0},
                                  abi::QXLRasterGlyph{{1, 2}, {3, 4}, 65535, 65535});
  draw(Draw::Text, abi::QXLText{string, area, {1, 9, {}}, {}, 8, 8});
  EXPECT_TRUE(refused("within a glyph"));
}

TEST_F(Commands, composite_has_its_flags_taken_apart) {
  const auto transform = rig.put_all(std::array<core::le32, 6>{1, 2, 3, 4, 5, 0xffffffff});
  const std::uint32_t flags = 3 | 4 << 8 | 3 << 11 | 1 << 14 | 2 << 16 | 1 << 18 | 1 << 22 | 1 << 24;
  draw(Draw::Composite, abi::QXLComposite{flags, bitmap(9), transform, bitmap(10, 4), 0, {1, 2}, {0xffff, 4}});
  const auto& composite = drawn<core::DrawComposite>();
  EXPECT_EQ(composite.operation, 3);
  EXPECT_EQ(composite.source.filter, core::CompositeFilter::Bilinear);
  EXPECT_EQ(composite.source.repeat, core::CompositeRepeat::Normal);
  ASSERT_TRUE(composite.source.transform);
  EXPECT_EQ(composite.source.transform->t12, -1);
  ASSERT_TRUE(composite.mask);
  EXPECT_EQ(composite.mask->filter, core::CompositeFilter::Nearest);
  EXPECT_EQ(composite.mask->repeat, core::CompositeRepeat::Pad);
  EXPECT_EQ(composite.mask->origin, (core::Point{-1, 4}));
  EXPECT_TRUE(composite.component_alpha);
  EXPECT_TRUE(composite.source_opaque);
  EXPECT_FALSE(composite.mask_opaque);
  EXPECT_TRUE(composite.destination_opaque);
}

TEST_F(Commands, alpha_transparent_rop3_and_bits_have_their_numbers) {
  draw(Draw::AlphaBlend, abi::QXLAlphaBlend{3, 128, bitmap(), area});
  EXPECT_EQ(drawn<core::DrawAlphaBlend>().alpha, 128);
  EXPECT_TRUE(drawn<core::DrawAlphaBlend>().source_surface_has_alpha);
  rig.canvas.drawings.clear();
  draw(Draw::Transparent, abi::QXLTransparent{bitmap(), area, 1, 0xff00ff});
  EXPECT_EQ(drawn<core::DrawTransparent>().true_color, 0xff00ffu);
  rig.canvas.drawings.clear();
  draw(Draw::Rop3, abi::QXLRop3{bitmap(), area, {1, 3, {}}, 0xca, 0, {}});
  EXPECT_EQ(drawn<core::DrawRop3>().code, 0xca);
  rig.canvas.drawings.clear();
  draw(Draw::CopyBits, abi::QXLPoint{9, 8});
  EXPECT_EQ(drawn<core::DrawCopyBits>().source, (core::Point{9, 8}));
}

TEST_F(Commands, drawing_on_a_surface_that_is_not_there_is_refused) {
  rig.submit(rig.fill(1, box, 7));
  EXPECT_TRUE(refused("a surface that does not exist"));
}

TEST_F(Commands, unknown_drawable_is_refused) {
  draw(static_cast<Draw>(15), abi::QXLPoint{});
  EXPECT_TRUE(refused("unknown type"));
}

// Cursors.

std::uint64_t cursor_shape(NativeRig& rig, std::uint32_t data_size, std::uint32_t chunk_size, std::uint16_t type = 0) {
  const std::array<std::uint8_t, 64> pixels{1, 2, 3, 4};
  return rig.put_all(abi::QXLCursor{77, type, 4, 4, 1, 2, data_size}, abi::QXLDataChunk{chunk_size, 0, 0}, pixels);
}

TEST_F(Commands, cursor_is_set_moved_hidden_and_shown_by_moving) {
  const auto shape = cursor_shape(rig, 64, 64);
  rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 0, {10, 0xffff}, 1, shape}), Type::Cursor);
  ASSERT_NE(rig.canvas.pointer, nullptr);
  EXPECT_EQ(rig.canvas.pointer->unique, 77u);
  EXPECT_EQ(rig.canvas.pointer->hot_spot, (core::Point{1, 2}));
  EXPECT_EQ(rig.canvas.pointer->data.size(), 64u);
  EXPECT_EQ(rig.canvas.pointer_at, (core::Point{10, -1}));
  EXPECT_TRUE(rig.canvas.pointer_visible);
  rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 2, {}, 0, 0}), Type::Cursor);
  EXPECT_FALSE(rig.canvas.pointer_visible);
  rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 1, {3, 4}, 0, 0}), Type::Cursor);
  EXPECT_TRUE(rig.canvas.pointer_visible);
  EXPECT_EQ(rig.canvas.pointer_at, (core::Point{3, 4}));
  rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 3, {5, 6}, 0, 0}), Type::Cursor);
  EXPECT_EQ(rig.canvas.trail, (std::pair<std::uint16_t, std::uint16_t>{5, 6}));
  rig.port(abi::QxlPort::DestroyPrimary);
  EXPECT_EQ(rig.canvas.pointer, nullptr);
}

// The shape is as long as its chunks are, however long it says it is, and the other way round.
TEST_F(Commands, cursor_that_lies_about_its_length_has_the_shorter_one) {
  for (const auto& [size, chunk] : {std::pair{16u, 64u}, std::pair{64u, 16u}}) {
    rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 0, {}, 1, 0}), Type::Cursor);  // without a shape: refused
    const auto shape = cursor_shape(rig, size, chunk);
    rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 0, {}, 1, shape}), Type::Cursor);
    ASSERT_NE(rig.canvas.pointer, nullptr);
    EXPECT_EQ(rig.canvas.pointer->data.size(), 16u);
  }
}

TEST_F(Commands, impossible_cursors_are_refused) {
  for (const auto shape :
       {cursor_shape(rig, 0xffffffff, 64), cursor_shape(rig, 64, 64, 7), std::uint64_t{3} << 56, std::uint64_t{0}}) {
    rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 0, {}, 1, shape}), Type::Cursor);
  }
  rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 9, {}, 1, 0}), Type::Cursor);
  EXPECT_EQ(rig.canvas.pointer, nullptr);
}

}  // namespace
