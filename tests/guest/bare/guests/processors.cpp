// Three CPUs: each says its name, takes interrupts from the first one and adds to one counter.
#include "tests/guest/bare/bare.h"

namespace {

constexpr std::uint8_t kVector = 0x50;
constexpr unsigned kCpus = 3;
constexpr unsigned kRounds = 5;

volatile unsigned arrived;
volatile unsigned taken[kCpus];
unsigned total;

unsigned own_cpu() {
  return bare::local_apic(0x20) >> 24;
}

void on_interrupt() {
  const auto cpu = own_cpu();
  taken[cpu] = taken[cpu] + 1;
  __atomic_add_fetch(&total, 1, __ATOMIC_SEQ_CST);
}

void other_cpu() {
  bare::print("cpu ");
  bare::print_number(own_cpu());
  bare::print("\n");
  arrived = arrived + 1;
  for (;;)
    bare::relax();
}

}  // namespace

void guest_main() {
  bare::on_interrupt(kVector, on_interrupt);
  for (unsigned cpu = 1; cpu < kCpus; ++cpu) {
    bare::start_cpu(cpu, other_cpu);
    while (arrived < cpu)
      bare::relax();
  }
  for (unsigned round = 1; round <= kRounds; ++round) {
    for (unsigned cpu = 1; cpu < kCpus; ++cpu)
      bare::send_interrupt(cpu, kVector);
    for (unsigned cpu = 1; cpu < kCpus; ++cpu) {
      while (taken[cpu] < round)
        bare::relax();
    }
  }
  bare::expect(__atomic_load_n(&total, __ATOMIC_SEQ_CST) == kRounds * (kCpus - 1), "every interrupt was taken once");
}
