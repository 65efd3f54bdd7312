// The LZ image codec of the SPICE protocol: a byte-oriented LZ77 over pixels, seven big-endian words in front.
//
// Stream, after the header: control byte c < 32: c+1 literal units follow; c >= 32: a match of (c >> 5) + bias units at
// distance ((c & 31) << 8 | next byte) + 1, with extension bytes for length 7 and for distances above 8191. A unit is a
// pixel, or a byte of packed palette indices. RGBA is two passes, colours then alpha.
//
// The encoder is free in its choice of matches; what it makes decodes to the same pixels, save that the unused bits of
// RGB16 (bit 15) and RGB32 (the fourth byte) come back as 0 or as the value of an equal pixel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

namespace spice::codec {

enum class LzType : std::uint8_t {
  Plt1Le = 1,  // packed palette indices: 1 bit, lowest bit first
  Plt1Be = 2,
  Plt4Le = 3,
  Plt4Be = 4,
  Plt8 = 5,
  Rgb16 = 6,  // x1r5g5b5, little-endian
  Rgb24 = 7,  // B, G, R
  Rgb32 = 8,  // B, G, R, unused
  Rgba = 9,   // B, G, R, A
  Xxxa = 10,  // only the alpha of B, G, R, A pixels
  A8 = 11,
};

constexpr std::size_t kLzHeaderBytes = 28;
// stride * height of a stored image stays below this, in both directions.
constexpr std::uint64_t kLzMaxImageBytes = std::uint64_t{1} << 30;

// Bytes of one stored row without padding.
std::uint64_t lz_row_bytes(LzType type, std::uint32_t width);

// An image where it lies: `rows` is the first byte of the first stored row, the next row `stride` bytes further
// (negative for a picture that lies upside down).
struct LzImage {
  LzType type = LzType::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
  bool top_down = true;
};

// The encoder's memory of where it saw what. Keeping one from image to image saves clearing it; results do not depend
// on what it was used for before.
class LzScratch {
 public:
  static constexpr unsigned kHashBits = 13;

 private:
  friend class LzHistory;
  struct Seen {
    std::uint32_t position = 0;  // in units, counted through all passes since the last clearing
    std::uint32_t key = 0;       // of the unit there
  };
  std::array<Seen, std::size_t{1} << kHashBits> slots_{};
  std::uint32_t next_base_ = 1;
};

// Writes the encoded image to `out` and returns its size; nothing if it does not fit (then send it another way) or the
// image is empty or beyond kLzMaxImageBytes.
std::optional<std::size_t> lz_encode(const LzImage& image, std::span<std::uint8_t> out, LzScratch& scratch);

struct LzHeader {
  LzType type = LzType::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t stride = 0;  // bytes, without padding
  bool top_down = true;

  std::size_t image_bytes() const { return std::size_t{stride} * height; }
  bool operator==(const LzHeader&) const = default;
};

enum class LzError : std::uint8_t {
  Truncated,     // the bytes end before the image does
  BadHeader,     // wrong magic, version, type, stride or size
  BadMatch,      // a match starts before its pass or runs past its end
  TrailingData,  // bytes are left over
  SmallBuffer,   // `out` is smaller than the image
};

std::expected<LzHeader, LzError> lz_read_header(std::span<const std::uint8_t> data);
// Decodes to stored rows without padding, image_bytes() of them. Xxxa writes every fourth byte and leaves the others.
std::expected<LzHeader, LzError> lz_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out);

}  // namespace spice::codec
