// What waits for the guest to take it from its agent's port: pieces of the client's stream. Messages of the server go
// before them as soon as no chunk is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace spice::agent {

class Outbox {
 public:
  using Bytes = std::vector<std::uint8_t>;
  struct Guest {
    std::function<std::size_t(std::span<const std::uint8_t>)> write;  // how much it takes
    std::function<std::optional<Bytes>()> next_message;               // of the server, at most a chunk's size
  };

  void add_piece(std::span<const std::uint8_t> piece);
  // Until the guest takes no more; returns how many pieces of the client it has now.
  std::uint32_t pump(const Guest& guest);

  // The client's pieces; a chunk under way still goes, and is not counted any more.
  void drop_pieces();
  void clear();

 private:
  bool is_between_pieces() const { return written_ == begun_; }
  std::span<const std::uint8_t> next_pieces() const;
  std::uint32_t count_written();
  void forget_written();

  Bytes message_;                    // of the server, under way
  std::size_t message_written_ = 0;  // of it
  // All pieces with their chunk headers, one behind the other: the guest gets as many at a time as it has room for.
  // Places are counted from the first piece that ever was; pieces_ begins at base_.
  Bytes pieces_;
  std::uint64_t base_ = 0;
  std::uint64_t begun_ = 0;         // where the first begins that is not written whole
  std::uint64_t written_ = 0;       // up to here
  std::deque<std::uint64_t> ends_;  // of those that are not written whole
  bool first_is_dropped_ = false;   // and is not counted
};

}  // namespace spice::agent
