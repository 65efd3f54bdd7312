#include "spice/agent/outbox.h"

#include <array>
#include <utility>

#include "core/base/assert.h"
#include "spice/agent/agent_abi.h"

namespace spice::agent {

using namespace abi;

namespace {

// What was written is taken out when it is as much as this, and more than what is left.
constexpr std::size_t kMuch = std::size_t{16} << 10;

void append_chunk(std::vector<std::uint8_t>& to, std::uint32_t port, std::span<const std::uint8_t> body) {
  std::array<std::uint8_t, sizeof(VDIChunkHeader)> header{};
  core::store_le(header.data() + offsetof(VDIChunkHeader, port), port);
  core::store_le(header.data() + offsetof(VDIChunkHeader, size), static_cast<std::uint32_t>(body.size()));
  to.insert(to.end(), header.begin(), header.end());
  to.insert(to.end(), body.begin(), body.end());
}

}  // namespace

void Outbox::add_piece(std::span<const std::uint8_t> piece) {
  forget_written();
  append_chunk(pieces_, VDP_CLIENT_PORT, piece);
  ends_.push_back(base_ + pieces_.size());
}

void Outbox::forget_written() {
  const auto whole = static_cast<std::size_t>(begun_ - base_);
  if (whole < pieces_.size() && (whole < kMuch || whole < pieces_.size() / 2)) return;
  pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(whole));
  base_ = begun_;
}

// One that is under way ends by itself: a message of the server may wait for that.
std::span<const std::uint8_t> Outbox::next_pieces() const {
  if (ends_.empty()) return {};
  const auto end = is_between_pieces() ? ends_.back() : ends_.front();
  return std::span<const std::uint8_t>(pieces_).first(end - base_).subspan(written_ - base_);
}

// How many of the client's pieces are written whole now.
std::uint32_t Outbox::count_written() {
  std::uint32_t count = 0;
  for (; !ends_.empty() && ends_.front() <= written_; ends_.pop_front()) {
    begun_ = ends_.front();
    if (!std::exchange(first_is_dropped_, false)) ++count;
  }
  return count;
}

std::uint32_t Outbox::pump(const Guest& guest) {
  std::uint32_t pieces = 0;
  for (;;) {
    if (message_.empty() && is_between_pieces()) {
      if (const auto message = guest.next_message()) {
        MV_ASSERT(message->size() <= VD_AGENT_MAX_DATA_SIZE, "a message of the server is one chunk");
        append_chunk(message_, VDP_SERVER_PORT, *message);
        message_written_ = 0;
      }
    }
    const bool is_message = !message_.empty();
    const auto rest = is_message ? std::span<const std::uint8_t>(message_).subspan(message_written_) : next_pieces();
    if (rest.empty()) return pieces;
    const auto taken = guest.write(rest);
    if (is_message) {
      message_written_ += taken;
    } else {
      written_ += taken;
      pieces += count_written();
    }
    if (taken < rest.size()) return pieces;
    if (is_message) message_.clear();
  }
}

void Outbox::drop_pieces() {
  if (ends_.empty()) return;
  if (is_between_pieces()) {
    ends_.clear();
    pieces_.clear();
    base_ = begun_ = written_;
    return;
  }
  ends_.resize(1);
  pieces_.resize(ends_.front() - base_);
  first_is_dropped_ = true;
}

void Outbox::clear() {
  *this = Outbox();
}

}  // namespace spice::agent
