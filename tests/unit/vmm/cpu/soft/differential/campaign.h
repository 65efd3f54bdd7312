// Compares the software CPU with the host's processor over many random cases, and reports single instructions.
//
// The seed is fixed, unless MINIVMM_DIFFERENTIAL_SEED is set; MINIVMM_DIFFERENTIAL_CASES sets how many cases a campaign
// has. What is found goes to a list of regressions in the source.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "tests/unit/vmm/cpu/soft/differential/case.h"

namespace vmm::cpu::soft::differential {

struct Campaign {
  std::string_view forms;  // generator.h; commas in between
  std::uint64_t cases = 20000;
  unsigned max_instructions = 5;
  bool fpu = false;  // random x87, MMX and SSE registers, and they are compared
  // Makes equal what may differ, in both outcomes (the first one is the host's).
  std::function<void(const Case& one, Outcome& native, Outcome& soft)> forgive = nullptr;
};

// What differs; empty if nothing does.
std::string run_campaign(const Campaign& campaign);
// Each of `codes` (hexadecimal bytes, "32:" or "16:" in front for compatibility mode) with many random registers; RBX
// points into the middle of the data page, to an address that 64 divides.
std::string run_regressions(std::span<const std::string_view> codes, const Campaign& campaign);

}  // namespace vmm::cpu::soft::differential
