#include "spice/canvas/glyphs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "core/base/endian.h"

namespace spice::canvas {
namespace {

struct WideRect {
  std::int64_t left = 0;
  std::int64_t top = 0;
  std::int64_t right = 0;
  std::int64_t bottom = 0;
};

WideRect box_of(const core::Glyph& glyph) {
  const auto left = std::int64_t{glyph.position.x} + glyph.origin.x;
  const auto top = std::int64_t{glyph.position.y} + glyph.origin.y;
  return {left, top, left + glyph.width, top + glyph.height};
}

core::Rect within(const WideRect& box, const core::Rect& bounds) {
  const auto fit_x = [&](std::int64_t x) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(x, bounds.left, bounds.right));
  };
  const auto fit_y = [&](std::int64_t y) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(y, bounds.top, bounds.bottom));
  };
  return {fit_x(box.left), fit_y(box.top), fit_x(box.right), fit_y(box.bottom)};
}

// A byte's bits as values, that of the highest bit in the lowest byte.
constexpr std::uint64_t values_of(std::uint8_t bits) {
  // Copies of the byte a bit further each: bit 7 of each byte is another bit of it.
  const auto highest = bits * 0x8040'2010'0804'0201U & 0x8080'8080'8080'8080U;
  return (highest >> 7) * 0xff;
}

// The values from `x` on of a row of single bits, into `out`, which is all or nothing, too.
void add_bits(const std::uint8_t* row, std::size_t x, std::span<std::uint8_t> out) {
  constexpr std::size_t kEight = 8;
  for (; !out.empty() && x % kEight != 0; ++x, out = out.subspan(1))
    out.front() |= static_cast<std::uint8_t>(values_of(row[x / kEight]) >> kEight * (x % kEight));
  for (; out.size() >= kEight; x += kEight, out = out.subspan(kEight)) {
    core::le64 eight;
    std::memcpy(&eight, out.data(), kEight);
    eight = eight | values_of(row[x / kEight]);
    std::memcpy(out.data(), &eight, kEight);
  }
  for (; !out.empty(); ++x, out = out.subspan(1))
    out.front() |= static_cast<std::uint8_t>(values_of(row[x / kEight]) >> kEight * (x % kEight));
}

template <core::GlyphDepth Depth>
std::uint8_t value_at(const std::uint8_t* row, std::size_t x) {
  switch (Depth) {
    case core::GlyphDepth::A4: return static_cast<std::uint8_t>(x % 2 == 0 ? row[x / 2] & 0xf0U : row[x / 2] << 4U);
    default: return row[x];
  }
}

// The values from `x` on of a row, into `out` where they are greater.
template <core::GlyphDepth Depth>
void add_values(const std::uint8_t* row, std::size_t x, std::span<std::uint8_t> out) {
  for (auto& value : out)
    value = std::max(value, value_at<Depth>(row, x++));
}

void add_values(core::GlyphDepth depth, const std::uint8_t* row, std::size_t x, std::span<std::uint8_t> out) {
  switch (depth) {
    case core::GlyphDepth::A1: return add_bits(row, x, out);
    case core::GlyphDepth::A4: return add_values<core::GlyphDepth::A4>(row, x, out);
    default: return add_values<core::GlyphDepth::A8>(row, x, out);
  }
}

// The row of the glyph's data that is drawn in this row of it, counted from the top; `height` or more: none.
std::size_t stored_row(const core::Glyph& glyph, const core::DrawText& text, std::size_t from_top) {
  // The reference takes the bottom row first, whatever DrawText::top_down says; it draws glyphs of eight bits a row too
  // low and loses their bottom row. Every client does the same, and a picture that differs from theirs is worse than
  // one that is upside down or a row off.
  const std::size_t from_bottom = glyph.height - from_top;
  return text.depth == core::GlyphDepth::A8 ? from_bottom : from_bottom - 1;
}

constexpr std::size_t kPixel = sizeof(std::uint32_t);

// Sets those of eight pixels whose bit is set, the first one's being the highest. Not aligned for pixels.
void set_eight(std::uint32_t bits, std::uint32_t pixel, std::uint8_t* out) {
  using Four = std::uint32_t __attribute__((vector_size(16)));
  constexpr Four kLeft{0x80, 0x40, 0x20, 0x10}, kRight{0x08, 0x04, 0x02, 0x01};
  Four left, right;
  std::memcpy(&left, out, sizeof left);
  std::memcpy(&right, out + sizeof left, sizeof right);
  left = (kLeft & bits) != 0 ? Four{} + pixel : left;
  right = (kRight & bits) != 0 ? Four{} + pixel : right;
  std::memcpy(out, &left, sizeof left);
  std::memcpy(out + sizeof left, &right, sizeof right);
}

// Sets pixels where a row of bits has one, from bit `x` on. Not aligned for pixels.
void set_pixels(const std::uint8_t* row, std::size_t x, std::uint32_t pixel, std::span<std::uint8_t> out) {
  for (std::size_t count = 0; !out.empty(); x += count, out = out.subspan(count * kPixel)) {
    const auto bits = static_cast<std::uint32_t>(row[x / 8]) << x % 8;
    count = std::min(8 - x % 8, out.size() / kPixel);
    if (count == 8) {
      set_eight(bits, pixel, out.data());
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if ((bits & 0x80U >> i) != 0) std::memcpy(out.data() + i * kPixel, &pixel, kPixel);
    }
  }
}

void add(const core::Glyph& glyph, const core::DrawText& text, GlyphMask& mask) {
  const auto box = box_of(glyph);
  const auto part = within(box, mask.area);
  const auto stride = core::glyph_row_bytes(glyph.width, text.depth);
  const auto values = core::values_of(glyph, text);
  for (auto y = part.top; y < part.bottom; ++y) {
    if (part.left == part.right) continue;
    const auto stored = stored_row(glyph, text, static_cast<std::size_t>(y - box.top));
    if (stored >= glyph.height) continue;
    auto* const out = mask.coverage.row(y - mask.area.top) + (part.left - mask.area.left);
    add_values(text.depth, values.data() + stored * stride, static_cast<std::size_t>(part.left - box.left),
               std::span(out, static_cast<std::size_t>(part.width())));
  }
}

}  // namespace

bool has_all_values(const core::DrawText& text) {
  std::size_t end = 0;  // of those that are used
  for (const auto& glyph : text.glyphs) {
    const auto bytes = core::glyph_row_bytes(glyph.width, text.depth) * glyph.height;
    end = std::max(end, bytes == 0 ? 0 : glyph.start + bytes);
  }
  return end <= text.values.size();
}

std::expected<GlyphMask, DrawError> glyph_mask(const core::DrawText& text, const core::Rect& bounds) {
  if (!has_all_values(text)) return std::unexpected(DrawError::BadImage);
  WideRect all{INT64_MAX, INT64_MAX, INT64_MIN, INT64_MIN};
  for (const auto& glyph : text.glyphs) {
    const auto box = box_of(glyph);
    all = {std::min(all.left, box.left), std::min(all.top, box.top), std::max(all.right, box.right),
           std::max(all.bottom, box.bottom)};
  }
  const auto area = text.glyphs.empty() ? core::Rect{} : within(all, bounds);
  if (area.empty()) return GlyphMask{SourcePixels(Pixels{}), {}};
  GlyphMask mask{SourcePixels(area.width(), area.height(), core::SurfaceFormat::A8), area};
  for (std::int32_t y = 0; y < area.height(); ++y)
    std::memset(mask.coverage.row(y), 0, static_cast<std::size_t>(area.width()));
  for (const auto& glyph : text.glyphs)
    add(glyph, text, mask);
  return mask;
}

void draw_bits(const core::DrawText& text, const core::Rect& area, std::uint32_t pixel, Surface& to) {
  for (const auto& glyph : text.glyphs) {
    const auto box = box_of(glyph);
    const auto part = within(box, area);
    if (part.empty()) continue;
    const auto stride = core::glyph_row_bytes(glyph.width, text.depth);
    const auto values = core::values_of(glyph, text);
    const auto skip = static_cast<std::size_t>(part.left - box.left);
    const auto left = static_cast<std::size_t>(part.left) * kPixel;
    const auto bytes = static_cast<std::size_t>(part.width()) * kPixel;
    const bool is_octet = skip == 0 && part.width() == 8;
    auto stored = stored_row(glyph, text, static_cast<std::size_t>(part.top - box.top));
    for (auto y = part.top; y < part.bottom; ++y, --stored) {
      const auto* const row = values.data() + stored * stride;
      auto* const out = to.row(y) + left;
      if (is_octet)
        set_eight(*row, pixel, out);
      else
        set_pixels(row, skip, pixel, {out, bytes});
    }
  }
}

}  // namespace spice::canvas
