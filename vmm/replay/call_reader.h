// Reads a recording call by call, of either format.
#pragma once

#include <memory>
#include <optional>

#include "vmm/replay/call.h"
#include "vmm/replay/input.h"

namespace vmm::replay {

class CallReader {
 public:
  virtual ~CallReader() = default;
  // Nothing at the end, also at one that comes too early (Input says so).
  virtual core::Result<std::optional<Call>> next() = 0;
};

// By the recording's first bytes: our own or libspice-server's. The input must outlive it.
core::Result<std::unique_ptr<CallReader>> open_recording(Input& input);

}  // namespace vmm::replay
