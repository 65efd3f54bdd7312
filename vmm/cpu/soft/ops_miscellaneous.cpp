// Sign extension of the accumulator, LAHF and SAHF, hints that do nothing here, cache line flushes, fences, UD0-2, and
// random numbers, which are the host's. [SDM 2]
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/ops_move.h"
#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {
namespace {

// CBW, CWDE, CDQE.
template <class To, class From>
Flow extend_accumulator(Cpu& cpu, const Op&) {
  cpu.set_reg<To>(kRax, static_cast<To>(static_cast<std::make_signed_t<From>>(cpu.reg<From>(kRax))));
  return Flow::Next;
}
// CWD, CDQ, CQO.
template <class T>
Flow sign_to_dx(Cpu& cpu, const Op&) {
  const bool negative = (cpu.reg<T>(kRax) >> (8 * sizeof(T) - 1)) != 0;
  cpu.set_reg<T>(kRdx, static_cast<T>(negative ? ~T{0} : T{0}));
  return Flow::Next;
}

constexpr std::uint32_t kAhFlags = kSf | kZf | kAf | kPf | kCf;
Flow lahf(Cpu& cpu, const Op&) {
  cpu.set_reg(kAh, static_cast<std::uint8_t>((cpu.flags.value() & kAhFlags) | 2));
  return Flow::Next;
}
Flow sahf(Cpu& cpu, const Op&) {
  cpu.flags.assign((cpu.flags.value() & kOf) | (cpu.reg<std::uint8_t>(kAh) & kAhFlags));
  return Flow::Next;
}

Flow pause(Cpu&, const Op&) {
  return Flow::Yield;
}

Flow nothing(Cpu&, const Op&) {
  return Flow::Next;
}
Flow undefined(Cpu& cpu, const Op&) {
  return cpu.raise(Vector::InvalidOpcode);
}

// There is no cache to flush, but faults are those of a load. [SDM 2 CLFLUSH]
Flow flush_line(Cpu& cpu, const Op& op) {
  std::uint64_t linear = 0;
  if (!linear_address(cpu, op, effective_address(cpu, op), 1, Access::Read, linear)) return Flow::Fault;
  return cpu.mmu.probe(linear, 1, Access::Read) ? Flow::Next : Flow::Fault;
}

// Devices read guest memory from threads of their own.
Flow fence(Cpu&, const Op&) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return Flow::Next;
}

template <class T>
Flow random_number(Cpu& cpu, const Op& op) {
  std::uint64_t value = 0;
  const bool valid = cpu.platform->random(value);
  cpu.set_reg<T>(op.rm, static_cast<T>(value));
  cpu.flags.assign(valid ? kCf : 0);
  return Flow::Next;
}
Handler select_random(const Instruction& instruction, Op& op) {
  take_operands(instruction, op);
  return for_wide_size(instruction.bits(0), []<class T>() -> Handler { return random_number<T>; });
}

template <Handler kHandler>
Handler select_plain(const Instruction&, Op&) {
  return kHandler;
}

constexpr SelectorTable kSelectors{
    {ZYDIS_MNEMONIC_CBW, select_plain<extend_accumulator<std::uint16_t, std::uint8_t>>},
    {ZYDIS_MNEMONIC_CWDE, select_plain<extend_accumulator<std::uint32_t, std::uint16_t>>},
    {ZYDIS_MNEMONIC_CDQE, select_plain<extend_accumulator<std::uint64_t, std::uint32_t>>},
    {ZYDIS_MNEMONIC_CWD, select_plain<sign_to_dx<std::uint16_t>>},
    {ZYDIS_MNEMONIC_CDQ, select_plain<sign_to_dx<std::uint32_t>>},
    {ZYDIS_MNEMONIC_CQO, select_plain<sign_to_dx<std::uint64_t>>},
    {ZYDIS_MNEMONIC_LAHF, select_plain<lahf>},
    {ZYDIS_MNEMONIC_SAHF, select_plain<sahf>},
    {ZYDIS_MNEMONIC_NOP, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PAUSE, select_plain<pause>},
    {ZYDIS_MNEMONIC_PREFETCH, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PREFETCHNTA, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PREFETCHT0, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PREFETCHT1, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PREFETCHT2, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PREFETCHW, select_plain<nothing>},
    {ZYDIS_MNEMONIC_PREFETCHWT1, select_plain<nothing>},
    // Hints and checks of extensions that the CPU lacks were NOPs before these, and are for a CPU without them.
    {ZYDIS_MNEMONIC_ENDBR32, select_plain<nothing>},
    {ZYDIS_MNEMONIC_ENDBR64, select_plain<nothing>},
    {ZYDIS_MNEMONIC_RDSSPD, select_plain<nothing>},
    {ZYDIS_MNEMONIC_RDSSPQ, select_plain<nothing>},
    {ZYDIS_MNEMONIC_CLDEMOTE, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDCL, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDCN, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDCU, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDLDX, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDMK, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDMOV, select_plain<nothing>},
    {ZYDIS_MNEMONIC_BNDSTX, select_plain<nothing>},
    {ZYDIS_MNEMONIC_CLFLUSH, select_plain<flush_line>},
    {ZYDIS_MNEMONIC_CLFLUSHOPT, select_plain<flush_line>},
    {ZYDIS_MNEMONIC_LFENCE, select_plain<fence>},
    {ZYDIS_MNEMONIC_SFENCE, select_plain<fence>},
    {ZYDIS_MNEMONIC_MFENCE, select_plain<fence>},
    {ZYDIS_MNEMONIC_UD0, select_plain<undefined>},
    {ZYDIS_MNEMONIC_UD1, select_plain<undefined>},
    {ZYDIS_MNEMONIC_UD2, select_plain<undefined>},
    {ZYDIS_MNEMONIC_RDRAND, select_random},
    {ZYDIS_MNEMONIC_RDSEED, select_random},
};

}  // namespace

Handler select_miscellaneous(const Instruction& instruction, Op& op) {
  return kSelectors(instruction, op);
}

}  // namespace vmm::cpu::soft
