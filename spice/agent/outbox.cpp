#include "spice/agent/outbox.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "spice/agent/agent_abi.h"

namespace spice::agent {

using namespace abi;

namespace {

std::vector<std::uint8_t> chunk(std::uint32_t port, std::span<const std::uint8_t> body) {
  std::vector<std::uint8_t> bytes(sizeof(VDIChunkHeader) + body.size());
  core::store_le(bytes.data() + offsetof(VDIChunkHeader, port), port);
  core::store_le(bytes.data() + offsetof(VDIChunkHeader, size), static_cast<std::uint32_t>(body.size()));
  std::ranges::copy(body, bytes.begin() + sizeof(VDIChunkHeader));
  return bytes;
}

}  // namespace

void Outbox::add_piece(std::span<const std::uint8_t> piece) {
  pieces_.push_back(chunk(VDP_CLIENT_PORT, piece));
}

bool Outbox::next_chunk(const Guest& guest) {
  written_ = 0;
  const auto message = guest.next_message();
  is_piece_ = !message;
  if (message) {
    MV_ASSERT(message->size() <= VD_AGENT_MAX_DATA_SIZE, "a message of the server is one chunk");
    chunk_ = chunk(VDP_SERVER_PORT, *message);
  } else if (!pieces_.empty()) {
    chunk_ = std::move(pieces_.front());
    pieces_.pop_front();
  }
  return !chunk_.empty();
}

std::uint32_t Outbox::pump(const Guest& guest) {
  std::uint32_t pieces = 0;
  while (!chunk_.empty() || next_chunk(guest)) {
    const auto rest = std::span<const std::uint8_t>(chunk_).subspan(written_);
    const auto taken = guest.write(rest);
    written_ += taken;
    if (taken < rest.size()) break;
    if (is_piece_) ++pieces;
    chunk_.clear();
  }
  return pieces;
}

void Outbox::drop_pieces() {
  pieces_.clear();
  is_piece_ = false;
}

void Outbox::clear() {
  pieces_.clear();
  chunk_.clear();
}

}  // namespace spice::agent
