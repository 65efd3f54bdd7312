// A recording in memory, handed out in small pieces.
#pragma once

#include <algorithm>
#include <string_view>

#include "vmm/replay/byte_source.h"

namespace replay_test {

class MemorySource final : public vmm::replay::ByteSource {
 public:
  explicit MemorySource(std::span<const std::uint8_t> bytes, std::size_t piece = 7) : bytes_(bytes), piece_(piece) {}
  explicit MemorySource(std::string_view text)
      : MemorySource({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}) {}

  core::Result<std::size_t> read(std::span<std::uint8_t> to) override {
    const auto part = bytes_.first(std::min({piece_, to.size(), bytes_.size()}));
    std::ranges::copy(part, to.begin());
    bytes_ = bytes_.subspan(part.size());
    return part.size();
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t piece_;
};

}  // namespace replay_test
