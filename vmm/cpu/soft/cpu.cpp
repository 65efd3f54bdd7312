#include "vmm/cpu/soft/cpu.h"

#include <cstddef>

#include "vmm/cpu/soft/descriptors.h"

namespace vmm::cpu::soft {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // conditionally supported; GCC and clang do
static_assert(offsetof(Cpu, general) == 0 && offsetof(Cpu, rip) == Cpu::kRip);
#pragma GCC diagnostic pop

void SegmentRegister::derive(bool protection) {
  first = 0;
  last = limit;
  readable = writable = true;
  if (!protection) return;
  if ((attributes & kUnusable) != 0) {
    first = 1;
    last = 0;
    readable = writable = false;
    return;
  }
  const bool code = (attributes & kTypeCode) != 0;
  readable = !code || (attributes & kTypeReadable) != 0;
  writable = !code && (attributes & kTypeWritable) != 0;
  if (!code && (attributes & kTypeExpandDown) != 0) {
    first = std::uint64_t{limit} + 1;
    last = (attributes & kAttributeBig) != 0 ? 0xffffffff : 0xffff;
  }
}

void Cpu::derive_mode() {
  const SegmentRegister& code = segments[kCs];
  std::uint8_t derived = 0;
  if (long_mode() && (code.attributes & kAttributeLong) != 0) {
    derived = Mode::kCode64;
  } else {
    derived = (code.attributes & kAttributeBig) != 0 ? Mode::kCode32 : Mode::kCode16;
    if ((segments[kSs].attributes & kAttributeBig) != 0) derived |= Mode::kStack32;
    if (!protected_mode() || virtual_8086()) derived |= Mode::kUnprotected;
    const bool is_flat = segments[kDs].is_flat() && segments[kEs].is_flat() && segments[kSs].is_flat();
    if (derived == (Mode::kCode32 | Mode::kStack32) && is_flat) derived |= Mode::kFlat32;
  }
  if ((other_flags & kTf) != 0 || shadow != 0 || (dr7 & 0xff) != 0) derived |= Mode::kStepped;
  mode = derived;
}

}  // namespace vmm::cpu::soft
