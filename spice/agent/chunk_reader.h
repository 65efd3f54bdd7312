// The bytes that the guest writes to its agent's port, as pieces that fit a message to a client. A piece never reaches
// over the end of its chunk.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "spice/agent/agent_abi.h"

namespace spice::agent {

class ChunkReader {
 public:
  enum class Status : std::uint8_t { NeedsMore, Piece, Broken };

  // Takes what it needs from the front of `bytes`. After Broken, which is a chunk that is not for a client, only a new
  // reader makes sense.
  Status feed(std::span<const std::uint8_t>& bytes);
  // After Status::Piece, until the next feed().
  std::vector<std::uint8_t>& piece() { return piece_; }

 private:
  bool take(std::span<const std::uint8_t>& bytes, std::size_t wanted);
  bool begin_chunk();

  std::vector<std::uint8_t> part_;  // of a header or a piece
  std::vector<std::uint8_t> piece_;
  std::uint32_t left_ = 0;  // of the chunk
  bool skips_ = false;      // the chunk
};

}  // namespace spice::agent
