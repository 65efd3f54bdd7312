// What a guest's driver asks a display to draw, as values. A display device makes them out of guest memory, everything
// copied once and checked for its shape; a replay file holds them, too. `spice/canvas` draws them into surfaces.
//
// Numbers, flags and the meaning of fields are those of QXL and SPICE, which agree (spice-protocol: qxl_dev.h,
// enums.h). Missing on purpose: what only the wire or the guest's layout needs (addresses, chunks, padding), and what
// no renderer looks at (line width, joins and caps: all lines are one pixel wide).
//
// Whoever makes a Drawing need not check its numbers: a renderer takes any value of any field and draws nothing, with
// an error, where it makes no sense. What must be bounded where it is made is memory: vectors are as long as the guest
// says.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "core/ports/geometry.h"

namespace core::inline ports {

// Surfaces. A pixel is a little-endian number of 1, 8, 16 or 32 bits.

using SurfaceId = std::uint32_t;  // 0 is the primary surface

enum class SurfaceFormat : std::uint32_t {
  A1 = 1,  // lowest bit first
  A8 = 8,
  Rgb555 = 16,
  Rgb565 = 80,
  Xrgb = 32,  // 0x00RRGGBB; guests keep things in the unused byte, so it is copied like the others
  Argb = 96,  // premultiplied
};

struct SurfaceShape {
  std::int32_t width = 0;
  std::int32_t height = 0;
  SurfaceFormat format = SurfaceFormat::Xrgb;
  bool operator==(const SurfaceShape&) const = default;
};

// Rows of pixels that somebody else owns and that are only read. `rows` is the top row's first byte, the row below it
// is `stride` bytes further, which may be negative. Rows begin at multiples of their pixels' size.
struct Pixels {
  const std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
  std::int32_t width = 0;
  std::int32_t height = 0;
  core::SurfaceFormat format = core::SurfaceFormat::Xrgb;

  core::Rect bounds() const { return {0, 0, width, height}; }
  const std::uint8_t* row(std::int32_t y) const { return rows + y * stride; }
};

// Images.

enum class BitmapFormat : std::uint8_t {
  Le1 = 1,  // indices of 1 bit, lowest bit first
  Be1 = 2,
  Le4 = 3,
  Be4 = 4,
  Indexed8 = 5,
  Rgb555 = 6,
  Rgb24 = 7,  // B, G, R
  Rgb32 = 8,  // B, G, R, unused
  Rgba = 9,   // B, G, R, A; premultiplied
  A8 = 10,
};

struct Palette {
  std::uint64_t unique = 0;             // not 0: the guest's name for it, under which a client may keep it
  std::vector<std::uint32_t> colors{};  // pixels of the surface that is drawn on; indices beyond them are 0
};

// Pixels as the guest has them: `height` rows, each in `stride` bytes, at least what its pixels need.
struct Bitmap {
  BitmapFormat format = BitmapFormat::Rgb32;
  bool top_down = true;  // the first row is the top one, otherwise the bottom one
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t stride = 0;
  std::shared_ptr<const Palette> palette{};  // for the formats of indices, save in masks
  std::vector<std::uint8_t> data{};
};

// A QUIC stream. Its header has the size.
struct QuicBitmap {
  std::vector<std::uint8_t> data{};
};

// Another surface, or the one that is drawn on, as it is when the drawing is drawn.
struct SurfacePixels {
  SurfaceId surface = 0;
};

// The surface that is drawn on, before anything of this drawing is drawn: pixel (0, 0) of the image is the upper left
// corner of `area`. This is QXL's self_bitmap with its null image pointers.
struct OwnPixels {
  Rect area{};
};

struct Image {
  std::uint64_t id = 0;        // the guest's name for it; means something only if `cacheable`
  bool cacheable = false;      // QXL_IMAGE_CACHE: it will be drawn again, clients should keep it
  bool high_bits_set = false;  // QXL_IMAGE_HIGH_BITS_SET: the unused bytes of 32-bit pixels are all 0xff
  std::variant<Bitmap, QuicBitmap, SurfacePixels, OwnPixels> content{};
};

// Images are shared by the drawing, clients' queues and dictionaries, and never change.
using ImagePtr = std::shared_ptr<const Image>;

// Parts of drawings.

// Without rectangles everything is drawn; an empty list lets nothing through. They may overlap.
using Clip = std::optional<std::vector<Rect>>;

// One bit a pixel (Le1 or Be1, or a surface of A1): drawn is where it is set, or clear if `inverted`. Pixel `origin` of
// it lies at the upper left corner of the drawing's box. Nothing is drawn beyond its edges.
struct Mask {
  ImagePtr image{};  // null: no mask
  bool inverted = false;
  Point origin{};
};

// A pixel of the surface that is drawn on. In drawings of text: the colour of such a pixel.
struct SolidBrush {
  std::uint32_t color = 0;
};

// An image repeated in all directions; its upper left corner lies at `origin` of the surface.
struct PatternBrush {
  ImagePtr image{};
  Point origin{};
};

// monostate: no brush, which draws as pixels 0 do, and text not at all.
using Brush = std::variant<std::monostate, SolidBrush, PatternBrush>;

// A descriptor of how two pixels become one, bit by bit. The first of Put, Or, And, Xor, Blackness, Whiteness and
// Invert in this order counts; Put takes the first operand. Without any of them it is a plain Put, inversions ignored.
// Which operands there are depends on the operation: brush and destination, source and destination, brush and source.
using Rop = std::uint16_t;
enum RopBit : Rop {
  kRopInvertSource = 1,
  kRopInvertBrush = 2,
  kRopInvertDestination = 4,
  kRopPut = 8,
  kRopOr = 16,
  kRopAnd = 32,
  kRopXor = 64,
  kRopBlackness = 128,      // all bits 0
  kRopWhiteness = 256,      // all bits 1
  kRopInvert = 512,         // the second operand inverted
  kRopInvertResult = 1024,  // of Put, Or, And and Xor
};

enum class ScaleMode : std::uint8_t { Interpolate = 0, Nearest = 1 };

// An image's area, stretched to the drawing's box. Beyond the image's edges nothing is drawn; stretched, the pixels
// there count as 0.
struct Source {
  ImagePtr image{};
  Rect area{};
  ScaleMode scale = ScaleMode::Interpolate;
};

// Operations.

struct DrawNothing {};

struct DrawFill {
  Brush brush{};
  Rop rop = kRopPut;  // brush, destination
  Mask mask{};
};

struct DrawOpaque {
  Source source{};
  Brush brush{};
  Rop rop = kRopPut;  // brush, source
  Mask mask{};
};

struct DrawCopy {
  Source source{};
  Rop rop = kRopPut;  // source, destination
  Mask mask{};
};

// As DrawCopy. Drivers use it when the destination matters, but nothing depends on that.
struct DrawBlend {
  Source source{};
  Rop rop = kRopPut;
  Mask mask{};
};

// From (source.x, source.y) of the same surface to the drawing's box, as if through a copy.
struct DrawCopyBits {
  Point source{};
};

struct DrawBlackness {
  Mask mask{};
};

struct DrawWhiteness {
  Mask mask{};
};

struct DrawInvers {
  Mask mask{};
};

// `code`: bit 4 * brush + 2 * source + destination of it is the result for these three bits.
struct DrawRop3 {
  Source source{};
  Brush brush{};
  std::uint8_t code = 0;
  Mask mask{};
};

// Points in 1/16 pixel.
struct PathPoint {
  std::int32_t x = 0;
  std::int32_t y = 0;
};

struct PathSegment {
  static constexpr std::uint32_t kBegin = 1;    // the first point starts a new line, otherwise the line goes on
  static constexpr std::uint32_t kEnd = 2;      // the line ends here
  static constexpr std::uint32_t kClose = 8;    // with kEnd: back at its first point
  static constexpr std::uint32_t kBezier = 16;  // the points are two control points and an end, again and again
  std::uint32_t flags = 0;
  std::vector<PathPoint> points{};
};

// Cosmetic lines: one pixel wide, without the last point.
struct DrawStroke {
  std::vector<PathSegment> path{};
  // Dashed with these lengths in 1/16 pixel, on, off and so on; solid if there are none. The pattern runs on from
  // segment to segment of a line, and a list of odd length starts again with on.
  std::vector<std::int32_t> dashes{};
  bool starts_with_gap = false;  // dashes[0] is off
  Brush brush{};
  Rop fore_mode = kRopPut;  // brush, destination
  Rop back_mode = kRopPut;  // meant for the gaps; nobody draws them
};

// A picture of `width` x `height` values of the text's depth. A row fills whole bytes, the leftmost value in the
// highest bits; the bottom row comes first, unless the text says otherwise. Its upper left corner is position + origin.
struct Glyph {
  Point position{};
  Point origin{};
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint32_t start = 0;  // of its values in the text's
};

enum class GlyphDepth : std::uint8_t { A1 = 1, A4 = 4, A8 = 8 };

// First back_area with back_brush, then the brush over that through the glyphs.
struct DrawText {
  GlyphDepth depth = GlyphDepth::A1;
  bool top_down = false;  // told to clients; neither they nor the canvas heed it
  std::vector<Glyph> glyphs{};
  std::vector<std::uint8_t> values{};  // of the glyphs, in any order and with anything in between
  Rect back_area{};
  Brush fore_brush{};
  Brush back_brush{};
  Rop fore_mode = kRopPut;  // Put is the only one there is; others draw the same
  Rop back_mode = kRopPut;
};

constexpr std::size_t glyph_row_bytes(std::uint16_t width, GlyphDepth depth) {
  return (std::size_t{width} * static_cast<unsigned>(depth) + 7) / 8;
}

// A glyph's rows; fewer bytes than its size says if the text has no more.
inline std::span<const std::uint8_t> values_of(const Glyph& glyph, const DrawText& text) {
  const auto from = std::span(text.values).subspan(std::min<std::size_t>(glyph.start, text.values.size()));
  return from.first(std::min(from.size(), glyph_row_bytes(glyph.width, text.depth) * glyph.height));
}

// Copies the pixels that are not `color`.
struct DrawTransparent {
  Source source{};                 // always the nearest pixels
  std::uint32_t source_color = 0;  // the key in the image's own format; not looked at
  std::uint32_t true_color = 0;    // the key as 0x00RRGGBB
};

// The source over the destination.
struct DrawAlphaBlend {
  Source source{};                        // always the nearest pixels
  std::uint8_t alpha = 255;               // of the whole
  bool destination_has_alpha = false;     // the unused byte of an Xrgb destination is alpha
  bool source_surface_has_alpha = false;  // the unused byte of an Xrgb source surface is alpha
};

// Rows of a matrix from the destination's coordinates to the image's, in 1/65536.
struct Transform {
  std::int32_t t00 = 65536, t01 = 0, t02 = 0;
  std::int32_t t10 = 0, t11 = 65536, t12 = 0;
};

enum class CompositeFilter : std::uint8_t { Fast = 0, Good = 1, Best = 2, Nearest = 3, Bilinear = 4 };
enum class CompositeRepeat : std::uint8_t { None = 0, Normal = 1, Pad = 2, Reflect = 3 };

struct CompositeImage {
  ImagePtr image{};
  Point origin{};  // of the image's plane, lies at the drawing's upper left corner, before the transform
  CompositeFilter filter = CompositeFilter::Fast;
  CompositeRepeat repeat = CompositeRepeat::None;
  std::optional<Transform> transform{};
};

// (source IN mask) OP destination of the X Render extension.
struct DrawComposite {
  std::uint8_t operation = 3;  // Render's and pixman's numbers: 0..13, 16..27, 32..43, 48..62
  CompositeImage source{};
  std::optional<CompositeImage> mask{};
  bool component_alpha = false;  // each colour of the mask is the alpha of that colour
  bool source_opaque = false;    // alpha of a source surface does not count
  bool mask_opaque = false;      // hints of the driver, which change nothing
  bool destination_opaque = false;
};

// Hints of the driver about what a drawing does to what lies under it, and what two of it do (QXLEffectType).
enum class Effect : std::uint8_t {
  Blend = 0,
  Opaque = 1,
  RevertOnDuplicate = 2,
  BlacknessOnDuplicate = 3,
  WhitenessOnDuplicate = 4,
  NothingOnDuplicate = 5,
  Nothing = 6,
  OpaqueBrush = 7,
};

struct Drawing {
  SurfaceId surface = 0;  // that is drawn on
  Rect box{};             // nothing is drawn outside of it
  Clip clip{};
  Effect effect = Effect::Blend;
  std::uint32_t time_ms = 0;  // multimedia time; 0: now
  std::size_t memory = 0;     // bytes that were copied out of the guest for it, as whoever made it counts them
  std::variant<DrawNothing, DrawFill, DrawOpaque, DrawCopy, DrawBlend, DrawCopyBits, DrawBlackness, DrawWhiteness,
               DrawInvers, DrawRop3, DrawStroke, DrawText, DrawTransparent, DrawAlphaBlend, DrawComposite>
      operation{};
};

// Drawings are shared by the surface's and clients' queues, and never change.
using DrawingPtr = std::shared_ptr<const Drawing>;

}  // namespace core::inline ports
