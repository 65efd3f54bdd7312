// One block of raw LZ4, as port channels carry bytes. Any thread. LZ4 itself is liblz4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace spice::codec {

// Writes the block to `out` and returns its size; nothing if it does not fit, or there are more than 1 GiB.
std::optional<std::size_t> lz4_block_encode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out);
// False unless the block is exactly out.size() bytes.
bool lz4_block_decode(std::span<const std::uint8_t> block, std::span<std::uint8_t> out);

}  // namespace spice::codec
