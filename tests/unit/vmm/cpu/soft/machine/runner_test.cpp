// Time made by instructions: it is exact, and who looks in between changes nothing.
#include "vmm/cpu/soft/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <vector>

#include "core/memory/ram_map.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/features.h"

namespace vmm::cpu::soft {
namespace {

using testing::ElementsAre;

class NoPic final : public core::ExtIntSource {
 public:
  bool pending() override { return false; }
  std::uint8_t acknowledge() override { return 0; }
};

// Port 10h and the VGA window.
class Probe final : public core::IoHandler {
 public:
  std::uint64_t read(std::uint64_t, unsigned) override { return 0; }
  void write(std::uint64_t offset, unsigned, std::uint64_t value) override { on_write(offset, value); }
  std::function<void(std::uint64_t offset, std::uint64_t value)> on_write = [](std::uint64_t, std::uint64_t) {};
};

class RunnerTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kRamBytes = 0x10000, kCode = 0x8000, kWindow = 0xa0000;
  static constexpr std::uint16_t kPort = 0x10;

  void make(unsigned cpus, unsigned shift = 0) {
    runner = std::make_unique<Runner>(AcceleratorWiring{map_, io_, mmio_, pic_, [](std::uint8_t) {}},
                                      InstructionTime::Config{clock, shift, true});
    for (unsigned i = 0; i < cpus; ++i)
      runner->add_cpu(CpuFeatures::everything(), {});
    for (const auto& vcpu : runner->vcpus()) {
      Cpu& cpu = vcpu->cpu();
      SegmentRegister& code = cpu.segments[kCs];
      code.selector = 0;
      code.base = 0;
      code.derive(false);
      cpu.rip = kCode;
      cpu.general[kRspIndex] = 0x4000 - 0x100 * vcpu->index();
      cpu.activity = Activity::Running;
      cpu.derive_mode();
    }
    runner->cpu_time().start();
  }
  void put(std::uint64_t physical, std::initializer_list<int> bytes) {
    for (const int byte : bytes)
      ASSERT_TRUE(ram_->all().write<std::uint8_t>(physical++, static_cast<std::uint8_t>(byte)));
  }
  std::uint32_t peek(std::uint64_t physical) { return ram_->all().read<std::uint32_t>(physical).value_or(0); }
  // Until the guest writes `last` to the port, however often somebody else kicks.
  void run_until_done() {
    while (!is_done)
      EXPECT_EQ(runner->run().reason, ExitReason::Kicked);
  }
  void done() {
    is_done = true;
    runner->kick();
  }

  static constexpr unsigned kRspIndex = 4;
  core::VirtualClock clock;
  Probe port, window;
  bool is_done = false;
  std::unique_ptr<Runner> runner;

 private:
  std::unique_ptr<core::MemoryBlock> ram_ = std::move(*core::MemoryBlock::create("ram", kRamBytes));
  core::RamMap map_;
  core::RamMapping mapping_ = map_.map({core::Gpa(0), kRamBytes, ram_.get(), 0, true, false});
  core::AddressSpace io_{"io", 0x10000};
  core::AddressSpace mmio_{"mmio", 0};
  NoPic pic_;
  core::DeviceLock lock_;
  core::Registration port_ = std::move(*io_.add({kPort, 1}, port, lock_, "port"));
  core::Registration window_ = std::move(*mmio_.add({kWindow, 0x1000}, window, lock_, "window"));
};

TEST_F(RunnerTest, time_stamp_counts_every_instruction_of_a_block) {
  // rdtsc; mov ebx, eax; nop; nop; rdtsc; sub eax, ebx; mov [500h], eax; out 10h, al
  put(kCode,
      {0x0f, 0x31, 0x66, 0x89, 0xc3, 0x90, 0x90, 0x0f, 0x31, 0x66, 0x29, 0xd8, 0x66, 0xa3, 0x00, 0x05, 0xe6, 0x10});
  make(1, 3);
  port.on_write = [this](std::uint64_t, std::uint64_t) { done(); };
  run_until_done();
  EXPECT_EQ(peek(0x500), 4u << 3);
}

TEST_F(RunnerTest, device_sees_the_time_of_its_access) {
  // push a000h; pop es; nop; mov es:[0], al; nop; mov es:[0], al; out 10h, al
  put(kCode, {0x68, 0x00, 0xa0, 0x07, 0x90, 0x26, 0xa2, 0x00, 0x00, 0x90, 0x26, 0xa2, 0x00, 0x00, 0xe6, 0x10});
  make(1, 3);
  std::vector<core::GuestTime::rep> times;
  window.on_write = [&](std::uint64_t, std::uint64_t) { times.push_back(clock.now().count()); };
  port.on_write = [&](std::uint64_t, std::uint64_t) {
    times.push_back(clock.now().count());
    done();
  };
  run_until_done();
  EXPECT_THAT(times, ElementsAre(3 << 3, 5 << 3, 6 << 3));
}

class Pauses : public RunnerTest, public testing::WithParamInterface<std::uint64_t> {};

// The time stamp behind a repeated store during which somebody has a look.
TEST_P(Pauses, in_a_repeated_instruction_take_no_time) {
  // push a000h; pop es; xor di, di; mov cx, 16; rep stosb; rdtsc; mov [500h], eax; out 10h, al
  put(kCode, {0x68, 0x00, 0xa0, 0x07, 0x31, 0xff, 0xb9, 0x10, 0x00, 0xf3, 0xaa, 0x0f, 0x31, 0x66, 0xa3, 0x00, 0x05,
              0xe6, 0x10});
  make(1);
  window.on_write = [this](std::uint64_t offset, std::uint64_t) {
    if (offset == GetParam()) runner->kick();
  };
  port.on_write = [this](std::uint64_t, std::uint64_t) { done(); };
  run_until_done();
  EXPECT_EQ(peek(0x500), 5u);
}

INSTANTIATE_TEST_SUITE_P(AtByte, Pauses, testing::Values(0x100, 0, 1, 7, 14, 15));

// Four CPUs halt; one interrupt for all of them wakes them up, in the order of turns.
class Wakes : public RunnerTest {
 protected:
  std::vector<std::uint64_t> order(unsigned looks, const std::function<void()>& look) {
    constexpr std::uint32_t kNmi = 4 << 8;
    put(8, {0x00, 0x81, 0x00, 0x00});  // vector 2
    put(kCode, {0xf4, 0xeb, 0xfd});    // hlt; jmp
    // rdtscp; mov al, cl; out 10h, al; hlt
    put(0x8100, {0x0f, 0x01, 0xf9, 0x88, 0xc8, 0xe6, 0x10, 0xf4});
    make(4);
    for (const auto& vcpu : runner->vcpus())
      vcpu->cpu().tsc_aux = vcpu->index();
    core::DeviceLock lock;
    std::vector<std::unique_ptr<core::Timer>> timers;
    for (unsigned i = 0; i < 5; ++i) {
      timers.push_back(clock.create_timer(lock, [&, i] {
        if (i == 4) return runner->mail().post({0xfeeff000, kNmi});
        if (i < looks) look();
      }));
      timers.back()->arm(std::chrono::microseconds(500 * (i + 1)));
    }
    std::vector<std::uint64_t> order;
    port.on_write = [&](std::uint64_t, std::uint64_t value) {
      order.push_back(value);
      if (order.size() == 4) done();
    };
    run_until_done();
    return order;
  }
};

// The order is that of nobody's looking, the first parameter.
class Looks : public Wakes, public testing::WithParamInterface<unsigned> {};

TEST_P(Looks, of_a_bell_while_all_sleep_do_not_change_turns) {
  EXPECT_THAT(order(GetParam(), [this] { runner->mail().ring(); }), ElementsAre(1, 2, 3, 0));
}

TEST_P(Looks, of_a_pause_while_all_sleep_do_not_change_turns) {
  EXPECT_THAT(order(GetParam(), [this] { runner->kick(); }), ElementsAre(1, 2, 3, 0));
}

INSTANTIATE_TEST_SUITE_P(Times, Looks, testing::Range(0u, 5u));

}  // namespace
}  // namespace vmm::cpu::soft
