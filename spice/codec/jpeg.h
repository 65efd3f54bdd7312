// JPEG images of the SPICE protocol, and JPEG with a lossless alpha plane behind it (LZ of type Xxxa). The top row
// comes first in a JPEG, always. Baseline with halved colour resolution, as libjpeg makes it; the work is
// libjpeg-turbo's.
//
// Any thread; a JpegScratch belongs to one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "spice/codec/lz.h"

namespace spice::codec {

constexpr int kJpegQuality = 85;  // of still images [reference server]
// A side of a JPEG.
constexpr std::uint32_t kJpegMaxSide = 65500;

enum class JpegFormat : std::uint8_t {
  Rgb16,  // x1r5g5b5, little-endian
  Rgb24,  // B, G, R
  Rgb32,  // B, G, R, unused or alpha
};

// `rows` is the first byte of the top row, the row below it `stride` bytes further. A picture stored bottom-up is given
// by its last row and a negative stride.
struct JpegImage {
  JpegFormat format = JpegFormat::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
};

// libjpeg-turbo's encoder and decoder with their memory, each made when first used. Rgb16 images are widened here
// first.
class JpegScratch {
 public:
  JpegScratch();
  ~JpegScratch();
  JpegScratch(JpegScratch&&) noexcept;
  JpegScratch& operator=(JpegScratch&&) noexcept;

 private:
  friend class TurboJpeg;
  struct State;
  std::unique_ptr<State> state_;
};

enum class JpegSpeed : std::uint8_t {
  Exact,  // the slow integer transform, as still images have it
  Fast,   // for streams
};

// Writes the file to `out` and returns its size; nothing if it does not fit or the image is empty or beyond
// kJpegMaxSide. `quality` is 1 to 100.
std::optional<std::size_t> jpeg_encode(const JpegImage& image, int quality, std::span<std::uint8_t> out,
                                       JpegScratch& scratch, JpegSpeed speed = JpegSpeed::Exact);

struct JpegAlphaSize {
  std::size_t jpeg = 0;   // of the JPEG in front
  std::size_t total = 0;  // with the alpha plane
};
// Colours and alpha of a B, G, R, A image; `top_down` says how the alpha rows are to be stored, and the image's flag
// must say the same. The image is given as above, whatever `top_down` is.
std::optional<JpegAlphaSize> jpeg_alpha_encode(const JpegImage& image, int quality, bool top_down,
                                               std::span<std::uint8_t> out, JpegScratch& scratch,
                                               LzScratch& lz_scratch);

struct JpegHeader {
  std::uint32_t width = 0;
  std::uint32_t height = 0;

  std::size_t image_bytes() const { return std::size_t{width} * height * 4; }
  bool operator==(const JpegHeader&) const = default;
};

enum class JpegError : std::uint8_t {
  BadHeader,    // not a JPEG, or one with a side beyond kJpegMaxSide
  BadData,      // damaged or truncated
  BadAlpha,     // the alpha plane is damaged or of another size
  SmallBuffer,  // `out` is smaller than the image
};

std::expected<JpegHeader, JpegError> jpeg_read_header(std::span<const std::uint8_t> data, JpegScratch& scratch);
// Decodes to B, G, R and a fourth byte of 255, rows side by side, the top row first. Memory is bounded by the size that
// the header names, so check it before you allocate; a file of more than 500 scans is refused.
std::expected<JpegHeader, JpegError> jpeg_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out,
                                                 JpegScratch& scratch);
// The same with the alpha plane, which begins after `jpeg_bytes`, in the fourth bytes.
std::expected<JpegHeader, JpegError> jpeg_alpha_decode(std::span<const std::uint8_t> data, std::size_t jpeg_bytes,
                                                       std::span<std::uint8_t> out, JpegScratch& scratch);

}  // namespace spice::codec
