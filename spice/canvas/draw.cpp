#include "spice/canvas/draw.h"

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>
#include <vector>

#include "spice/canvas/draw_context.h"
#include "spice/canvas/stroke.h"
#include "spice/canvas/work.h"

namespace spice::canvas {
namespace {

Drawn fill_area(DrawContext& context, const core::Brush& brush, Rop2 rop) {
  if (rop == Rop2::Second) return {};
  auto ready = context.ready(brush, needs_first(rop));
  if (!ready) return std::unexpected(ready.error());
  const RowCombiner combine(rop);
  context.area().for_each([&](const core::Rect& rect) { fill(context.to(), rect, ready->rows, combine); });
  return {};
}

// With one pixel of all bits alike.
Drawn fill_masked(DrawContext& context, const core::Mask& mask, Rop2 rop) {
  if (auto applied = context.apply(mask); !applied) return applied;
  return fill_area(context, {}, rop);
}

Drawn copy(DrawContext& context, const core::Source& source, core::Rop descriptor, const core::Mask& mask) {
  if (auto applied = context.apply(mask); !applied) return applied;
  const auto rop = rop2_of(descriptor, RopOperands::SourceDestination);
  if (!needs_first(rop)) return fill_area(context, {}, rop);
  if (rop == Rop2::First && !context.area().mask && is_stretched(context.box(), source.area))
    return copy_stretched(context, source);
  const auto ready = context.ready(source);
  if (!ready) return std::unexpected(ready.error());
  const auto placed = ready->placed();
  const RowCombiner combine(rop);
  context.area().for_each([&](const core::Rect& rect) {
    const auto part = placed.covered(rect);
    if (!part.empty()) blit(context.to(), part, placed, combine);
  });
  return {};
}

Drawn draw_opaque(DrawContext& context, const core::DrawOpaque& opaque) {
  if (auto applied = context.apply(opaque.mask); !applied) return applied;
  const auto rop = rop2_of(opaque.rop, RopOperands::BrushSource);
  const auto source = context.ready(opaque.source);
  if (!source) return std::unexpected(source.error());
  auto brush = context.ready(opaque.brush, needs_first(rop));
  if (!brush) return std::unexpected(brush.error());
  // Where there is no source the brush is combined with what is there.
  const auto placed = source->placed();
  const RowCombiner combine(rop);
  context.area().for_each([&](const core::Rect& rect) {
    const auto part = placed.covered(rect);
    if (!part.empty()) blit(context.to(), part, placed, Rop2::First);
    fill(context.to(), rect, brush->rows, combine);
  });
  return {};
}

Drawn draw_rop3(DrawContext& context, const core::DrawRop3& rop3) {
  if (auto applied = context.apply(rop3.mask); !applied) return applied;
  auto brush = context.ready(rop3.brush, rop3_needs_brush(rop3.code));
  if (!brush) return std::unexpected(brush.error());
  if (!rop3_needs_source(rop3.code)) {
    // Bits 4 and 5, 0 and 1 of the code: brush and destination.
    const RowCombiner rop = Rop2((rop3.code >> 2 & 0b1100U) | (rop3.code & 0b11U));
    context.area().for_each([&](const core::Rect& rect) { fill(context.to(), rect, brush->rows, rop); });
    return {};
  }
  const auto source = context.ready(rop3.source);
  if (!source) return std::unexpected(source.error());
  const auto placed = source->placed();
  context.area().for_each([&](const core::Rect& rect) {
    const auto part = placed.covered(rect);
    if (!part.empty()) blit_rop3(context.to(), part, placed, brush->rows, rop3.code);
  });
  return {};
}

// A colour of 24 bits as a pixel.
std::uint32_t pixel_of(std::uint32_t color, core::SurfaceFormat format) {
  switch (format) {
    case core::SurfaceFormat::Rgb555: return (color >> 3 & 0x1fU) | (color >> 6 & 0x3e0U) | (color >> 9 & 0x7c00U);
    case core::SurfaceFormat::Rgb565: return (color >> 3 & 0x1fU) | (color >> 5 & 0x7e0U) | (color >> 8 & 0xf800U);
    default: return color;
  }
}

Drawn draw_transparent(DrawContext& context, const core::DrawTransparent& transparent) {
  auto nearest = transparent.source;
  nearest.scale = core::ScaleMode::Nearest;
  const auto source = context.ready(nearest);
  if (!source) return std::unexpected(source.error());
  const auto placed = source->placed();
  const auto key = pixel_of(transparent.true_color, context.format());
  context.area().for_each([&](const core::Rect& rect) {
    const auto part = placed.covered(rect);
    if (!part.empty()) blit_keyed(context.to(), part, placed, key);
  });
  return {};
}

Drawn copy_bits(DrawContext& context, const core::DrawCopyBits& bits) {
  const auto dx = std::int64_t{context.box().left} - bits.source.x;
  const auto dy = std::int64_t{context.box().top} - bits.source.y;
  // Where the source lies on the surface.
  const PlacedPixels whole{context.to().pixels(), dx, dy};
  const auto covered = whole.covered(context.extents());
  if (covered.empty() || (dx == 0 && dy == 0)) return {};
  auto region = context.region();
  region.intersect(covered);
  // Rectangles come from top to bottom and from left to right; none may be written before it was read.
  auto rects = region.rects();
  std::ranges::sort(rects, {}, [dx, dy](const core::Rect& rect) {
    return std::tuple(dy > 0 ? -rect.top : rect.top, dx > 0 ? -rect.left : rect.left);
  });
  for (const auto& rect : rects)
    move(context.to(), rect, static_cast<std::int32_t>(dx), static_cast<std::int32_t>(dy));
  return {};
}

// Draws runs of pixels with a brush, each through the clip.
class StrokeSink final : public RunSink {
 public:
  StrokeSink(DrawContext& context, BrushRows& brush, Rop2 rop, bool once)
      : RunSink(kMostLinePixels),
        surface_(context.to()),
        brush_(brush),
        rop_(rop),
        once_(once),
        clip_(context.region().rects()) {}

  void run(std::int32_t x, std::int32_t y, std::int32_t length) override {
    if (!once_) return draw({x, y, x + length, y + 1});
    runs_.push_back({x, y, x + length, y + 1});
    if (runs_.size() == kMostRuns) flush();
  }
  // Draws what was kept, each pixel once.
  void flush() {
    std::ranges::sort(runs_, {}, [](const core::Rect& run) { return std::tuple(run.top, run.left); });
    core::Rect last{};
    for (auto rect : runs_) {
      if (rect.top == last.top && last.bottom != 0) rect.left = std::max(rect.left, last.right);
      if (rect.empty()) continue;
      draw(rect);
      last = rect;
    }
    runs_.clear();
  }

 private:
  static constexpr std::size_t kMostRuns = 1 << 20;  // of a line between two flushes

  void draw(const core::Rect& run) {
    // Bands of rectangles from top to bottom, in a band from left to right.
    const auto band =
        std::ranges::partition_point(clip_, [&](const core::Rect& rect) { return rect.bottom <= run.top; });
    const auto end =
        std::partition_point(band, clip_.end(), [&](const core::Rect& rect) { return rect.top <= run.top; });
    auto rect = std::partition_point(band, end, [&](const core::Rect& r) { return r.right <= run.left; });
    for (; rect != end && rect->left < run.right; ++rect)
      fill(surface_, {std::max(rect->left, run.left), run.top, std::min(rect->right, run.right), run.bottom}, brush_,
           rop_);
  }

  Surface& surface_;
  BrushRows& brush_;
  RowCombiner rop_;
  bool once_;
  std::vector<core::Rect> clip_;
  std::vector<core::Rect> runs_;
};

// Whether drawing a pixel again changes it again.
bool is_toggle(Rop2 rop) {
  const auto table = static_cast<unsigned>(rop);
  return (table & 0b11U) == 0b01U || (table >> 2 & 0b11U) == 0b01U;
}

Drawn draw_stroke(DrawContext& context, const core::DrawStroke& stroke) {
  const auto rop = rop2_of(stroke.fore_mode, RopOperands::BrushDestination);
  if (rop == Rop2::Second) return {};
  auto brush = context.ready(stroke.brush, needs_first(rop));
  if (!brush) return std::unexpected(brush.error());
  const DashPattern dashes(stroke.dashes, stroke.starts_with_gap);
  const bool once = !dashes.empty() && is_toggle(rop);
  StrokeSink sink(context, brush->rows, rop, once);
  PathLines(context.extents()).for_each(stroke.path, [&](const Polyline& line) {
    if (dashes.empty()) return draw_solid_line(line, context.extents(), sink);
    draw_dashed_line(line, dashes, once && line.size() > 2, context.extents(), sink);
    sink.flush();
  });
  return {};
}

struct Operation {
  DrawContext& context;

  Drawn operator()(const core::DrawNothing&) const { return {}; }
  Drawn operator()(const core::DrawFill& fill) const {
    if (auto applied = context.apply(fill.mask); !applied) return applied;
    return fill_area(context, fill.brush, rop2_of(fill.rop, RopOperands::BrushDestination));
  }
  Drawn operator()(const core::DrawOpaque& opaque) const { return draw_opaque(context, opaque); }
  Drawn operator()(const core::DrawCopy& drawing) const {
    return copy(context, drawing.source, drawing.rop, drawing.mask);
  }
  Drawn operator()(const core::DrawBlend& drawing) const {
    return copy(context, drawing.source, drawing.rop, drawing.mask);
  }
  Drawn operator()(const core::DrawCopyBits& bits) const { return copy_bits(context, bits); }
  Drawn operator()(const core::DrawBlackness& drawing) const {
    return fill_masked(context, drawing.mask, rop2_of(core::kRopBlackness, RopOperands::BrushDestination));
  }
  Drawn operator()(const core::DrawWhiteness& drawing) const {
    return fill_masked(context, drawing.mask, rop2_of(core::kRopWhiteness, RopOperands::BrushDestination));
  }
  Drawn operator()(const core::DrawInvers& drawing) const {
    return fill_masked(context, drawing.mask, rop2_of(core::kRopInvert, RopOperands::BrushDestination));
  }
  Drawn operator()(const core::DrawRop3& rop3) const { return draw_rop3(context, rop3); }
  Drawn operator()(const core::DrawStroke& stroke) const { return draw_stroke(context, stroke); }
  Drawn operator()(const core::DrawText& text) const { return draw_text(context, text); }
  Drawn operator()(const core::DrawTransparent& transparent) const { return draw_transparent(context, transparent); }
  Drawn operator()(const core::DrawAlphaBlend& blend) const { return draw_alpha_blend(context, blend); }
  Drawn operator()(const core::DrawComposite& composite) const { return draw_composite(context, composite); }
};

Drawn draw_on(const core::Drawing& drawing, Surface& to, const Surface& named, SurfaceTable& surfaces, Region region) {
  DrawContext context(drawing, to, named, surfaces, std::move(region));
  return std::visit(Operation{context}, drawing.operation);
}

// Nobody uses surfaces of single bits; they are drawn on as bytes.
Drawn draw_on_bits(const core::Drawing& drawing, Surface& named, SurfaceTable& surfaces, Region region) {
  Surface bytes(named.width(), named.height(), core::SurfaceFormat::A8);
  const PixmanImage bits_image(named, core::SurfaceFormat::A1);
  const PixmanImage bytes_image(bytes, core::SurfaceFormat::A8);
  pixman_image_composite32(PIXMAN_OP_SRC, bits_image.get(), nullptr, bytes_image.get(), 0, 0, 0, 0, 0, 0, named.width(),
                           named.height());
  auto drawn = draw_on(drawing, bytes, named, surfaces, std::move(region));
  if (drawn)
    pixman_image_composite32(PIXMAN_OP_SRC, bytes_image.get(), nullptr, bits_image.get(), 0, 0, 0, 0, 0, 0,
                             named.width(), named.height());
  return drawn;
}

}  // namespace

std::expected<void, DrawError> draw(const core::Drawing& drawing, SurfaceTable& surfaces) {
  auto* const surface = surfaces.find(drawing.surface);
  if (surface == nullptr || surface->empty()) return std::unexpected(DrawError::NoSuchSurface);
  try {
    auto region = clipped_region(drawing.box, drawing.clip, surface->bounds());
    if (!region) return std::unexpected(region.error());
    if (region->empty()) return {};
    if (nanoseconds_to_draw(drawing, region->area()) > kMostNanoseconds) return std::unexpected(DrawError::TooComplex);
    if (surface->format() == core::SurfaceFormat::A1)
      return draw_on_bits(drawing, *surface, surfaces, *std::move(region));
    return draw_on(drawing, *surface, *surface, surfaces, *std::move(region));
  } catch (const std::bad_alloc&) {
    return std::unexpected(DrawError::NoMemory);
  }
}

}  // namespace spice::canvas
