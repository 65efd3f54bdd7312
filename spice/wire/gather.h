// Bytes to send, in pieces: a small head with shared payloads spliced in. The head starts with room for a data header,
// which the connection fills in when it knows the serial.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "spice/wire/payload.h"

namespace spice::wire {

class Gather {
 public:
  static constexpr std::size_t kHeaderRoom = 18;  // the larger of the two data headers

  struct Splice {
    std::size_t head_position = 0;  // the payload goes before this byte of the head
    Payload payload;
  };

  static constexpr std::size_t kCopiedBelow = 512;  // a copy is cheaper than one more piece to write

  Gather() : head_(kUsualHead) {}

  // Size of the body: without a header put in front.
  std::size_t size() const { return end_ - kHeaderRoom + payload_bytes_; }
  std::size_t total_size() const { return end_ - begin_ + payload_bytes_; }
  std::size_t payload_count() const { return splices_.size(); }

  // Room for `count` more bytes of head.
  std::uint8_t* append(std::size_t count) {
    if (end_ + count > head_.size()) head_.resize(std::max({2 * head_.size(), kLongHead, end_ + count}));
    return head_.data() + std::exchange(end_, end_ + count);
  }
  void append(std::span<const std::uint8_t> bytes) { std::ranges::copy(bytes, append(bytes.size())); }
  // Big payloads stay where they are, those of less than kCopiedBelow bytes are copied.
  void append(const Payload& payload);
  // Head bytes by their position in the head, for patching offsets.
  std::size_t head_size() const { return end_; }
  std::uint8_t* head_at(std::size_t position) { return head_.data() + position; }

  void prepend_header(std::span<const std::uint8_t> header);  // once, at most kHeaderRoom bytes

  // The pieces from byte `skip` of header and body on, at most N of them; returns how many.
  template <std::size_t N>
  std::size_t pieces(std::size_t skip, std::array<std::span<const std::uint8_t>, N>& out) const {
    return pieces_into(skip, out);
  }
  std::vector<std::uint8_t> flatten() const;  // header and body in one run
  void append_to(std::vector<std::uint8_t>& out) const;

 private:
  static constexpr std::size_t kUsualHead = 256;
  static constexpr std::size_t kLongHead = 4096;  // of a line of text

  // Header and body in order: a run of the head, a payload, and so on. A run may be empty.
  template <class F>
  void for_each_piece(F f) const;
  std::size_t pieces_into(std::size_t skip, std::span<std::span<const std::uint8_t>> out) const;

  std::vector<std::uint8_t> head_;  // from begin_ to end_
  std::size_t begin_ = kHeaderRoom;
  std::size_t end_ = kHeaderRoom;
  std::vector<Splice> splices_;
  std::size_t payload_bytes_ = 0;
};

}  // namespace spice::wire
