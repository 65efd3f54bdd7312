#include "spice/codec/lz4.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <lz4.h>

namespace spice::codec {

struct Lz4Scratch::Stream {
  LZ4_stream_t state;
};

Lz4Scratch::Lz4Scratch() : stream_(std::make_unique<Stream>()) {
  LZ4_initStream(&stream_->state, sizeof stream_->state);
}
Lz4Scratch::~Lz4Scratch() = default;
Lz4Scratch::Lz4Scratch(Lz4Scratch&&) noexcept = default;
Lz4Scratch& Lz4Scratch::operator=(Lz4Scratch&&) noexcept = default;

namespace {

constexpr std::size_t kSizeBytes = 4;  // in front of a block
constexpr std::size_t kReach = 65536;  // how far LZ4 looks back
constexpr std::size_t kMaxImageBytes = (std::size_t{1} << 30) - 1;

const char* chars(const std::uint8_t* bytes) {
  return reinterpret_cast<const char*>(bytes);
}
char* chars(std::uint8_t* bytes) {
  return reinterpret_cast<char*>(bytes);
}

}  // namespace

// Writes blocks one behind the other.
class Lz4Blocks {
 public:
  Lz4Blocks(Lz4Scratch& scratch, std::span<std::uint8_t> out) : scratch_(scratch), out_(out) {
    // Not LZ4_resetStream_fast(): what it makes depends on the images before.
    LZ4_initStream(&scratch.stream_->state, sizeof scratch.stream_->state);
  }

  std::size_t written() const { return written_; }

  bool encode(const Lz4Image& image) {
    const auto row = image.width * lz4_pixel_bytes(image.format);
    if (image.stride == static_cast<std::ptrdiff_t>(row) || image.height == 1)
      return put(image.rows, row * image.height);
    // What the encoder looks back to has to stay where it was, so two halves of a buffer take turns.
    const auto rows_a_block = std::max<std::size_t>(1, kReach / row);
    auto& packed = scratch_.rows_;
    if (packed.size() < 2 * rows_a_block * row) packed.resize(2 * rows_a_block * row);
    auto* half = packed.data();
    auto* other = packed.data() + rows_a_block * row;
    for (std::size_t y = 0; y < image.height; y += rows_a_block) {
      const auto rows = std::min<std::size_t>(rows_a_block, image.height - y);
      for (std::size_t i = 0; i < rows; ++i)
        std::memcpy(half + i * row, image.rows + static_cast<std::ptrdiff_t>(y + i) * image.stride, row);
      if (!put(half, rows * row)) return false;
      std::swap(half, other);
    }
    return true;
  }

 private:
  bool put(const std::uint8_t* from, std::size_t bytes) {
    if (out_.size() - written_ <= kSizeBytes) return false;
    auto* const size_at = out_.data() + written_;
    const auto room = std::min<std::size_t>(out_.size() - written_ - kSizeBytes, LZ4_MAX_INPUT_SIZE);
    const auto size = LZ4_compress_fast_continue(&scratch_.stream_->state, chars(from), chars(size_at + kSizeBytes),
                                                 static_cast<int>(bytes), static_cast<int>(room), 1);
    if (size <= 0) return false;
    const auto swapped = std::byteswap(static_cast<std::uint32_t>(size));
    std::memcpy(size_at, &swapped, kSizeBytes);
    written_ += kSizeBytes + static_cast<std::size_t>(size);
    return true;
  }

  Lz4Scratch& scratch_;
  std::span<std::uint8_t> out_;
  std::size_t written_ = 0;
};

std::optional<std::size_t> lz4_encode(const Lz4Image& image, std::span<std::uint8_t> out, Lz4Scratch& scratch) {
  if (image.width == 0 || image.height == 0 || out.size() < kLz4HeaderBytes) return std::nullopt;
  if (image.width * lz4_pixel_bytes(image.format) > kMaxImageBytes / image.height) return std::nullopt;
  out[0] = image.top_down ? 1 : 0;
  out[1] = static_cast<std::uint8_t>(image.format);
  Lz4Blocks blocks(scratch, out.subspan(kLz4HeaderBytes));
  if (!blocks.encode(image)) return std::nullopt;
  return kLz4HeaderBytes + blocks.written();
}

std::expected<Lz4Header, Lz4Error> lz4_read_header(std::span<const std::uint8_t> data) {
  if (data.size() < kLz4HeaderBytes) return std::unexpected(Lz4Error::Truncated);
  const Lz4Header header{static_cast<Lz4Format>(data[1]), data[0] == 1};
  if (data[0] > 1 || lz4_pixel_bytes(header.format) == 0) return std::unexpected(Lz4Error::BadHeader);
  return header;
}

std::expected<Lz4Header, Lz4Error> lz4_decode(std::span<const std::uint8_t> data, std::uint32_t width,
                                              std::uint32_t height, std::span<std::uint8_t> out) {
  const auto header = lz4_read_header(data);
  if (!header) return header;
  const auto row = width * lz4_pixel_bytes(header->format);
  if (height == 0 || row > kMaxImageBytes / height || row * height > out.size())
    return std::unexpected(Lz4Error::SmallBuffer);
  data = data.subspan(kLz4HeaderBytes);
  std::size_t done = 0;
  for (const auto end = row * height; done < end;) {
    std::uint32_t size = 0;
    if (data.size() < kSizeBytes) return std::unexpected(Lz4Error::Truncated);
    std::memcpy(&size, data.data(), sizeof size);
    size = std::byteswap(size);
    data = data.subspan(kSizeBytes);
    if (size > data.size()) return std::unexpected(Lz4Error::Truncated);
    const auto reach = std::min(done, kReach);
    const auto bytes = LZ4_decompress_safe_usingDict(
        chars(data.data()), chars(out.data() + done), static_cast<int>(std::min<std::size_t>(size, kMaxImageBytes)),
        static_cast<int>(end - done), chars(out.data() + done - reach), static_cast<int>(reach));
    if (bytes <= 0) return std::unexpected(Lz4Error::BadBlock);
    done += static_cast<std::size_t>(bytes);
    data = data.subspan(size);
  }
  if (!data.empty()) return std::unexpected(Lz4Error::BadBlock);
  return header;
}

}  // namespace spice::codec
