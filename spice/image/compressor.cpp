#include "spice/image/compressor.h"

namespace spice::image {
namespace {

using wire::BitmapFormat;

codec::QuicType quic_type(BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Rgb16: return codec::QuicType::Rgb16;
    case BitmapFormat::Rgb24: return codec::QuicType::Rgb24;
    case BitmapFormat::Rgba: return codec::QuicType::Rgba;
    default: return codec::QuicType::Rgb32;
  }
}

codec::JpegFormat jpeg_format(BitmapFormat format) {
  switch (format) {
    case BitmapFormat::Rgb16: return codec::JpegFormat::Rgb16;
    case BitmapFormat::Rgb24: return codec::JpegFormat::Rgb24;
    default: return codec::JpegFormat::Rgb32;
  }
}

// LZ has the same numbers for formats but for the last two.
codec::LzType lz_type(BitmapFormat format) {
  return format == BitmapFormat::Alpha8 ? codec::LzType::A8 : static_cast<codec::LzType>(format);
}

codec::QuicImage quic_image(const StoredPixels& pixels) {
  return {quic_type(pixels.format), pixels.width, pixels.height, pixels.top_row(), pixels.stride_down()};
}

codec::Lz4Image lz4_image(const StoredPixels& pixels) {
  return {static_cast<codec::Lz4Format>(pixels.format),
          pixels.width,
          pixels.height,
          pixels.rows,
          pixels.stride,
          pixels.top_down};
}

std::optional<Compressor::Size> size_of(std::optional<std::size_t> bytes) {
  if (!bytes) return {};
  return Compressor::Size{.bytes = *bytes};
}

}  // namespace

codec::LzImage lz_image(const StoredPixels& pixels) {
  return {lz_type(pixels.format), pixels.width, pixels.height, pixels.rows, pixels.stride, pixels.top_down};
}

Compressor::Scratch& Compressor::scratch() {
  if (scratch_ == nullptr) scratch_ = std::make_unique<Scratch>();
  return *scratch_;
}

std::optional<Compressor::Size> Compressor::compress(const StoredPixels& pixels, Method method,
                                                     std::span<std::uint8_t> out) {
  switch (method) {
    case Method::Quic: return size_of(codec::quic_encode(quic_image(pixels), out, scratch().quic));
    case Method::Lz4: return size_of(codec::lz4_encode(lz4_image(pixels), out, scratch().lz4));
    case Method::Lz: return size_of(codec::lz_encode(lz_image(pixels), out, scratch().lz));
    case Method::Jpeg: return jpeg(pixels, out);
    case Method::Raw:
    case Method::Glz:
    case Method::ZlibGlz: break;
  }
  return {};
}

std::optional<Compressor::Size> Compressor::jpeg(const StoredPixels& pixels, std::span<std::uint8_t> out) {
  const codec::JpegImage image{jpeg_format(pixels.format), pixels.width, pixels.height, pixels.top_row(),
                               pixels.stride_down()};
  auto& memory = scratch();
  if (pixels.format != BitmapFormat::Rgba) {
    const auto bytes = codec::jpeg_encode(image, codec::kJpegQuality, out, memory.jpeg);
    if (!bytes) return {};
    return Size{*bytes, static_cast<std::uint32_t>(*bytes)};
  }
  const auto size = codec::jpeg_alpha_encode(image, codec::kJpegQuality, pixels.top_down, out, memory.jpeg, memory.lz);
  if (!size) return {};
  return Size{size->total, static_cast<std::uint32_t>(size->jpeg)};
}

}  // namespace spice::image
