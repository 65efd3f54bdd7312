// Instructions a second of the software CPU in each of its modes, over one hot loop.
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
  void long_mode() {
    enter_long_mode();
    load();
  }
  void run() { execute(cpu, platform_.blocks(), kBudget); }

 private:
  void TestBody() override {}
  // The same bytes in all modes, with their operand and address sizes. top: add eax, ecx; xor edx, eax; mov [bx], eax;
  // add eax, [bx]; rol edx, 5; dec ecx; jnz top; jmp top. ([edi] and [rdi] in the wider modes)
  void load() {
    constexpr std::uint64_t kTop = 0x6000;
    put_code(kTop,
             {0x01, 0xc8, 0x31, 0xc2, 0x89, 0x07, 0x03, 0x07, 0xc1, 0xc2, 0x05, 0xff, 0xc9, 0x75, 0xf1, 0xeb, 0xef});
    cpu.set_reg<std::uint64_t>(kRbx, kData);
    cpu.set_reg<std::uint64_t>(kRdi, kData);
    cpu.rip = kTop;
  }
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
BENCHMARK(mode<&Rig::long_mode>)->Name("cpu/long_mode");

}  // namespace

BENCHMARK_MAIN();
