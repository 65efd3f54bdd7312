#include "spice/image/image_source.h"

#include <cstring>
#include <utility>

#include "spice/canvas/source.h"

namespace spice::image {
namespace {

using core::SurfaceFormat;
using wire::BitmapFormat;

enum class UnusedBytes : std::uint8_t { Zero, Ones, Mixed };

UnusedBytes unused_bytes(const StoredPixels& pixels) {
  std::uint32_t all_or = 0, all_and = ~std::uint32_t{0};
  for (std::uint32_t y = 0; y < pixels.height; ++y) {
    const auto* row = pixels.row(y);
    for (std::uint32_t x = 0; x < pixels.width; ++x, row += 4) {
      std::uint32_t pixel = 0;
      std::memcpy(&pixel, row, sizeof pixel);
      all_or |= pixel;
      all_and &= pixel;
    }
    if (all_or >> 24 != 0 && all_and >> 24 != 0xff) return UnusedBytes::Mixed;
  }
  return all_or >> 24 == 0 ? UnusedBytes::Zero : UnusedBytes::Ones;
}

std::optional<BitmapFormat> image_format(SurfaceFormat format) {
  switch (format) {
    case SurfaceFormat::A8: return BitmapFormat::Alpha8;
    case SurfaceFormat::Rgb555: return BitmapFormat::Rgb16;
    case SurfaceFormat::Xrgb:
    case SurfaceFormat::Argb: return BitmapFormat::Rgb32;
    case SurfaceFormat::A1:
    case SurfaceFormat::Rgb565: break;
  }
  return {};
}

StoredPixels stored(const core::Pixels& pixels, const core::Rect& area, BitmapFormat format) {
  return {.format = format,
          .width = static_cast<std::uint32_t>(area.width()),
          .height = static_cast<std::uint32_t>(area.height()),
          .rows = pixels.row(area.top) + static_cast<std::size_t>(area.left) * bits_per_pixel(format) / 8,
          .stride = pixels.stride};
}

}  // namespace

std::optional<ImageSource> ImageSource::of_surface(const core::Pixels& surface, const core::Rect& area,
                                                   bool is_primary) {
  ImageSource source;
  if (surface.format == SurfaceFormat::Rgb565) {
    auto pixels = std::make_shared<canvas::SourcePixels>(canvas::converted(surface, area, SurfaceFormat::Xrgb));
    source.pixels_ = stored(pixels->pixels(), pixels->pixels().bounds(), BitmapFormat::Rgb32);
    source.owner_ = std::move(pixels);
    return source;
  }
  const auto format = image_format(surface.format);
  if (!format) return {};
  source.pixels_ = stored(surface, area, *format);
  const bool is_seen = !is_primary || surface.format == SurfaceFormat::Argb;
  if (*format != BitmapFormat::Rgb32 || !is_seen) return source;
  const auto unused = unused_bytes(source.pixels_);
  if (unused == UnusedBytes::Mixed) source.pixels_.format = BitmapFormat::Rgba;
  source.high_bits_set_ = unused == UnusedBytes::Ones;
  return source;
}

std::optional<ImageSource> ImageSource::of_mask(const core::ImagePtr& image) {
  const auto* const bitmap = image ? std::get_if<core::Bitmap>(&image->content) : nullptr;
  const auto rows = bitmap != nullptr ? canvas::rows_of(*bitmap) : std::nullopt;
  if (!rows) return {};
  ImageSource source;
  source.pixels_ = {.format = static_cast<BitmapFormat>(bitmap->format),
                    .width = bitmap->width,
                    .height = bitmap->height,
                    .rows = bitmap->data.data(),
                    .stride = static_cast<std::ptrdiff_t>(bitmap->stride),
                    .top_down = bitmap->top_down};
  source.pixels_.is_padded = bitmap->stride != source.pixels_.row_bytes();
  source.high_bits_set_ = image->high_bits_set;
  if (bitmap->data.size() >= std::size_t{bitmap->stride} * bitmap->height) source.guest_rows_ = image;
  source.owner_ = image;
  return source;
}

std::optional<ImageSource> ImageSource::of_bitmap(const core::ImagePtr& image) {
  auto source = of_mask(image);
  if (!source || !is_indexed(source->pixels().format)) return source;
  source->palette_ = std::get<core::Bitmap>(image->content).palette;
  if (source->palette_ == nullptr) return {};
  return source;
}

std::optional<ImageSource> ImageSource::of_quic(const core::QuicBitmap& quic) {
  auto decoded = canvas::unpack(quic);
  if (!decoded) return {};
  auto pixels = std::make_shared<canvas::SourcePixels>(std::move(*decoded));
  ImageSource source;
  const auto& from = pixels->pixels();
  const auto format = from.format == SurfaceFormat::A8     ? BitmapFormat::Alpha8
                      : from.format == SurfaceFormat::Argb ? BitmapFormat::Rgba
                                                           : BitmapFormat::Rgb32;
  source.pixels_ = stored(from, from.bounds(), format);
  source.owner_ = std::move(pixels);
  return source;
}

ImageSource ImageSource::rows(std::uint32_t top, std::uint32_t bottom) const {
  auto part = *this;
  part.pixels_.rows = pixels_.row(pixels_.top_down ? top : pixels_.height - bottom);
  part.pixels_.height = bottom - top;
  part.guest_rows_ = nullptr;  // those are the whole image
  return part;
}

}  // namespace spice::image
