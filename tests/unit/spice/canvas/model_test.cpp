// Drawings with chance numbers against a model that thinks of one pixel at a time.
#include <algorithm>
#include <gtest/gtest.h>
#include <optional>

#include "tests/unit/spice/canvas/display.h"

namespace {

using namespace canvas_test;
using core::Rect;

constexpr std::int32_t kWidth = 67, kHeight = 41;

class Model : public ::testing::TestWithParam<SurfaceFormat> {
 protected:
  std::int32_t between(std::int32_t low, std::int32_t high) {
    return low + static_cast<std::int32_t>(random_() % static_cast<unsigned>(high - low + 1));
  }
  bool maybe() { return random_() % 2 == 0; }
  Rect rect() {
    const auto x = between(-20, kWidth), y = between(-20, kHeight);
    return {x, y, x + between(1, 70), y + between(1, 50)};
  }
  core::Rop rop() { return static_cast<core::Rop>(random_() % 2048); }

  core::Clip clip() {
    if (maybe()) return {};
    core::Clip clip(std::in_place);
    for (auto n = between(0, 5); n > 0; --n)
      clip->push_back(rect());
    return clip;
  }

  // A mask and the bitmap in it.
  core::Mask mask() {
    if (maybe()) return {};
    mask_ = bits(static_cast<std::uint32_t>(between(1, 80)), static_cast<std::uint32_t>(between(1, 60)),
                 maybe() ? core::BitmapFormat::Le1 : core::BitmapFormat::Be1, maybe(), random_);
    return {.image = image(*mask_), .inverted = maybe(), .origin = {between(-9, 9), between(-9, 9)}};
  }

  core::Brush brush() {
    tile_.reset();
    if (maybe()) return core::SolidBrush{color_ = static_cast<std::uint32_t>(random_())};
    tile_ = noise(static_cast<std::uint32_t>(between(1, 20)), static_cast<std::uint32_t>(between(1, 9)), GetParam(),
                  maybe(), random_);
    return core::PatternBrush{image(*tile_), tile_origin_ = {between(-99, 99), between(-99, 99)}};
  }

  core::Source source(const Rect& box) {
    source_ = noise(static_cast<std::uint32_t>(between(1, 90)), static_cast<std::uint32_t>(between(1, 60)), GetParam(),
                    maybe(), random_);
    const auto x = between(-9, 30), y = between(-9, 30);
    source_left_ = box.left - x;
    source_top_ = box.top - y;
    return {.image = image(*source_), .area = {x, y, x + box.width(), y + box.height()}};
  }

  // --- the model ---

  static bool is_in(const core::Drawing& drawing, std::int32_t x, std::int32_t y) {
    const auto holds = [x, y](const Rect& r) { return x >= r.left && x < r.right && y >= r.top && y < r.bottom; };
    return holds(drawing.box) && (!drawing.clip || std::ranges::any_of(*drawing.clip, holds));
  }
  bool is_unmasked(const core::Mask& mask, const core::Drawing& drawing, std::int32_t x, std::int32_t y) const {
    if (mask.image == nullptr) return true;
    const auto mx = x - drawing.box.left + mask.origin.x, my = y - drawing.box.top + mask.origin.y;
    if (mx < 0 || my < 0 || mx >= static_cast<std::int32_t>(mask_->width) ||
        my >= static_cast<std::int32_t>(mask_->height))
      return false;
    return (pixel_of(*mask_, mx, my) != 0) != mask.inverted;
  }
  std::uint32_t brush_at(std::int32_t x, std::int32_t y) const {
    if (!tile_) return color_;
    const auto wrap = [](std::int32_t value, std::uint32_t size) {
      const auto modulus = static_cast<std::int32_t>(size);
      return (value % modulus + modulus) % modulus;
    };
    return pixel_of(*tile_, wrap(x - tile_origin_.x, tile_->width), wrap(y - tile_origin_.y, tile_->height));
  }
  std::optional<std::uint32_t> source_at(std::int32_t x, std::int32_t y) const {
    const auto sx = x - source_left_, sy = y - source_top_;
    if (sx < 0 || sy < 0 || sx >= static_cast<std::int32_t>(source_->width) ||
        sy >= static_cast<std::int32_t>(source_->height))
      return {};
    return pixel_of(*source_, sx, sy);
  }
  // As the protocol words it.
  static std::uint32_t combined(core::Rop rop, std::uint32_t a, bool invert_a, std::uint32_t b, bool invert_b) {
    const std::uint32_t first = invert_a ? ~a : a, second = invert_b ? ~b : b;
    const std::uint32_t result_mask = (rop & core::kRopInvertResult) != 0 ? ~0U : 0U;
    if ((rop & core::kRopPut) != 0) return first ^ result_mask;
    if ((rop & core::kRopOr) != 0) return (first | second) ^ result_mask;
    if ((rop & core::kRopAnd) != 0) return (first & second) ^ result_mask;
    if ((rop & core::kRopXor) != 0) return (first ^ second) ^ result_mask;
    if ((rop & core::kRopBlackness) != 0) return 0;
    if ((rop & core::kRopWhiteness) != 0) return ~0U;
    if ((rop & core::kRopInvert) != 0) return ~b;
    return a;
  }

  // Draws, and compares each pixel with what `expected(x, y, old)` says.
  template <class Expected>
  void check(const core::Drawing& drawing, const core::Mask& mask, const Expected& expected) {
    auto& surface = display_.add(0, kWidth, kHeight, GetParam());
    scribble(surface, random_);
    std::vector<std::uint32_t> old;
    for (std::int32_t i = 0; i < kWidth * kHeight; ++i)
      old.push_back(get(surface, i % kWidth, i / kWidth));
    ASSERT_TRUE(spice::canvas::draw(drawing, display_).has_value());
    for (std::int32_t y = 0; y < kHeight; ++y) {
      for (std::int32_t x = 0; x < kWidth; ++x) {
        const auto before = old[static_cast<std::size_t>(y * kWidth + x)];
        const bool drawn = is_in(drawing, x, y) && is_unmasked(mask, drawing, x, y);
        const auto wanted = drawn ? expected(x, y, before) & mask_of(GetParam()) : before;
        ASSERT_EQ(get(surface, x, y), wanted) << "at " << x << ", " << y;
      }
    }
  }

  std::mt19937 random_{20};
  Display display_;
  std::optional<core::Bitmap> mask_, tile_, source_;
  std::uint32_t color_ = 0;
  core::Point tile_origin_;
  std::int32_t source_left_ = 0, source_top_ = 0;
};

constexpr int kTimes = 100;

TEST_P(Model, fills) {
  for (int i = 0; i < kTimes; ++i) {
    const core::DrawFill fill{brush(), rop(), mask()};
    const core::Drawing drawing{.box = rect(), .clip = clip(), .operation = fill};
    check(drawing, fill.mask, [&](std::int32_t x, std::int32_t y, std::uint32_t old) {
      return combined(fill.rop, brush_at(x, y), (fill.rop & core::kRopInvertBrush) != 0, old,
                      (fill.rop & core::kRopInvertDestination) != 0);
    });
  }
}

TEST_P(Model, copies) {
  for (int i = 0; i < kTimes; ++i) {
    const auto box = rect();
    const core::DrawCopy copy{source(box), rop(), mask()};
    const core::Drawing drawing{.box = box, .clip = clip(), .operation = copy};
    const auto needs_no_source = [&] {
      return combined(copy.rop, 0, (copy.rop & 1) != 0, 0, false) ==
                 combined(copy.rop, ~0U, (copy.rop & 1) != 0, 0, false) &&
             combined(copy.rop, 0, (copy.rop & 1) != 0, ~0U, false) ==
                 combined(copy.rop, ~0U, (copy.rop & 1) != 0, ~0U, false);
    }();
    check(drawing, copy.mask, [&](std::int32_t x, std::int32_t y, std::uint32_t old) {
      const auto pixel = source_at(x, y);
      if (!pixel && !needs_no_source) return old;
      return combined(copy.rop, pixel.value_or(0), (copy.rop & core::kRopInvertSource) != 0, old,
                      (copy.rop & core::kRopInvertDestination) != 0);
    });
  }
}

TEST_P(Model, opaques) {
  for (int i = 0; i < kTimes; ++i) {
    const auto box = rect();
    const core::DrawOpaque opaque{source(box), brush(), rop(), mask()};
    const core::Drawing drawing{.box = box, .clip = clip(), .operation = opaque};
    check(drawing, opaque.mask, [&](std::int32_t x, std::int32_t y, std::uint32_t old) {
      return combined(opaque.rop, brush_at(x, y), (opaque.rop & core::kRopInvertBrush) != 0,
                      source_at(x, y).value_or(old), (opaque.rop & core::kRopInvertSource) != 0);
    });
  }
}

TEST_P(Model, rop3_of_all_codes) {
  for (unsigned code = 0; code < 256; ++code) {
    const auto box = rect();
    const core::DrawRop3 rop3{source(box), brush(), static_cast<std::uint8_t>(code), mask()};
    const core::Drawing drawing{.box = box, .clip = clip(), .operation = rop3};
    bool needs_source = false;
    for (const unsigned i : {0U, 1U, 4U, 5U})
      needs_source = needs_source || (code >> i & 1U) != (code >> (i + 2) & 1U);
    check(drawing, rop3.mask, [&](std::int32_t x, std::int32_t y, std::uint32_t old) {
      const auto pixel = source_at(x, y);
      if (!pixel && needs_source) return old;
      std::uint32_t result = 0;
      for (unsigned bit = 0; bit < 32; ++bit) {
        const auto of = [bit](std::uint32_t value) { return value >> bit & 1U; };
        result |= (code >> (of(brush_at(x, y)) * 4 + of(pixel.value_or(0)) * 2 + of(old)) & 1U) << bit;
      }
      return result;
    });
  }
}

TEST_P(Model, transparent_copies) {
  for (int i = 0; i < kTimes; ++i) {
    const auto box = rect();
    core::DrawTransparent transparent{.source = source(box)};
    // Few values, so that the key occurs.
    for (auto& byte : source_->data)
      byte &= 0x01;
    transparent.source.image = image(*source_);
    const core::Drawing drawing{.box = box, .clip = clip(), .operation = transparent};
    const auto compared = spice::canvas::bits_per_pixel(GetParam()) == 32 ? 0xffffffU : ~0U;
    check(drawing, {}, [&](std::int32_t x, std::int32_t y, std::uint32_t old) {
      const auto pixel = source_at(x, y);
      return !pixel || (*pixel & compared) == 0 ? old : *pixel;
    });
  }
}

TEST_P(Model, bits_copied_within_the_surface) {
  for (int i = 0; i < kTimes; ++i) {
    const auto box = rect();
    const core::DrawCopyBits bits{{box.left + between(-12, 12), box.top + between(-12, 12)}};
    const core::Drawing drawing{.box = box, .clip = clip(), .operation = bits};
    auto& surface = display_.add(0, kWidth, kHeight, GetParam());
    scribble(surface, random_);
    std::vector<std::uint32_t> old;
    for (std::int32_t at = 0; at < kWidth * kHeight; ++at)
      old.push_back(get(surface, at % kWidth, at / kWidth));
    ASSERT_TRUE(spice::canvas::draw(drawing, display_).has_value());
    for (std::int32_t at = 0; at < kWidth * kHeight; ++at) {
      const auto x = at % kWidth, y = at / kWidth;
      const auto from_x = x - box.left + bits.source.x, from_y = y - box.top + bits.source.y;
      const bool there = from_x >= 0 && from_y >= 0 && from_x < kWidth && from_y < kHeight;
      const auto from = is_in(drawing, x, y) && there ? from_y * kWidth + from_x : at;
      ASSERT_EQ(get(surface, x, y), old[static_cast<std::size_t>(from)]) << "at " << x << ", " << y;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Model,
                         ::testing::Values(SurfaceFormat::Xrgb, SurfaceFormat::Argb, SurfaceFormat::Rgb555,
                                           SurfaceFormat::A8),
                         [](const auto& parameter) {
                           switch (parameter.param) {
                             case SurfaceFormat::Xrgb: return "xrgb";
                             case SurfaceFormat::Argb: return "argb";
                             case SurfaceFormat::Rgb555: return "rgb555";
                             default: return "a8";
                           }
                         });

}  // namespace
