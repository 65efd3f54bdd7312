// The sixteen conditions of Jcc, SETcc and CMOVcc by the low four bits of their opcodes. [SDM 1 appendix B]
#pragma once

#include "vmm/cpu/soft/flags.h"

namespace vmm::cpu::soft {

template <unsigned kCode>
bool condition(const ArithmeticFlags& flags) {
  static_assert(kCode < 16);
  constexpr unsigned kKind = kCode / 2;
  bool holds = false;
  if constexpr (kKind == 0) holds = flags.of();
  if constexpr (kKind == 1) holds = flags.cf();
  if constexpr (kKind == 2) holds = flags.zf();
  if constexpr (kKind == 3) holds = flags.cf() || flags.zf();
  if constexpr (kKind == 4) holds = flags.sf();
  if constexpr (kKind == 5) holds = flags.pf();
  if constexpr (kKind == 6) holds = flags.sf() != flags.of();
  if constexpr (kKind == 7) holds = flags.zf() || flags.sf() != flags.of();
  return holds != (kCode % 2 != 0);
}

}  // namespace vmm::cpu::soft
