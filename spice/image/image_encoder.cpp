#include "spice/image/image_encoder.h"

#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/assert.h"

namespace spice::image {
Encoded ImageEncoder::encode(const ImageSource& source, Method method, const std::optional<ImageKey>& key) {
  if (key) {
    if (auto known = shared_.find(*key, method)) return *std::move(known);
  }
  auto result = encoded(source, method);
  if (key) shared_.add(*key, method, result);
  return result;
}

Encoded ImageEncoder::encoded(const ImageSource& source, Method method) {
  if (method == Method::Raw) return raw(source);
  // Whatever does not fit where its raw rows would is not worth sending.
  const auto out = buffers_.buffer(source.pixels().bytes());
  const auto size = own_.compressor().compress(source.pixels(), method, out);
  if (!size) return raw(source);
  return {.method = method, .data = buffers_.take(size->bytes), .jpeg_bytes = size->jpeg_bytes};
}

void ImageEncoder::prepare(std::span<const Expected> expected) {
  if (pool_ == nullptr) return;
  shared_.drop_unclaimed();
  std::vector<std::optional<Encoded>> results(expected.size());
  pool_->run(expected.size(), own_, [&](std::size_t index, Bench& bench) {
    const auto begin = std::chrono::steady_clock::now();
    const auto& [source, method, key] = expected[index];
    const auto out = bench.room(source.pixels().bytes());
    const auto size = bench.compressor().compress(source.pixels(), method, out);
    if (!size) return;
    const auto bytes = out.first(size->bytes);
    results[index] = {.method = method,
                      .data = wire::Payload(std::vector<std::uint8_t>(bytes.begin(), bytes.end())),
                      .jpeg_bytes = size->jpeg_bytes,
                      .took = std::chrono::steady_clock::now() - begin};
  });
  for (std::size_t index = 0; index < expected.size(); ++index) {
    auto& result = results[index];
    shared_.add_prepared(expected[index].key, expected[index].method,
                         result ? *std::move(result) : raw(expected[index].source));
  }
}

Encoded ImageEncoder::raw(const ImageSource& source) {
  const auto& pixels = source.pixels();
  if (const auto& guest = source.guest_rows()) {
    const auto& bitmap = std::get<core::Bitmap>(guest->content);
    const auto bytes = std::span(bitmap.data).first(std::size_t{bitmap.stride} * bitmap.height);
    return {.method = Method::Raw, .data = wire::Payload(guest, bytes), .stride = bitmap.stride};
  }
  constexpr std::size_t kAlign = 4;
  const auto row_bytes = pixels.row_bytes();
  const auto stride = (row_bytes + kAlign - 1) / kAlign * kAlign;
  const auto bytes = stride * pixels.height;
  auto* out = buffers_.buffer(bytes).data();
  for (std::uint32_t y = 0; y < pixels.height; ++y, out += stride) {
    std::memcpy(out, pixels.row(y), row_bytes);
    std::memset(out + row_bytes, 0, stride - row_bytes);
  }
  return {.method = Method::Raw, .data = buffers_.take(bytes), .stride = static_cast<std::uint32_t>(stride)};
}

Encoded ImageEncoder::encode(const ImageSource& source, codec::GlzDictionary& dictionary, bool zlib) {
  const auto image = lz_image(source.pixels());
  const auto encoded =
      dictionary.encode(image, buffers_.buffer(codec::glz_max_bytes(image.type, image.width, image.height)));
  MV_ASSERT(encoded.has_value(), "the dictionary was asked whether it takes the image");
  Encoded glz{.method = Method::Glz, .data = buffers_.take(encoded->size)};
  if (!zlib || encoded->size < codec::kZlibGlzLeastBytes) return glz;
  if (zlib_ == nullptr) zlib_ = std::make_unique<codec::ZlibEncoder>();
  const auto packed = zlib_->encode(glz.data.bytes(), buffers_.buffer(encoded->size));
  if (!packed) return glz;
  return {.method = Method::ZlibGlz,
          .data = buffers_.take(*packed),
          .glz_bytes = static_cast<std::uint32_t>(encoded->size)};
}

void ImageEncoder::trim() {
  shared_.clear();
  buffers_.trim();
  own_.trim();
  zlib_.reset();
}

}  // namespace spice::image
