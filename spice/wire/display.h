// Messages of the display channel, without those of video streams (stream.h).
#pragma once

#include <array>
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
  void wire(IO& io) {
    io.value("kind", kind);
    if (kind == Kind::Rects) io.array32("rects", rects);
  }
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

// In 1/16 pixel.
struct PathPoint {
  static constexpr std::size_t kLeastSize = 8;
  std::int32_t x = 0;
  std::int32_t y = 0;

  bool operator==(const PathPoint&) const = default;
  template <class IO>
  void wire(IO& io);
};

struct PathSegment {
  static constexpr std::size_t kLeastSize = 4;  // in a list, its offset
  std::uint8_t flags = 0;                       // 1 begin, 2 end, 8 close, 16 Bezier
  std::vector<PathPoint> points;

  template <class IO>
  void wire(IO& io);
};

struct Path {
  std::vector<PathSegment> segments;

  template <class IO>
  void wire(IO& io);
};

// Lengths in 1/16 pixel. Their number stands elsewhere.
struct Dashes {
  std::vector<std::int32_t> lengths;

  template <class IO>
  void wire(IO& io);
};

enum LineFlag : std::uint8_t { kLineStartsWithGap = 4, kLineStyled = 8 };

struct LineAttributes {
  std::uint8_t flags = 0;  // LineFlag
  Dashes dashes;           // if styled

  template <class IO>
  void wire(IO& io);
};

struct Glyph {
  static constexpr std::size_t kLeastSize = 4;  // in a list, its offset
  Point position;
  Point origin;
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  Payload data;       // rows of whole bytes
  unsigned bits = 1;  // of a value; the string's flags say it

  template <class IO>
  void wire(IO& io);
};

enum StringFlag : std::uint8_t { kGlyphsA1 = 1, kGlyphsA4 = 2, kGlyphsA8 = 4, kGlyphsTopDown = 8 };

struct GlyphString {
  std::uint8_t flags = kGlyphsA1;  // StringFlag
  std::vector<Glyph> glyphs;

  template <class IO>
  void wire(IO& io);
};

// Two rows of a matrix, in 1/65536.
struct Transform {
  std::array<std::int32_t, 6> rows{};

  bool operator==(const Transform&) const = default;
  template <class IO>
  void wire(IO& io);
};

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

struct DisplayDrawOpaque {
  static constexpr std::uint16_t kType = 303;
  DrawBase base;
  Image source;
  Rect source_area;
  Brush brush;
  std::uint16_t rop = kRopPut;
  ScaleMode scale = ScaleMode::Interpolate;
  Mask mask;

  template <class IO>
  void wire(IO& io);
};

// Copied and blended drawings are alike.
struct DisplayDrawBlend {
  static constexpr std::uint16_t kType = 305;
  DrawBase base;
  Image source;
  Rect source_area;
  std::uint16_t rop = kRopPut;
  ScaleMode scale = ScaleMode::Interpolate;
  Mask mask;

  template <class IO>
  void wire(IO& io);
};

// A drawing that has nothing but its place: blackness, whiteness, inverse.
template <std::uint16_t Type>
struct DrawPlain {
  static constexpr std::uint16_t kType = Type;
  DrawBase base;
  Mask mask;

  template <class IO>
  void wire(IO& io);
};
using DisplayDrawBlackness = DrawPlain<306>;
using DisplayDrawWhiteness = DrawPlain<307>;
using DisplayDrawInvers = DrawPlain<308>;

struct DisplayDrawRop3 {
  static constexpr std::uint16_t kType = 309;
  DrawBase base;
  Image source;
  Rect source_area;
  Brush brush;
  std::uint8_t code = 0;
  ScaleMode scale = ScaleMode::Interpolate;
  Mask mask;

  template <class IO>
  void wire(IO& io);
};

struct DisplayDrawStroke {
  static constexpr std::uint16_t kType = 310;
  DrawBase base;
  Path path;
  LineAttributes line;
  Brush brush;
  std::uint16_t fore_mode = kRopPut;
  std::uint16_t back_mode = kRopPut;

  template <class IO>
  void wire(IO& io);
};

struct DisplayDrawText {
  static constexpr std::uint16_t kType = 311;
  DrawBase base;
  GlyphString string;
  Rect back_area;
  Brush fore_brush;
  Brush back_brush;
  std::uint16_t fore_mode = kRopPut;
  std::uint16_t back_mode = kRopPut;

  template <class IO>
  void wire(IO& io);
};

struct DisplayDrawTransparent {
  static constexpr std::uint16_t kType = 312;
  DrawBase base;
  Image source;
  Rect source_area;
  std::uint32_t source_color = 0;
  std::uint32_t true_color = 0;

  template <class IO>
  void wire(IO& io);
};

enum AlphaFlag : std::uint8_t { kDestinationHasAlpha = 1, kSourceSurfaceHasAlpha = 2 };

struct DisplayDrawAlphaBlend {
  static constexpr std::uint16_t kType = 313;
  DrawBase base;
  std::uint8_t flags = 0;  // AlphaFlag
  std::uint8_t alpha = 255;
  Image source;
  Rect source_area;

  template <class IO>
  void wire(IO& io);
};

enum CompositeFlag : std::uint32_t {
  kCompositeComponentAlpha = 1U << 18,
  kCompositeHasMask = 1U << 19,
  kCompositeHasSourceTransform = 1U << 20,
  kCompositeHasMaskTransform = 1U << 21,
  kCompositeSourceOpaque = 1U << 22,
  kCompositeMaskOpaque = 1U << 23,
  kCompositeDestinationOpaque = 1U << 24,
};

struct DisplayDrawComposite {
  static constexpr std::uint16_t kType = 318;
  DrawBase base;
  // Operation in bits 0-7, filters of source and mask in 8-10 and 11-13, repeats in 14-15 and 16-17, CompositeFlag.
  std::uint32_t flags = 0;
  Image source;
  Image mask;  // the rest if the flags say so
  Transform source_transform;
  Transform mask_transform;
  Point16 source_origin;
  Point16 mask_origin;

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
