#include "vmm/replay/qxl_data.h"

#include "core/base/endian.h"

namespace vmm::replay {
namespace {

constexpr std::size_t kRectBytes = 16;
constexpr std::size_t kPointBytes = 8;
constexpr std::size_t kSegmentBytes = 8;  // without its points
constexpr std::size_t kGlyphBytes = 20;   // without its picture
constexpr std::size_t kTransformBytes = 24;

// Takes integers off the front of bytes that are known to be enough.
class Words {
 public:
  explicit Words(Bytes& bytes) : bytes_(bytes) {}
  std::uint32_t u32() { return take<std::uint32_t>(); }
  std::uint16_t u16() { return take<std::uint16_t>(); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  core::Point point() {
    const auto x = i32();
    return {x, i32()};
  }

 private:
  template <class T>
  T take() {
    const auto value = core::load_le<T>(bytes_.data());
    bytes_ = bytes_.subspan(sizeof(T));
    return value;
  }
  Bytes& bytes_;
};

}  // namespace

std::optional<std::vector<core::Rect>> parse_rects(Bytes bytes, std::uint32_t count) {
  if (bytes.size() / kRectBytes < count) return std::nullopt;
  std::vector<core::Rect> rects(count);
  Words words(bytes);
  for (auto& rect : rects) {
    rect.top = words.i32();
    rect.left = words.i32();
    rect.bottom = words.i32();
    rect.right = words.i32();
  }
  return rects;
}

std::optional<std::vector<core::PathSegment>> parse_path(Bytes bytes) {
  std::vector<core::PathSegment> path;
  Words words(bytes);
  // A segment without points that ends the list is not looked at.
  while (bytes.size() > kSegmentBytes) {
    auto& segment = path.emplace_back();
    segment.flags = words.u32();
    const std::uint32_t count = words.u32();
    if (bytes.size() / kPointBytes < count) return std::nullopt;
    segment.points.resize(count);
    for (auto& point : segment.points) {
      point.x = words.i32();
      point.y = words.i32();
    }
  }
  return path;
}

std::optional<std::vector<core::Glyph>> parse_glyphs(Bytes bytes, std::uint32_t count, core::GlyphDepth depth) {
  std::vector<core::Glyph> glyphs;
  const auto* const start = bytes.data();
  Words words(bytes);
  for (; count > 0; --count) {
    if (bytes.size() < kGlyphBytes) return std::nullopt;
    auto& glyph = glyphs.emplace_back();
    glyph.position = words.point();
    glyph.origin = words.point();
    glyph.width = words.u16();
    glyph.height = words.u16();
    const auto size = core::glyph_row_bytes(glyph.width, depth) * glyph.height;
    if (bytes.size() < size) return std::nullopt;
    glyph.start = static_cast<std::uint32_t>(bytes.data() - start);
    bytes = bytes.subspan(size);
  }
  return glyphs;
}

std::optional<core::Transform> parse_transform(Bytes bytes) {
  if (bytes.size() < kTransformBytes) return std::nullopt;
  core::Transform transform;
  Words words(bytes);
  for (auto* field : {&transform.t00, &transform.t01, &transform.t02, &transform.t10, &transform.t11, &transform.t12})
    *field = words.i32();
  return transform;
}

std::vector<std::int32_t> parse_lengths(Bytes bytes) {
  std::vector<std::int32_t> lengths(bytes.size() / 4);
  Words words(bytes);
  for (auto& length : lengths)
    length = words.i32();
  return lengths;
}

}  // namespace vmm::replay
