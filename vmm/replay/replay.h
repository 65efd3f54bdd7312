// minivmm replay FILE[.gz]: plays a recording of a display without a guest.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "vmm/replay/immediate_canvas.h"

namespace vmm::replay {

struct ReplayConfig {
  std::string recording{};    // path; may be compressed with gzip
  std::string picture{};      // path of the screenshot, PNG, or PPM if it ends in .ppm; empty: none
  bool with_pointer = false;  // in the screenshot
  std::string converted{};    // path of the same recording in our own format; empty: none
  // Only so many calls from the start, to find the one that draws something wrong.
  std::uint64_t most_calls = std::numeric_limits<std::uint64_t>::max();
};

// `arguments`: those behind "replay".
core::Result<ReplayConfig> parse_replay_arguments(const std::vector<std::string>& arguments);

struct Replayed {
  std::int32_t width = 0;  // 0: nothing was shown
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels{};  // 0x00RRGGBB, row by row without gaps
  std::uint64_t calls = 0;              // of all kinds
  ImmediateCanvas::Tallies drawings{};
  bool ended_early = false;
};

core::Result<Replayed> replay(const ReplayConfig& config);
// For people, a few lines.
std::string report(const Replayed& replayed);

}  // namespace vmm::replay
