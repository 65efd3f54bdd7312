// Images inside drawing messages. The pixel data is a Payload and never copied.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "spice/wire/payload.h"

namespace spice::wire {

enum class ImageType : std::uint8_t {
  Bitmap = 0,
  Quic = 1,
  LzPlt = 100,
  LzRgb = 101,
  GlzRgb = 102,
  FromCache = 103,
  Surface = 104,
  Jpeg = 105,
  FromCacheLossless = 106,
  ZlibGlzRgb = 107,
  JpegAlpha = 108,
  Lz4 = 109,
};

enum ImageFlag : std::uint8_t { kImageCacheMe = 1, kImageHighBitsSet = 2, kImageCacheReplaceMe = 4 };

enum class BitmapFormat : std::uint8_t {
  Le1 = 1,
  Be1 = 2,
  Le4 = 3,
  Be4 = 4,
  Indexed8 = 5,
  Rgb16 = 6,  // 5-5-5
  Rgb24 = 7,
  Rgb32 = 8,
  Rgba = 9,
  Alpha8 = 10,
};

enum BitmapFlag : std::uint8_t { kPaletteCacheMe = 1, kPaletteFromCache = 2, kTopDown = 4 };

struct Palette {
  std::uint64_t unique = 0;
  std::vector<std::uint32_t> entries;  // 0x00RRGGBB

  template <class IO>
  void wire(IO& io);
};

// How a palette is given: nothing, in line, or by its number in the client's cache (flag kPaletteFromCache).
struct PaletteRef {
  std::optional<Palette> palette;
  std::uint64_t cached_id = 0;

  template <class IO>
  void wire_for(IO& io, std::uint8_t bitmap_flags);
};

struct NoData {
  template <class IO>
  void wire(IO&) {}
};

struct BitmapData {
  BitmapFormat format = BitmapFormat::Rgb32;
  std::uint8_t flags = kTopDown;  // BitmapFlag
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t stride = 0;
  PaletteRef palette;
  Payload data;  // stride * height bytes

  template <class IO>
  void wire(IO& io);
};

// QUIC, LZ_RGB, GLZ_RGB, JPEG, LZ4.
struct CompressedData {
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct LzPltData {
  std::uint8_t flags = kTopDown;  // BitmapFlag
  PaletteRef palette;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct SurfaceData {
  std::uint32_t surface_id = 0;

  template <class IO>
  void wire(IO& io);
};

struct ZlibGlzData {
  std::uint32_t glz_size = 0;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct JpegAlphaData {
  std::uint8_t flags = 0;  // 1: the alpha rows are top-down
  std::uint32_t jpeg_size = 0;
  Payload data;  // the JPEG, then LZ of type XXXA

  template <class IO>
  void wire(IO& io);
};

// A descriptor and, chosen by its type, the data.
struct Image {
  using Data = std::variant<NoData, BitmapData, CompressedData, LzPltData, SurfaceData, ZlibGlzData, JpegAlphaData>;
  std::uint64_t id = 0;
  ImageType type = ImageType::FromCache;
  std::uint8_t flags = 0;  // ImageFlag
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Data data;

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
