// The QUIC image codec of the SPICE protocol: each colour component is predicted from its left and upper neighbours and
// the difference written in one of several Golomb-like codes, chosen by the symbol before it; repetitions along a row
// are run lengths. Top row first, always.
//
// Stream: five 32-bit groups (magic, version 0, type, width, height), then one string of bits, cut into groups that are
// stored as little-endian words, most significant bit first, and one zero group after the last. There is no freedom:
// equal pixels give equal bytes.
//
// Any thread; a QuicScratch belongs to one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

namespace spice::codec {

enum class QuicType : std::uint8_t {
  Gray = 1,   // one byte a pixel
  Rgb16 = 2,  // x1r5g5b5, little-endian; the unused bit is ignored
  Rgb24 = 3,  // B, G, R
  Rgb32 = 4,  // B, G, R, unused
  Rgba = 5,   // B, G, R, A
};

constexpr std::size_t kQuicHeaderBytes = 20;
// width * height of an image stays at or below this, in both directions.
constexpr std::uint64_t kQuicMaxPixels = (std::uint64_t{1} << 29) - 1;
// Ours, not the format's: bounds the memory of a scratch. No surface is as wide.
constexpr std::uint32_t kQuicMaxWidth = std::uint32_t{1} << 20;

// Bytes of a source pixel.
constexpr std::size_t quic_pixel_bytes(QuicType type) {
  switch (type) {
    case QuicType::Gray: return 1;
    case QuicType::Rgb16: return 2;
    case QuicType::Rgb24: return 3;
    case QuicType::Rgb32:
    case QuicType::Rgba: return 4;
  }
  return 0;
}

// An image where it lies: `rows` is the first byte of the top row, the row below it `stride` bytes further. A picture
// stored bottom-up is given by its last row and a negative stride.
struct QuicImage {
  QuicType type = QuicType::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
};

// Rows to work on. It grows to the widest image (about 22 bytes a pixel of one row), and that is all that is ever
// allocated; results do not depend on what it was used for before.
class QuicScratch {
 public:
  // At least `count` words with any content, aligned to 16 bytes; valid until the next call.
  std::uint32_t* words(std::size_t count);

 private:
  struct alignas(16) Quad {
    std::uint32_t words[4];
  };
  std::vector<Quad> quads_;
};

// Writes the encoded image to `out` and returns its size; nothing if it does not fit (then send it another way) or the
// image is empty or beyond kQuicMaxPixels or kQuicMaxWidth.
std::optional<std::size_t> quic_encode(const QuicImage& image, std::span<std::uint8_t> out, QuicScratch& scratch);

struct QuicHeader {
  QuicType type = QuicType::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;

  // Of a decoded pixel: 1 for gray, otherwise 4.
  std::size_t pixel_bytes() const { return type == QuicType::Gray ? 1 : 4; }
  // Of the decoded image with rows side by side.
  std::size_t image_bytes() const { return std::size_t{width} * height * pixel_bytes(); }
  bool operator==(const QuicHeader&) const = default;
};

enum class QuicError : std::uint8_t {
  Truncated,    // the bytes end before the image does
  BadHeader,    // wrong magic, version, type or size
  BadRun,       // a run passes the end of its piece of a row
  SmallBuffer,  // `out` is smaller than the image
};

// Where decoded pixels go: `rows` is the first byte of the top row, the row below it `stride` bytes further, which may
// be negative. A row has width * pixel_bytes() bytes.
struct QuicTarget {
  std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
};

std::expected<QuicHeader, QuicError> quic_read_header(std::span<const std::uint8_t> data);
// Decodes to B, G, R, A or B, G, R, 0, RGB16's components widened to eight bits (their upper bits repeated below), or
// to gray bytes. The caller has read the header and owns image rows of that size behind `target`; nothing else is
// written. Time and memory are bounded by the size that the header names, so check it before you allocate. What follows
// the image in `data` is ignored, as all decoders do.
std::expected<QuicHeader, QuicError> quic_decode(std::span<const std::uint8_t> data, const QuicTarget& target,
                                                 QuicScratch& scratch);
// The same into one piece of image_bytes(), top row first.
std::expected<QuicHeader, QuicError> quic_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out,
                                                 QuicScratch& scratch);

}  // namespace spice::codec
