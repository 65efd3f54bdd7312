#include "vmm/cpu/soft/executor.h"

#include <utility>

#include "vmm/cpu/soft/exceptions.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {

namespace {

// What came of a run of ops.
struct Run {
  unsigned retired = 0;
  Flow flow = Flow::Restart;
};

// An address by RSP or RBP that is not canonical is the stack's fault. [SDM 3A 6.15 #SS]
[[gnu::cold]] void settle_fault(Cpu& cpu, const Op& op) {
  const bool not_canonical = cpu.fault.vector == Vector::GeneralProtection && cpu.fault.address != 0;
  if (not_canonical && (op.flags & kHasMemory) != 0 && op.segment == kSs) cpu.raise(Vector::StackFault, 0);
}

// Instructions up to one that leaves; the block's last op does so by itself.
Run run_ops(Cpu& cpu, const Block& block) {
  const std::uint64_t start = cpu.rip;
  cpu.first = block.ops;
  Flow flow = block.ops->run(cpu, *block.ops, 0);
  while (flow == Flow::Next)
    flow = cpu.proceed(*cpu.current);
  const Op* const op = cpu.current;
  cpu.first = op;
  const auto before = static_cast<unsigned>(op - block.ops);
  if (flow == Flow::Leave || flow == Flow::Yield) {
    cpu.rip = cpu.next_rip();
    return {before + 1, flow};
  }
  // A task switch that faults after it has been made has set both: the fault is the new task's.
  const bool switched = flow == Flow::Fault && (cpu.rip != start || cpu.next_rip() == start);
  if (before != 0 && !switched) cpu.rip = start + (op - 1)->after;
  if (flow == Flow::Fault) settle_fault(cpu, *op);
  return {flow == Flow::Restart ? before : before + 1, flow};
}

Flow out_of_budget(Cpu& cpu, const Op& op, std::uint64_t) {
  cpu.settle(op);
  return Flow::Restart;
}

// The first `most` instructions of a block that has more.
Run run_some(Cpu& cpu, const Block& block, unsigned most) {
  Op& beyond = block.ops[most];
  block.exchange_steps(most);
  const Step step = std::exchange(beyond.run, out_of_budget);
  const Run run = run_ops(cpu, block);
  if (!block.live) return run;  // its ops have other functions now
  beyond.run = step;
  block.exchange_steps(most);
  return run;
}

constexpr std::uint64_t kDr6SingleStep = 1u << 14;

// DR7's enabled breakpoints on instructions that RIP is at, as bits of DR6. [SDM 3B 17.2.4]
std::uint64_t instruction_breakpoints(const Cpu& cpu) {
  std::uint64_t linear = cpu.code64() ? cpu.rip : static_cast<std::uint32_t>(cpu.segments[kCs].base + cpu.rip);
  std::uint64_t hits = 0;
  for (unsigned i = 0; i < cpu.debug_address.size(); ++i) {
    const bool enabled = (cpu.dr7 >> (2 * i) & 3) != 0;
    const bool on_execution = (cpu.dr7 >> (16 + 4 * i) & 15) == 0;
    if (enabled && on_execution && cpu.debug_address[i] == linear) hits |= std::uint64_t{1} << i;
  }
  return hits;
}

// INT n, INT3, INTO and INT1 go to their handlers with TF clear: no trap is due after them. [SDM 3A 17.3.1.4]
bool is_software_interrupt(const Op& op) {
  const std::uint32_t opcode = op.opcode >> 8;  // with the map, which is 0
  return (opcode >= 0xcc && opcode <= 0xce) || opcode == 0xf1;
}

// One instruction with everything that may come between two: breakpoints, shadows, the single-step trap. [SDM 3A 6.9]
Run step(Cpu& cpu, const Block& block) {
  const std::uint8_t shadow = cpu.shadow;
  const bool traps = (cpu.other_flags & kTf) != 0;
  if ((cpu.other_flags & kRf) == 0 && (shadow & kShadowMovSs) == 0) {
    const std::uint64_t hits = instruction_breakpoints(cpu);
    if (hits != 0) {
      cpu.raise(Vector::Debug, 0, hits);
      return {1, Flow::Fault};
    }
  }
  const std::uint32_t resumed = cpu.other_flags & kRf;
  cpu.other_flags &= ~kRf;  // IRET and POPF may set it anew
  cpu.shadow = 0;
  const bool jumps_to_handler = is_software_interrupt(block.ops[0]);
  const Run run = run_ops(cpu, block);
  const bool is_over = run.flow == Flow::Leave || run.flow == Flow::Yield || (run.flow == Flow::Restart && run.retired);
  if (!is_over) cpu.other_flags |= resumed;  // a string between two of its elements, where shadows end
  cpu.derive_mode();
  if (!is_over) return run;
  const bool stepped = traps && (!jumps_to_handler || run.flow != Flow::Leave);
  const std::uint64_t hits = cpu.debug_hits | (stepped ? kDr6SingleStep : 0);
  // After MOV SS traps wait; a single step's is lost, a data breakpoint's comes with the next instruction.
  if (hits == 0 || (cpu.shadow & kShadowMovSs) != 0) return run;
  cpu.raise(Vector::Debug, 0, hits);
  return {run.retired, Flow::Fault};
}

}  // namespace

Stop execute(Cpu& cpu, BlockCache& blocks, std::uint64_t budget) {
  while (true) {
    if (cpu.activity != Activity::Running) return Stop::Halted;
    // An interrupt shadow ends with the next instruction, whoever waits.
    if (cpu.attention.load(std::memory_order_relaxed) != 0 && cpu.shadow == 0) return Stop::Attention;
    if (budget == 0) return Stop::Budget;
    Run run{1, Flow::Fault};
    if (const Block* block = blocks.find(cpu); block != nullptr) [[likely]] {
      if ((cpu.mode & Mode::kStepped) != 0) {
        run = step(cpu, *block);
      } else if (block->count <= budget) {
        run = run_ops(cpu, *block);
      } else {
        run = run_some(cpu, *block, static_cast<unsigned>(budget));
      }
    }
    cpu.retired += run.retired;
    budget -= run.retired;
    if (run.flow == Flow::Fault && !deliver_fault(cpu)) return Stop::Shutdown;
    if (run.flow == Flow::Yield) return Stop::Yield;
  }
}

}  // namespace vmm::cpu::soft
