// What came over a connection and nobody has taken yet, in one piece. It stays where it was read to, and the memory
// follows how much comes at a time: an idle connection has little, one that is flooded reads much at once.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace spice::net {

class InputBuffer {
 public:
  using Bytes = std::vector<std::uint8_t>;

  static constexpr std::size_t kLeast = std::size_t{4} * 1024;   // bytes of memory of an idle connection
  static constexpr std::size_t kMost = std::size_t{256} * 1024;  // of any, but while a longer message comes

  InputBuffer() = default;
  explicit InputBuffer(Bytes bytes) : memory_(std::move(bytes)), end_(memory_.size()) {}

  bool empty() const { return begin_ == end_; }
  std::span<const std::uint8_t> bytes() const { return std::span(memory_).subspan(begin_, end_ - begin_); }
  // The first of them were taken. Where the others are does not change.
  void consume(std::size_t count);
  Bytes take();  // all

  // Where the next ones go, and how many went there. What bytes() gave before is not valid any more.
  std::span<std::uint8_t> room();
  void add(std::size_t count);
  void append(std::span<const std::uint8_t> bytes);

 private:
  void make_room(std::size_t least);
  void fit(std::size_t used);

  Bytes memory_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace spice::net
