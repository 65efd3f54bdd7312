#include "spice/canvas/source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "spice/canvas/pixman_image.h"
#include "spice/codec/quic.h"

namespace spice::canvas {
namespace {

using core::BitmapFormat;
using core::SurfaceFormat;

unsigned bits_per_pixel(BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Le1:
    case BitmapFormat::Be1: return 1;
    case BitmapFormat::Le4:
    case BitmapFormat::Be4: return 4;
    case BitmapFormat::Indexed8:
    case BitmapFormat::A8: return 8;
    case BitmapFormat::Rgb555: return 16;
    case BitmapFormat::Rgb24: return 24;
    case BitmapFormat::Rgb32:
    case BitmapFormat::Rgba: return 32;
  }
  return 0;
}

bool is_size(std::uint32_t width, std::uint32_t height) {
  constexpr std::uint32_t most = kMaxSide;
  return width != 0 && width <= most && height != 0 && height <= most &&
         std::uint64_t{width} * height <= kMaxImagePixels;
}

bool is_indexed(BitmapFormat format) {
  return format <= BitmapFormat::Indexed8;
}

// The colours of a palette for every possible index.
std::array<std::uint32_t, 256> all_colors(const core::Palette& palette, SurfaceFormat target) {
  std::array<std::uint32_t, 256> colors{};
  std::transform(palette.colors.begin(),
                 palette.colors.begin() + static_cast<std::ptrdiff_t>(std::min(palette.colors.size(), colors.size())),
                 colors.begin(), [target](std::uint32_t color) { return raster_color(color, target); });
  return colors;
}

unsigned index_at(const std::uint8_t* row, std::size_t x, BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Le1: return row[x / 8] >> x % 8 & 1U;
    case BitmapFormat::Be1: return row[x / 8] >> (7 - x % 8) & 1U;
    case BitmapFormat::Le4: return row[x / 2] >> (x % 2 == 0 ? 0 : 4) & 15U;
    case BitmapFormat::Be4: return row[x / 2] >> (x % 2 == 0 ? 4 : 0) & 15U;
    default: return row[x];
  }
}

// From the topmost row; the format is a parameter of the loop, not of each pixel.
template <class Pixel, BitmapFormat Format>
void unpack_indices(const BitmapRows& from, const std::array<std::uint32_t, 256>& colors, SourcePixels& to) {
  for (std::int32_t y = 0; y < from.height; ++y) {
    const auto* const row = from.first + y * from.stride;
    auto* out = to.row(y);
    for (std::size_t x = 0; x < static_cast<std::size_t>(from.width); ++x, out += sizeof(Pixel)) {
      const auto pixel = static_cast<Pixel>(colors[index_at(row, x, Format)]);
      std::memcpy(out, &pixel, sizeof pixel);
    }
  }
}

template <class Pixel>
void unpack_indices(const BitmapRows& from, BitmapFormat format, const std::array<std::uint32_t, 256>& colors,
                    SourcePixels& to) {
  switch (format) {
    case BitmapFormat::Le1: return unpack_indices<Pixel, BitmapFormat::Le1>(from, colors, to);
    case BitmapFormat::Be1: return unpack_indices<Pixel, BitmapFormat::Be1>(from, colors, to);
    case BitmapFormat::Le4: return unpack_indices<Pixel, BitmapFormat::Le4>(from, colors, to);
    case BitmapFormat::Be4: return unpack_indices<Pixel, BitmapFormat::Be4>(from, colors, to);
    default: return unpack_indices<Pixel, BitmapFormat::Indexed8>(from, colors, to);
  }
}

SourcePixels unpack_indexed(const BitmapRows& from, const core::Bitmap& bitmap, SurfaceFormat target) {
  const auto colors = all_colors(*bitmap.palette, target);
  SourcePixels to(from.width, from.height, raster_format(target));
  switch (canvas::bits_per_pixel(raster_format(target))) {
    case 8: unpack_indices<std::uint8_t>(from, bitmap.format, colors, to); break;
    case 16: unpack_indices<std::uint16_t>(from, bitmap.format, colors, to); break;
    default: unpack_indices<std::uint32_t>(from, bitmap.format, colors, to); break;
  }
  return to;
}

SourcePixels unpack_rgb24(const BitmapRows& from) {
  SourcePixels to(from.width, from.height, SurfaceFormat::Xrgb);
  for (std::int32_t y = 0; y < from.height; ++y) {
    const auto* in = from.first + y * from.stride;
    auto* out = to.row(y);
    for (std::int32_t x = 0; x < from.width; ++x, in += 3, out += 4) {
      const std::uint32_t pixel = in[0] | std::uint32_t{in[1]} << 8 | std::uint32_t{in[2]} << 16;
      std::memcpy(out, &pixel, sizeof pixel);
    }
  }
  return to;
}

// A component's upper bits are repeated below, as pixman does it, only faster.
void widen_rgb555(const Pixels& pixels, const core::Rect& area, SourcePixels& to) {
  for (auto y = area.top; y < area.bottom; ++y) {
    const auto* in = pixels.row(y) + static_cast<std::size_t>(area.left) * 2;
    auto* out = to.row(y - area.top);
    for (auto x = area.left; x < area.right; ++x, in += 2, out += 4) {
      std::uint16_t word = 0;
      std::memcpy(&word, in, sizeof word);
      const std::uint32_t spread = (word & 0x7c00U) << 9 | (word & 0x3e0U) << 6 | (word & 0x1fU) << 3;
      const std::uint32_t pixel = spread | (spread >> 5 & 0x070707U);
      std::memcpy(out, &pixel, sizeof pixel);
    }
  }
}

SurfaceFormat direct_format(BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Rgb555: return SurfaceFormat::Rgb555;
    case BitmapFormat::Rgba: return SurfaceFormat::Argb;
    case BitmapFormat::A8: return SurfaceFormat::A8;
    default: return SurfaceFormat::Xrgb;
  }
}

// Pixels that only have to be where pixman wants them.
SourcePixels unpack_direct(const BitmapRows& from, BitmapFormat format) {
  const Pixels there{from.first, from.stride, from.width, from.height, direct_format(format)};
  const bool fits = from.stride % 4 == 0 && reinterpret_cast<std::uintptr_t>(from.first) % 4 == 0;
  return fits ? SourcePixels(there) : copy_of(there, there.bounds());
}

}  // namespace

SourcePixels::SourcePixels(std::int32_t width, std::int32_t height, SurfaceFormat format) {
  const std::size_t stride = (static_cast<std::size_t>(width) * canvas::bits_per_pixel(format) + 31) / 32 * 4;
  memory_ = std::make_unique_for_overwrite<std::uint8_t[]>(stride * static_cast<std::size_t>(height));
  pixels_ = {memory_.get(), static_cast<std::ptrdiff_t>(stride), width, height, format};
}

void SourcePixels::clear() {
  std::memset(memory_.get(), 0, static_cast<std::size_t>(pixels_.stride) * static_cast<std::size_t>(pixels_.height));
}

SourcePixels copy_of(const Pixels& pixels, const core::Rect& area) {
  SourcePixels copy(area.width(), area.height(), pixels.format);
  const std::size_t pixel_bytes = canvas::bits_per_pixel(pixels.format) / 8;
  for (auto y = area.top; y < area.bottom; ++y)
    std::memcpy(copy.row(y - area.top), pixels.row(y) + static_cast<std::size_t>(area.left) * pixel_bytes,
                static_cast<std::size_t>(area.width()) * pixel_bytes);
  return copy;
}

SourcePixels converted(const Pixels& pixels, const core::Rect& area, SurfaceFormat format) {
  SourcePixels result(area.width(), area.height(), format);
  if (pixels.format == SurfaceFormat::Rgb555 && format == SurfaceFormat::Xrgb) {
    widen_rgb555(pixels, area, result);
    return result;
  }
  const PixmanImage from(pixels);
  const PixmanImage to(result.pixels());
  pixman_image_composite32(PIXMAN_OP_SRC, from.get(), nullptr, to.get(), area.left, area.top, 0, 0, 0, 0, area.width(),
                           area.height());
  return result;
}

bool same_bits(SurfaceFormat from, SurfaceFormat to) {
  return from == to || (canvas::bits_per_pixel(from) == 32 && canvas::bits_per_pixel(to) == 32);
}

SurfaceFormat drawable_format(SurfaceFormat from, SurfaceFormat to) {
  if (same_bits(from, to)) return from;
  // What has no alpha does not get one: the unused byte stays 0, as clients draw it.
  return to == SurfaceFormat::Argb && from != SurfaceFormat::A8 ? SurfaceFormat::Xrgb : to;
}

std::optional<BitmapRows> rows_of(const core::Bitmap& bitmap) {
  const auto bits = bits_per_pixel(bitmap.format);
  if (bits == 0 || !is_size(bitmap.width, bitmap.height)) return {};
  const std::uint64_t needed = (std::uint64_t{bitmap.width} * bits + 7) / 8;
  if (bitmap.stride < needed || bitmap.stride > INT32_MAX) return {};
  // The last row needs no more than its pixels.
  if (bitmap.data.size() < std::uint64_t{bitmap.stride} * (bitmap.height - 1) + needed) return {};
  const auto stride = static_cast<std::ptrdiff_t>(bitmap.stride);
  const auto last = stride * static_cast<std::ptrdiff_t>(bitmap.height - 1);
  return BitmapRows{bitmap.data.data() + (bitmap.top_down ? 0 : last), bitmap.top_down ? stride : -stride,
                    static_cast<std::int32_t>(bitmap.width), static_cast<std::int32_t>(bitmap.height)};
}

std::expected<SourcePixels, DrawError> unpack(const core::Bitmap& bitmap, SurfaceFormat target) {
  const auto rows = rows_of(bitmap);
  if (!rows) return std::unexpected(DrawError::BadImage);
  if (is_indexed(bitmap.format)) {
    if (bitmap.palette == nullptr) return std::unexpected(DrawError::BadImage);
    return unpack_indexed(*rows, bitmap, target);
  }
  if (bitmap.format == BitmapFormat::Rgb24) return unpack_rgb24(*rows);
  return unpack_direct(*rows, bitmap.format);
}

std::expected<SourcePixels, DrawError> unpack(const core::QuicBitmap& bitmap) {
  const auto header = codec::quic_read_header(bitmap.data);
  if (!header || !is_size(header->width, header->height)) return std::unexpected(DrawError::BadImage);
  const auto format = header->type == codec::QuicType::Gray   ? SurfaceFormat::A8
                      : header->type == codec::QuicType::Rgba ? SurfaceFormat::Argb
                                                              : SurfaceFormat::Xrgb;
  SourcePixels to(static_cast<std::int32_t>(header->width), static_cast<std::int32_t>(header->height), format);
  codec::QuicScratch scratch;
  if (!codec::quic_decode(bitmap.data, codec::QuicTarget{to.row(0), to.pixels().stride}, scratch))
    return std::unexpected(DrawError::BadImage);
  return to;
}

std::optional<core::Rect> size_of(const core::QuicBitmap& bitmap) {
  const auto header = codec::quic_read_header(bitmap.data);
  if (!header || !is_size(header->width, header->height)) return {};
  return core::Rect{0, 0, static_cast<std::int32_t>(header->width), static_cast<std::int32_t>(header->height)};
}

std::optional<core::Rect> size_of(const core::ImagePtr& image, SurfaceTable& surfaces) {
  if (image == nullptr) return {};
  if (const auto* bitmap = std::get_if<core::Bitmap>(&image->content)) {
    const auto rows = rows_of(*bitmap);
    if (!rows) return {};
    return core::Rect{0, 0, rows->width, rows->height};
  }
  if (const auto* quic = std::get_if<core::QuicBitmap>(&image->content)) return size_of(*quic);
  if (const auto* own = std::get_if<core::OwnPixels>(&image->content)) {
    const auto width = std::int64_t{own->area.right} - own->area.left,
               height = std::int64_t{own->area.bottom} - own->area.top;
    if (width <= 0 || width > kMaxSide || height <= 0 || height > kMaxSide) return {};
    return core::Rect{0, 0, static_cast<std::int32_t>(width), static_cast<std::int32_t>(height)};
  }
  const auto* const surface = surfaces.find(std::get<core::SurfacePixels>(image->content).surface);
  if (surface == nullptr || surface->empty()) return {};
  return surface->bounds();
}

}  // namespace spice::canvas
