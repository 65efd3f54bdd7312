// Drawings as pictures of a video: which may be one, what two of one video have in common, and their pixels.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ports/drawing.h"
#include "spice/video/video_encoder.h"

namespace spice::video {

enum class StreamingMode : std::uint8_t {
  Off,
  Filter,  // what looks like photographs, and is not small
  All,     // everything that is drawn again and again at the same place
};

struct VideoFrame {
  core::Rect dest{};
  std::int32_t source_width = 0;  // of the part of the image that is drawn
  std::int32_t source_height = 0;
  bool top_down = true;  // as the guest stores it

  std::int64_t area() const { return std::int64_t{dest.width()} * dest.height(); }
  bool operator==(const VideoFrame&) const = default;
};

// Of which size pictures are in that mode.
bool is_large_enough(const core::Rect& picture, StreamingMode mode);

// The drawing as a frame, if it may be one: an opaque copy of a bitmap to the primary surface.
std::optional<VideoFrame> video_frame(const core::Drawing& drawing, StreamingMode mode);

// The pixels of such a drawing, the top row first, as long as the drawing lives. Nothing if no encoder takes them:
// palettes, or an area that is not inside the image.
std::optional<Picture> picture_of(const core::Drawing& drawing);

}  // namespace spice::video
