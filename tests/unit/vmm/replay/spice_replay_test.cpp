#include <gmock/gmock.h>

#include "tests/unit/vmm/replay/memory_source.h"
#include "vmm/replay/call_reader.h"

namespace {

using replay_test::MemorySource;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace vmm::replay;

const std::string kHeader = "SPICE_REPLAY 1\n";

struct Read {
  std::vector<Call> calls;
  std::string error;
  bool ended_early = false;
};

Read read(const std::string& text) {
  MemorySource source(text);
  Input input(source);
  auto reader = open_recording(input);
  if (!reader) return {.calls = {}, .error = reader.error().message};
  Read result;
  while (true) {
    auto call = (*reader)->next();
    if (!call) {
      result.error = call.error().message;
      break;
    }
    if (!*call) break;
    result.calls.push_back(std::move(**call));
  }
  result.ended_early = input.ended_early();
  return result;
}

std::string binary(const std::string& label, const std::string& bytes) {
  return "binary 0 " + label + " " + std::to_string(bytes.size()) + ":" + bytes + "\n";
}

std::string chunks(const std::string& label, const std::string& bytes) {
  return "data_chunks 0 " + std::to_string(bytes.size()) + "\n" + binary(label, bytes);
}

std::string command(int type, const std::string& body) {
  return "event 7 0 " + std::to_string(type) + " 8102120088485\n" + body;
}

// A drawable up to its type's fields.
std::string drawable(int type, const std::string& fields, const std::string& clip = "type 0\n",
                     const std::string& self = "self_bitmap 0\n") {
  std::string text = "drawable\nrect bbox 2 1 4 3\n" + clip + "effect 1\nmm_time 77\n" + self +
                     "rect self_bitmap_area 6 5 8 7\nsurface_id 9\n";
  for (int i = 0; i < 3; ++i)
    text += "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n";
  return command(1, text + "type " + std::to_string(type) + "\n" + fields);
}

const std::string kNoMask = "flags 0\npoint 0 0\nimage 0\n";
const std::string kSurfaceImage =
    "image 1\ndescriptor.id 18446744073709551615\ndescriptor.type 104\ndescriptor.flags 255\ndescriptor.width -1\n"
    "descriptor.height 0\nsurface_image.surface_id 1023\n";
const std::string kBitmap =
    "image 1\ndescriptor.id 12297829382473034410\ndescriptor.type 0\ndescriptor.flags 3\ndescriptor.width 2\n"
    "descriptor.height 1\nbitmap.format 5\nbitmap.flags 4\nbitmap.x 2\nbitmap.y 1\nbitmap.stride 4\nhas_palette 1\n"
    "qp.num_ents 2\nunique 5\nents -1\nents 255\n" +
    std::string("data_chunks 1 4\n") + binary("bitmap.data", "ab") + binary("bitmap.data", "\nc");

template <class D>
D drawn(const std::string& text) {
  const auto result = read(kHeader + text);
  EXPECT_EQ(result.error, "");
  EXPECT_FALSE(result.ended_early);
  if (result.calls.size() != 1 || !std::holds_alternative<Draw>(result.calls[0])) {
    ADD_FAILURE() << "no drawing";
    return {};
  }
  const auto& drawing = *std::get<Draw>(result.calls[0]).drawing;
  if (!std::holds_alternative<D>(drawing.operation)) {
    ADD_FAILURE() << "another drawing";
    return {};
  }
  return std::get<D>(drawing.operation);
}

TEST(SpiceReplay, drawing_has_its_place_and_time) {
  const std::string rects("\2\0\0\0\1\0\0\0\4\0\0\0\3\0\0\0", 16);
  const auto result =
      read(kHeader + drawable(4, "point -5 6\n", "type 1\nnum_rects 1\n" + chunks("clip_rects", rects)));
  ASSERT_EQ(result.calls.size(), 1U) << result.error;
  const auto& drawing = *std::get<Draw>(result.calls[0]).drawing;
  EXPECT_EQ(drawing.surface, 9U);
  EXPECT_EQ(drawing.box, (core::Rect{1, 2, 3, 4}));
  ASSERT_TRUE(drawing.clip);
  EXPECT_THAT(*drawing.clip, ElementsAre(core::Rect{1, 2, 3, 4}));
  EXPECT_EQ(drawing.effect, core::Effect::Opaque);
  EXPECT_EQ(drawing.time_ms, 77U);
  EXPECT_EQ(std::get<core::DrawCopyBits>(drawing.operation).source, (core::Point{-5, 6}));
}

TEST(SpiceReplay, fill) {
  const auto fill = drawn<core::DrawFill>(drawable(1, "type 1\nu.color -1\nrop_descriptor 8\n" + kNoMask));
  EXPECT_EQ(std::get<core::SolidBrush>(fill.brush).color, 0xffffffffU);
  EXPECT_EQ(fill.rop, core::kRopPut);
  EXPECT_EQ(fill.mask.image, nullptr);
}

TEST(SpiceReplay, pattern_and_mask) {
  const auto fill = drawn<core::DrawFill>(
      drawable(1, "type 2\n" + kBitmap + "point 3 4\nrop_descriptor 32\nflags 1\npoint 5 6\n" + kSurfaceImage));
  const auto& pattern = std::get<core::PatternBrush>(fill.brush);
  EXPECT_EQ(pattern.origin, (core::Point{3, 4}));
  EXPECT_EQ(pattern.image->id, 12297829382473034410U);
  EXPECT_TRUE(pattern.image->cacheable);
  EXPECT_TRUE(pattern.image->high_bits_set);
  const auto& bitmap = std::get<core::Bitmap>(pattern.image->content);
  EXPECT_EQ(bitmap.format, core::BitmapFormat::Indexed8);
  EXPECT_TRUE(bitmap.top_down);
  EXPECT_EQ(bitmap.stride, 4U);
  EXPECT_THAT(bitmap.data, ElementsAre('a', 'b', '\n', 'c'));
  EXPECT_EQ(bitmap.palette->unique, 5U);
  EXPECT_THAT(bitmap.palette->colors, ElementsAre(0xffffffffU, 255U));
  EXPECT_TRUE(fill.mask.inverted);
  EXPECT_EQ(fill.mask.origin, (core::Point{5, 6}));
  EXPECT_EQ(std::get<core::SurfacePixels>(fill.mask.image->content).surface, 1023U);
  EXPECT_FALSE(fill.mask.image->cacheable);  // what drivers leave there means nothing
}

TEST(SpiceReplay, opaque_rop3_blend_and_copy) {
  const std::string source = kSurfaceImage + "rect src_area 2 1 4 3\n";
  const std::string brush = "type 1\nu.color 7\n";
  const std::string end = "rop_descriptor 16\nscale_mode 1\n" + kNoMask;
  const auto opaque = drawn<core::DrawOpaque>(drawable(2, source + brush + end));
  EXPECT_EQ(opaque.source.area, (core::Rect{1, 2, 3, 4}));
  EXPECT_EQ(opaque.source.scale, core::ScaleMode::Nearest);
  EXPECT_EQ(opaque.rop, core::kRopOr);
  EXPECT_EQ(drawn<core::DrawCopy>(drawable(3, source + end)).rop, core::kRopOr);
  EXPECT_EQ(drawn<core::DrawBlend>(drawable(5, source + end)).rop, core::kRopOr);
  const auto rop3 = drawn<core::DrawRop3>(drawable(9, source + brush + "rop3 202\nscale_mode 0\n" + kNoMask));
  EXPECT_EQ(rop3.code, 202);
  EXPECT_EQ(std::get<core::SolidBrush>(rop3.brush).color, 7U);
}

TEST(SpiceReplay, whole_areas) {
  drawn<core::DrawNothing>(drawable(0, ""));
  drawn<core::DrawBlackness>(drawable(6, kNoMask));
  drawn<core::DrawWhiteness>(drawable(7, kNoMask));
  drawn<core::DrawInvers>(drawable(8, kNoMask));
}

TEST(SpiceReplay, stroke) {
  const std::string path("\1\0\0\0\2\0\0\0\x10\0\0\0\x20\0\0\0\xf0\xff\xff\xff\0\0\0\0", 24);
  const std::string dashes("\x30\0\0\0\x10\0\0\0", 8);
  const auto stroke =
      drawn<core::DrawStroke>(drawable(10, chunks("path", path) + "attr.flags 12\nattr.style_nseg 2\n" +
                                               binary("style", dashes) + "type 0\nfore_mode 8\nback_mode 32\n"));
  ASSERT_EQ(stroke.path.size(), 1U);
  EXPECT_EQ(stroke.path[0].flags, core::PathSegment::kBegin);
  ASSERT_EQ(stroke.path[0].points.size(), 2U);
  EXPECT_EQ(stroke.path[0].points[1].x, -16);
  EXPECT_THAT(stroke.dashes, ElementsAre(48, 16));
  EXPECT_TRUE(stroke.starts_with_gap);
  EXPECT_EQ(stroke.back_mode, 32);
}

TEST(SpiceReplay, text) {
  const std::string glyph(
      "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x9\0\x2\0"
      "abcd",
      24);
  const auto text = drawn<core::DrawText>(
      drawable(11, "data_size 24\nlength 1\nflags 9\n" + chunks("string", glyph) +
                       "rect back_area 0 0 0 0\ntype 1\nu.color 1\ntype 0\nfore_mode 8\nback_mode 8\n"));
  EXPECT_EQ(text.depth, core::GlyphDepth::A1);
  EXPECT_TRUE(text.top_down);
  ASSERT_EQ(text.glyphs.size(), 1U);
  EXPECT_EQ(text.glyphs[0].position, (core::Point{1, 2}));
  EXPECT_EQ(text.glyphs[0].width, 9);
  EXPECT_THAT(core::values_of(text.glyphs[0], text), ElementsAre('a', 'b', 'c', 'd'));
}

TEST(SpiceReplay, transparent_and_alpha) {
  const std::string source = kSurfaceImage + "rect src_area 2 1 4 3\n";
  const auto transparent = drawn<core::DrawTransparent>(drawable(12, source + "src_color 3\ntrue_color 4\n"));
  EXPECT_EQ(transparent.true_color, 4U);
  const auto blend = drawn<core::DrawAlphaBlend>(drawable(13, "alpha_flags 2\nalpha 99\n" + source));
  EXPECT_EQ(blend.alpha, 99);
  EXPECT_TRUE(blend.source_surface_has_alpha);
  EXPECT_FALSE(blend.destination_has_alpha);
}

TEST(SpiceReplay, composite) {
  const std::string transform("\0\0\1\0\1\0\0\0\2\0\0\0\3\0\0\0\0\0\1\0\4\0\0\0", 24);
  const std::uint32_t flags = 12 | 4 << 8 | 3 << 11 | 1 << 14 | 2 << 16 | 1 << 18 | 1 << 22;
  const auto composite = drawn<core::DrawComposite>(
      drawable(14, "flags " + std::to_string(flags) + "\n" + kSurfaceImage + "src_transform 1\n" +
                       binary("transform", transform) + "mask 1\n" + kSurfaceImage +
                       "mask_transform 0\nsrc_origin -1 2\nmask_origin 3 -4\n"));
  EXPECT_EQ(composite.operation, 12);
  EXPECT_EQ(composite.source.filter, core::CompositeFilter::Bilinear);
  EXPECT_EQ(composite.source.repeat, core::CompositeRepeat::Normal);
  EXPECT_EQ(composite.source.origin, (core::Point{-1, 2}));
  ASSERT_TRUE(composite.source.transform);
  EXPECT_EQ(composite.source.transform->t02, 2);
  EXPECT_EQ(composite.source.transform->t12, 4);
  ASSERT_TRUE(composite.mask);
  EXPECT_EQ(composite.mask->filter, core::CompositeFilter::Nearest);
  EXPECT_EQ(composite.mask->repeat, core::CompositeRepeat::Pad);
  EXPECT_FALSE(composite.mask->transform);
  EXPECT_EQ(composite.mask->origin, (core::Point{3, -4}));
  EXPECT_TRUE(composite.component_alpha);
  EXPECT_TRUE(composite.source_opaque);
}

TEST(SpiceReplay, missing_source_is_the_surface_itself_if_the_drawing_says_so) {
  const std::string end = "rect src_area 0 0 1 1\nrop_descriptor 8\nscale_mode 0\n" + kNoMask;
  const auto blend = drawn<core::DrawBlend>(drawable(5, "image 0\n" + end, "type 0\n", "self_bitmap 1\n"));
  ASSERT_NE(blend.source.image, nullptr);
  EXPECT_EQ(std::get<core::OwnPixels>(blend.source.image->content).area, (core::Rect{5, 6, 7, 8}));
  EXPECT_EQ(blend.mask.image, nullptr);
  EXPECT_EQ(drawn<core::DrawBlend>(drawable(5, "image 0\n" + end)).source.image, nullptr);
  EXPECT_EQ(drawn<core::DrawCopy>(drawable(3, "image 0\n" + end, "type 0\n", "self_bitmap 1\n")).source.image, nullptr);
}

TEST(SpiceReplay, layout_of_the_first_revision) {
  const auto blend = drawn<core::DrawAlphaBlend>(
      command(1,
              "drawable\nrect bbox 0 0 1 1\ntype 0\neffect 0\nmm_time 0\nbitmap_offset 0\nrect bitmap_area 0 0 0 0\n"
              "type 13\nalpha 5\n" +
                  kSurfaceImage + "rect src_area 0 0 1 1\n"));
  EXPECT_EQ(blend.alpha, 5);
}

TEST(SpiceReplay, surfaces) {
  const auto create = [](int flags) {
    return command(5, "surface_cmd\nsurface_id 3\ntype 0\nflags " + std::to_string(flags) +
                          "\nu.surface_create.format 96\nu.surface_create.width 1\nu.surface_create.height 2\n"
                          "u.surface_create.stride -4\n");
  };
  const auto result = read(kHeader + create(0) + create(1) + binary("data", "abcdefgh") +
                           command(5, "surface_cmd\nsurface_id 3\ntype 1\nflags 0\n"));
  EXPECT_EQ(result.error, "");
  ASSERT_EQ(result.calls.size(), 4U);
  EXPECT_EQ(std::get<CreateSurface>(result.calls[0]).shape, (core::SurfaceShape{1, 2, core::SurfaceFormat::Argb}));
  const auto& load = std::get<LoadSurface>(result.calls[2]);
  EXPECT_EQ(load.stride, 4U);
  EXPECT_FALSE(load.top_down);
  EXPECT_EQ(load.rows.size(), 8U);
  EXPECT_EQ(std::get<DestroySurface>(result.calls[3]).id, 3U);
}

TEST(SpiceReplay, primary_surface) {
  const auto primary = [](int flags) {
    return "event 1 1 20 5\n1 1 -4 32\n0 0 " + std::to_string(flags) + " 0\n" + binary("data", "abcd");
  };
  const auto result = read(kHeader + primary(0) + "event 1 1 21 5\n" + primary(1) + "event 2 1 19 6\n" +
                           "event 3 1 20 7\n" + "event 4 1 35 8\nevent 4 1 2 8\n");
  EXPECT_EQ(result.error, "");
  std::vector<std::size_t> kinds;
  for (const auto& call : result.calls)
    kinds.push_back(call.index());
  const auto kind = [](const Call& call) { return call.index(); };
  EXPECT_THAT(kinds,
              ElementsAre(kind(CreateSurface{}), kind(DestroySurface{}), kind(ResetCursor{}), kind(CreateSurface{}),
                          kind(LoadSurface{}), kind(DestroySurfaces{}), kind(ResetCursor{})));
}

TEST(SpiceReplay, pointer) {
  const auto result =
      read(kHeader +
           command(3,
                   "cursor_cmd\ntype 0\npoint16 -1 2\nu.set.visible 1\nheader.unique 0\nheader.type 0\nheader.width 1\n"
                   "header.height 1\nheader.hot_spot_x 1\nheader.hot_spot_y 0\ndata_size 4\n" +
                       chunks("cursor", "abcd")) +
           command(3, "cursor_cmd\ntype 1\npoint16 3 4\n") + command(3, "cursor_cmd\ntype 2\n") +
           command(3, "cursor_cmd\ntype 3\nu.trail.length 5\nu.trail.frequency 6\n"));
  EXPECT_EQ(result.error, "");
  ASSERT_EQ(result.calls.size(), 4U);
  const auto& set = std::get<SetCursor>(result.calls[0]);
  EXPECT_EQ(set.position, (core::Point{-1, 2}));
  EXPECT_EQ(set.shape->data.size(), 4U);
  EXPECT_EQ(std::get<MoveCursor>(result.calls[1]).position, (core::Point{3, 4}));
  EXPECT_TRUE(std::holds_alternative<HideCursor>(result.calls[2]));
  EXPECT_EQ(std::get<SetCursorTrail>(result.calls[3]).frequency, 6);
}

TEST(SpiceReplay, commands_without_pixels_are_skipped) {
  const auto result =
      read(kHeader + command(0, "") + command(2, "update\nrect area 0 0 1 1\nupdate_id 1\nsurface_id 0\n") +
           command(4, binary("message", "hello\nevent")));
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.calls, IsEmpty());
}

TEST(SpiceReplay, errors_say_what_and_where) {
  EXPECT_THAT(read("SPICE_REPLAY 2\n").error, HasSubstr("version 2"));
  EXPECT_THAT(read("hello\n").error, HasSubstr("no recording"));
  EXPECT_THAT(read(kHeader + "evnt 1 0 1 5\n").error,
              HasSubstr("\"evnt 1 0 1 5\" is not \"event\" with 4 numbers (before byte 28)"));
  EXPECT_THAT(read(kHeader + command(99, "")).error, HasSubstr("no such command"));
  EXPECT_THAT(read(kHeader + "event 1 2 1 5\n").error, HasSubstr("neither"));
  EXPECT_THAT(read(kHeader + drawable(99, "")).error, HasSubstr("no such operation"));
  EXPECT_THAT(read(kHeader + drawable(4, "point 1\n")).error, HasSubstr("\"point 1\""));
  EXPECT_THAT(read(kHeader + drawable(4, "point 1 99999999999\n")).error, HasSubstr("32 bits"));
  EXPECT_THAT(read(kHeader + drawable(4, "point 1 2", "type 1\nnum_rects 9\n" + chunks("clip_rects", "abc"))).error,
              HasSubstr("fewer rectangles"));
  EXPECT_THAT(read(kHeader + std::string(300, 'x')).error, HasSubstr("too long"));
  EXPECT_THAT(read(kHeader + command(4, "binary 0 message 99999999999999:")).error, HasSubstr("too many bytes"));
  EXPECT_THAT(read(kHeader + command(4, "binary 1 message 3:abc\n")).error, HasSubstr("is not"));
  EXPECT_THAT(read(kHeader + drawable(4, "point 1 2", "type 1\nnum_rects 0\ndata_chunks 99999999 0\n")).error,
              HasSubstr("too many chunks"));
}

TEST(SpiceReplay, recording_that_was_cut_off_anywhere_ends_there) {
  const auto whole = kHeader + drawable(1, "type 2\n" + kBitmap + "point 3 4\nrop_descriptor 32\n" + kNoMask);
  for (std::size_t size = kHeader.size() + 1; size < whole.size(); ++size) {
    const auto result = read(whole.substr(0, size));
    EXPECT_EQ(result.error, "") << size;
    EXPECT_TRUE(result.ended_early) << size;
    EXPECT_THAT(result.calls, IsEmpty()) << size;
  }
}

}  // namespace
