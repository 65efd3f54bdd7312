#include "spice/image/image_sender.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/assert.h"
#include "spice/canvas/source.h"
#include "spice/codec/quic.h"

namespace spice::image {
namespace {

// Numbers of images say in their low half who made them; the display device is 1.
constexpr std::uint64_t kDeviceGroup = 1;
// Smaller images are encoded before another thread has woken up.
constexpr std::uint64_t kLeastPreparedPixels = 4096;

bool is_possible(const codec::QuicHeader& header) {
  constexpr std::uint32_t kMost = canvas::kMaxSide;
  return header.width <= kMost && header.height <= kMost &&
         std::uint64_t{header.width} * header.height <= canvas::kMaxImagePixels;
}

wire::ImageType image_type(const ImageSource& source, const Encoded& encoded) {
  switch (encoded.method) {
    case Method::Raw: return wire::ImageType::Bitmap;
    case Method::Quic: return wire::ImageType::Quic;
    case Method::Lz: return is_indexed(source.pixels().format) ? wire::ImageType::LzPlt : wire::ImageType::LzRgb;
    case Method::Glz: return wire::ImageType::GlzRgb;
    case Method::ZlibGlz: return wire::ImageType::ZlibGlzRgb;
    case Method::Lz4: return wire::ImageType::Lz4;
    case Method::Jpeg:
      return source.pixels().format == wire::BitmapFormat::Rgba ? wire::ImageType::JpegAlpha : wire::ImageType::Jpeg;
  }
  return wire::ImageType::Bitmap;
}

std::uint8_t bitmap_flags(const StoredPixels& pixels) {
  return pixels.top_down ? wire::kTopDown : 0;
}

// With a colour for every index that the pixels can have: what the guest leaves out is black, as we draw it.
wire::Palette wire_palette(const core::Palette& palette, wire::BitmapFormat format) {
  constexpr std::size_t kMostColors = 256;
  const auto least = std::size_t{1} << bits_per_pixel(format);
  wire::Palette result{palette.unique, palette.colors};
  result.entries.resize(std::clamp(palette.colors.size(), least, kMostColors));
  return result;
}

}  // namespace

ImageSender::ImageSender(ImageEncoder& encoder, const ImageOptions& options) : encoder_(encoder), options_(options) {}

void ImageSender::open(ClientImages& client, std::uint8_t channel_id, const wire::DisplayInit& init) {
  pixmaps_ = std::make_unique<PixmapChannel>(client.cache(init), channel_id);
  dictionary_ = client.dictionary(init);
}

ImageMessage ImageSender::message() {
  return ImageMessage(*this);
}

Method ImageSender::method_for(const StoredPixels& pixels, bool is_drawing, bool may_lose) const {
  return choose_method(pixels, {.compression = options_.compression,
                                .is_drawing = is_drawing,
                                .takes_jpeg = may_lose && takes_jpeg(),
                                .takes_lz4 = options_.takes_lz4,
                                .takes_dictionary = dictionary_ != nullptr && dictionary_->takes(lz_image(pixels))});
}

std::optional<ImageEncoder::Expected> ImageSender::expected(const Upcoming& upcoming) const {
  const auto& image = upcoming.image;
  if (image != nullptr && image->cacheable && pixmaps_ != nullptr && pixmaps_->has(image->id)) return {};
  auto source = image != nullptr ? ImageSource::of_bitmap(image)
                                 : ImageSource::of_surface(upcoming.pixels, upcoming.area, upcoming.surface == 0);
  if (!source || source->pixels().pixels() < kLeastPreparedPixels) return {};
  const auto method = method_for(source->pixels(), true, upcoming.may_lose);
  if (method == Method::Raw || method == Method::Glz) return {};
  auto key = image != nullptr ? ImageKey{.image = image} : ImageKey{.surface = upcoming.surface, .area = upcoming.area};
  return ImageEncoder::Expected{*std::move(source), method, std::move(key)};
}

void ImageSender::prepare(std::span<const Upcoming> upcoming) {
  std::vector<ImageEncoder::Expected> all;
  for (const auto& one : upcoming) {
    auto image = expected(one);
    if (image && !encoder_.shared().has(image->key, image->method)) all.push_back(*std::move(image));
  }
  if (all.size() > 1) encoder_.prepare(all);
}

std::optional<ImageStrips> ImageSender::strips(const core::ImagePtr& image, bool may_lose) const {
  if (image == nullptr || (image->cacheable && pixmaps_ != nullptr)) return {};
  const auto source = ImageSource::of_bitmap(image);
  if (!source || source->pixels().pixels() < 2 * ImageStrips::kLeastPixels) return {};
  return ImageStrips::cut(*source, method_for(source->pixels(), true, may_lose));
}

void ImageSender::prepare(const core::ImagePtr& image, const ImageStrips& strips,
                          std::span<const std::size_t> upcoming) {
  const auto key = [&](std::size_t strip) { return ImageKey{.image = image, .area = strips.area(strip)}; };
  if (upcoming.size() < 2 || encoder_.shared().has(key(upcoming.front()), strips.method())) return;
  std::vector<ImageEncoder::Expected> all;
  for (const auto strip : upcoming.first(std::min(kMostStripsAtOnce, upcoming.size())))
    all.push_back({strips.source(strip), strips.method(), key(strip)});
  encoder_.prepare(all);
}

wire::DisplayInvalAllPixmaps ImageSender::forget_images(std::uint64_t serial) {
  keeps_images_ = false;
  if (pixmaps_ == nullptr) return {};
  return {.waits = pixmaps_->reset(serial)};
}

wire::DisplayInvalAllPalettes ImageSender::forget_palettes() {
  palettes_.clear();
  return {};
}

ImageMessage::ImageMessage(ImageSender& sender) : sender_(sender) {
  if (sender_.pixmaps_ != nullptr) pixmaps_.emplace(*sender_.pixmaps_);
}

ImageMessage::~ImageMessage() {
  MV_ASSERT(!owes_message_, "images that were made are sent");
}

wire::Image ImageMessage::surface(core::SurfaceId id) {
  wire::Image image;
  image.type = wire::ImageType::Surface;
  image.data = wire::SurfaceData{id};
  return image;
}

bool ImageMessage::makes(const core::ImagePtr& image) {
  const auto* const quic = image ? std::get_if<core::QuicBitmap>(&image->content) : nullptr;
  if (quic == nullptr) return ImageSource::of_bitmap(image).has_value();
  const auto header = codec::quic_read_header(quic->data);
  if (!header || !is_possible(*header)) return false;
  return header->type != codec::QuicType::Gray || ImageSource::of_quic(*quic).has_value();
}

bool ImageMessage::makes_mask(const core::ImagePtr& image) {
  return ImageSource::of_mask(image).has_value();
}

std::optional<ImageMessage::Made> ImageMessage::of_image(const core::ImagePtr& image, Exactness exactness) {
  if (image == nullptr) return {};
  if (const auto* quic = std::get_if<core::QuicBitmap>(&image->content)) return of_quic(image, *quic, exactness);
  const auto source = ImageSource::of_bitmap(image);
  if (!source) return {};
  return of_source(*image, *source, {.exactness = exactness, .key = ImageKey{.image = image}});
}

// Clients know all kinds of it but the gray one.
std::optional<ImageMessage::Made> ImageMessage::of_quic(const core::ImagePtr& image, const core::QuicBitmap& quic,
                                                        Exactness exactness) {
  const auto header = codec::quic_read_header(quic.data);
  if (!header || !is_possible(*header)) return {};
  if (header->type == codec::QuicType::Gray) {
    const auto source = ImageSource::of_quic(quic);
    if (!source) return {};
    return of_source(*image, *source, {.exactness = exactness, .key = ImageKey{.image = image}});
  }
  const StoredPixels size{.width = header->width, .height = header->height};
  return cached(*image, described(size, image->high_bits_set), exactness, [&](wire::Image& descriptor) {
    descriptor.type = wire::ImageType::Quic;
    descriptor.data = wire::CompressedData{wire::Payload(image, quic.data)};
    sender_.statistics_->sent(Method::Quic, size.bytes(), quic.data.size(), {});
    return false;
  });
}

std::optional<ImageMessage::Made> ImageMessage::of_mask(const core::ImagePtr& image) {
  const auto source = ImageSource::of_mask(image);
  if (!source) return {};
  return of_source(*image, *source, {.is_mask = true});
}

ImageMessage::Made ImageMessage::of_source(const core::Image& image, const ImageSource& source,
                                           const Request& request) {
  return cached(image, described(source.pixels(), source.high_bits_set()), request.exactness,
                [&](wire::Image& descriptor) { return encode(descriptor, source, request); });
}

ImageMessage::Made ImageMessage::of_strip(const core::ImagePtr& image, const ImageStrips& strips, std::size_t strip) {
  const auto source = strips.source(strip);
  Made made{described(source.pixels(), source.high_bits_set()), false};
  made.is_lossy = encode(made.image, source,
                         {.key = ImageKey{.image = image, .area = strips.area(strip)}, .method = strips.method()});
  return made;
}

std::optional<ImageMessage::Made> ImageMessage::of_surface(const SurfaceArea& from, Exactness exactness) {
  const auto source = ImageSource::of_surface(from.pixels, from.area, from.surface == 0);
  if (!source) return {};
  Made made{described(source->pixels(), source->high_bits_set()), false};
  made.is_lossy = encode(made.image, *source,
                         {.exactness = exactness,
                          .is_drawing = !from.is_whole,
                          .key = ImageKey{.image = nullptr, .surface = from.surface, .area = from.area}});
  return made;
}

wire::Image ImageMessage::described(const StoredPixels& pixels, bool high_bits_set) {
  wire::Image image;
  image.id = std::uint64_t{sender_.next_number_++} << 32 | kDeviceGroup;
  image.flags = high_bits_set ? wire::kImageHighBitsSet : 0;
  image.width = pixels.width;
  image.height = pixels.height;
  return image;
}

template <class Encode>
ImageMessage::Made ImageMessage::cached(const core::Image& image, wire::Image descriptor, Exactness exactness,
                                        Encode encode) {
  if (!image.cacheable || !pixmaps_) {
    const bool is_lossy = encode(descriptor);
    return {std::move(descriptor), is_lossy};
  }
  descriptor.id = image.id;
  const auto known = pixmaps_->find(image.id);
  if (known && (!known->is_lossy || exactness == Exactness::MayLose)) {
    sender_.statistics_->cache_hit();
    // Where some images lose something the client must be told to wait for one that does not.
    const bool is_exact = !known->is_lossy && (sender_.takes_jpeg() || known->was_lossy);
    descriptor.type = is_exact ? wire::ImageType::FromCacheLossless : wire::ImageType::FromCache;
    return {std::move(descriptor), known->is_lossy};
  }
  sender_.statistics_->cache_miss();
  const bool is_lossy = encode(descriptor);
  const auto pixels = std::uint64_t{descriptor.width} * descriptor.height;
  if (known) {
    if (pixmaps_->replace(image.id)) descriptor.flags |= wire::kImageCacheReplaceMe;
  } else if (pixmaps_->add(image.id, pixels, is_lossy)) {
    descriptor.flags |= wire::kImageCacheMe;
    sender_.keeps_images_ = true;
  }
  return {std::move(descriptor), is_lossy};
}

Method ImageMessage::choose(const ImageSource& source, const Request& request) const {
  if (request.is_mask) return Method::Raw;
  if (request.method) return *request.method;
  return sender_.method_for(source.pixels(), request.is_drawing, request.exactness == Exactness::MayLose);
}

// Whether it lost something.
bool ImageMessage::encode(wire::Image& image, const ImageSource& source, const Request& request) {
  const auto begin = std::chrono::steady_clock::now();
  const auto method = choose(source, request);
  auto encoded =
      method == Method::Glz ? encode_with_dictionary(source) : sender_.encoder_.encode(source, method, request.key);
  sender_.statistics_->sent(encoded.method, source.pixels().bytes(), encoded.data.size(),
                            encoded.took + (std::chrono::steady_clock::now() - begin));
  const bool is_lossy = encoded.method == Method::Jpeg;
  fill(image, source, std::move(encoded));
  return is_lossy;
}

Encoded ImageMessage::encode_with_dictionary(const ImageSource& source) {
  auto& dictionary = *sender_.dictionary_;
  if (!dictionary_lock_.owns_lock()) dictionary_lock_ = dictionary.lock();
  owes_message_ = true;
  return sender_.encoder_.encode(source, dictionary.opened(dictionary_lock_),
                                 sender_.applies(sender_.options_.zlib_glz));
}

void ImageMessage::fill(wire::Image& image, const ImageSource& source, Encoded encoded) {
  const auto& pixels = source.pixels();
  auto flags = bitmap_flags(pixels);
  image.type = image_type(source, encoded);
  switch (image.type) {
    case wire::ImageType::Bitmap: {
      auto colors = palette(source, flags);
      image.data = wire::BitmapData{.format = pixels.format,
                                    .flags = flags,
                                    .width = pixels.width,
                                    .height = pixels.height,
                                    .stride = encoded.stride,
                                    .palette = std::move(colors),
                                    .data = std::move(encoded.data)};
      return;
    }
    case wire::ImageType::LzPlt: {
      auto colors = palette(source, flags);
      image.data = wire::LzPltData{.flags = flags, .palette = std::move(colors), .data = std::move(encoded.data)};
      return;
    }
    case wire::ImageType::ZlibGlzRgb:
      image.data = wire::ZlibGlzData{encoded.glz_bytes, std::move(encoded.data)};
      return;
    case wire::ImageType::JpegAlpha:
      image.data = wire::JpegAlphaData{.flags = static_cast<std::uint8_t>(pixels.top_down ? 1 : 0),
                                       .jpeg_size = encoded.jpeg_bytes,
                                       .data = std::move(encoded.data)};
      return;
    default: image.data = wire::CompressedData{std::move(encoded.data)};
  }
}

wire::PaletteRef ImageMessage::palette(const ImageSource& source, std::uint8_t& flags) {
  const auto* const palette = source.palette();
  if (palette == nullptr) return {};
  auto colors = wire_palette(*palette, source.pixels().format);
  if (palette->unique == 0 || sender_.pixmaps_ == nullptr) return {.palette = std::move(colors)};
  const auto known = sender_.palettes_.find(palette->unique);
  if (known && *known >= colors.entries.size()) {
    flags |= wire::kPaletteFromCache;
    return {.palette = {}, .cached_id = palette->unique};
  }
  if (!known) {
    flags |= wire::kPaletteCacheMe;
    const auto dropped = sender_.palettes_.add(palette->unique, colors.entries.size());
    if (dropped) dropped_palettes_.push_back(*dropped);
  }
  return {.palette = std::move(colors)};
}

ImageMessage::Before ImageMessage::finish(std::uint64_t next_serial) {
  owes_message_ = false;
  Before before;
  if (pixmaps_) {
    before.waits.waits = pixmaps_->waits();
    before.drops.items = pixmaps_->invalid();
  }
  const std::size_t messages =
      (before.waits.waits.empty() ? 0 : 1) + (before.drops.items.empty() ? 0 : 1) + dropped_palettes_.size();
  sender_.statistics_->cache_drops(before.drops.items.size());
  if (pixmaps_) pixmaps_->commit(next_serial + messages);
  return before;
}

}  // namespace spice::image
