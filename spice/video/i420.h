// Pictures as video codecs take them: luma, and two planes of colour at half the resolution [ITU-R BT.601, 16..235].
#pragma once

#include <cstdint>
#include <vector>

#include "spice/video/video_encoder.h"

namespace spice::video {

class I420 {
 public:
  // Takes up the pixels of a picture; sides that are odd have a column or row of colour for their last one, too.
  void convert(const Picture& picture);

  std::uint32_t width() const { return width_; }
  std::uint32_t height() const { return height_; }
  std::size_t chroma_width() const { return (std::size_t{width_} + 1) / 2; }
  std::size_t chroma_height() const { return (std::size_t{height_} + 1) / 2; }
  // Rows side by side.
  std::uint8_t* luma() { return bytes_.data(); }
  std::uint8_t* blue() { return bytes_.data() + luma_bytes(); }
  std::uint8_t* red() { return blue() + chroma_width() * chroma_height(); }

 private:
  std::size_t luma_bytes() const { return std::size_t{width_} * height_; }
  void resize(std::uint32_t width, std::uint32_t height);

  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint32_t> pixels_;  // two rows as 0x00RRGGBB
};

}  // namespace spice::video
