// How fast this host's KVM runs kernel-mode code: a counting loop at CPL 0 of 64-bit mode, which hardware runs natively
// and a KVM without hardware behind it emulates.
#include <algorithm>
#include <array>
#include <ctime>
#include <linux/kvm.h>

#include "core/memory/memory_block.h"
#include "vmm/cpu/kvm/accelerator.h"
#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/system.h"
#include "vmm/cpu/kvm/vcpu.h"

namespace vmm::cpu::kvm {

namespace {

constexpr std::uint64_t kMemoryBytes = 64 * 1024;
constexpr std::uint64_t kCode = 0x1000;
constexpr std::uint64_t kPageTables = 0x2000;  // three pages: one entry each, mapping the first 2 MiB
constexpr std::uint16_t kDonePort = 0x80;
constexpr std::uint64_t kShortLoop = 1'000;     // 4 ms where half a million instructions a second are emulated
constexpr std::uint64_t kLongLoop = 2'000'000;  // 1 ms on hardware
constexpr double kTooFastToTell_us = 500;       // a short loop quicker than this is mostly the cost of the exit

// again: dec rcx; jnz again; out 0x80, al; jmp again
constexpr std::array<std::uint8_t, 9> kProgram = {0x48, 0xff, 0xc9, 0x75, 0xfb, 0xe6, kDonePort, 0xeb, 0xf7};

// Processor time of this thread, guest included: on a busy host the clock on the wall says nothing of speed.
double thread_time_us() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

kvm_segment flat(std::uint16_t selector, std::uint8_t type, bool is_code) {
  kvm_segment segment{};
  segment.limit = 0xffff'ffff;
  segment.selector = selector;
  segment.type = type;
  segment.present = 1;
  segment.s = 1;
  segment.g = 1;
  segment.l = is_code ? 1 : 0;
  segment.db = is_code ? 0 : 1;
  return segment;
}

class LoopGuest {
 public:
  core::Result<> set_up() {
    const auto system = System::open();
    if (!system) return std::unexpected(system.error());
    auto vm = system->create_vm();
    auto memory = core::MemoryBlock::create("calibration", kMemoryBytes);
    const auto run_bytes = system->run_area_bytes();
    if (!vm) return std::unexpected(vm.error());
    if (!memory) return std::unexpected(memory.error());
    if (!run_bytes) return std::unexpected(run_bytes.error());
    vm_ = std::move(*vm);
    memory_ = std::move(*memory);
    if (auto done = load_memory(); !done) return done;
    vcpu_ = core::Fd(kvm_ioctl(vm_.get(), KVM_CREATE_VCPU, 0));
    if (!vcpu_.valid()) return core::fail("KVM cannot create a vCPU: {}", core::errno_text());
    auto run = RunArea::map(vcpu_.get(), *run_bytes);
    if (!run) return std::unexpected(run.error());
    run_.emplace(std::move(*run));
    const auto cpuid = system->supported_cpuid();
    if (!cpuid) return std::unexpected(cpuid.error());
    if (auto done = set_cpuid(vcpu_.get(), *cpuid); !done) return done;
    return enter_long_mode();
  }

  // Microseconds for `rounds` of the loop, exit included.
  core::Result<double> time(std::uint64_t rounds) {
    kvm_regs regs{};
    regs.rip = kCode;
    regs.rflags = 2;
    regs.rcx = rounds;
    if (auto done = checked_ioctl(vcpu_.get(), KVM_SET_REGS, &regs, "KVM_SET_REGS"); !done) {
      return std::unexpected(done.error());
    }
    const auto start = thread_time_us();
    if (kvm_ioctl(vcpu_.get(), KVM_RUN, 0) < 0) return core::fail("KVM_RUN: {}", core::errno_text());
    const auto end = thread_time_us();
    const std::uint32_t exit = run_ ? (*run_)->exit_reason : KVM_EXIT_UNKNOWN;
    if (exit != KVM_EXIT_IO) return core::fail("KVM cannot run the calibration loop (exit {})", exit);
    return std::max(end - start, 0.1);
  }

 private:
  core::Result<> load_memory() {
    const auto all = memory_->all();
    all.write(kCode, kProgram);
    constexpr std::uint64_t kPresentWritable = 3;
    constexpr std::uint64_t kLargePage = 0x80;
    all.write<std::uint64_t>(kPageTables, (kPageTables + 0x1000) | kPresentWritable);
    all.write<std::uint64_t>(kPageTables + 0x1000, (kPageTables + 0x2000) | kPresentWritable);
    all.write<std::uint64_t>(kPageTables + 0x2000, kPresentWritable | kLargePage);
    kvm_userspace_memory_region slot{};
    slot.memory_size = kMemoryBytes;
    slot.userspace_addr = reinterpret_cast<std::uintptr_t>(memory_->host());
    return checked_ioctl(vm_.get(), KVM_SET_USER_MEMORY_REGION, &slot, "KVM_SET_USER_MEMORY_REGION");
  }

  core::Result<> enter_long_mode() {
    kvm_sregs sregs{};
    if (auto done = checked_ioctl(vcpu_.get(), KVM_GET_SREGS, &sregs, "KVM_GET_SREGS"); !done) return done;
    sregs.cs = flat(0x08, 11, true);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat(0x10, 3, false);
    sregs.cr0 = 0x8000'0011;  // PG, ET, PE
    sregs.cr3 = kPageTables;
    sregs.cr4 = 0x20;    // PAE
    sregs.efer = 0x500;  // LMA, LME
    return checked_ioctl(vcpu_.get(), KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
  }

  core::Fd vm_;
  std::unique_ptr<core::MemoryBlock> memory_;
  core::Fd vcpu_;
  std::optional<RunArea> run_;
};

}  // namespace

core::Result<Speed> calibrate() {
  LoopGuest guest;
  if (auto done = guest.set_up(); !done) return std::unexpected(done.error());
  std::uint64_t rounds = kShortLoop;
  // The first run pays for faulting the pages in.
  if (auto warm = guest.time(1); !warm) return std::unexpected(warm.error());
  auto time_us = guest.time(rounds);
  if (time_us && *time_us < kTooFastToTell_us) {
    rounds = kLongLoop;
    time_us = guest.time(rounds);
  }
  if (!time_us) return std::unexpected(time_us.error());
  return Speed{.kernel_mips = 2 * static_cast<double>(rounds) / *time_us};
}

}  // namespace vmm::cpu::kvm
