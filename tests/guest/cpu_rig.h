// A small machine for guests that test an accelerator, the one that the program is linked with: RAM, a reset vector
// that jumps to 0:8000h, a debug console at port 402h, an exit port at F4h and an 8259 that tests raise by hand.
// Devices of a test are added to its spaces.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/bus/address_space.h"
#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"
#include "vmm/cpu/accelerator.h"
#include "vmm/cpu/vcpu_thread.h"

namespace rig {

// Only ever used up by a failure: instrumented, and on a busy machine, the longest guest takes minutes.
constexpr std::chrono::seconds kPatience{600};

// accelerator_*.cpp: the accelerator under test, and why it cannot be had here.
core::Result<std::unique_ptr<vmm::cpu::Accelerator>> make_accelerator(const vmm::cpu::CpuConfig& config,
                                                                      const vmm::cpu::AcceleratorWiring& wiring);
std::optional<std::string> why_no_cpus();
// Repeated port accesses come in one piece a page, even where the page holds code too.
bool always_batches_strings();
// A page that was written is told once, and not again because it might have been written while it was being told.
bool has_exact_dirty_log();

// Skips the test, saying why, where it cannot be had.
#define RIG_REQUIRES_CPUS() \
  if (const auto why = rig::why_no_cpus()) GTEST_SKIP() << *why

// An 8259 with one request at a time.
class FakePic final : public core::ExtIntSource {
 public:
  bool pending() override { return vector_.load() >= 0; }
  std::uint8_t acknowledge() override {
    acknowledged.fetch_add(1);
    return static_cast<std::uint8_t>(vector_.exchange(-1));
  }
  void request(std::uint8_t vector) { vector_.store(vector); }

  std::atomic<unsigned> acknowledged{0};

 private:
  std::atomic<int> vector_{-1};
};

// What a test asks of one register range; runs on a vCPU's thread.
class Probe final : public core::IoHandler, public core::StringPort {
 public:
  std::function<std::uint64_t(std::uint64_t offset, unsigned width)> on_read;
  std::function<void(std::uint64_t offset, unsigned width, std::uint64_t value)> on_write;
  std::function<std::size_t(unsigned width, std::span<std::uint8_t> out)> on_read_string;
  std::function<std::size_t(unsigned width, std::span<const std::uint8_t> bytes)> on_write_string;

  std::uint64_t read(std::uint64_t offset, unsigned width) override { return on_read ? on_read(offset, width) : ~0ull; }
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override {
    if (on_write) on_write(offset, width, value);
  }
  core::StringPort* string_port() override { return this; }
  std::size_t read_string(std::uint64_t, unsigned width, std::span<std::uint8_t> out) override {
    return on_read_string ? on_read_string(width, out) : 0;
  }
  std::size_t write_string(std::uint64_t, unsigned width, std::span<const std::uint8_t> bytes) override {
    return on_write_string ? on_write_string(width, bytes) : 0;
  }
};

class Machine {
 public:
  static constexpr std::uint64_t kRamBytes = 16 << 20;
  static constexpr std::uint64_t kProbe = 0xd000'0000;  // MMIO page of `probe`
  static constexpr std::uint16_t kProbePort = 0x600;    // 16 ports of `port_probe`

  explicit Machine(unsigned cpus = 1);
  ~Machine();

  // Puts a guest built by minivmm_guest() at 8000h, or bytes anywhere. Fails the test if it cannot.
  void load_guest(const std::string& name);
  void load(std::uint64_t address, std::span<const std::uint8_t> bytes);
  void start() { threads->resume(); }

  // What the guest wrote to the exit port; nullopt if it ended otherwise or `limit` passed. Pauses all CPUs.
  std::optional<std::uint32_t> wait_exit(std::chrono::seconds limit = kPatience);
  // Until `enough(console)`.
  template <class Enough>
  bool wait_console(Enough enough, std::chrono::seconds limit = kPatience) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, limit, [&] { return enough(console) || run_exit; }) && enough(console);
  }
  std::string console_text();
  // start, wait for exit code 0
  void run_to_success();

  core::RamMap ram_map;
  core::AddressSpace io{"io", 0x10000};
  core::AddressSpace mmio{"mmio", 0};
  FakePic pic;
  Probe probe;
  Probe port_probe;
  std::vector<std::uint8_t> eois;  // guarded by mutex
  std::unique_ptr<core::GuestMemory> ram;
  std::unique_ptr<vmm::cpu::Accelerator> accelerator;
  std::unique_ptr<vmm::cpu::VcpuThreads> threads;
  core::DeviceLock device_lock;

  std::mutex mutex;
  std::condition_variable changed;
  std::string console;
  std::optional<std::uint32_t> exit_code;
  std::optional<vmm::cpu::RunExit> run_exit;
  void forget_exit();

 private:
  void claim(core::AddressSpace& space, std::uint64_t start, std::uint64_t size, core::IoHandler& handler);

  std::unique_ptr<core::MemoryBlock> reset_rom_;
  std::vector<core::RamMapping> mappings_;
  Probe console_port_;
  Probe exit_port_;
  std::vector<core::Registration> ranges_;
};

}  // namespace rig
