// x87 control instructions: control, status and tag words, the environment in its four formats, the whole state.
// [SDM 1 8.1.10, 8.3.8; SDM 2 FLDENV, FRSTOR]
#include <array>
#include <type_traits>

#include "vmm/cpu/soft/memory_area.h"
#include "vmm/cpu/soft/ops_x87.h"

namespace vmm::cpu::soft {
namespace {

// The environment as memory has it: by operand size and by whether addresses are of protected mode.
template <bool kWide, bool kUnprotected>
struct Environment {
  using Word = std::conditional_t<kWide, std::uint32_t, std::uint16_t>;
  using Image = std::array<Word, 7>;

  static Image store(const X87& fpu) {
    const Word unused = kWide ? static_cast<Word>(0xffff0000) : Word{0};
    Image image{};
    image[0] = static_cast<Word>(unused | fpu.control);
    image[1] = static_cast<Word>(unused | status_word(fpu));
    image[2] = static_cast<Word>(unused | tag_word(fpu));
    if constexpr (kUnprotected) {
      const auto ip = static_cast<std::uint32_t>((std::uint64_t{fpu.last_cs} << 4) + fpu.last_ip);
      const auto dp = static_cast<std::uint32_t>((std::uint64_t{fpu.last_ds} << 4) + fpu.last_dp);
      image[3] = static_cast<Word>(unused | (ip & 0xffff));
      image[4] = static_cast<Word>((ip & 0xffff0000) >> 4 | fpu.last_opcode);
      image[5] = static_cast<Word>(unused | (dp & 0xffff));
      image[6] = static_cast<Word>((dp & 0xffff0000) >> 4);
    } else {
      image[3] = static_cast<Word>(fpu.last_ip);
      image[4] = static_cast<Word>(fpu.last_cs | (kWide ? std::uint32_t{fpu.last_opcode} << 16 : 0));
      image[5] = static_cast<Word>(fpu.last_dp);
      image[6] = static_cast<Word>(unused | fpu.last_ds);
    }
    return image;
  }

  static void load(X87& fpu, const Image& image) {
    set_control_word(fpu, static_cast<std::uint16_t>(image[0]));
    set_status_word(fpu, static_cast<std::uint16_t>(image[1]));
    set_tag_word(fpu, static_cast<std::uint16_t>(image[2]));
    if constexpr (kUnprotected) {
      fpu.last_cs = fpu.last_ds = 0;
      fpu.last_opcode = image[4] & 0x7ff;
      fpu.last_ip = (image[3] & 0xffff) | (std::uint32_t{image[4]} & 0x0ffff000) << 4;
      fpu.last_dp = (image[5] & 0xffff) | (std::uint32_t{image[6]} & 0x0ffff000) << 4;
    } else {
      fpu.last_ip = image[3];
      fpu.last_cs = static_cast<std::uint16_t>(image[4]);
      fpu.last_opcode = kWide ? static_cast<std::uint16_t>(std::uint32_t{image[4]} >> 16 & 0x7ff) : std::uint16_t{0};
      fpu.last_dp = image[5];
      fpu.last_ds = static_cast<std::uint16_t>(image[6]);
    }
  }
};

// `element`: the size of a field of the environment.
bool read_memory(Cpu& cpu, const Op& op, void* bytes, unsigned size, unsigned element) {
  MemoryArea area;
  return area.find(cpu, op, size, Access::Read, element) && area.read(cpu, 0, bytes, size);
}
bool write_memory(Cpu& cpu, const Op& op, const void* bytes, unsigned size, unsigned element) {
  MemoryArea area;
  return area.find(cpu, op, size, Access::Write, element) && area.probe(cpu, Access::Write) &&
         area.write(cpu, 0, bytes, size);
}

template <bool kWide, bool kUnprotected>
Flow store_environment(Cpu& cpu, const Op& op) {
  if (!x87_available(cpu)) return Flow::Fault;
  const auto image = Environment<kWide, kUnprotected>::store(cpu.x87);
  if (!write_memory(cpu, op, image.data(), sizeof image, kWide ? 4 : 2)) return Flow::Fault;
  cpu.x87.control |= kFpuExceptions;
  return Flow::Next;
}
template <bool kWide, bool kUnprotected>
Flow load_environment(Cpu& cpu, const Op& op) {
  typename Environment<kWide, kUnprotected>::Image image{};
  if (!begin_x87(cpu) || !read_memory(cpu, op, image.data(), sizeof image, kWide ? 4 : 2)) return Flow::Fault;
  Environment<kWide, kUnprotected>::load(cpu.x87, image);
  return Flow::Next;
}

// The environment, then ST(0) to ST(7).
constexpr unsigned kRegisterBytes = 10;

template <bool kWide, bool kUnprotected>
Flow save(Cpu& cpu, const Op& op) {
  if (!x87_available(cpu)) return Flow::Fault;
  const auto environment = Environment<kWide, kUnprotected>::store(cpu.x87);
  std::array<std::uint8_t, sizeof environment + 8 * kRegisterBytes> image{};
  std::memcpy(image.data(), environment.data(), sizeof environment);
  for (unsigned index = 0; index < 8; ++index) {
    std::uint8_t* bytes = image.data() + sizeof environment + index * kRegisterBytes;
    std::memcpy(bytes, &st(cpu.x87, index), kRegisterBytes);
  }
  if (!write_memory(cpu, op, image.data(), sizeof image, kWide ? 4 : 2)) return Flow::Fault;
  initialize_x87(cpu.x87);
  return Flow::Next;
}
template <bool kWide, bool kUnprotected>
Flow restore(Cpu& cpu, const Op& op) {
  typename Environment<kWide, kUnprotected>::Image environment{};
  std::array<std::uint8_t, sizeof environment + 8 * kRegisterBytes> image{};
  if (!begin_x87(cpu) || !read_memory(cpu, op, image.data(), sizeof image, kWide ? 4 : 2)) return Flow::Fault;
  std::memcpy(environment.data(), image.data(), sizeof environment);
  Environment<kWide, kUnprotected>::load(cpu.x87, environment);
  for (unsigned index = 0; index < 8; ++index) {
    const std::uint8_t* bytes = image.data() + sizeof environment + index * kRegisterBytes;
    std::memcpy(&st(cpu.x87, index).mantissa, bytes, 8);
    std::memcpy(&st(cpu.x87, index).sign_exponent, bytes + 8, 2);
  }
  return Flow::Next;
}

Flow store_control(Cpu& cpu, const Op& op) {
  return x87_available(cpu) && store(cpu, op, cpu.x87.control) ? Flow::Next : Flow::Fault;
}
Flow load_control(Cpu& cpu, const Op& op) {
  std::uint16_t value = 0;
  if (!begin_x87(cpu) || !load(cpu, op, value)) return Flow::Fault;
  set_control_word(cpu.x87, value);
  return Flow::Next;
}
Flow store_status(Cpu& cpu, const Op& op) {
  return x87_available(cpu) && store(cpu, op, status_word(cpu.x87)) ? Flow::Next : Flow::Fault;
}
Flow status_to_ax(Cpu& cpu, const Op&) {
  if (!x87_available(cpu)) return Flow::Fault;
  cpu.set_reg(0, status_word(cpu.x87));
  return Flow::Next;
}

Flow initialize(Cpu& cpu, const Op&) {
  if (!x87_available(cpu)) return Flow::Fault;
  initialize_x87(cpu.x87);
  return Flow::Next;
}
Flow clear_exceptions(Cpu& cpu, const Op&) {
  if (!x87_available(cpu)) return Flow::Fault;
  cpu.x87.status &= kFpuConditions;
  return Flow::Next;
}
Flow no_operation(Cpu& cpu, const Op&) {
  return begin_x87(cpu) ? Flow::Next : Flow::Fault;
}
// What was for the 8087 and 80287 only.
Flow forgotten(Cpu& cpu, const Op&) {
  return x87_available(cpu) ? Flow::Next : Flow::Fault;
}

template <bool kPop>
Flow free_register(Cpu& cpu, const Op& op) {
  if (!begin_x87(cpu)) return Flow::Fault;
  note_instruction(cpu, op.extra);
  X87& fpu = cpu.x87;
  fpu.occupied &= static_cast<std::uint8_t>(~(1u << ((fpu.top + stack_index(op)) & 7)));
  fpu.status &= static_cast<std::uint16_t>(~kFpuC1);
  if constexpr (kPop) pop(fpu);
  return Flow::Next;
}

// FWAIT minds CR0.MP instead of CR0.EM. [SDM 3A 2.5]
Flow wait(Cpu& cpu, const Op&) {
  if ((cpu.cr0 & (kCr0Mp | kCr0Ts)) == (kCr0Mp | kCr0Ts)) return cpu.raise(Vector::DeviceNotAvailable);
  if (!report_pending(cpu)) return Flow::Fault;
  // What a board makes of the error comes before the next instruction.
  return pending_exceptions(cpu.x87) == 0 ? Flow::Next : Flow::Leave;
}

template <bool kWide, bool kUnprotected>
Handler environment_form(unsigned opcode, unsigned reg) {
  switch (opcode << 4 | reg) {
    case 0x14: return load_environment<kWide, kUnprotected>;
    case 0x16: return store_environment<kWide, kUnprotected>;
    case 0x54: return restore<kWide, kUnprotected>;
    case 0x56: return save<kWide, kUnprotected>;
    default: return nullptr;
  }
}

Handler register_form(unsigned opcode, unsigned modrm) {
  if (opcode == 5 && modrm < 0xc8) return free_register<false>;
  if (opcode == 7 && modrm < 0xc8) return free_register<true>;
  switch (opcode << 8 | modrm) {
    case 0x1d0: return no_operation;
    case 0x3e0:
    case 0x3e1:
    case 0x3e4: return forgotten;
    case 0x3e2: return clear_exceptions;
    case 0x3e3: return initialize;
    case 0x7e0: return status_to_ax;
    default: return nullptr;
  }
}

}  // namespace

Handler x87_control_form(unsigned opcode, unsigned modrm, bool wide, bool unprotected) {
  if (modrm >= 0xc0) return register_form(opcode, modrm);
  const unsigned reg = modrm >> 3 & 7;
  switch (opcode << 4 | reg) {
    case 0x15: return load_control;
    case 0x17: return store_control;
    case 0x57: return store_status;
    default: break;
  }
  if (wide) return unprotected ? environment_form<true, true>(opcode, reg) : environment_form<true, false>(opcode, reg);
  return unprotected ? environment_form<false, true>(opcode, reg) : environment_form<false, false>(opcode, reg);
}

// The opcode map of the x87 is regular, unlike its mnemonics.
Handler x87_family(const Instruction& instruction, Op& op) {
  if (instruction.decoded.mnemonic == ZYDIS_MNEMONIC_FWAIT) return wait;
  const ZydisDecodedInstruction& decoded = instruction.decoded;
  if (decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || decoded.opcode < 0xd8 || decoded.opcode > 0xdf) return nullptr;
  const unsigned opcode = decoded.opcode & 7u;
  const unsigned modrm =
      unsigned{decoded.raw.modrm.mod} << 6 | unsigned{decoded.raw.modrm.reg} << 3 | decoded.raw.modrm.rm;
  Handler found = x87_arithmetic_form(opcode, modrm);
  if (found == nullptr) found = x87_transfer_form(opcode, modrm);
  if (found == nullptr) found = x87_function_form(opcode, modrm);
  if (found == nullptr) {
    const bool unprotected = (instruction.mode & Mode::kUnprotected) != 0;
    found = x87_control_form(opcode, modrm, decoded.operand_width != 16, unprotected);
  }
  if (found != nullptr) op.extra = opcode << 8 | modrm;
  return found;
}

}  // namespace vmm::cpu::soft
