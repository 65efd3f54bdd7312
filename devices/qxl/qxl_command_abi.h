// The commands that drivers put into a QXL device's rings, as they lie in guest memory. Names and layouts follow the
// BSD-licensed headers of the SPICE protocol (qxl_dev.h), cited as [QXL name]. All little-endian and packed; numbers
// that qxl_dev.h calls signed are read through core's unsigned ones and cast.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/endian.h"
#include "devices/qxl/qxl_abi.h"

namespace devices::qxl::abi {

// [QXL QXLCmdType]
enum class QxlCommandType : std::uint32_t { Nop = 0, Draw = 1, Update = 2, Cursor = 3, Message = 4, Surface = 5 };

// [QXL QXLCommand]
struct QXLCommand {
  core::le64 data;
  core::le32 type;
  core::le32 padding;
};
static_assert(sizeof(QXLCommand) == 16);

// [QXL QXLDataChunk] without its data
struct QXLDataChunk {
  core::le32 data_size;
  core::le64 prev_chunk;
  core::le64 next_chunk;
};
static_assert(sizeof(QXLDataChunk) == 20);

struct QXLPoint {
  core::le32 x;  // signed
  core::le32 y;
};

struct QXLPoint16 {
  core::le16 x;  // signed
  core::le16 y;
};

using QXLRect = QXLURect;  // signed

// [QXL QXLUpdateCmd]
struct QXLUpdateCmd {
  core::le64 release_info;
  QXLRect area;
  core::le32 update_id;
  core::le32 surface_id;  // not in compat mode
};
static_assert(sizeof(QXLUpdateCmd) == 32);

// Cursors.

// [QXL QXL_CURSOR_*]
enum class QxlCursorType : std::uint8_t { Set = 0, Move = 1, Hide = 2, Trail = 3 };

// [QXL QXLCursorCmd] of the longest kind, without device_data
struct QXLCursorCmd {
  core::le64 release_info;
  std::uint8_t type;
  QXLPoint16 position;  // of a trail: length, frequency
  std::uint8_t visible;
  core::le64 shape;
};
static_assert(sizeof(QXLCursorCmd) == 22);

// [QXL QXLCursor] up to the first chunk
struct QXLCursor {
  core::le64 unique;
  core::le16 type;
  core::le16 width;
  core::le16 height;
  core::le16 hot_spot_x;
  core::le16 hot_spot_y;
  core::le32 data_size;
};
static_assert(sizeof(QXLCursor) == 22);

// Surfaces.

// [QXL QXLSurfaceCmd]
struct QXLSurfaceCmd {
  static constexpr std::uint8_t kCreate = 0;
  static constexpr std::uint8_t kDestroy = 1;
  core::le64 release_info;
  core::le32 surface_id;
  std::uint8_t type;
  core::le32 flags;
  core::le32 format;
  core::le32 width;
  core::le32 height;
  core::le32 stride;  // signed
  core::le64 data;
};
static_assert(sizeof(QXLSurfaceCmd) == 41);

constexpr std::uint32_t kSurfaceKeepData = 1;  // [QXL QXL_SURF_FLAG_KEEP_DATA]

// Drawables.

// [QXL QXL_DRAW_*]
enum class QxlDrawType : std::uint8_t {
  Nop = 0,
  Fill = 1,
  Opaque = 2,
  Copy = 3,
  CopyBits = 4,
  Blend = 5,
  Blackness = 6,
  Whiteness = 7,
  Invers = 8,
  Rop3 = 9,
  Stroke = 10,
  Text = 11,
  Transparent = 12,
  AlphaBlend = 13,
  Composite = 14,
};

struct QXLClip {
  static constexpr std::uint32_t kRects = 1;
  core::le32 type;
  core::le64 data;
};

// [QXL QXLDrawable] up to the union
struct QXLDrawable {
  core::le64 release_info;
  core::le32 surface_id;
  std::uint8_t effect;
  std::uint8_t type;
  std::uint8_t self_bitmap;
  QXLRect self_bitmap_area;
  QXLRect bbox;
  QXLClip clip;
  core::le32 mm_time;
  std::array<core::le32, 3> surfaces_dest;
  std::array<QXLRect, 3> surfaces_rects;
};
static_assert(sizeof(QXLDrawable) == 123);

// [QXL QXLCompatDrawable] up to the union
struct QXLCompatDrawable {
  core::le64 release_info;
  std::uint8_t effect;
  std::uint8_t type;
  core::le16 bitmap_offset;  // not 0: the drawing needs its own surface's pixels
  QXLRect bitmap_area;
  QXLRect bbox;
  QXLClip clip;
  core::le32 mm_time;
};
static_assert(sizeof(QXLCompatDrawable) == 60);

// [QXL QXLBrush] A solid one ends after its colour, which lies where a pattern's address does.
struct QXLBrush {
  static constexpr std::uint32_t kSolid = 1;
  static constexpr std::uint32_t kPattern = 2;
  core::le32 type;
  core::le64 color_or_pattern;
  QXLPoint position;
};
static_assert(sizeof(QXLBrush) == 20);

struct QXLQMask {
  static constexpr std::uint8_t kInvers = 1;
  std::uint8_t flags;
  QXLPoint pos;
  core::le64 bitmap;
};
static_assert(sizeof(QXLQMask) == 17);

struct QXLFill {
  QXLBrush brush;
  core::le16 rop_descriptor;
  QXLQMask mask;
};

struct QXLOpaque {
  core::le64 src_bitmap;
  QXLRect src_area;
  QXLBrush brush;
  core::le16 rop_descriptor;
  std::uint8_t scale_mode;
  QXLQMask mask;
};

struct QXLCopy {
  core::le64 src_bitmap;
  QXLRect src_area;
  core::le16 rop_descriptor;
  std::uint8_t scale_mode;
  QXLQMask mask;
};

struct QXLTransparent {
  core::le64 src_bitmap;
  QXLRect src_area;
  core::le32 src_color;
  core::le32 true_color;
};

struct QXLAlphaBlend {
  static constexpr std::uint16_t kDestinationHasAlpha = 1;
  static constexpr std::uint16_t kSourceSurfaceHasAlpha = 2;
  core::le16 alpha_flags;
  std::uint8_t alpha;
  core::le64 src_bitmap;
  QXLRect src_area;
};

struct QXLCompatAlphaBlend {
  std::uint8_t alpha;
  core::le64 src_bitmap;
  QXLRect src_area;
};

struct QXLRop3 {
  core::le64 src_bitmap;
  QXLRect src_area;
  QXLBrush brush;
  std::uint8_t rop3;
  std::uint8_t scale_mode;
  QXLQMask mask;
};

struct QXLLineAttr {
  static constexpr std::uint8_t kStartWithGap = 4;
  static constexpr std::uint8_t kStyled = 8;
  std::uint8_t flags;
  std::uint8_t join_style;
  std::uint8_t end_style;
  std::uint8_t style_nseg;
  core::le32 width;
  core::le32 miter_limit;
  core::le64 style;
};

struct QXLStroke {
  core::le64 path;
  QXLLineAttr attr;
  QXLBrush brush;
  core::le16 fore_mode;
  core::le16 back_mode;
};

struct QXLText {
  core::le64 str;
  QXLRect back_area;
  QXLBrush fore_brush;
  QXLBrush back_brush;
  core::le16 fore_mode;
  core::le16 back_mode;
};
static_assert(sizeof(QXLText) == 68);

struct QXLComposite {
  core::le32 flags;
  core::le64 src;
  core::le64 src_transform;
  core::le64 mask;
  core::le64 mask_transform;
  QXLPoint16 src_origin;
  QXLPoint16 mask_origin;
};
static_assert(sizeof(QXLComposite) == 44);

// [QXL QXLTransform] t00, t01, t02, t10, t11, t12
struct QXLTransform {
  std::array<core::le32, 6> t;
};

// What drawables point to; each without the chunk or data that follows it.

struct QXLRasterGlyph {
  QXLPoint render_pos;
  QXLPoint glyph_origin;
  core::le16 width;
  core::le16 height;
};
static_assert(sizeof(QXLRasterGlyph) == 20);

struct QXLString {
  static constexpr std::uint16_t kRasterA4 = 2;
  static constexpr std::uint16_t kRasterA8 = 4;
  static constexpr std::uint16_t kRasterTopDown = 8;
  core::le32 data_size;
  core::le16 length;
  core::le16 flags;
};

struct QXLPathSeg {
  core::le32 flags;
  core::le32 count;
};

// [QXL QXLImageDescriptor]
struct QXLImageDescriptor {
  static constexpr std::uint8_t kBitmap = 0;  // SPICE_IMAGE_TYPE_*
  static constexpr std::uint8_t kQuic = 1;
  static constexpr std::uint8_t kSurface = 104;
  static constexpr std::uint8_t kCache = 1;
  static constexpr std::uint8_t kHighBitsSet = 2;
  core::le64 id;
  std::uint8_t type;
  std::uint8_t flags;
  core::le32 width;
  core::le32 height;
};
static_assert(sizeof(QXLImageDescriptor) == 18);

struct QXLBitmap {
  static constexpr std::uint8_t kDirect = 1;
  static constexpr std::uint8_t kTopDown = 4;
  std::uint8_t format;
  std::uint8_t flags;
  core::le32 x;
  core::le32 y;
  core::le32 stride;
  core::le64 palette;
  core::le64 data;
};
static_assert(sizeof(QXLBitmap) == 30);

struct QXLPalette {
  core::le64 unique;
  core::le16 num_ents;
};
static_assert(sizeof(QXLPalette) == 10);

// Monitors.

struct QXLHead {
  core::le32 id;
  core::le32 surface_id;
  core::le32 width;
  core::le32 height;
  core::le32 x;
  core::le32 y;
  core::le32 flags;
};
static_assert(sizeof(QXLHead) == 28);

struct QXLMonitorsConfig {
  core::le16 count;
  core::le16 max_allowed;
};

}  // namespace devices::qxl::abi
