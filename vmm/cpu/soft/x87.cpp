#include "vmm/cpu/soft/x87.h"

#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {

std::uint16_t tag_word(const X87& fpu) {
  enum : unsigned { kValid = 0, kZero = 1, kSpecial = 2, kEmpty = 3 };
  unsigned tags = 0;
  for (unsigned index = 0; index < 8; ++index) {
    const X87::Register& value = fpu.registers[index];
    const unsigned exponent = value.sign_exponent & 0x7fff;
    unsigned tag = kValid;
    if ((fpu.occupied >> index & 1) == 0) {
      tag = kEmpty;
    } else if (exponent == 0 && value.mantissa == 0) {
      tag = kZero;
    } else if (exponent == 0 || exponent == 0x7fff || value.mantissa >> 63 == 0) {
      tag = kSpecial;
    }
    tags |= tag << (2 * index);
  }
  return static_cast<std::uint16_t>(tags);
}

void set_tag_word(X87& fpu, std::uint16_t tags) {
  unsigned occupied = 0;
  for (unsigned index = 0; index < 8; ++index) {
    if ((tags >> (2 * index) & 3) != 3) occupied |= 1u << index;
  }
  fpu.occupied = static_cast<std::uint8_t>(occupied);
}

void initialize_x87(X87& fpu) {
  const auto registers = fpu.registers;
  fpu = X87();
  fpu.registers = registers;
}

bool report_pending(Cpu& cpu) {
  if (pending_exceptions(cpu.x87) == 0) return true;
  if ((cpu.cr0 & kCr0Ne) != 0) {
    cpu.raise(Vector::X87Error);
    return false;
  }
  if (cpu.platform != nullptr) cpu.platform->report_x87_error();
  return true;
}

}  // namespace vmm::cpu::soft
