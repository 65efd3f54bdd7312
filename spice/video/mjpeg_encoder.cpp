#include "spice/video/mjpeg_encoder.h"

namespace spice::video {

namespace {

codec::JpegFormat jpeg_format(PixelLayout layout) {
  switch (layout) {
    case PixelLayout::Rgb16: return codec::JpegFormat::Rgb16;
    case PixelLayout::Rgb24: return codec::JpegFormat::Rgb24;
    case PixelLayout::Rgb32: break;
  }
  return codec::JpegFormat::Rgb32;
}

// More than a JPEG of halved colour resolution takes: what grows beyond is left out.
std::size_t most_bytes(const Picture& picture) {
  constexpr std::size_t kTables = 4096;
  constexpr std::size_t kBlock = 16;
  const auto padded = [](std::uint32_t side) { return (std::size_t{side} + kBlock - 1) / kBlock * kBlock; };
  return padded(picture.width) * padded(picture.height) * 3 + kTables;
}

}  // namespace

std::optional<wire::Payload> MjpegEncoder::encode(const Picture& picture, MediaTime time,
                                                  const Conditions& conditions) {
  const auto quality = control_.begin_frame(time, conditions);
  if (!quality) return std::nullopt;
  if (const auto needed = most_bytes(picture); room_.size() < needed) room_.resize(needed);
  const codec::JpegImage image{.format = jpeg_format(picture.layout),
                               .width = picture.width,
                               .height = picture.height,
                               .rows = picture.rows,
                               .stride = picture.stride};
  const auto size = codec::jpeg_encode(image, *quality, room_, scratch_, codec::JpegSpeed::Fast);
  if (!size) return std::nullopt;
  control_.end_frame(*size);
  return wire::Payload(std::vector<std::uint8_t>(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(*size)));
}

}  // namespace spice::video
