#include "spice/net/input_buffer.h"

#include <algorithm>
#include <utility>

namespace spice::net {

void InputBuffer::consume(std::size_t count) {
  begin_ += count;
  if (begin_ < end_) return;
  begin_ = 0;
  fit(std::exchange(end_, 0));
}

// Nothing is in it, and so much of it was used at a time.
void InputBuffer::fit(std::size_t used) {
  const bool is_too_large = used < memory_.size() / 16;
  const auto wanted = std::clamp(is_too_large ? memory_.size() / 2 : memory_.size(), kLeast, kMost);
  if (wanted < memory_.size()) memory_ = Bytes(wanted);
}

InputBuffer::Bytes InputBuffer::take() {
  const auto all = bytes();
  Bytes taken(all.begin(), all.end());
  *this = {};
  return taken;
}

// So much that the rest of a long message does not come in ever smaller parts.
std::span<std::uint8_t> InputBuffer::room() {
  make_room(std::max(kLeast, memory_.size() / 4));
  return std::span(memory_).subspan(end_);
}

void InputBuffer::add(std::size_t count) {
  end_ += count;
  // There may be more.
  if (end_ == memory_.size() && end_ < kMost) memory_.resize(std::min(2 * end_, kMost));
}

void InputBuffer::append(std::span<const std::uint8_t> bytes) {
  make_room(bytes.size());
  std::ranges::copy(bytes, memory_.begin() + static_cast<std::ptrdiff_t>(end_));
  end_ += bytes.size();
}

void InputBuffer::make_room(std::size_t least) {
  if (memory_.size() - end_ >= least) return;
  const auto left = bytes();
  std::copy(left.begin(), left.end(), memory_.begin());
  end_ -= std::exchange(begin_, 0);
  if (memory_.size() - end_ < least) memory_.resize(std::max(end_ + least, 2 * memory_.size()));
}

}  // namespace spice::net
