#include "tests/unit/spice/display/model_images.h"

#include <cstring>
#include <memory>
#include <utility>

#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "spice/codec/zlib_stream.h"

namespace display_test {
namespace {

namespace codec = spice::codec;
namespace wire = spice::wire;
using wire::ImageType;

std::vector<std::uint8_t> copy_of(const wire::Payload& payload) {
  return {payload.bytes().begin(), payload.bytes().end()};
}

std::span<const std::uint8_t> bytes_of(const wire::Image& image) {
  return std::get<wire::CompressedData>(image.data).data.bytes();
}

core::Bitmap empty_bitmap(const wire::Image& image, core::BitmapFormat format, std::uint32_t stride) {
  core::Bitmap bitmap{.format = format, .width = image.width, .height = image.height, .stride = stride};
  bitmap.data.resize(std::size_t{stride} * image.height);
  return bitmap;
}

}  // namespace

std::uint64_t KeptImages::pixels() const {
  std::uint64_t sum = 0;
  for (const auto& [id, kept] : cache)
    sum += kept.pixels;
  return sum;
}

void ModelImages::complain(const std::string& about) {
  if (complaint_.empty()) complaint_ = about;
}

void ModelImages::end_message() {
  ready_.clear();
  ++kept_.processed[channel_];
}

void ModelImages::wait(const std::vector<wire::WaitForChannel>& waits) {
  for (const auto& wait : waits) {
    if (wait.type != wire::ChannelType::Display) complain("a wait for another kind of channel");
    const auto other = kept_.processed.find(wait.id);
    if (other != kept_.processed.end() && other->second < wait.serial) waits_ = true;
  }
}

void ModelImages::drop(const wire::DisplayInvalList& message) {
  for (const auto& item : message.items) {
    if (kept_.cache.erase(item.id) == 0) complain("an image to drop is not there");
  }
}

void ModelImages::drop_palette(const wire::DisplayInvalPalette& message) {
  if (palettes_.erase(message.id) == 0) complain("a palette to drop is not there");
}

void ModelImages::drop_all(const wire::DisplayInvalAllPixmaps& message) {
  wait(message.waits);
  if (!waits_) kept_.cache.clear();
}

core::ImagePtr ModelImages::image(const wire::Image& wire) {
  if (waits_) return nullptr;
  if (next_ < ready_.size()) return ready_[next_++];
  auto image = decoded(wire);
  if (image == nullptr) return nullptr;
  kept_.types.insert(wire.type);
  keep(wire, image);
  ready_.push_back(image);
  ++next_;
  return image;
}

core::ImagePtr ModelImages::decoded(const wire::Image& wire) {
  core::Image image{.high_bits_set = (wire.flags & wire::kImageHighBitsSet) != 0};
  switch (wire.type) {
    case ImageType::Bitmap: image.content = bitmap(wire); break;
    case ImageType::LzPlt:
    case ImageType::LzRgb: image.content = lz(wire); break;
    case ImageType::Lz4: image.content = lz4(wire); break;
    case ImageType::Jpeg:
    case ImageType::JpegAlpha: image.content = jpeg(wire); break;
    case ImageType::GlzRgb:
    case ImageType::ZlibGlzRgb:
      if (auto pixels = glz(wire)) {
        image.content = *std::move(pixels);
        break;
      }
      return nullptr;
    case ImageType::Quic:
      image.content = core::QuicBitmap{copy_of(std::get<wire::CompressedData>(wire.data).data)};
      break;
    case ImageType::Surface:
      image.content = core::SurfacePixels{std::get<wire::SurfaceData>(wire.data).surface_id};
      break;
    case ImageType::FromCache:
    case ImageType::FromCacheLossless: return from_cache(wire);
  }
  return std::make_shared<core::Image>(std::move(image));
}

core::ImagePtr ModelImages::from_cache(const wire::Image& wire) {
  const auto known = kept_.cache.find(wire.id);
  waits_ = known == kept_.cache.end() || (wire.type == ImageType::FromCacheLossless && known->second.is_lossy);
  return waits_ ? nullptr : known->second.image;
}

void ModelImages::keep(const wire::Image& wire, const core::ImagePtr& image) {
  const KeptImages::Kept kept{.image = image,
                              .pixels = std::uint64_t{wire.width} * wire.height,
                              .is_lossy = wire.type == ImageType::Jpeg || wire.type == ImageType::JpegAlpha};
  if ((wire.flags & wire::kImageCacheReplaceMe) != 0) {
    const auto known = kept_.cache.find(wire.id);
    if (known == kept_.cache.end() || !known->second.is_lossy) return complain("there is nothing to replace");
    known->second = kept;
  } else if ((wire.flags & wire::kImageCacheMe) != 0) {
    if (!kept_.cache.emplace(wire.id, kept).second) complain("an image is kept twice");
  }
}

std::shared_ptr<const core::Palette> ModelImages::palette(std::uint8_t flags, const wire::PaletteRef& reference) {
  if ((flags & wire::kPaletteFromCache) != 0) {
    const auto known = palettes_.find(reference.cached_id);
    if (known != palettes_.end()) return known->second;
    complain("there is no such palette");
    return nullptr;
  }
  if (!reference.palette) return nullptr;
  core::Palette colors;
  colors.colors = reference.palette->entries;
  auto made = std::make_shared<const core::Palette>(std::move(colors));
  if ((flags & wire::kPaletteCacheMe) != 0 && !palettes_.emplace(reference.palette->unique, made).second)
    complain("a palette is kept twice");
  if (palettes_.size() > kMostPalettes) complain("too many palettes are kept");
  return made;
}

core::Bitmap ModelImages::bitmap(const wire::Image& wire) {
  const auto& data = std::get<wire::BitmapData>(wire.data);
  return {.format = static_cast<core::BitmapFormat>(data.format),
          .top_down = (data.flags & wire::kTopDown) != 0,
          .width = data.width,
          .height = data.height,
          .stride = data.stride,
          .palette = palette(data.flags, data.palette),
          .data = copy_of(data.data)};
}

core::Bitmap ModelImages::lz(const wire::Image& wire) {
  const auto* const indexed = std::get_if<wire::LzPltData>(&wire.data);
  const auto bytes = indexed != nullptr ? indexed->data.bytes() : bytes_of(wire);
  const auto header = codec::lz_read_header(bytes);
  if (!header || header->width != wire.width || header->height != wire.height)
    return complain("LZ: header"), core::Bitmap{};
  // The same numbers as those of bitmaps, but for the last.
  const auto format =
      header->type == codec::LzType::A8 ? core::BitmapFormat::A8 : static_cast<core::BitmapFormat>(header->type);
  auto bitmap = empty_bitmap(wire, format, header->stride);
  bitmap.top_down = header->top_down;
  if (indexed != nullptr) bitmap.palette = palette(indexed->flags, indexed->palette);
  if (!codec::lz_decode(bytes, bitmap.data)) complain("LZ: data");
  return bitmap;
}

core::Bitmap ModelImages::lz4(const wire::Image& wire) {
  const auto header = codec::lz4_read_header(bytes_of(wire));
  if (!header) return complain("LZ4: header"), core::Bitmap{};
  const auto stride = wire.width * static_cast<std::uint32_t>(codec::lz4_pixel_bytes(header->format));
  auto bitmap = empty_bitmap(wire, static_cast<core::BitmapFormat>(header->format), stride);
  bitmap.top_down = header->top_down;
  if (!codec::lz4_decode(bytes_of(wire), wire.width, wire.height, bitmap.data)) complain("LZ4: data");
  return bitmap;
}

core::Bitmap ModelImages::jpeg(const wire::Image& wire) {
  codec::JpegScratch scratch;
  const auto* const alpha = std::get_if<wire::JpegAlphaData>(&wire.data);
  auto bitmap =
      empty_bitmap(wire, alpha != nullptr ? core::BitmapFormat::Rgba : core::BitmapFormat::Rgb32, wire.width * 4);
  bitmap.top_down = true;
  const auto header = alpha != nullptr
                          ? codec::jpeg_alpha_decode(alpha->data.bytes(), alpha->jpeg_size, bitmap.data, scratch)
                          : codec::jpeg_decode(bytes_of(wire), bitmap.data, scratch);
  if (!header || header->width != wire.width || header->height != wire.height) complain("JPEG");
  return bitmap;
}

std::optional<core::Bitmap> ModelImages::glz(const wire::Image& wire) {
  std::vector<std::uint8_t> unpacked;
  auto bytes = std::span<const std::uint8_t>();
  if (const auto* const packed = std::get_if<wire::ZlibGlzData>(&wire.data)) {
    unpacked.resize(packed->glz_size);
    if (!codec::zlib_decode(packed->data.bytes(), unpacked)) complain("zlib");
    bytes = unpacked;
  } else {
    bytes = bytes_of(wire);
  }
  const auto header = kept_.window.decode(bytes);
  waits_ = !header && header.error() == codec::GlzError::MissingImage;
  if (waits_) return std::nullopt;
  if (!header || header->width != wire.width || header->height != wire.height) {
    complain("GLZ");
    return core::Bitmap{};
  }
  const auto words = kept_.window.pixels(header->id);
  const std::size_t pixel = header->type == codec::LzType::Rgb16 ? 2 : 4;
  const auto format = header->type == codec::LzType::Rgb16  ? core::BitmapFormat::Rgb555
                      : header->type == codec::LzType::Rgba ? core::BitmapFormat::Rgba
                                                            : core::BitmapFormat::Rgb32;
  auto bitmap = empty_bitmap(wire, format, wire.width * static_cast<std::uint32_t>(pixel));
  bitmap.top_down = header->top_down;
  for (std::size_t i = 0; i < words.size(); ++i)
    std::memcpy(bitmap.data.data() + i * pixel, &words[i], pixel);
  return bitmap;
}

}  // namespace display_test
