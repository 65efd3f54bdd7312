// Messages of the display channel that a first picture needs. Still without a description: video streams, and the
// drawings other than copy, fill and copy bits.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "spice/wire/common.h"
#include "spice/wire/geometry.h"
#include "spice/wire/image.h"

namespace spice::wire {

// Parts of drawings.

struct Clip {
  enum class Kind : std::uint8_t { None = 0, Rects = 1 };
  Kind kind = Kind::None;
  std::vector<Rect> rects;

  template <class IO>
  void wire(IO& io);
};

// What every drawing starts with: where it goes.
struct DrawBase {
  std::uint32_t surface_id = 0;
  Rect box;
  Clip clip;

  template <class IO>
  void wire(IO& io);
};

struct Mask {
  std::uint8_t flags = 0;  // 1: inverted
  Point position;
  std::optional<Image> bitmap;

  template <class IO>
  void wire(IO& io);
};

struct SolidBrush {
  std::uint32_t color = 0;  // 0x00RRGGBB

  template <class IO>
  void wire(IO& io);
};

struct PatternBrush {
  Image image;
  Point position;

  template <class IO>
  void wire(IO& io);
};

struct Brush {
  enum class Kind : std::uint8_t { None = 0, Solid = 1, Pattern = 2 };
  Kind kind = Kind::None;
  std::variant<NoData, SolidBrush, PatternBrush> fill;

  template <class IO>
  void wire(IO& io);
};

// Bits that describe how source and destination combine; kRopPut replaces the destination.
enum Rop : std::uint16_t {
  kRopInvertSource = 1,
  kRopInvertBrush = 2,
  kRopInvertDest = 4,
  kRopPut = 8,
  kRopOr = 16,
  kRopAnd = 32,
  kRopXor = 64,
  kRopBlackness = 128,
  kRopWhiteness = 256,
  kRopInvert = 512,
  kRopInvertResult = 1024,
};

enum class ScaleMode : std::uint8_t { Interpolate = 0, Nearest = 1 };

enum class SurfaceFormat : std::uint32_t { Alpha1 = 1, Alpha8 = 8, Rgb555 = 16, Rgb565 = 80, Xrgb = 32, Argb = 96 };
enum SurfaceFlag : std::uint32_t { kPrimarySurface = 1, kStreamingSurface = 2 };

// From the server.

using DisplayMark = Empty<ChannelType::Display, 102>;

struct DisplayCopyBits {
  static constexpr std::uint16_t kType = 104;
  DrawBase base;
  Point source;

  template <class IO>
  void wire(IO& io);
};

struct InvalidItem {
  static constexpr std::size_t kLeastSize = 9;
  static constexpr std::uint8_t kPixmap = 1;
  std::uint8_t type = kPixmap;
  std::uint64_t id = 0;

  template <class IO>
  void wire(IO& io) {
    io.value("type", type);
    io.value("id", id);
  }
};

struct DisplayInvalList {
  static constexpr std::uint16_t kType = 105;
  std::vector<InvalidItem> items;

  template <class IO>
  void wire(IO& io);
};

struct DisplayInvalAllPixmaps {
  static constexpr std::uint16_t kType = 106;
  std::vector<WaitForChannel> waits;

  template <class IO>
  void wire(IO& io);
};

struct DisplayInvalPalette {
  static constexpr std::uint16_t kType = 107;
  std::uint64_t id = 0;

  template <class IO>
  void wire(IO& io);
};

using DisplayInvalAllPalettes = Empty<ChannelType::Display, 108>;
using DisplayStreamDestroyAll = Empty<ChannelType::Display, 126>;

struct DisplayDrawFill {
  static constexpr std::uint16_t kType = 302;
  DrawBase base;
  Brush brush;
  std::uint16_t rop = kRopPut;
  Mask mask;

  template <class IO>
  void wire(IO& io);
};

struct DisplayDrawCopy {
  static constexpr std::uint16_t kType = 304;
  DrawBase base;
  Image source;
  Rect source_area;
  std::uint16_t rop = kRopPut;
  ScaleMode scale = ScaleMode::Interpolate;
  Mask mask;

  template <class IO>
  void wire(IO& io);
};

struct DisplaySurfaceCreate {
  static constexpr std::uint16_t kType = 314;
  std::uint32_t id = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  SurfaceFormat format = SurfaceFormat::Xrgb;
  std::uint32_t flags = 0;  // SurfaceFlag

  template <class IO>
  void wire(IO& io);
};

struct DisplaySurfaceDestroy {
  static constexpr std::uint16_t kType = 315;
  std::uint32_t id = 0;

  template <class IO>
  void wire(IO& io);
};

struct Head {
  static constexpr std::size_t kLeastSize = 28;
  std::uint32_t id = 0;
  std::uint32_t surface_id = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t flags = 0;

  template <class IO>
  void wire(IO& io);
};

struct DisplayMonitorsConfig {
  static constexpr std::uint16_t kType = 317;
  std::uint16_t max_allowed = 1;
  std::vector<Head> heads;

  template <class IO>
  void wire(IO& io);
};

// From the client.

struct DisplayInit {
  static constexpr std::uint16_t kType = 101;
  std::uint8_t cache_id = 0;
  std::int64_t cache_pixels = 0;
  std::uint8_t dictionary_id = 0;
  std::int32_t dictionary_window_pixels = 0;

  template <class IO>
  void wire(IO& io);
};

enum class ImageCompression : std::uint8_t { Off = 1, AutoGlz = 2, AutoLz = 3, Quic = 4, Glz = 5, Lz = 6, Lz4 = 7 };

struct DisplayPreferredCompression {
  static constexpr std::uint16_t kType = 103;
  ImageCompression compression{};

  template <class IO>
  void wire(IO& io);
};

using DisplayGlDrawDone = Empty<ChannelType::Display, 104>;

struct DisplayPreferredVideoCodec {
  static constexpr std::uint16_t kType = 105;
  std::vector<std::uint8_t> codecs;

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
