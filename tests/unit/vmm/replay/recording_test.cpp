#include <gmock/gmock.h>

#include "tests/unit/vmm/replay/memory_source.h"
#include "vmm/replay/call_reader.h"
#include "vmm/replay/immediate_canvas.h"
#include "vmm/replay/recording_canvas.h"
#include "vmm/replay/recording_format.h"
#include "vmm/replay/recording_source.h"

namespace {

using replay_test::MemorySource;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace vmm::replay;
using Bytes = std::vector<std::uint8_t>;

core::ImagePtr image_of(core::Image image) {
  return std::make_shared<const core::Image>(std::move(image));
}

core::ImagePtr bitmap() {
  auto palette = std::make_shared<const core::Palette>(core::Palette{.unique = 9, .colors = {1, 2, 3}});
  return image_of({.id = 5,
                   .cacheable = true,
                   .high_bits_set = true,
                   .content = core::Bitmap{.format = core::BitmapFormat::Be4,
                                           .top_down = false,
                                           .width = 3,
                                           .height = 2,
                                           .stride = 2,
                                           .palette = palette,
                                           .data = {1, 2, 3, 4}}});
}

core::Mask mask() {
  return {.image = image_of({.content = core::QuicBitmap{{7, 8}}}), .inverted = true, .origin = {-1, 2}};
}

core::Source source() {
  return {
      .image = image_of({.content = core::SurfacePixels{4}}), .area = {1, 2, 3, 4}, .scale = core::ScaleMode::Nearest};
}

core::Brush pattern() {
  return core::PatternBrush{image_of({.content = core::OwnPixels{{5, 6, 7, 8}}}), {9, 10}};
}

using Operation = decltype(core::Drawing::operation);

std::vector<Operation> operations() {
  const core::CompositeImage composite{.image = bitmap(),
                                       .origin = {1, 2},
                                       .filter = core::CompositeFilter::Bilinear,
                                       .repeat = core::CompositeRepeat::Pad,
                                       .transform = core::Transform{.t00 = 1, .t12 = -5}};
  return {
      core::DrawNothing{},
      core::DrawFill{.brush = core::SolidBrush{0x11223344}, .rop = core::kRopXor, .mask = mask()},
      core::DrawOpaque{.source = source(), .brush = pattern(), .rop = core::kRopAnd, .mask = mask()},
      core::DrawCopy{.source = source(), .rop = core::kRopOr, .mask = mask()},
      core::DrawBlend{.source = source(), .mask = {}},
      core::DrawCopyBits{.source = {-3, 3}},
      core::DrawBlackness{mask()},
      core::DrawWhiteness{mask()},
      core::DrawInvers{mask()},
      core::DrawRop3{.source = source(), .brush = pattern(), .code = 0xca, .mask = mask()},
      core::DrawStroke{.path = {{.flags = 1, .points = {{16, 32}, {-16, 0}}}, {.flags = 2, .points = {}}},
                       .dashes = {16, 32},
                       .starts_with_gap = true,
                       .brush = core::SolidBrush{1}},
      core::DrawText{.depth = core::GlyphDepth::A4,
                     .top_down = true,
                     .glyphs = {{.position = {1, 2}, .origin = {3, 4}, .width = 2, .height = 1}},
                     .values = {0x5a},
                     .back_area = {1, 2, 3, 4},
                     .fore_brush = core::SolidBrush{5},
                     .back_brush = pattern()},
      core::DrawTransparent{.source = source(), .source_color = 1, .true_color = 2},
      core::DrawAlphaBlend{.source = source(), .alpha = 77, .destination_has_alpha = true},
      core::DrawComposite{.operation = 12, .source = composite, .mask = composite, .component_alpha = true},
      core::DrawComposite{},
  };
}

core::DrawingPtr drawing_of(Operation operation) {
  return std::make_shared<const core::Drawing>(
      core::Drawing{.surface = 3,
                    .box = {1, 2, 30, 40},
                    .clip = std::vector<core::Rect>{{1, 1, 2, 2}, {3, 3, 9, 9}},
                    .effect = core::Effect::OpaqueBrush,
                    .time_ms = 77,
                    .memory = 1234,
                    .operation = std::move(operation)});
}

std::vector<Call> all_calls() {
  const auto shape = std::make_shared<const core::CursorShape>(core::CursorShape{
      .unique = 1, .type = core::CursorType::Mono, .width = 8, .height = 1, .hot_spot = {1, 0}, .data = {1, 2}});
  std::vector<Call> calls{
      SetMode{640, 480},
      Changed{{0, 0, 1, 1}, {1, 2, 3, 4}},
      CreateSurface{7, {10, 20, core::SurfaceFormat::Argb}},
      DestroySurface{7},
      DestroySurfaces{},
      LoadSurface{2, {1, 1, core::SurfaceFormat::A8}, 4, false, {1, 2, 3, 4}},
      SetMonitors{{.max_allowed = 2, .heads = {{.id = 1, .surface = 0, .area = {0, 0, 5, 5}, .flags = 3}}}},
      SetCursor{shape, {4, 5}, true},
      SetCursor{},
      MoveCursor{{-1, -2}},
      HideCursor{},
      SetCursorTrail{1, 2},
      ResetCursor{},
  };
  for (auto& operation : operations())
    calls.emplace_back(Draw{drawing_of(operation)});
  return calls;
}

Bytes body_of(const Call& call) {
  auto record = encode_record(call);
  return {record.begin() + 4, record.end()};
}

TEST(Recording, record_has_the_golden_bytes) {
  const Draw draw{std::make_shared<const core::Drawing>(core::Drawing{
      .box = {1, 2, 3, 4}, .operation = core::DrawFill{.brush = core::SolidBrush{0x00ff8000}, .mask = {}}})};
  EXPECT_THAT(encode_record(draw), ElementsAre(54, 0, 0, 0,                                     // length
                                               6,                                               // a drawing
                                               1,                                               // which is there
                                               0, 0, 0, 0,                                      // surface
                                               1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0,  // box
                                               0,                                               // no clip
                                               0,                                               // effect
                                               0, 0, 0, 0,                                      // time
                                               0, 0, 0, 0, 0, 0, 0, 0,                          // memory
                                               1,                                               // a fill
                                               1, 0, 0x80, 0xff, 0,                             // a solid brush
                                               8, 0,                                            // put
                                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0));                  // no mask
}

TEST(Recording, every_call_comes_back_as_it_was) {
  for (const auto& call : all_calls()) {
    const auto body = body_of(call);
    Call decoded;
    ASSERT_TRUE(decode_record(body, decoded)) << call.index();
    EXPECT_EQ(decoded.index(), call.index());
    EXPECT_EQ(body_of(decoded), body) << call.index();
  }
}

TEST(Recording, shortened_and_lengthened_records_make_no_sense) {
  for (const auto& call : all_calls()) {
    auto body = body_of(call);
    Call decoded;
    for (std::size_t size = 0; size < body.size(); ++size)
      EXPECT_FALSE(decode_record(std::span(body).first(size), decoded)) << call.index() << " " << size;
    body.push_back(0);
    EXPECT_FALSE(decode_record(body, decoded));
  }
}

TEST(Recording, counts_that_cannot_be_make_no_sense) {
  Call decoded;
  // A change whose pixels would be 4 GiB.
  Bytes body{1};
  body.resize(1 + 16);
  body.insert(body.end(), {0xff, 0xff, 0xff, 0xff});
  EXPECT_FALSE(decode_record(body, decoded));
  EXPECT_FALSE(decode_record(Bytes{200}, decoded));
  EXPECT_FALSE(decode_record(Bytes{6, 0}, decoded));  // a drawing that is not there
}

TEST(Recording, depths_that_glyphs_cannot_have_make_no_sense) {
  for (const auto depth : {0, 2, 255}) {
    Call decoded;
    const auto body = body_of(Draw{drawing_of(core::DrawText{.depth = static_cast<core::GlyphDepth>(depth)})});
    EXPECT_FALSE(decode_record(body, decoded)) << depth;
  }
}

TEST(Recording, reader_tells_versions_it_does_not_know) {
  auto header = recording_header();
  header[8] = 99;
  MemorySource source(header);
  Input input(source);
  const auto reader = open_recording(input);
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error().message, HasSubstr("version 99"));
}

TEST(Recording, reader_names_the_place_of_an_error) {
  auto file = recording_header();
  file.insert(file.end(), {2, 0, 0, 0, 77, 77});
  MemorySource source(file);
  Input input(source);
  auto reader = open_recording(input);
  ASSERT_TRUE(reader);
  const auto call = (*reader)->next();
  ASSERT_FALSE(call);
  EXPECT_THAT(call.error().message, HasSubstr("before byte 18"));
}

TEST(Recording, file_that_was_cut_off_ends_there) {
  auto file = recording_header();
  for (const auto& record : {encode_record(SetMode{8, 8}), encode_record(MoveCursor{{1, 1}})})
    file.insert(file.end(), record.begin(), record.end());
  file.pop_back();
  MemorySource source(file);
  Input input(source);
  auto reader = open_recording(input);
  ASSERT_TRUE(reader);
  EXPECT_TRUE((*reader)->next()->has_value());
  EXPECT_FALSE((*reader)->next()->has_value());
  EXPECT_TRUE(input.ended_early());
}

// Plays a recording; all of it makes sense.
void play(const Bytes& file, ImmediateCanvas& canvas) {
  MemorySource source(file, 1000);
  Input input(source);
  auto reader = open_recording(input);
  ASSERT_TRUE(reader);
  while (true) {
    const auto call = (*reader)->next();
    ASSERT_TRUE(call) << call.error().message;
    if (!*call) return;
    perform(**call, canvas);
  }
}

// Fills in each way that a source may.
class FillingSource final : public core::DisplaySource {
 public:
  Next pull(core::DisplayCanvas& canvas) override {
    canvas.create_surface(0, {4, 4, core::SurfaceFormat::Xrgb});
    core::Drawing drawing{.box = {0, 0, 4, 4}};
    drawing.operation = core::DrawFill{.brush = core::SolidBrush{0x00123456}, .mask = {}};
    canvas.draw(std::make_shared<const core::Drawing>(drawing));
    return Next::Soon;
  }
  bool refresh(core::DisplayCanvas& canvas, bool full) override {
    canvas.set_mode(2, 2).row(1)[1] = full ? 1 : 2;
    canvas.changed({0, 0, 2, 2});
    return true;
  }
  void set_wake(std::function<void()> wake) override { wake(); }
};

TEST(Recording, source_is_recorded_in_both_modes) {
  FillingSource filling;
  Bytes file = recording_header();
  RecordingSource source(
      filling, [&file](std::span<const std::uint8_t> bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); });
  bool woken = false;
  source.set_wake([&woken] { woken = true; });
  EXPECT_TRUE(woken);
  ImmediateCanvas canvas;
  EXPECT_TRUE(source.refresh(canvas, true));
  ImmediateCanvas played;
  play(file, played);
  EXPECT_EQ(*played.shown().at(1, 1), 1U);
  EXPECT_EQ(source.pull(canvas), core::DisplaySource::Next::Soon);
  ImmediateCanvas again;
  play(file, again);
  EXPECT_EQ(*again.shown().at(3, 3), 0x00123456U);
}

TEST(Recording, begins_with_the_frame_buffer_that_its_display_had) {
  FillingSource filling;
  Bytes file = recording_header();
  RecordingSource source(
      filling, [&file](std::span<const std::uint8_t> bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); });
  ImmediateCanvas canvas;
  canvas.set_mode(7, 5);
  source.pull(canvas);
  source.pull(canvas);
  ImmediateCanvas first;
  play(Bytes(file.begin(), file.begin() + kRecordingHeaderBytes + 13), first);
  EXPECT_EQ(first.shown().bounds(), (core::Rect{0, 0, 7, 5}));
  ImmediateCanvas played;
  play(file, played);
  EXPECT_EQ(*played.shown().at(3, 3), 0x00123456U);
}

TEST(Recording, source_that_is_recorded_no_more_draws_on) {
  FillingSource filling;
  Bytes file = recording_header();
  RecordingSource source(
      filling, [&file](std::span<const std::uint8_t> bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); });
  source.stop();
  ImmediateCanvas canvas;
  EXPECT_TRUE(source.refresh(canvas, true));
  EXPECT_EQ(source.pull(canvas), core::DisplaySource::Next::Soon);
  EXPECT_EQ(*canvas.shown().at(3, 3), 0x00123456U);
  EXPECT_EQ(file, recording_header());
}

TEST(Recording, surface_that_could_not_be_made_is_none_in_a_replay) {
  ImmediateCanvas canvas;
  Bytes file = recording_header();
  RecordingCanvas recording(
      canvas, [&file](std::span<const std::uint8_t> bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); });
  EXPECT_TRUE(recording.create_surface(1, {4, 4, core::SurfaceFormat::Xrgb}));
  EXPECT_FALSE(recording.create_surface(1, {0, 4, core::SurfaceFormat::Xrgb}));
  ImmediateCanvas played;
  play(file, played);
  EXPECT_EQ(played.read_surface(1, {0, 0, 4, 4}).rows, nullptr);
}

TEST(Recording, what_was_recorded_plays_to_the_same_pixels) {
  ImmediateCanvas original;
  Bytes file = recording_header();
  RecordingCanvas recording(
      original, [&file](std::span<const std::uint8_t> bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); });
  recording.set_mode(16, 16);
  recording.pixels().row(3)[4] = 0x00abcdef;
  recording.changed({4, 3, 5, 4});
  recording.create_surface(0, {16, 16, core::SurfaceFormat::Xrgb});
  recording.create_surface(1, {3, 3, core::SurfaceFormat::Rgb565});
  const Bytes pixels(3 * 8, 0x3c);
  recording.load_surface(1, {pixels.data(), 8, 3, 3, core::SurfaceFormat::Rgb565});
  for (auto operation : operations()) {
    auto drawing = *drawing_of(std::move(operation));
    drawing.surface = 0;
    drawing.box = {0, 0, 16, 16};
    recording.draw(std::make_shared<const core::Drawing>(drawing));
  }
  recording.cursor().move({7, 7});
  recording.set_monitors({});
  recording.destroy_surface(1);

  ImmediateCanvas played;
  play(file, played);
  const auto wanted = original.shown();
  const auto got = played.shown();
  ASSERT_EQ(got.bounds(), wanted.bounds());
  EXPECT_EQ(std::memcmp(got.row(0), wanted.row(0), 16 * 16 * 4), 0);
  EXPECT_EQ(played.pointer().position, (core::Point{7, 7}));
  for (std::size_t i = 0; i < ImmediateCanvas::kOperations; ++i) {
    EXPECT_EQ(played.tallies()[i].drawings, original.tallies()[i].drawings) << i;
    EXPECT_EQ(played.tallies()[i].refused, original.tallies()[i].refused) << i;
  }
}

}  // namespace
