#include "spice/canvas/draw_context.h"

#include <algorithm>
#include <utility>

namespace spice::canvas {
namespace {

std::int64_t wide_width(const core::Rect& rect) {
  return std::int64_t{rect.right} - rect.left;
}

std::int64_t wide_height(const core::Rect& rect) {
  return std::int64_t{rect.bottom} - rect.top;
}

bool is_within(const core::Rect& inner, const core::Rect& outer) {
  return !inner.empty() && inner.left >= outer.left && inner.top >= outer.top && inner.right <= outer.right &&
         inner.bottom <= outer.bottom;
}

}  // namespace

bool is_stretched(const core::Rect& box, const core::Rect& area) {
  return wide_width(box) != wide_width(area) || wide_height(box) != wide_height(area);
}

FetchedImage detached(FetchedImage image) {
  if (image.is_destination) image.source = copy_of(image.pixels(), image.pixels().bounds());
  image.is_destination = false;
  return image;
}

void Stretch::apply(const PixmanImage& image) const {
  pixman_image_set_transform(image.get(), &transform);
  pixman_image_set_filter(image.get(), filter, nullptr, 0);
}

std::expected<FetchedImage, DrawError> DrawContext::fetch(const core::ImagePtr& image) {
  if (image == nullptr) return std::unexpected(DrawError::NoImage);
  if (const auto* surface_pixels = std::get_if<core::SurfacePixels>(&image->content)) {
    const auto* const surface = surfaces_.find(surface_pixels->surface);
    if (surface == nullptr || surface->empty()) return std::unexpected(DrawError::NoSuchSurface);
    if (surface == &named_) return FetchedImage{SourcePixels(to_.pixels()), true, true};
    if (surface->format() != core::SurfaceFormat::A1) return FetchedImage{SourcePixels(surface->pixels()), true, false};
    return FetchedImage{converted(surface->pixels(), surface->bounds(), core::SurfaceFormat::A8), true, false};
  }
  if (const auto* own = std::get_if<core::OwnPixels>(&image->content)) {
    if (!is_within(own->area, to_.bounds())) return std::unexpected(DrawError::BadArea);
    return FetchedImage{copy_of(to_.pixels(), own->area), false, false};
  }
  const auto* const bitmap = std::get_if<core::Bitmap>(&image->content);
  auto source = bitmap != nullptr ? unpack(*bitmap, named_.format())
                                  : unpacked(image, std::get<core::QuicBitmap>(image->content));
  if (!source) return std::unexpected(source.error());
  return FetchedImage{*std::move(source), false, false};
}

std::expected<SourcePixels, DrawError> DrawContext::unpacked(const core::ImagePtr& image,
                                                             const core::QuicBitmap& quic) {
  auto* const kept = surfaces_.unpacked_images();
  if (kept == nullptr || !image->cacheable) return unpack(quic);
  auto found = kept->get(image, quic);
  if (!found) return std::unexpected(found.error());
  used_.push_back(*std::move(found));
  return SourcePixels(used_.back()->pixels());
}

std::expected<MaskBits, DrawError> DrawContext::mask_bits(const core::Mask& mask) const {
  const auto left = std::int64_t{drawing_.box.left} - mask.origin.x;
  const auto top = std::int64_t{drawing_.box.top} - mask.origin.y;
  if (const auto* surface_pixels = std::get_if<core::SurfacePixels>(&mask.image->content)) {
    const auto* const surface = surfaces_.find(surface_pixels->surface);
    if (surface == nullptr || surface->empty()) return std::unexpected(DrawError::NoSuchSurface);
    if (surface->format() != core::SurfaceFormat::A1) return std::unexpected(DrawError::BadImage);
    const BitmapRows rows{surface->row(0), surface->stride_bytes(), surface->width(), surface->height()};
    return MaskBits(rows, false, mask.inverted, left, top);
  }
  const auto* const bitmap = std::get_if<core::Bitmap>(&mask.image->content);
  if (bitmap == nullptr) return std::unexpected(DrawError::BadImage);
  const bool high_bit_first = bitmap->format == core::BitmapFormat::Be1;
  const auto rows = rows_of(*bitmap);
  if (!rows || (!high_bit_first && bitmap->format != core::BitmapFormat::Le1))
    return std::unexpected(DrawError::BadImage);
  return MaskBits(*rows, high_bit_first, mask.inverted, left, top);
}

Drawn DrawContext::apply(const core::Mask& mask) {
  if (mask.image == nullptr) return {};
  const auto bits = mask_bits(mask);
  if (!bits) return std::unexpected(bits.error());
  area_.mask = *bits;
  return {};
}

std::expected<ReadyBrush, DrawError> DrawContext::ready(const core::Brush& brush, bool needed) {
  const auto solid = [this](std::uint32_t color) {
    return ReadyBrush{std::nullopt,
                      BrushRows(raster_color(color, named_.format()), bits_per_pixel(format()), extents_.width())};
  };
  if (!needed || std::holds_alternative<std::monostate>(brush)) return solid(0);
  if (const auto* color = std::get_if<core::SolidBrush>(&brush)) return solid(color->color);
  const auto& pattern = std::get<core::PatternBrush>(brush);
  auto image = fetch(pattern.image);
  if (!image) return std::unexpected(image.error());
  const auto whole = image->pixels().bounds();
  auto tile = place(*std::move(image), whole, 0, 0);
  BrushRows rows(tile.source.pixels(), pattern.origin, extents_.width());
  return ReadyBrush{std::move(tile.source), std::move(rows)};
}

PlacedSource DrawContext::place(FetchedImage image, const core::Rect& needed, std::int64_t left,
                                std::int64_t top) const {
  const auto format = image.pixels().format;
  if (!image.is_destination && same_bits(format, to_.format())) return {std::move(image.source), left, top};
  auto part = image.is_destination ? copy_of(image.pixels(), needed)
                                   : converted(image.pixels(), needed, drawable_format(format, to_.format()));
  return {std::move(part), left + needed.left, top + needed.top};
}

std::expected<PlacedSource, DrawError> DrawContext::ready(const core::Source& source) {
  auto image = fetch(source.image);
  if (!image) return std::unexpected(image.error());
  if (source.area.right <= source.area.left || source.area.bottom <= source.area.top)
    return std::unexpected(DrawError::BadArea);
  if (is_stretched(box(), source.area)) return stretched(*image, source);
  const PlacedPixels placed{image->pixels(), std::int64_t{box().left} - source.area.left,
                            std::int64_t{box().top} - source.area.top};
  const auto covered = placed.covered(extents_);
  if (covered.empty()) return PlacedSource{SourcePixels(Pixels{})};
  const core::Rect needed{
      static_cast<std::int32_t>(covered.left - placed.left), static_cast<std::int32_t>(covered.top - placed.top),
      static_cast<std::int32_t>(covered.right - placed.left), static_cast<std::int32_t>(covered.bottom - placed.top)};
  return place(*std::move(image), needed, placed.left, placed.top);
}

std::expected<Stretch, DrawError> DrawContext::stretch(const core::Source& source) const {
  // What pixman's 16.16 numbers can say: then every pixel of the box is somewhere in the area, and all sums fit.
  constexpr std::int64_t most = INT16_MAX, one = 65'536;
  const auto& area = source.area;
  if (area.empty() || area.left < -most || area.top < -most || area.right > most || area.bottom > most)
    return std::unexpected(DrawError::BadArea);
  const auto x_scale = wide_width(area) * one / wide_width(box());
  const auto y_scale = wide_height(area) * one / wide_height(box());
  if (x_scale > INT32_MAX || y_scale > INT32_MAX) return std::unexpected(DrawError::BadArea);
  const auto x = area.left * one + x_scale * (std::int64_t{extents_.left} - box().left);
  const auto y = area.top * one + y_scale * (std::int64_t{extents_.top} - box().top);
  Stretch result{};
  result.transform = {{{static_cast<pixman_fixed_t>(x_scale), 0, static_cast<pixman_fixed_t>(x)},
                       {0, static_cast<pixman_fixed_t>(y_scale), static_cast<pixman_fixed_t>(y)},
                       {0, 0, pixman_fixed_1}}};
  result.filter = source.scale == core::ScaleMode::Interpolate ? PIXMAN_FILTER_GOOD : PIXMAN_FILTER_NEAREST;
  return result;
}

std::expected<PlacedSource, DrawError> DrawContext::stretched(const FetchedImage& image,
                                                              const core::Source& source) const {
  const auto how = stretch(source);
  if (!how) return std::unexpected(how.error());
  PlacedSource result{
      SourcePixels(extents_.width(), extents_.height(), drawable_format(image.pixels().format, format())),
      extents_.left, extents_.top};
  const PixmanImage from(image.pixels());
  const PixmanImage to(result.source.pixels());
  // Where a pixel stands for very many, pixman draws nothing: then that is 0, too.
  result.source.clear();
  how->apply(from);
  pixman_image_composite32(PIXMAN_OP_SRC, from.get(), nullptr, to.get(), 0, 0, 0, 0, 0, 0, extents_.width(),
                           extents_.height());
  return result;
}

}  // namespace spice::canvas
