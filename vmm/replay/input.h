// A recording's bytes in the pieces that its readers want, with the place of each for messages. What does not fit is
// noted once; from then on everything read is empty.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/replay/byte_source.h"

namespace vmm::replay {

class Input {
 public:
  explicit Input(ByteSource& source) : source_(source), buffer_(kBufferBytes) {}

  std::uint64_t position() const { return position_; }
  bool at_end() { return available() == 0; }
  // The next byte, which stays; 0 at the end.
  std::uint8_t peek() { return at_end() ? std::uint8_t{0} : buffer_[begin_]; }
  // Exactly `count` bytes. The memory grows with what there really is.
  std::vector<std::uint8_t> bytes(std::size_t count);
  // The text up to `end`, which is skipped. Valid until the next call.
  std::string_view text_until(char end);

  // The first thing that went wrong. That the file ends too early is told apart: recordings of processes that were
  // killed do.
  bool ok() const { return !ended_early_ && error_.empty(); }
  bool ended_early() const { return ended_early_; }
  const std::string& error() const { return error_; }
  void fail(std::string_view what);  // at this position

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{64} << 10;
  static constexpr std::size_t kLongestText = 200;

  std::size_t available();
  void skip(std::size_t count);

  ByteSource& source_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;  // of what is unread in the buffer
  std::size_t end_ = 0;
  std::uint64_t position_ = 0;
  std::string text_;
  bool ended_early_ = false;
  std::string error_;
};

}  // namespace vmm::replay
