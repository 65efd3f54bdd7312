// The operations that pixman does: alpha, the X Render extension, stretched copies, text.
#include <algorithm>
#include <array>

#include "spice/canvas/draw_context.h"
#include "spice/canvas/glyphs.h"

namespace spice::canvas {
namespace {

// Rows at a time of what is gone over twice, to find them in the cache again.
constexpr std::int32_t kBandRows = 16;

struct Offset {
  std::int64_t x = 0;
  std::int64_t y = 0;
};

// Whether pixman takes coordinates up to `size` from here. What is farther away it would not draw, either.
bool is_reachable(std::int64_t from, std::int32_t size) {
  return from >= INT16_MIN && from + size <= INT16_MAX;
}

// Composites the surface's part `area`. `source`, `mask`: what lies at the surface's pixel (0, 0), in the image's
// plane.
void composite(pixman_op_t operation, const PixmanImage& source, Offset source_offset, const PixmanImage* mask,
               Offset mask_offset, const PixmanImage& to, const core::Rect& area) {
  const Offset s{source_offset.x + area.left, source_offset.y + area.top};
  const Offset m{mask_offset.x + area.left, mask_offset.y + area.top};
  const auto reachable = [&](Offset offset) {
    return is_reachable(offset.x, area.width()) && is_reachable(offset.y, area.height());
  };
  if (!reachable(s) || (mask != nullptr && !reachable(m))) return;
  pixman_image_composite32(operation, source.get(), mask == nullptr ? nullptr : mask->get(), to.get(),
                           static_cast<std::int32_t>(s.x), static_cast<std::int32_t>(s.y),
                           static_cast<std::int32_t>(m.x), static_cast<std::int32_t>(m.y), area.left, area.top,
                           area.width(), area.height());
}

// Makes unused bytes 0, in which pixman leaves alpha. Guests and clients would take it for theirs.
void clear_unused(Surface& surface, const core::Rect& area) {
  BrushRows colors(0x00ffffff, 32, area.width());
  fill(surface, area, colors, rop2_of(core::kRopAnd, RopOperands::BrushDestination));
}

PixmanImage with_alpha_if(const FetchedImage& image, bool has_alpha) {
  auto pixels = image.pixels();
  if (has_alpha && image.is_surface && pixels.format == core::SurfaceFormat::Xrgb)
    pixels.format = core::SurfaceFormat::Argb;
  return PixmanImage(pixels);
}

bool is_operation(std::uint8_t number) {
  const unsigned group = number >> 4U, in_group = number & 15U;
  if (group == 0) return in_group <= 13;
  if (group == 1 || group == 2) return in_group <= 11;
  return group == 3 && in_group <= 14;
}

// Sets up an image of Render's kind.
Drawn set_up(const PixmanImage& image, const core::CompositeImage& how) {
  constexpr std::array filters{PIXMAN_FILTER_FAST, PIXMAN_FILTER_GOOD, PIXMAN_FILTER_BEST, PIXMAN_FILTER_NEAREST,
                               PIXMAN_FILTER_BILINEAR};
  constexpr std::array repeats{PIXMAN_REPEAT_NONE, PIXMAN_REPEAT_NORMAL, PIXMAN_REPEAT_PAD, PIXMAN_REPEAT_REFLECT};
  const auto filter = static_cast<std::size_t>(how.filter), repeat = static_cast<std::size_t>(how.repeat);
  if (filter >= filters.size() || repeat >= repeats.size()) return std::unexpected(DrawError::BadOperation);
  pixman_image_set_filter(image.get(), filters[filter], nullptr, 0);
  pixman_image_set_repeat(image.get(), repeats[repeat]);
  if (!how.transform) return {};
  const auto& t = *how.transform;
  const pixman_transform_t matrix{{{t.t00, t.t01, t.t02}, {t.t10, t.t11, t.t12}, {0, 0, pixman_fixed_1}}};
  pixman_image_set_transform(image.get(), &matrix);
  return {};
}

// One channel of a pixel, stretched to 16 bits.
std::uint16_t channel(std::uint32_t color, unsigned shift, std::uint32_t most) {
  return static_cast<std::uint16_t>((color >> shift & most) * 0xffff / most);
}

pixman_color_t color_of(std::uint32_t pixel, core::SurfaceFormat format) {
  switch (format) {
    case core::SurfaceFormat::Rgb555:
      return {channel(pixel, 10, 31), channel(pixel, 5, 31), channel(pixel, 0, 31), 0xffff};
    case core::SurfaceFormat::Rgb565:
      return {channel(pixel, 11, 31), channel(pixel, 5, 63), channel(pixel, 0, 31), 0xffff};
    default: return {channel(pixel, 16, 255), channel(pixel, 8, 255), channel(pixel, 0, 255), 0xffff};
  }
}

// As drivers have most of it.
bool is_simple(const DrawContext& context, const core::DrawText& text) {
  const bool has_pixels =
      context.format() == core::SurfaceFormat::Xrgb || context.format() == core::SurfaceFormat::Argb;
  return has_pixels && text.depth == core::GlyphDepth::A1 && text.back_area.empty() &&
         std::holds_alternative<core::SolidBrush>(text.fore_brush) && context.region().rect_count() == 1 &&
         has_all_values(text);
}

// After text: only pixels that a glyph touched.
void clear_unused_under(const GlyphMask& mask, Surface& surface, const core::Rect& area) {
  for (auto y = area.top; y < area.bottom; ++y) {
    const auto* const coverage = mask.coverage.pixels().row(y - mask.area.top);
    auto* const row = surface.row(y);
    for (auto x = area.left; x < area.right; ++x) {
      auto& unused = row[static_cast<std::size_t>(x) * 4 + 3];
      unused = coverage[x - mask.area.left] == 0 ? unused : 0;  // without a branch, which nobody could predict
    }
  }
}

}  // namespace

Drawn copy_stretched(DrawContext& context, const core::Source& source) {
  auto fetched = context.fetch(source.image);
  if (!fetched) return std::unexpected(fetched.error());
  const auto how = context.stretch(source);
  if (!how) return std::unexpected(how.error());
  const auto image = detached(*std::move(fetched));
  const PixmanImage from(image.pixels());
  const PixmanImage to(context.to(), context.format());
  how->apply(from);
  const Offset offset{-std::int64_t{context.extents().left}, -std::int64_t{context.extents().top}};
  context.area().for_each(
      [&](const core::Rect& rect) { composite(PIXMAN_OP_SRC, from, offset, nullptr, {}, to, rect); });
  return {};
}

Drawn draw_alpha_blend(DrawContext& context, const core::DrawAlphaBlend& blend) {
  if (blend.alpha == 0) return {};
  auto fetched = context.fetch(blend.source.image);
  if (!fetched) return std::unexpected(fetched.error());
  if (blend.source.area.right <= blend.source.area.left || blend.source.area.bottom <= blend.source.area.top)
    return std::unexpected(DrawError::BadArea);
  const auto image = detached(*std::move(fetched));
  const auto from = with_alpha_if(image, blend.source_surface_has_alpha);
  PlacedPixels placed{image.pixels(), std::int64_t{context.box().left} - blend.source.area.left,
                      std::int64_t{context.box().top} - blend.source.area.top};
  Offset offset{-placed.left, -placed.top};
  const bool stretched = is_stretched(context.box(), blend.source.area);
  if (stretched) {
    auto nearest = blend.source;
    nearest.scale = core::ScaleMode::Nearest;
    const auto how = context.stretch(nearest);
    if (!how) return std::unexpected(how.error());
    how->apply(from);
    offset = {-std::int64_t{context.extents().left}, -std::int64_t{context.extents().top}};
  }
  const bool unused = context.format() == core::SurfaceFormat::Xrgb && !blend.destination_has_alpha;
  const bool all_alpha = context.format() == core::SurfaceFormat::Xrgb && blend.destination_has_alpha;
  const PixmanImage to(context.to(), all_alpha ? core::SurfaceFormat::Argb : context.format());
  const PixmanImage alpha(pixman_color_t{0, 0, 0, static_cast<std::uint16_t>(blend.alpha * 0x101)});
  context.area().for_each([&](const core::Rect& rect) {
    auto part = stretched ? rect : placed.covered(rect);
    for (const auto bottom = part.bottom; part.top < bottom; part.top = part.bottom) {
      part.bottom = std::min(bottom, part.top + kBandRows);
      composite(PIXMAN_OP_OVER, from, offset, blend.alpha == 255 ? nullptr : &alpha, {}, to, part);
      if (unused) clear_unused(context.to(), part);
    }
  });
  return {};
}

Drawn draw_composite(DrawContext& context, const core::DrawComposite& drawing) {
  if (!is_operation(drawing.operation)) return std::unexpected(DrawError::BadOperation);
  auto source = context.fetch(drawing.source.image);
  if (!source) return std::unexpected(source.error());
  const auto image = detached(*std::move(source));
  auto pixels = image.pixels();
  if (drawing.source_opaque && image.is_surface && pixels.format == core::SurfaceFormat::Argb)
    pixels.format = core::SurfaceFormat::Xrgb;
  const PixmanImage from(pixels);
  if (auto done = set_up(from, drawing.source); !done) return done;

  std::optional<FetchedImage> mask_image;
  std::optional<PixmanImage> mask;
  if (drawing.mask) {
    auto fetched = context.fetch(drawing.mask->image);
    if (!fetched) return std::unexpected(fetched.error());
    mask_image = detached(*std::move(fetched));
    mask.emplace(mask_image->pixels());
    if (auto done = set_up(*mask, *drawing.mask); !done) return done;
    pixman_image_set_component_alpha(mask->get(), drawing.component_alpha ? 1 : 0);
  }

  const PixmanImage to(context.to(), context.format());
  const auto offset = [&context](const core::Point& origin) {
    return Offset{std::int64_t{origin.x} - context.box().left, std::int64_t{origin.y} - context.box().top};
  };
  const auto mask_offset = drawing.mask ? offset(drawing.mask->origin) : Offset{};
  context.area().for_each([&](const core::Rect& rect) {
    composite(static_cast<pixman_op_t>(drawing.operation), from, offset(drawing.source.origin), mask ? &*mask : nullptr,
              mask_offset, to, rect);
  });
  return {};
}

Drawn draw_text(DrawContext& context, const core::DrawText& text) {
  if (is_simple(context, text)) {
    const auto color = std::get<core::SolidBrush>(text.fore_brush).color & 0x00ff'ffffU;
    draw_bits(text, context.extents(), context.format() == core::SurfaceFormat::Argb ? color | 0xff00'0000U : color,
              context.to());
    return {};
  }
  const auto glyphs = glyph_mask(text, context.extents());
  if (!glyphs) return std::unexpected(glyphs.error());
  auto back = context.ready(text.back_brush, !text.back_area.empty());
  if (!back) return std::unexpected(back.error());
  std::optional<FetchedImage> tile;
  Offset offset;
  if (const auto* pattern = std::get_if<core::PatternBrush>(&text.fore_brush)) {
    auto fetched = context.fetch(pattern->image);
    if (!fetched) return std::unexpected(fetched.error());
    tile = detached(*std::move(fetched));
    const auto& pixels = tile->pixels();
    // Somewhere in the first tile; which one it is does not matter.
    offset = {-(std::int64_t{pattern->origin.x} % pixels.width), -(std::int64_t{pattern->origin.y} % pixels.height)};
  }

  if (!text.back_area.empty()) {
    auto region = context.region();
    region.intersect(text.back_area);
    for (const auto& rect : region.rects())
      fill(context.to(), rect, back->rows, Rop2::First);
  }
  const GlyphMask& mask = *glyphs;
  if (mask.area.empty() || std::holds_alternative<std::monostate>(text.fore_brush)) return {};
  const auto* const solid = std::get_if<core::SolidBrush>(&text.fore_brush);
  const auto color = solid == nullptr ? pixman_color_t{} : color_of(solid->color, context.format());
  const PixmanImage from = tile ? PixmanImage(tile->pixels()) : PixmanImage(color);
  if (tile) pixman_image_set_repeat(from.get(), PIXMAN_REPEAT_NORMAL);
  const PixmanImage coverage(mask.coverage.pixels());
  const PixmanImage to(context.to(), context.format());
  auto region = context.region();
  region.intersect(mask.area);
  for (const auto& rect : region.rects()) {
    composite(PIXMAN_OP_OVER, from, offset, &coverage, {-std::int64_t{mask.area.left}, -std::int64_t{mask.area.top}},
              to, rect);
    if (context.format() == core::SurfaceFormat::Xrgb) clear_unused_under(mask, context.to(), rect);
  }
  return {};
}

}  // namespace spice::canvas
