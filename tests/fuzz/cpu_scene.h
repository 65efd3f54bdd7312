// What an input of the fuzz target "cpu" means: the memory of a small machine, the state of its CPU, and what comes
// from outside while it runs.
//
// RAM has a page each for the tables of all modes, handlers that skip the byte they are called for, and the input's own
// code. Whatever the head of an input says is added to a state that works, so that bytes of zero are a machine that
// runs.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/fuzz/input.h"
#include "vmm/cpu/cpu_state.h"

namespace tests {

struct CpuScene {
  static constexpr std::uint64_t kRamBytes = 128 * 1024;
  static constexpr std::uint64_t kRom = 0x50000, kDevice = 0x60000, kCode = 0x10000;
  static constexpr std::size_t kMaxCode = 1024;
  // An event comes each time that many instructions have run.
  static constexpr unsigned kEvents = 4;

  bool is_old_model = false;
  bool a20_is_open = true;
  unsigned gap = 64;
  std::array<std::uint8_t, kEvents> events{};
};

// Tables, handlers and page tables of all modes.
std::vector<std::uint8_t> make_ram_template();
// `ram` is a fresh template, `state` a CPU's after a reset.
CpuScene read_scene(FuzzInput input, std::span<std::uint8_t> ram, vmm::cpu::CpuState& state);

}  // namespace tests
