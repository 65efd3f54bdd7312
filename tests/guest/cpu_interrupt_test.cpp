// Interrupts on the real accelerator: messages, eventfds, level lines with their EOIs, the 8259, several CPUs.
#include <cstring>
#include <functional>
#include <poll.h>
#include <thread>

#include "tests/guest/cpu_rig.h"

namespace {

constexpr std::uint64_t kCpu0 = 0xfee0'0000;
constexpr std::uint32_t kLevelAsserted = 0xc000;

// Another thread's device: it answers each ring of `bell`.
class Answerer {
 public:
  explicit Answerer(std::function<void()> answer)
      : bell(*core::EventFd::create()),
        stop_(*core::EventFd::create()),
        thread_([this, answer_ring = std::move(answer)] {
          pollfd fds[] = {{bell.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
          while (::poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
            if (bell.drain()) answer_ring();
          }
        }) {}
  ~Answerer() {
    stop_.signal();
    thread_.join();
  }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  core::EventFd bell;

 private:
  core::EventFd stop_;
  std::thread thread_;
};

TEST(CpuInterrupts, every_way_makes_the_round_trip) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("interrupts");
  constexpr core::MsiMessage kAnswer{kCpu0, 0x43};
  machine.accelerator->open_route({kCpu0, 0x30}).reset();
  const auto route = machine.accelerator->open_route(kAnswer);
  EXPECT_EQ(route != nullptr, machine.accelerator->rings_doorbells());
  Answerer answerer([&] { route != nullptr ? route->send() : machine.accelerator->deliver(kAnswer); });
  const auto memory_bell = machine.mmio.add_doorbell(
      {.address = rig::Machine::kProbe + 8, .width = 4, .match = {}, .eventfd = answerer.bell.get()});
  const auto port_bell =
      machine.io.add_doorbell({.address = 0x60c, .width = 2, .match = 7, .eventfd = answerer.bell.get()});
  std::array<core::IoApicRoute, core::kIoApicPins> routes{};
  const core::MsiMessage level{kCpu0, kLevelAsserted | 0x45};
  routes[5] = {level, true, false};
  machine.accelerator->set_ioapic_routes(routes);

  bool line = false;
  machine.probe.on_write = [&](std::uint64_t offset, unsigned, std::uint64_t) {
    if (offset == 0) machine.accelerator->deliver({kCpu0, 0x41});
    if (offset == 0x10) machine.accelerator->deliver(level);
    if (offset == 0x10 || offset == 0x14) line = offset == 0x10;
    EXPECT_NE(offset, 8u) << "the doorbell rings in the kernel";
  };
  std::vector<std::uint64_t> port_writes;
  machine.port_probe.on_write = [&](std::uint64_t, unsigned, std::uint64_t value) { port_writes.push_back(value); };
  machine.run_to_success();

  EXPECT_FALSE(line);
  EXPECT_EQ(port_writes, std::vector<std::uint64_t>{8});
  EXPECT_EQ(machine.eois, std::vector<std::uint8_t>(50, 0x45));
}

TEST(CpuInterrupts, three_processors_interrupt_each_other) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine(3);
  machine.load_guest("processors");
  machine.run_to_success();
  EXPECT_EQ(machine.console_text(), "cpu 1\ncpu 2\n");
}

TEST(CpuInterrupts, pic_interrupts_reach_real_mode_awake_and_halted) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("ext_int");
  std::vector<std::jthread> elsewhere;
  const auto raise = [&machine] {
    machine.pic.request(0x08);
    machine.accelerator->kick_ext_int();
  };
  machine.port_probe.on_write = [&](std::uint64_t, unsigned, std::uint64_t round) {
    if (round < 20) {
      elsewhere.emplace_back(raise);
    } else {
      raise();
    }
  };
  std::uint16_t next = 0;
  unsigned strings = 0;
  machine.port_probe.on_read_string = [&](unsigned width, std::span<std::uint8_t> out) {
    ++strings;
    for (std::size_t i = 0; i + 1 < out.size(); i += 2)
      core::store_le<std::uint16_t>(&out[i], next++);
    return out.size() / width;
  };
  machine.run_to_success();
  EXPECT_EQ(machine.pic.acknowledged, 40u);
  if (rig::always_batches_strings()) {
    EXPECT_EQ(strings, 1u);
  }
}

}  // namespace
