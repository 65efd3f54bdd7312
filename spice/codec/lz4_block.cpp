#include "spice/codec/lz4_block.h"

#include <algorithm>
#include <lz4.h>

namespace spice::codec {

namespace {

constexpr std::size_t kMost = std::size_t{1} << 30;

int length(std::size_t size) {
  return static_cast<int>(std::min(size, kMost));
}

}  // namespace

std::optional<std::size_t> lz4_block_encode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out) {
  if (data.size() > kMost) return std::nullopt;
  const auto size = LZ4_compress_default(reinterpret_cast<const char*>(data.data()),
                                         reinterpret_cast<char*>(out.data()), length(data.size()), length(out.size()));
  if (size <= 0) return std::nullopt;
  return static_cast<std::size_t>(size);
}

bool lz4_block_decode(std::span<const std::uint8_t> block, std::span<std::uint8_t> out) {
  if (block.size() > kMost || out.size() > kMost) return false;
  const auto size = LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()),
                                        reinterpret_cast<char*>(out.data()), length(block.size()), length(out.size()));
  return size >= 0 && static_cast<std::size_t>(size) == out.size();
}

}  // namespace spice::codec
