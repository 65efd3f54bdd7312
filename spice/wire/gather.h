// Bytes to send, in pieces: a small head with shared payloads spliced in. The head starts with room for a data header,
// which the connection fills in when it knows the serial.
#pragma once

#include <array>
#include <cstdint>
#include <span>
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

  Gather() : head_(kHeaderRoom) {}

  // Size of the body: without a header put in front.
  std::size_t size() const { return head_.size() - kHeaderRoom + payload_bytes_; }
  std::size_t total_size() const { return head_.size() - begin_ + payload_bytes_; }
  std::size_t payload_count() const { return splices_.size(); }

  // Room for `count` more bytes of head.
  std::uint8_t* append(std::size_t count) {
    head_.resize(head_.size() + count);
    return head_.data() + head_.size() - count;
  }
  void append(std::span<const std::uint8_t> bytes) { head_.insert(head_.end(), bytes.begin(), bytes.end()); }
  // Big payloads stay where they are, small ones are copied.
  void append(Payload payload);
  // Head bytes by their position in the head, for patching offsets.
  std::size_t head_size() const { return head_.size(); }
  std::uint8_t* head_at(std::size_t position) { return head_.data() + position; }

  void prepend_header(std::span<const std::uint8_t> header);  // once, at most kHeaderRoom bytes

  // The pieces from byte `skip` of header and body on, at most N of them; returns how many.
  template <std::size_t N>
  std::size_t pieces(std::size_t skip, std::array<std::span<const std::uint8_t>, N>& out) const {
    return pieces_into(skip, out);
  }
  std::vector<std::uint8_t> flatten() const;  // header and body in one run

 private:
  std::size_t pieces_into(std::size_t skip, std::span<std::span<const std::uint8_t>> out) const;

  std::vector<std::uint8_t> head_;
  std::size_t begin_ = kHeaderRoom;
  std::vector<Splice> splices_;
  std::size_t payload_bytes_ = 0;
};

}  // namespace spice::wire
