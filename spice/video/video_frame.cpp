#include "spice/video/video_frame.h"

namespace spice::video {

namespace {

// Of smaller pictures the filter makes no video. [reference server]
constexpr std::int64_t kLeastFilteredArea = 96 * 96;

const core::Bitmap* bitmap_of(const core::DrawCopy& copy) {
  return copy.source.image ? std::get_if<core::Bitmap>(&copy.source.image->content) : nullptr;
}

struct Layout {
  PixelLayout layout;
  std::uint32_t pixel_bytes;
};
std::optional<Layout> layout_of(core::BitmapFormat format) {
  switch (format) {
    case core::BitmapFormat::Rgb555: return Layout{PixelLayout::Rgb16, 2};
    case core::BitmapFormat::Rgb24: return Layout{PixelLayout::Rgb24, 3};
    case core::BitmapFormat::Rgb32:
    case core::BitmapFormat::Rgba: return Layout{PixelLayout::Rgb32, 4};
    default: return std::nullopt;
  }
}

bool lies_inside(const core::Rect& area, const core::Bitmap& bitmap) {
  return !area.empty() && area.left >= 0 && area.top >= 0 && static_cast<std::uint32_t>(area.right) <= bitmap.width &&
         static_cast<std::uint32_t>(area.bottom) <= bitmap.height;
}

// The sides of a guest's rectangle are differences that may overflow.
bool has_sane_sides(const core::Rect& rect) {
  constexpr std::int64_t kMost = 65536;
  const auto width = std::int64_t{rect.right} - rect.left;
  const auto height = std::int64_t{rect.bottom} - rect.top;
  return width > 0 && height > 0 && width <= kMost && height <= kMost;
}

}  // namespace

bool is_large_enough(const core::Rect& picture, StreamingMode mode) {
  return mode == StreamingMode::All ||
         (mode == StreamingMode::Filter && std::int64_t{picture.width()} * picture.height() >= kLeastFilteredArea);
}

std::optional<VideoFrame> video_frame(const core::Drawing& drawing, StreamingMode mode) {
  if (mode == StreamingMode::Off || drawing.surface != 0 || drawing.effect != core::Effect::Opaque) return std::nullopt;
  const auto* copy = std::get_if<core::DrawCopy>(&drawing.operation);
  if (copy == nullptr || copy->rop != core::kRopPut || copy->mask.image) return std::nullopt;
  const auto* bitmap = bitmap_of(*copy);
  const auto& area = copy->source.area;
  if (bitmap == nullptr || !has_sane_sides(drawing.box) || !has_sane_sides(area)) return std::nullopt;
  if (!is_large_enough(area, mode)) return std::nullopt;
  return VideoFrame{drawing.box, area.width(), area.height(), bitmap->top_down};
}

std::optional<Picture> picture_of(const core::Drawing& drawing) {
  const auto* copy = std::get_if<core::DrawCopy>(&drawing.operation);
  const auto* bitmap = copy == nullptr ? nullptr : bitmap_of(*copy);
  if (bitmap == nullptr) return std::nullopt;
  const auto& area = copy->source.area;
  const auto layout = layout_of(bitmap->format);
  if (!layout || !lies_inside(area, *bitmap) || bitmap->stride / layout->pixel_bytes < bitmap->width ||
      bitmap->data.size() / bitmap->stride < bitmap->height)
    return std::nullopt;
  const auto stride = static_cast<std::ptrdiff_t>(bitmap->stride);
  const auto first_row = bitmap->top_down ? area.top : static_cast<std::int32_t>(bitmap->height) - 1 - area.top;
  return Picture{
      .layout = layout->layout,
      .width = static_cast<std::uint32_t>(area.width()),
      .height = static_cast<std::uint32_t>(area.height()),
      .rows = bitmap->data.data() + first_row * stride + static_cast<std::ptrdiff_t>(area.left) * layout->pixel_bytes,
      .stride = bitmap->top_down ? stride : -stride};
}

}  // namespace spice::video
