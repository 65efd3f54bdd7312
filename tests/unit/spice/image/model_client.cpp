#include "tests/unit/spice/image/model_client.h"

#include <cstring>

#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "spice/codec/quic.h"
#include "spice/codec/zlib_stream.h"

namespace model {

using spice::image::StoredPixels;
using spice::wire::BitmapFormat;
using spice::wire::Image;
using spice::wire::ImageType;
namespace codec = spice::codec;

namespace {

std::uint32_t pixel_at(const std::uint8_t* row, std::uint32_t x, BitmapFormat format,
                       const std::vector<std::uint32_t>& palette) {
  const auto color = [&palette](unsigned index) { return palette.empty() ? index : palette.at(index); };
  std::uint32_t word = 0;
  switch (format) {
    case BitmapFormat::Le1: return color(row[x / 8] >> x % 8 & 1U);
    case BitmapFormat::Be1: return color(row[x / 8] >> (7 - x % 8) & 1U);
    case BitmapFormat::Le4: return color(row[x / 2] >> (x % 2 * 4) & 15U);
    case BitmapFormat::Be4: return color(row[x / 2] >> (4 - x % 2 * 4) & 15U);
    case BitmapFormat::Indexed8: return color(row[x]);
    case BitmapFormat::Alpha8: return row[x];
    case BitmapFormat::Rgb16: std::memcpy(&word, row + std::size_t{x} * 2, 2); return word & 0x7fff;
    case BitmapFormat::Rgb24: std::memcpy(&word, row + std::size_t{x} * 3, 3); return word;
    case BitmapFormat::Rgb32: std::memcpy(&word, row + std::size_t{x} * 4, 4); return word & 0xffffff;
    case BitmapFormat::Rgba: std::memcpy(&word, row + std::size_t{x} * 4, 4); return word;
  }
  return 0;
}

// Five bits widened to eight are five again.
std::uint32_t narrowed(std::uint32_t pixel) {
  return (pixel >> 9 & 0x7c00) | (pixel >> 6 & 0x3e0) | (pixel >> 3 & 0x1f);
}

std::span<const std::uint8_t> bytes_of(const Image& image) {
  return std::get<spice::wire::CompressedData>(image.data).data.bytes();
}

}  // namespace

Picture picture(const StoredPixels& pixels, const std::vector<std::uint32_t>& palette) {
  Picture result{pixels.width, pixels.height, {}};
  for (std::uint32_t y = 0; y < pixels.height; ++y) {
    const auto* row = pixels.top_row() + pixels.stride_down() * static_cast<std::ptrdiff_t>(y);
    for (std::uint32_t x = 0; x < pixels.width; ++x)
      result.pixels.push_back(pixel_at(row, x, pixels.format, palette));
  }
  return result;
}

Client::Client(std::int64_t cache_pixels, std::uint32_t window_pixels, std::size_t channels)
    : channels_(channels), window_(window_pixels), cache_pixels_(cache_pixels) {}

void Client::receive(std::size_t channel, Message message) {
  channels_[channel].messages.push_back(std::move(message));
}

bool Client::step(std::size_t number) {
  auto& channel = channels_[number];
  if (channel.messages.empty() || !error_.empty()) return false;
  const auto outcome =
      std::visit([&](const auto& message) { return process(channel, message); }, channel.messages.front());
  if (outcome == Outcome::Waits) return false;
  channel.messages.pop_front();
  ++channel.processed;
  return true;
}

bool Client::done() const {
  for (const auto& channel : channels_) {
    if (!channel.messages.empty()) return false;
  }
  return error_.empty();
}

std::uint64_t Client::cached_pixels() const {
  std::uint64_t sum = 0;
  for (const auto& [id, cached] : cache_)
    sum += cached.picture.pixels.size();
  return sum;
}

std::nullopt_t Client::fail(const std::string& what) {
  if (error_.empty()) error_ = what;
  return std::nullopt;
}

bool Client::passed(const std::vector<spice::wire::WaitForChannel>& waits) const {
  for (const auto& wait : waits) {
    if (channels_.at(wait.id).processed < wait.serial) return false;
  }
  return true;
}

Client::Outcome Client::process(Channel&, const spice::wire::WaitForChannels& message) {
  return passed(message.waits) ? Outcome::Done : Outcome::Waits;
}

Client::Outcome Client::process(Channel&, const spice::wire::DisplayInvalList& message) {
  for (const auto& item : message.items) {
    if (cache_.erase(item.id) == 0) fail("an image to drop is not there: " + std::to_string(item.id));
  }
  return Outcome::Done;
}

Client::Outcome Client::process(Channel& channel, const spice::wire::DisplayInvalPalette& message) {
  if (channel.palettes.erase(message.id) == 0) fail("a palette to drop is not there");
  return Outcome::Done;
}

Client::Outcome Client::process(Channel&, const spice::wire::DisplayInvalAllPixmaps& message) {
  if (!passed(message.waits)) return Outcome::Waits;
  cache_.clear();
  return Outcome::Done;
}

Client::Outcome Client::process(Channel& channel, const spice::wire::DisplayInvalAllPalettes&) {
  channel.palettes.clear();
  return Outcome::Done;
}

Client::Outcome Client::process(Channel& channel, const Drawing& drawing) {
  const auto picture = decode(channel, drawing.image);
  if (!picture) return Outcome::Waits;
  if (drawing.expected && *drawing.expected != *picture)
    fail("other pixels, type " + std::to_string(static_cast<int>(drawing.image.type)));
  keep(drawing.image, *picture);
  last_ = *picture;
  ++types[drawing.image.type];
  ++shown_;
  return Outcome::Done;
}

void Client::keep(const Image& image, const Picture& picture) {
  const bool is_lossy = image.type == ImageType::Jpeg || image.type == ImageType::JpegAlpha;
  if ((image.flags & spice::wire::kImageCacheReplaceMe) != 0) {
    const auto known = cache_.find(image.id);
    if (known == cache_.end() || !known->second.is_lossy) fail("nothing to replace");
    cache_[image.id] = {picture, is_lossy};
  } else if ((image.flags & spice::wire::kImageCacheMe) != 0) {
    if (!cache_.emplace(image.id, Cached{picture, is_lossy}).second) fail("kept twice");
  }
  if (channels_.size() == 1 && cached_pixels() > static_cast<std::uint64_t>(cache_pixels_)) fail("cache too full");
}

std::optional<Picture> Client::decode(Channel& channel, const Image& image) {
  switch (image.type) {
    case ImageType::Bitmap: return bitmap(channel, image);
    case ImageType::Quic: return quic(image);
    case ImageType::LzPlt:
    case ImageType::LzRgb: return lz(channel, image);
    case ImageType::GlzRgb:
    case ImageType::ZlibGlzRgb: return glz(image);
    case ImageType::FromCache:
    case ImageType::FromCacheLossless: return from_cache(image);
    case ImageType::Jpeg:
    case ImageType::JpegAlpha: return jpeg(image);
    case ImageType::Lz4: return lz4(image);
    case ImageType::Surface: break;
  }
  return fail("what is that?");
}

std::optional<Picture> Client::from_cache(const Image& image) {
  const auto known = cache_.find(image.id);
  if (known == cache_.end()) return {};
  if (image.type == ImageType::FromCacheLossless && known->second.is_lossy) return {};
  return known->second.picture;
}

std::vector<std::uint32_t> Client::palette(Channel& channel, std::uint8_t flags,
                                           const spice::wire::PaletteRef& reference) {
  if ((flags & spice::wire::kPaletteFromCache) != 0) {
    const auto known = channel.palettes.find(reference.cached_id);
    if (known != channel.palettes.end()) return known->second;
    fail("no such palette");
    return {};
  }
  if (!reference.palette) return {};
  if ((flags & spice::wire::kPaletteCacheMe) != 0 &&
      !channel.palettes.emplace(reference.palette->unique, reference.palette->entries).second)
    fail("palette kept twice");
  if (channel.palettes.size() > 128) fail("too many palettes");
  return reference.palette->entries;
}

std::optional<Picture> Client::bitmap(Channel& channel, const Image& image) {
  const auto& data = std::get<spice::wire::BitmapData>(image.data);
  if (data.width != image.width || data.height != image.height) return fail("two sizes");
  if (data.data.size() != std::size_t{data.stride} * data.height) return fail("bitmap's size");
  StoredPixels pixels{.format = data.format, .width = data.width, .height = data.height};
  pixels.rows = data.data.bytes().data();
  pixels.stride = static_cast<std::ptrdiff_t>(data.stride);
  pixels.top_down = (data.flags & spice::wire::kTopDown) != 0;
  return picture(pixels, palette(channel, data.flags, data.palette));
}

std::optional<Picture> Client::quic(const Image& image) {
  const auto header = codec::quic_read_header(bytes_of(image));
  if (!header || header->width != image.width || header->height != image.height) return fail("QUIC header");
  if (header->type == codec::QuicType::Gray) return fail("gray");
  std::vector<std::uint8_t> out(header->image_bytes());
  codec::QuicScratch scratch;
  if (!codec::quic_decode(bytes_of(image), out, scratch)) return fail("QUIC");
  const auto format = header->type == codec::QuicType::Rgba ? BitmapFormat::Rgba : BitmapFormat::Rgb32;
  auto result = picture({.format = format,
                         .width = image.width,
                         .height = image.height,
                         .rows = out.data(),
                         .stride = static_cast<std::ptrdiff_t>(image.width) * 4});
  if (header->type == codec::QuicType::Rgb16) {
    for (auto& pixel : result.pixels)
      pixel = narrowed(pixel);
  }
  return result;
}

std::optional<Picture> Client::lz(Channel& channel, const Image& image) {
  const auto* with_palette = std::get_if<spice::wire::LzPltData>(&image.data);
  const auto bytes = with_palette != nullptr ? with_palette->data.bytes() : bytes_of(image);
  const auto header = codec::lz_read_header(bytes);
  if (!header || header->width != image.width || header->height != image.height) return fail("LZ header");
  if ((header->type <= codec::LzType::Plt8) != (with_palette != nullptr)) return fail("LZ type");
  std::vector<std::uint8_t> out(header->image_bytes());
  if (!codec::lz_decode(bytes, out)) return fail("LZ");
  const auto format =
      header->type == codec::LzType::A8 ? BitmapFormat::Alpha8 : static_cast<BitmapFormat>(header->type);
  std::vector<std::uint32_t> colors;
  if (with_palette != nullptr) {
    colors = palette(channel, with_palette->flags, with_palette->palette);
    if (colors.empty()) return fail("LZ without palette");
    if (((with_palette->flags & spice::wire::kTopDown) != 0) != header->top_down) return fail("two directions");
  }
  return picture({.format = format,
                  .width = image.width,
                  .height = image.height,
                  .rows = out.data(),
                  .stride = static_cast<std::ptrdiff_t>(header->stride),
                  .top_down = header->top_down},
                 colors);
}

std::optional<Picture> Client::glz(const Image& image) {
  std::vector<std::uint8_t> inflated;
  std::span<const std::uint8_t> bytes;
  if (const auto* packed = std::get_if<spice::wire::ZlibGlzData>(&image.data)) {
    inflated.resize(packed->glz_size);
    if (!codec::zlib_decode(packed->data.bytes(), inflated)) return fail("zlib");
    bytes = inflated;
  } else {
    bytes = bytes_of(image);
  }
  const auto header = window_.decode(bytes);
  if (!header && header.error() == codec::GlzError::MissingImage) return {};
  if (!header) return fail("GLZ " + std::to_string(static_cast<int>(header.error())));
  if (header->width != image.width || header->height != image.height) return fail("GLZ header");
  const auto words = window_.pixels(header->id);
  if (words.size() != header->pixels()) return fail("GLZ image gone");
  Picture result{image.width, image.height, {}};
  for (std::uint32_t y = 0; y < image.height; ++y) {
    const auto row = header->top_down ? y : image.height - 1 - y;
    const auto* from = words.data() + std::size_t{row} * image.width;
    result.pixels.insert(result.pixels.end(), from, from + image.width);
  }
  return result;
}

std::optional<Picture> Client::lz4(const Image& image) {
  const auto header = codec::lz4_read_header(bytes_of(image));
  if (!header) return fail("LZ4 header");
  const auto row = image.width * codec::lz4_pixel_bytes(header->format);
  std::vector<std::uint8_t> out(row * image.height);
  if (!codec::lz4_decode(bytes_of(image), image.width, image.height, out)) return fail("LZ4");
  return picture({.format = static_cast<BitmapFormat>(header->format),
                  .width = image.width,
                  .height = image.height,
                  .rows = out.data(),
                  .stride = static_cast<std::ptrdiff_t>(row),
                  .top_down = header->top_down});
}

std::optional<Picture> Client::jpeg(const Image& image) {
  codec::JpegScratch scratch;
  std::vector<std::uint8_t> out(std::size_t{image.width} * image.height * 4);
  const auto* with_alpha = std::get_if<spice::wire::JpegAlphaData>(&image.data);
  const auto header = with_alpha != nullptr
                          ? codec::jpeg_alpha_decode(with_alpha->data.bytes(), with_alpha->jpeg_size, out, scratch)
                          : codec::jpeg_decode(bytes_of(image), out, scratch);
  if (!header || header->width != image.width || header->height != image.height) return fail("JPEG");
  return picture({.format = with_alpha != nullptr ? BitmapFormat::Rgba : BitmapFormat::Rgb32,
                  .width = image.width,
                  .height = image.height,
                  .rows = out.data(),
                  .stride = static_cast<std::ptrdiff_t>(image.width) * 4});
}

}  // namespace model
