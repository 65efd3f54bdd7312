#include "vmm/replay/input.h"

#include <algorithm>

namespace vmm::replay {

std::size_t Input::available() {
  if (!ok()) return 0;
  if (begin_ < end_) return end_ - begin_;
  const auto got = source_.read(buffer_);
  if (!got) {
    error_ = got.error().message;
    return 0;
  }
  begin_ = 0;
  end_ = *got;
  return end_;
}

void Input::skip(std::size_t count) {
  begin_ += count;
  position_ += count;
}

std::vector<std::uint8_t> Input::bytes(std::size_t count) {
  std::vector<std::uint8_t> result;
  while (result.size() < count) {
    const auto part = std::min(available(), count - result.size());
    if (part == 0) {
      if (ok()) ended_early_ = true;
      return {};
    }
    const auto first = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
    result.insert(result.end(), first, first + static_cast<std::ptrdiff_t>(part));
    skip(part);
  }
  return result;
}

std::string_view Input::text_until(char end) {
  text_.clear();
  while (text_.size() < kLongestText) {
    if (available() == 0) {
      if (ok()) ended_early_ = true;
      return {};
    }
    const char c = static_cast<char>(buffer_[begin_]);
    skip(1);
    if (c == end) return text_;
    text_ += c;
  }
  fail("a line is too long");
  return {};
}

void Input::fail(std::string_view what) {
  if (ok()) error_ = fmt::format("{} (before byte {})", what, position_);
}

}  // namespace vmm::replay
