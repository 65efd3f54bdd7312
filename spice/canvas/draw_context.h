// What the operations of draw() share: the surface, the area, and how they get at their images.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <variant>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/canvas/area.h"
#include "spice/canvas/pixman_image.h"
#include "spice/canvas/raster.h"
#include "spice/canvas/source.h"
#include "spice/canvas/surface.h"
#include "spice/canvas/unpacked_images.h"

namespace spice::canvas {

using Drawn = std::expected<void, DrawError>;

// An image in the format it has.
struct FetchedImage {
  SourcePixels source;
  bool is_surface = false;
  bool is_destination = false;  // the very pixels that are drawn on

  const Pixels& pixels() const { return source.pixels(); }
};

// Part of an image, ready to be copied to the surface bit by bit, and where it lies.
struct PlacedSource {
  SourcePixels source;
  std::int64_t left = 0;
  std::int64_t top = 0;

  PlacedPixels placed() const { return {source.pixels(), left, top}; }
};

// A brush and what it reads from.
struct ReadyBrush {
  std::optional<SourcePixels> tile;
  BrushRows rows;
};

// How pixman reads an image's area stretched over a box.
struct Stretch {
  pixman_transform_t transform;
  pixman_filter_t filter;

  void apply(const PixmanImage& image) const;
};

class DrawContext {
 public:
  // `to` has 8, 16 or 32 bits a pixel. `named`: the surface that the drawing's number means, `to` or what it stands
  // for.
  DrawContext(const core::Drawing& drawing, Surface& to, const Surface& named, SurfaceTable& surfaces, Region region)
      : drawing_(drawing),
        to_(to),
        named_(named),
        surfaces_(surfaces),
        area_{std::move(region), {}},
        extents_(area_.region.extents()) {}

  Surface& to() { return to_; }
  core::SurfaceFormat format() const { return to_.format(); }
  const core::Rect& box() const { return drawing_.box; }
  const core::Rect& extents() const { return extents_; }  // of the area
  const DrawArea& area() const { return area_; }
  const Region& region() const { return area_.region; }

  // Valid as long as the context.
  std::expected<FetchedImage, DrawError> fetch(const core::ImagePtr& image);
  // Narrows the area by a mask, if there is one.
  Drawn apply(const core::Mask& mask);
  // For a raster operation that may not need it: then it is colour 0.
  std::expected<ReadyBrush, DrawError> ready(const core::Brush& brush, bool needed = true);
  // The source's pixels under the area, stretched if need be. There may be none.
  std::expected<PlacedSource, DrawError> ready(const core::Source& source);
  // For pixels counted from the extents' left upper corner.
  std::expected<Stretch, DrawError> stretch(const core::Source& source) const;

 private:
  // The part `needed` of an image whose pixel (0, 0) lies at (left, top).
  PlacedSource place(FetchedImage image, const core::Rect& needed, std::int64_t left, std::int64_t top) const;
  std::expected<PlacedSource, DrawError> stretched(const FetchedImage& image, const core::Source& source) const;
  std::expected<SourcePixels, DrawError> unpacked(const core::ImagePtr& image, const core::QuicBitmap& quic);
  std::expected<MaskBits, DrawError> mask_bits(const core::Mask& mask) const;

  const core::Drawing& drawing_;
  Surface& to_;
  const Surface& named_;
  SurfaceTable& surfaces_;
  DrawArea area_;
  core::Rect extents_;
  std::vector<UnpackedImage> used_;  // of the images that are kept for other drawings, too
};

// Whether a source's area has another size than the box.
bool is_stretched(const core::Rect& box, const core::Rect& area);
// The pixels of an image that is read while the surface is drawn on: a copy if they are the surface's own.
FetchedImage detached(FetchedImage image);

// The operations that pixman does.
Drawn draw_alpha_blend(DrawContext& context, const core::DrawAlphaBlend& blend);
Drawn draw_composite(DrawContext& context, const core::DrawComposite& composite);
Drawn draw_text(DrawContext& context, const core::DrawText& text);
// A plain copy, stretched, straight to the surface.
Drawn copy_stretched(DrawContext& context, const core::Source& source);

}  // namespace spice::canvas
