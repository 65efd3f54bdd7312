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
  bool next_chunk(const Guest& guest);

  std::deque<Bytes> pieces_;  // with their chunk headers
  Bytes chunk_;               // under way
  std::size_t written_ = 0;   // of it
  bool is_piece_ = false;     // what it is
};

}  // namespace spice::agent
