// Where a recording's bytes come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/result.h"

namespace vmm::replay {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // How many bytes it has put at the front of `to`; 0 at the end.
  virtual core::Result<std::size_t> read(std::span<std::uint8_t> to) = 0;
};

}  // namespace vmm::replay
