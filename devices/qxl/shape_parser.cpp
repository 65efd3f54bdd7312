#include "devices/qxl/shape_parser.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

namespace devices::qxl {

using namespace abi;

namespace {

// The bytes of a list, front to back.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }

  template <core::GuestPod T>
  std::optional<T> take() {
    if (left_.size() < sizeof(T)) return std::nullopt;
    T value{};
    std::memcpy(&value, left_.data(), sizeof value);
    left_ = left_.subspan(sizeof value);
    return value;
  }
  std::optional<std::span<const std::uint8_t>> take(std::uint64_t length) {
    if (left_.size() < length) return std::nullopt;
    const auto taken = left_.first(length);
    left_ = left_.subspan(length);
    return taken;
  }

 private:
  std::span<const std::uint8_t> left_;
};

// [QXL QXLString flags, SPICE_STRING_FLAGS_RASTER_*]
core::GlyphDepth depth_of(std::uint16_t flags) {
  if ((flags & QXLString::kRasterA8) != 0) return core::GlyphDepth::A8;
  if ((flags & QXLString::kRasterA4) != 0) return core::GlyphDepth::A4;
  return core::GlyphDepth::A1;
}

}  // namespace

core::Clip parse_clip(CommandReader& in, const QXLClip& clip) {
  if (clip.type != QXLClip::kRects) return std::nullopt;
  const QxlAddress at{clip.data};
  const std::uint32_t count = in.read<core::le32>(at);
  const auto data = in.chunks(at + sizeof(core::le32), std::uint64_t{count} * sizeof(QXLRect));
  Bytes list(data);
  std::vector<core::Rect> rects;
  while (const auto rect = list.take<QXLRect>())
    rects.push_back(rect_of(*rect));
  return rects;
}

std::vector<core::PathSegment> parse_path(CommandReader& in, QxlAddress at) {
  const std::uint32_t length = in.read<core::le32>(at);
  const auto data = in.chunks(at + sizeof(core::le32), length);
  Bytes list(data);
  std::vector<core::PathSegment> path;
  while (in.ok() && !list.empty()) {
    const auto head = list.take<QXLPathSeg>();
    const auto points = head ? list.take(std::uint64_t{head->count} * sizeof(QXLPoint)) : std::nullopt;
    if (!points) {
      in.fail("a path ends within a segment");
      break;
    }
    if (!in.charge(sizeof(core::PathSegment))) break;
    core::PathSegment segment{.flags = head->flags};
    segment.points.reserve(head->count);
    Bytes coordinates(*points);
    while (const auto point = coordinates.take<QXLPoint>()) {
      const auto [x, y] = point_of(*point);
      segment.points.push_back({x, y});
    }
    path.push_back(std::move(segment));
  }
  return path;
}

std::vector<std::int32_t> parse_dashes(CommandReader& in, const QXLLineAttr& attributes) {
  std::vector<std::int32_t> dashes;
  if ((attributes.flags & QXLLineAttr::kStyled) == 0) return dashes;
  const auto data = in.bytes({attributes.style}, attributes.style_nseg * sizeof(core::le32));
  Bytes list(data);
  while (const auto length = list.take<core::le32>())
    dashes.push_back(static_cast<std::int32_t>(std::uint32_t{*length}));
  return dashes;
}

void parse_string(CommandReader& in, QxlAddress at, core::DrawText& text) {
  const auto head = in.read<QXLString>(at);
  text.depth = depth_of(head.flags);
  text.top_down = (head.flags & QXLString::kRasterTopDown) != 0;
  text.values = in.chunks(at + sizeof head, head.data_size);
  Bytes list(text.values);
  text.glyphs.reserve(std::min<std::size_t>(head.length, text.values.size() / sizeof(QXLRasterGlyph)));
  for (unsigned i = 0; i < head.length && in.ok(); ++i) {
    const auto glyph = list.take<QXLRasterGlyph>();
    const auto rows = glyph ? list.take(core::glyph_row_bytes(glyph->width, text.depth) * glyph->height) : std::nullopt;
    if (!rows) return in.fail("a string ends within a glyph");
    if (!in.charge(sizeof(core::Glyph))) return;
    text.glyphs.push_back({.position = point_of(glyph->render_pos),
                           .origin = point_of(glyph->glyph_origin),
                           .width = glyph->width,
                           .height = glyph->height,
                           .start = static_cast<std::uint32_t>(rows->data() - text.values.data())});
  }
}

}  // namespace devices::qxl
