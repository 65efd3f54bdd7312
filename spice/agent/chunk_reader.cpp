#include "spice/agent/chunk_reader.h"

#include <algorithm>
#include <utility>

namespace spice::agent {

using namespace abi;

// Until part_ has as much as wanted.
bool ChunkReader::take(std::span<const std::uint8_t>& bytes, std::size_t wanted) {
  const auto count = std::min(bytes.size(), wanted - part_.size());
  part_.insert(part_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
  bytes = bytes.subspan(count);
  return part_.size() == wanted;
}

bool ChunkReader::begin_chunk() {
  const auto port = core::load_le<std::uint32_t>(part_.data() + offsetof(VDIChunkHeader, port));
  left_ = core::load_le<std::uint32_t>(part_.data() + offsetof(VDIChunkHeader, size));
  skips_ = port == VDP_SERVER_PORT;
  part_.clear();
  return skips_ || port == VDP_CLIENT_PORT;
}

ChunkReader::Status ChunkReader::feed(std::span<const std::uint8_t>& bytes) {
  while (!bytes.empty()) {
    if (left_ == 0) {
      if (take(bytes, sizeof(VDIChunkHeader)) && !begin_chunk()) return Status::Broken;
    } else if (skips_) {
      const auto count = std::min<std::size_t>(left_, bytes.size());
      bytes = bytes.subspan(count);
      left_ -= static_cast<std::uint32_t>(count);
    } else {
      const auto wanted = std::min<std::size_t>(part_.size() + left_, VD_AGENT_MAX_DATA_SIZE);
      const auto before = part_.size();
      const bool is_whole = take(bytes, wanted);
      left_ -= static_cast<std::uint32_t>(part_.size() - before);
      if (is_whole) {
        piece_ = std::exchange(part_, {});
        return Status::Piece;
      }
    }
  }
  return Status::NeedsMore;
}

}  // namespace spice::agent
