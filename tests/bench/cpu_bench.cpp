// Instructions a second of the software CPU in each of its modes, over hot loops.
#include <benchmark/benchmark.h>

#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/executor.h"
#include "vmm/cpu/soft/forms.h"
#include "vmm/cpu/soft/string_operands.h"

namespace {

using namespace vmm::cpu::soft;

constexpr std::uint64_t kBudget = 1'000'000;
constexpr std::uint64_t kData = 0x5000;

class Rig : public MachineTest {
 public:
  void real() { load(); }
  void protected_flat() {
    enter_protected_mode();
    load();
  }
  void protected_calls() {
    enter_protected_mode();
    load_calls();
  }
  void long_mode() {
    enter_long_mode();
    load();
  }
  void long_calls() {
    enter_long_mode();
    load_calls();
  }
  void run() { execute(cpu, platform_.blocks(), kBudget); }

 private:
  void TestBody() override {}
  // The same bytes in all modes, with their operand and address sizes. top: add eax, ecx; xor edx, eax; mov [bx], eax;
  // add eax, [bx]; rol edx, 5; dec ecx; jnz top; jmp top. ([edi] and [rdi] in the wider modes)
  void load() {
    put_code(kTop,
             {0x01, 0xc8, 0x31, 0xc2, 0x89, 0x07, 0x03, 0x07, 0xc1, 0xc2, 0x05, 0xff, 0xc9, 0x75, 0xf1, 0xeb, 0xef});
    cpu.set_reg<std::uint64_t>(kRbx, kData);
    cpu.set_reg<std::uint64_t>(kRdi, kData);
    cpu.rip = kTop;
  }
  // Of the modes with wide stacks. top: push edi; push eax; call f; pop eax; pop edi; jmp top. f: push ebp; mov eax,
  // [esp+8]; pop ebp; ret. (all 64 bits in long mode, but EAX)
  void load_calls() {
    put_code(kTop, {0x57, 0x50, 0xe8, 0x04, 0x00, 0x00, 0x00, 0x58, 0x5f, 0xeb, 0xf5});
    put_code(kTop + 11, {0x55, 0x8b, 0x44, 0x24, 0x08, 0x5d, 0xc3});
    cpu.rip = kTop;
  }
  static constexpr std::uint64_t kTop = 0x6000;
};

template <void (Rig::*Enter)()>
void mode(benchmark::State& state) {
  Rig rig;
  (rig.*Enter)();
  for (auto _ : state)
    rig.run();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kBudget));
}

BENCHMARK(mode<&Rig::real>)->Name("cpu/real_mode");
BENCHMARK(mode<&Rig::protected_flat>)->Name("cpu/protected_mode");
BENCHMARK(mode<&Rig::protected_calls>)->Name("cpu/protected_mode_calls");
BENCHMARK(mode<&Rig::long_mode>)->Name("cpu/long_mode");
BENCHMARK(mode<&Rig::long_calls>)->Name("cpu/long_mode_calls");

}  // namespace

BENCHMARK_MAIN();
