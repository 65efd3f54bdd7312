#include "spice/display/image_writer.h"

#include <cstring>
#include <utility>

#include "spice/canvas/source.h"
#include "spice/codec/quic.h"

namespace spice::display {
namespace {

// An image's number says who made it, in its low half; the device itself is group 1. Nothing is cached by it.
constexpr std::uint64_t kDeviceGroup = 1;

std::size_t palette_size(core::BitmapFormat format) {
  switch (format) {
    case core::BitmapFormat::Le1:
    case core::BitmapFormat::Be1: return 2;
    case core::BitmapFormat::Le4:
    case core::BitmapFormat::Be4: return 16;
    case core::BitmapFormat::Indexed8: return 256;
    default: return 0;
  }
}

// Rows of whole strides: the guest may have left out the end of the last one.
wire::Payload rows_of(const core::ImagePtr& owner, const core::Bitmap& bitmap) {
  const auto bytes = static_cast<std::size_t>(bitmap.stride) * bitmap.height;
  if (bitmap.data.size() >= bytes) return {owner, std::span(bitmap.data).first(bytes)};
  auto copy = bitmap.data;
  copy.resize(bytes);
  return wire::Payload(std::move(copy));
}

// What the unused bytes of 32-bit pixels hold.
enum class Unused : std::uint8_t { Zero, AllOnes, Anything };

Unused unused_bytes(const core::Pixels& pixels, const core::Rect& area) {
  std::uint32_t all = 0xff00'0000, any = 0;
  for (auto y = area.top; y < area.bottom; ++y) {
    const auto* at = pixels.row(y) + static_cast<std::size_t>(area.left) * 4;
    for (auto x = area.left; x < area.right; ++x, at += 4) {
      std::uint32_t pixel = 0;
      std::memcpy(&pixel, at, sizeof pixel);
      all &= pixel;
      any |= pixel;
    }
  }
  if ((any >> 24) == 0) return Unused::Zero;
  return (all >> 24) == 0xff ? Unused::AllOnes : Unused::Anything;
}

}  // namespace

wire::Image ImageWriter::descriptor(std::uint32_t width, std::uint32_t height) {
  wire::Image image;
  image.id = std::uint64_t{next_number_++} << 32 | kDeviceGroup;
  image.width = width;
  image.height = height;
  return image;
}

std::optional<wire::Image> ImageWriter::image(const core::ImagePtr& image) {
  if (image == nullptr) return std::nullopt;
  std::optional<wire::Image> result;
  if (const auto* content = std::get_if<core::Bitmap>(&image->content)) result = bitmap(image, *content);
  if (const auto* content = std::get_if<core::QuicBitmap>(&image->content)) result = quic(image, *content);
  if (const auto* content = std::get_if<core::SurfacePixels>(&image->content)) return surface(content->surface);
  if (result && image->high_bits_set) result->flags |= wire::kImageHighBitsSet;
  return result;
}

std::optional<wire::Image> ImageWriter::bitmap(const core::ImagePtr& image, const core::Bitmap& bitmap) {
  if (!canvas::rows_of(bitmap)) return std::nullopt;
  auto result = descriptor(bitmap.width, bitmap.height);
  result.type = wire::ImageType::Bitmap;
  wire::BitmapData data{.format = static_cast<wire::BitmapFormat>(bitmap.format),
                        .flags = static_cast<std::uint8_t>(bitmap.top_down ? wire::kTopDown : 0),
                        .width = bitmap.width,
                        .height = bitmap.height,
                        .stride = bitmap.stride,
                        .palette = {},
                        .data = rows_of(image, bitmap)};
  if (const auto colors = palette_size(bitmap.format); colors != 0 && bitmap.palette != nullptr) {
    data.palette.palette = wire::Palette{.unique = 0, .entries = bitmap.palette->colors};
    data.palette.palette->entries.resize(colors);
  }
  result.data = std::move(data);
  return result;
}

std::optional<wire::Image> ImageWriter::quic(const core::ImagePtr& image, const core::QuicBitmap& bitmap) {
  const auto header = codec::quic_read_header(bitmap.data);
  if (!header) return std::nullopt;
  auto result = descriptor(header->width, header->height);
  result.type = wire::ImageType::Quic;
  result.data = wire::CompressedData{wire::Payload(image, bitmap.data)};
  return result;
}

std::optional<wire::Image> ImageWriter::surface(core::SurfaceId id) {
  const auto* const surface = store_.surface(store_.key_of(id));
  if (surface == nullptr) return std::nullopt;
  auto result = descriptor(static_cast<std::uint32_t>(surface->width()), static_cast<std::uint32_t>(surface->height()));
  result.type = wire::ImageType::Surface;
  result.data = wire::SurfaceData{.surface_id = id};
  return result;
}

wire::Image ImageWriter::pixels(SurfaceKey key, const core::Rect& area) {
  const auto& surface = *store_.surface(key);
  const auto from = surface.pixels();
  switch (surface.format()) {
    case core::SurfaceFormat::A8: return packed(from, area, wire::BitmapFormat::Alpha8);
    case core::SurfaceFormat::Rgb555: return packed(from, area, wire::BitmapFormat::Rgb16);
    case core::SurfaceFormat::Argb: return packed(from, area, wire::BitmapFormat::Rgba);
    case core::SurfaceFormat::Rgb565: {
      const auto wide = canvas::converted(from, area, core::SurfaceFormat::Xrgb);
      return packed(wide.pixels(), wide.pixels().bounds(), wire::BitmapFormat::Rgb32);
    }
    default: break;
  }
  if (surface_id(key) != 0) {
    // Guests keep things in the unused bytes of their surfaces, but not of the screen.
    const auto unused = unused_bytes(from, area);
    auto image = packed(from, area, unused == Unused::Anything ? wire::BitmapFormat::Rgba : wire::BitmapFormat::Rgb32);
    if (unused == Unused::AllOnes) image.flags |= wire::kImageHighBitsSet;
    return image;
  }
  auto encoded = encoder_.encode(surface, area, compresses_);
  auto image = descriptor(static_cast<std::uint32_t>(area.width()), static_cast<std::uint32_t>(area.height()));
  if (encoded.is_lz) {
    image.type = wire::ImageType::LzRgb;
    image.data = wire::CompressedData{std::move(encoded.data)};
  } else {
    image.type = wire::ImageType::Bitmap;
    image.data = wire::BitmapData{.width = image.width,
                                  .height = image.height,
                                  .stride = image.width * 4,
                                  .palette = {},
                                  .data = std::move(encoded.data)};
  }
  return image;
}

wire::Image ImageWriter::packed(const core::Pixels& pixels, const core::Rect& area, wire::BitmapFormat format) {
  const auto pixel_bytes = canvas::bits_per_pixel(pixels.format) / 8;
  auto image = descriptor(static_cast<std::uint32_t>(area.width()), static_cast<std::uint32_t>(area.height()));
  const auto row_bytes = std::size_t{image.width} * pixel_bytes;
  const auto stride = (row_bytes + 3) / 4 * 4;
  std::vector<std::uint8_t> rows(stride * image.height);
  auto* to = rows.data();
  for (auto y = area.top; y < area.bottom; ++y, to += stride)
    std::memcpy(to, pixels.row(y) + static_cast<std::size_t>(area.left) * pixel_bytes, row_bytes);
  image.type = wire::ImageType::Bitmap;
  image.data = wire::BitmapData{.format = format,
                                .width = image.width,
                                .height = image.height,
                                .stride = static_cast<std::uint32_t>(stride),
                                .palette = {},
                                .data = wire::Payload(std::move(rows))};
  return image;
}

}  // namespace spice::display
