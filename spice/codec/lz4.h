// LZ4 images of the SPICE protocol: a byte that says top-down, a byte with the bitmap format, then blocks of a
// big-endian 32-bit size and that many bytes of raw LZ4, each of whole rows in stored order, without padding. Blocks
// are chained: their matches reach back into what came before. Width and height are not part of the data.
//
// Any thread; an Lz4Scratch belongs to one call at a time. LZ4 itself is liblz4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace spice::codec {

// As the protocol's bitmap formats; clients know no others in LZ4.
enum class Lz4Format : std::uint8_t {
  Rgb16 = 6,  // x1r5g5b5, little-endian
  Rgb24 = 7,  // B, G, R
  Rgb32 = 8,  // B, G, R, unused (which travels along)
  Rgba = 9,   // B, G, R, A
};

constexpr std::size_t kLz4HeaderBytes = 2;

constexpr std::size_t lz4_pixel_bytes(Lz4Format format) {
  switch (format) {
    case Lz4Format::Rgb16: return 2;
    case Lz4Format::Rgb24: return 3;
    case Lz4Format::Rgb32:
    case Lz4Format::Rgba: return 4;
  }
  return 0;
}

// `rows` is the first byte of the first stored row, the next row `stride` bytes further, which may be negative.
struct Lz4Image {
  Lz4Format format = Lz4Format::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
  bool top_down = true;
};

// The encoder's tables, and rows that do not lie side by side in their image. It grows to two blocks of 64 KiB or two
// of the longest rows.
class Lz4Scratch {
 public:
  Lz4Scratch();
  ~Lz4Scratch();
  Lz4Scratch(Lz4Scratch&&) noexcept;
  Lz4Scratch& operator=(Lz4Scratch&&) noexcept;

 private:
  friend class Lz4Blocks;
  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::vector<std::uint8_t> rows_;
};

// Writes the encoded image to `out` and returns its size; nothing if it does not fit (then send it another way), the
// image is empty or its rows have 2^30 bytes or more together.
std::optional<std::size_t> lz4_encode(const Lz4Image& image, std::span<std::uint8_t> out, Lz4Scratch& scratch);

struct Lz4Header {
  Lz4Format format = Lz4Format::Rgb32;
  bool top_down = true;
  bool operator==(const Lz4Header&) const = default;
};

enum class Lz4Error : std::uint8_t {
  Truncated,    // the bytes end before the image does, or inside of a block
  BadHeader,    // unknown format or direction
  BadBlock,     // not LZ4, or more than the image has room for
  SmallBuffer,  // `out` is smaller than the image
};

std::expected<Lz4Header, Lz4Error> lz4_read_header(std::span<const std::uint8_t> data);
// Decodes width * height pixels to stored rows without padding. Only the bytes of the image are ever written.
std::expected<Lz4Header, Lz4Error> lz4_decode(std::span<const std::uint8_t> data, std::uint32_t width,
                                              std::uint32_t height, std::span<std::uint8_t> out);

}  // namespace spice::codec
