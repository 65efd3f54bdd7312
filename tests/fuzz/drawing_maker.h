// Drawings with any numbers, mostly near a small surface, made of a fuzz target's input. Surfaces have numbers from 0
// to 6, some of which nobody need have.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/ports/drawing.h"
#include "tests/fuzz/input.h"

namespace tests {

class DrawingMaker {
 public:
  // How images are told to be kept, and lose what not every encoding keeps.
  enum class Images : std::uint8_t { Any, ForClients };

  // Images get numbers from `first_id` on.
  explicit DrawingMaker(FuzzInput& input, Images images = Images::Any, std::uint64_t first_id = 1)
      : input_(input), images_(images), next_id_(first_id) {}

  core::Drawing drawing() {
    core::Drawing drawing{.surface = input_.u8() % 7U, .box = rect(), .clip = clip()};
    switch (input_.u8() % 14) {
      case 0: drawing.operation = core::DrawFill{brush(), input_.u16(), mask()}; break;
      case 1: drawing.operation = core::DrawOpaque{source(), brush(), input_.u16(), mask()}; break;
      case 2: drawing.operation = core::DrawCopy{source(), input_.u16(), mask()}; break;
      case 3: drawing.operation = core::DrawCopy{source(), core::kRopPut, {}}; break;
      case 4: drawing.operation = core::DrawCopyBits{point()}; break;
      case 5: drawing.operation = core::DrawBlackness{mask()}; break;
      case 6: drawing.operation = core::DrawWhiteness{mask()}; break;
      case 7: drawing.operation = core::DrawInvers{mask()}; break;
      case 8: drawing.operation = core::DrawRop3{source(), brush(), input_.u8(), mask()}; break;
      case 9: drawing.operation = stroke(); break;
      case 10: drawing.operation = text(); break;
      case 11: drawing.operation = core::DrawTransparent{source(), 0, input_.u32()}; break;
      case 12: drawing.operation = core::DrawAlphaBlend{source(), input_.u8(), flag(), flag()}; break;
      default: drawing.operation = composite(); break;
    }
    return drawing;
  }

 private:
  bool flag() { return (input_.u8() & 1U) != 0; }

  // Mostly near the surface, sometimes anywhere.
  std::int32_t number() {
    const auto kind = input_.u8();
    if (kind < 224) return kind % 64 - 8;
    return kind < 240 ? static_cast<std::int16_t>(input_.u16()) : static_cast<std::int32_t>(input_.u32());
  }
  core::Point point() {
    const auto x = number();
    return {x, number()};
  }
  core::Rect rect() {
    const auto left = number(), top = number(), right = number(), bottom = number();
    return {left, top, right, bottom};
  }
  core::Clip clip() {
    const auto count = input_.u8();
    if (count >= 8) return {};
    core::Clip clip(std::in_place);
    for (unsigned i = 0; i < count; ++i)
      clip->push_back(rect());
    return clip;
  }

  core::ImagePtr wrapped(decltype(core::Image::content) content) {
    return std::make_shared<core::Image>(core::Image{.content = std::move(content)});
  }
  core::ImagePtr image() {
    const auto kind = input_.u8();
    if (kind < 8) return nullptr;
    if (kind < 64) return wrapped(core::SurfacePixels{kind % 8U});
    if (kind < 80) return wrapped(core::OwnPixels{rect()});
    core::Bitmap bitmap{
        .format = static_cast<core::BitmapFormat>(kind % 12),
        .top_down = flag(),
        .width = input_.u8() % (images_ == Images::Any ? 40U : 90U),
        .height = input_.u8() % (images_ == Images::Any ? 20U : 60U),
        .stride = 0,
        .palette =
            kind < 96 ? nullptr : std::make_shared<core::Palette>(core::Palette{.colors = {input_.u32(), 0xffffff, 7}}),
        .data = {}};
    bitmap.stride = bitmap.width * 4 + input_.u8() % 5U;
    bitmap.data.resize(std::size_t{bitmap.stride} * bitmap.height -
                       std::min<std::size_t>(input_.u8() == 1 ? 7 : 0, bitmap.stride * bitmap.height));
    std::uint32_t seed = input_.u32();
    for (auto& byte : bitmap.data)
      byte = static_cast<std::uint8_t>((seed = seed * 1'664'525 + 1'013'904'223) >> 24);
    return images_ == Images::Any ? wrapped(std::move(bitmap)) : for_clients(std::move(bitmap));
  }

  // As guests have images: some photos, some of a few colours, some again and again under a number; and palettes.
  core::ImagePtr for_clients(core::Bitmap bitmap) {
    const auto how = input_.u8();
    if (how < 64 && !earlier_.empty()) return earlier_[how % earlier_.size()];
    if (how < 160) smooth(bitmap, how < 112 ? 1 : 64);
    clear_unused(bitmap);
    if (bitmap.palette != nullptr) bitmap.palette = numbered_palette(input_.u8());
    auto image = std::make_shared<core::Image>(
        core::Image{.id = next_id_++, .cacheable = how % 2 == 0, .content = std::move(bitmap)});
    if (earlier_.size() == kEarlier) earlier_.erase(earlier_.begin());
    earlier_.push_back(image);
    return image;
  }
  static void smooth(core::Bitmap& bitmap, std::size_t run) {
    for (std::size_t i = 0; i < bitmap.data.size(); ++i)
      bitmap.data[i] =
          static_cast<std::uint8_t>(bitmap.stride == 0 ? 0 : i / run % bitmap.stride / 2 + i / bitmap.stride);
  }
  static void clear_unused(core::Bitmap& bitmap) {
    const auto every = bitmap.format == core::BitmapFormat::Rgb32 ? 4U : 2U;
    if (every == 2 && bitmap.format != core::BitmapFormat::Rgb555) return;
    for (std::size_t i = 0; i < bitmap.data.size(); ++i) {
      if (bitmap.stride != 0 && i % bitmap.stride % every == every - 1) bitmap.data[i] &= every == 4 ? 0 : 0x7f;
    }
  }
  static std::shared_ptr<const core::Palette> numbered_palette(std::uint8_t number) {
    core::Palette palette{.unique = number, .colors = {}};
    for (std::uint32_t color = 0; color < 1 + number % 7U; ++color)
      palette.colors.push_back((number * 77U + color) * 0x10204 & 0xff'ffff);
    return std::make_shared<core::Palette>(std::move(palette));
  }
  core::Source source() {
    auto pixels = image();
    const auto area = rect();
    return {.image = std::move(pixels), .area = area, .scale = static_cast<core::ScaleMode>(input_.u8() % 2)};
  }
  core::Brush brush() {
    switch (input_.u8() % 4) {
      case 0: return {};
      case 1: return core::PatternBrush{image(), point()};
      default: return core::SolidBrush{input_.u32()};
    }
  }
  core::Mask mask() {
    if (flag()) return {};
    auto pixels = image();
    const bool inverted = flag();
    return {std::move(pixels), inverted, point()};
  }

  core::DrawStroke stroke() {
    core::DrawStroke stroke{.path = {}, .dashes = {}, .brush = brush(), .fore_mode = input_.u16()};
    for (unsigned n = input_.u8() % 4; n > 0; --n) {
      stroke.path.push_back({.flags = input_.u8(), .points = {}});
      for (unsigned points = input_.u8() % 10; points > 0; --points) {
        const auto x = number();
        // Small numbers are pixels.
        const auto scaled = [](std::int32_t v) { return v > -9 && v < 64 ? v * 16 + 3 : v; };
        stroke.path.back().points.push_back({scaled(x), scaled(number())});
      }
    }
    for (unsigned n = input_.u8() % 5; n > 0; --n)
      stroke.dashes.push_back(input_.u8() * 4);
    stroke.starts_with_gap = flag();
    return stroke;
  }

  core::DrawText text() {
    constexpr std::array depths{core::GlyphDepth::A1, core::GlyphDepth::A4, core::GlyphDepth::A8};
    core::DrawText text{.depth = depths[input_.u8() % depths.size()],
                        .top_down = flag(),
                        .glyphs = {},
                        .values = {},
                        .back_area = rect(),
                        .fore_brush = brush(),
                        .back_brush = brush()};
    for (unsigned n = input_.u8() % 4; n > 0; --n) {
      core::Glyph glyph{.position = point(),
                        .origin = point(),
                        .width = static_cast<std::uint16_t>(input_.u8() % 20),
                        .height = static_cast<std::uint16_t>(input_.u8() % 20),
                        .start = static_cast<std::uint32_t>(text.values.size())};
      for (auto size = (std::size_t{glyph.width} * static_cast<unsigned>(text.depth) + 7) / 8 * glyph.height; size > 0;
           --size)
        text.values.push_back(static_cast<std::uint8_t>(size * 37));
      text.glyphs.push_back(glyph);
    }
    return text;
  }

  core::CompositeImage composite_image() {
    core::CompositeImage result{.image = image(),
                                .origin = point(),
                                .filter = static_cast<core::CompositeFilter>(input_.u8() % 6),
                                .repeat = static_cast<core::CompositeRepeat>(input_.u8() % 4)};
    if (flag()) {
      core::Transform transform;
      for (auto* field :
           {&transform.t00, &transform.t01, &transform.t02, &transform.t10, &transform.t11, &transform.t12})
        *field = static_cast<std::int32_t>(input_.u32());
      result.transform = transform;
    }
    return result;
  }
  core::DrawComposite composite() {
    core::DrawComposite result{.operation = static_cast<std::uint8_t>(input_.u8() % 64),
                               .source = composite_image(),
                               .mask = {},
                               .component_alpha = flag(),
                               .source_opaque = flag()};
    if (flag()) result.mask = composite_image();
    return result;
  }

  static constexpr std::size_t kEarlier = 24;

  FuzzInput& input_;
  Images images_;
  std::vector<core::ImagePtr> earlier_;
  std::uint64_t next_id_;
};

}  // namespace tests
