// Speed of drawing on a screen of 1920 x 1080, in pixels a second (items).
#include <benchmark/benchmark.h>
#include <map>
#include <random>

#include "spice/canvas/draw.h"

namespace {

constexpr std::int32_t kWidth = 1920, kHeight = 1080;
constexpr core::Rect kScreen{0, 0, kWidth, kHeight};

class Display final : public spice::canvas::SurfaceTable {
 public:
  Display() {
    for (core::SurfaceId id = 0; id < 2; ++id)
      surfaces_[id] = spice::canvas::Surface(kWidth, kHeight);
  }
  spice::canvas::Surface* find(core::SurfaceId id) override { return &surfaces_.at(id); }

 private:
  std::map<core::SurfaceId, spice::canvas::Surface> surfaces_;
};

core::ImagePtr noise(core::BitmapFormat format, std::uint32_t width, std::uint32_t height, std::uint32_t row_bytes) {
  core::Bitmap bitmap{
      .format = format, .width = width, .height = height, .stride = row_bytes, .palette = nullptr, .data = {}};
  bitmap.data.resize(std::size_t{row_bytes} * height);
  std::mt19937 random(1);
  for (auto& byte : bitmap.data)
    byte = static_cast<std::uint8_t>(random());
  return std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
}

core::Source whole(core::ImagePtr image, const core::Rect& area = kScreen) {
  return {.image = std::move(image), .area = area, .scale = core::ScaleMode::Nearest};
}

core::DrawText text() {
  core::DrawText text{
      .depth = core::GlyphDepth::A8, .glyphs = {}, .values = {}, .fore_brush = core::SolidBrush{0x202020}};
  std::mt19937 random(1);
  for (std::int32_t y = 0; y + 16 <= kHeight; y += 16) {
    for (std::int32_t x = 0; x + 9 <= kWidth; x += 9) {
      text.glyphs.push_back(
          {.position = {x, y}, .width = 9, .height = 16, .start = static_cast<std::uint32_t>(text.values.size())});
      for (int i = 0; i < 9 * 16; ++i)
        text.values.push_back(random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : 0);
    }
  }
  return text;
}

void run(benchmark::State& state, const core::Drawing& drawing) {
  Display display;
  for (auto _ : state) {
    if (!spice::canvas::draw(drawing, display)) state.SkipWithError("not drawn");
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * drawing.box.width() * drawing.box.height());
}

void add(const char* name, decltype(core::Drawing::operation) operation, const core::Rect& box = kScreen) {
  benchmark::RegisterBenchmark(name, [drawing = core::Drawing{.box = box, .operation = std::move(operation)}](
                                         benchmark::State& state) { run(state, drawing); });
}

}  // namespace

int main(int argc, char** argv) {
  using core::BitmapFormat;
  const auto rgb32 = noise(BitmapFormat::Rgb32, kWidth, kHeight, kWidth * 4);
  const auto rgba = noise(BitmapFormat::Rgba, kWidth, kHeight, kWidth * 4);
  const auto other = std::make_shared<core::Image>(core::Image{.content = core::SurfacePixels{1}});
  const auto tile = noise(BitmapFormat::Rgb32, 16, 16, 64);
  const core::Mask mask{.image = noise(BitmapFormat::Be1, kWidth, kHeight, kWidth / 8)};
  add("fill", core::DrawFill{.brush = core::SolidBrush{0x123456}});
  add("fill/64x64", core::DrawFill{.brush = core::SolidBrush{0x123456}}, {100, 100, 164, 164});
  add("fill/xor", core::DrawFill{.brush = core::SolidBrush{0x123456}, .rop = core::kRopXor});
  add("fill/pattern", core::DrawFill{.brush = core::PatternBrush{tile, {}}});
  add("fill/masked", core::DrawFill{.brush = core::SolidBrush{0x123456}, .mask = mask});
  add("copy", core::DrawCopy{.source = whole(rgb32)});
  add("copy/64x64", core::DrawCopy{.source = whole(rgb32, {0, 0, 64, 64})}, {100, 100, 164, 164});
  add("copy/surface", core::DrawCopy{.source = whole(other)});
  add("copy/xor", core::DrawCopy{.source = whole(rgb32), .rop = core::kRopXor});
  add("copy/rgb555", core::DrawCopy{.source = whole(noise(BitmapFormat::Rgb555, kWidth, kHeight, kWidth * 2))});
  add("copy/rgb24", core::DrawCopy{.source = whole(noise(BitmapFormat::Rgb24, kWidth, kHeight, kWidth * 3))});
  add("copy/stretched", core::DrawCopy{.source = whole(rgb32, {0, 0, 1280, 720})});
  add("copy/interpolated", core::DrawCopy{.source = {.image = rgb32, .area = {0, 0, 1280, 720}}});
  add("copy_bits/scroll", core::DrawCopyBits{{0, 16}}, {0, 0, kWidth, kHeight - 16});
  add("rop3/ca", core::DrawRop3{.source = whole(rgb32), .brush = core::SolidBrush{0x123456}, .code = 0xca});
  add("rop3/pattern", core::DrawRop3{.source = whole(rgb32), .brush = core::PatternBrush{tile, {}}, .code = 0xca});
  add("transparent", core::DrawTransparent{.source = whole(rgb32)});
  add("alpha_blend", core::DrawAlphaBlend{.source = whole(rgba)});
  add("alpha_blend/half", core::DrawAlphaBlend{.source = whole(rgba), .alpha = 128});
  add("composite/over", core::DrawComposite{.source = {.image = rgba}});
  add("text/a8", text());
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
