#include "vmm/cpu/kvm/vcpu.h"

#include <algorithm>
#include <sys/mman.h>
#include <utility>

#include "core/base/bits.h"
#include "core/base/endian.h"
#include "core/base/log.h"
#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/kick_signal.h"

namespace vmm::cpu::kvm {

namespace {
constexpr std::uint32_t kMsrTsc = 0x10;
}

core::Result<RunArea> RunArea::map(int vcpu_fd, std::size_t bytes) {
  void* area = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
  if (area == MAP_FAILED) return core::fail("cannot map the run area of a vCPU: {}", core::errno_text());
  return RunArea(static_cast<kvm_run*>(area), bytes);
}

RunArea::RunArea(RunArea&& other) noexcept : run_(std::exchange(other.run_, nullptr)), bytes_(other.bytes_) {}

RunArea::~RunArea() {
  if (run_ != nullptr) ::munmap(run_, bytes_);
}

KvmVcpu::KvmVcpu(unsigned index, core::Fd fd, RunArea run, const VcpuCommon& common)
    : index_(index), name_(fmt::format("cpu{}", index)), fd_(std::move(fd)), run_(std::move(run)), common_(common) {}

core::Result<std::unique_ptr<KvmVcpu>> KvmVcpu::create(int vm_fd, unsigned index, const VcpuCommon& common,
                                                       const std::vector<CpuidEntry>& cpuid) {
  core::Fd fd(kvm_ioctl(vm_fd, KVM_CREATE_VCPU, static_cast<unsigned long>(index)));
  if (!fd.valid()) return core::fail("KVM cannot create vCPU {}: {}", index, core::errno_text());
  auto run = RunArea::map(fd.get(), common.run_area_bytes);
  if (!run) return std::unexpected(run.error());
  if (auto set = set_cpuid(fd.get(), cpuid); !set) return std::unexpected(set.error());
  std::unique_ptr<KvmVcpu> vcpu(new KvmVcpu(index, std::move(fd), std::move(*run), common));
  if (auto fetched = vcpu->fetch(vcpu->power_on_); !fetched) return std::unexpected(fetched.error());
  // Time starts at power-on; equal values let the kernel keep the CPUs' counters together.
  for (auto& msr : vcpu->power_on_.msrs) {
    if (msr.index == kMsrTsc) msr.value = 0;
  }
  vcpu->reset();
  return vcpu;
}

void KvmVcpu::thread_begins() {
  accept_kick_signal();
  const std::scoped_lock lock(thread_mutex_);
  thread_ = ::pthread_self();
}

void KvmVcpu::thread_ends() {
  const std::scoped_lock lock(thread_mutex_);
  thread_.reset();
}

void KvmVcpu::kick() {
  // The kernel reads the flag on entry. If it is up already, whoever raised it sends the signal.
  if (std::atomic_ref(run_->immediate_exit).exchange(1) != 0) return;
  const std::scoped_lock lock(thread_mutex_);
  if (thread_ && ::pthread_equal(*thread_, ::pthread_self()) == 0) send_kick_signal(*thread_);
}

void KvmVcpu::end_kick() {
  std::atomic_ref(run_->immediate_exit).store(0);
}

void KvmVcpu::want_ext_int() {
  if (ext_int_wanted_.exchange(true)) return;
  {
    // On its own thread a device has just been accessed: it looks before the guest runs on.
    const std::scoped_lock lock(thread_mutex_);
    if (thread_ && ::pthread_equal(*thread_, ::pthread_self()) != 0) return;
  }
  kick();
}

void KvmVcpu::note_pause() const {
  kvm_ioctl(fd_.get(), KVM_KVMCLOCK_CTRL, 0);
}

RunExit KvmVcpu::run() {
  for (;;) {
    offer_ext_int();
    const int answer = ::ioctl(fd_.get(), KVM_RUN, 0);
    const int error = errno;
    common_.posted_writes->settle();
    if (answer < 0 && error == EINTR) {
      settle_ext_int();
      end_kick();
      return {};
    }
    ext_int_in_flight_.reset();
    if (answer < 0) {
      if (error == EAGAIN) continue;  // an INIT or SIPI has changed what the CPU is
      return failed(fmt::format("KVM_RUN: {}", core::errno_text(error)));
    }
    if (auto exit = handle_exit()) return std::move(*exit);
  }
}

// The 8259 is acknowledged only when the CPU takes the vector at once: what is acknowledged cannot be withdrawn, and
// the guest may mask or end interrupts until then.
void KvmVcpu::offer_ext_int() {
  if (!ext_int_wanted_.load(std::memory_order_relaxed) || !ext_int_wanted_.exchange(false)) return;
  run_->request_interrupt_window = 0;
  auto& pic = common_.wiring.pic;
  if (!pic.pending()) return;
  if (run_->ready_for_interrupt_injection != 0 && run_->if_flag != 0) {
    kvm_interrupt interrupt{};
    interrupt.irq = pic.acknowledge();
    if (kvm_ioctl(fd_.get(), KVM_INTERRUPT, &interrupt) < 0) {
      MV_LOG_LIMITED(Warn, "kvm", "interrupt vector {:#x} was refused: {}", interrupt.irq, core::errno_text());
    }
    ext_int_in_flight_ = static_cast<std::uint8_t>(interrupt.irq);
    if (!pic.pending()) return;
  }
  ext_int_wanted_ = true;
  run_->request_interrupt_window = 1;
}

// After an interrupted entry: the vector is still on its way if the CPU could take interrupts but for it.
void KvmVcpu::settle_ext_int() {
  if (ext_int_in_flight_ && (run_->if_flag == 0 || run_->ready_for_interrupt_injection != 0))
    ext_int_in_flight_.reset();
}

std::optional<RunExit> KvmVcpu::handle_exit() {
  switch (run_->exit_reason) {
    case KVM_EXIT_IO: handle_port(); return std::nullopt;
    case KVM_EXIT_MMIO: handle_mmio(); return std::nullopt;
    case KVM_EXIT_IRQ_WINDOW_OPEN: return std::nullopt;
    case KVM_EXIT_IOAPIC_EOI: common_.wiring.on_ioapic_eoi(run_->eoi.vector); return std::nullopt;
    case KVM_EXIT_INTR: return std::nullopt;
    case KVM_EXIT_SHUTDOWN: return triple_fault();
    case KVM_EXIT_SYSTEM_EVENT: return handle_system_event();
    case KVM_EXIT_INTERNAL_ERROR: return internal_error();
    case KVM_EXIT_FAIL_ENTRY:
      return failed(fmt::format("the processor refused the guest's state (reason {:#x})",
                                std::uint64_t{run_->fail_entry.hardware_entry_failure_reason}));
    // KVM_EXIT_HLT among them: with local APICs in the kernel a halted CPU waits there.
    default: return failed(fmt::format("unexpected exit {} from KVM", run_->exit_reason));
  }
}

void KvmVcpu::handle_port() {
  const auto& exit = run_->io;
  const unsigned width = exit.size;
  const std::uint64_t port = exit.port;
  const std::span<std::uint8_t> data(run_.bytes() + exit.data_offset, std::size_t{width} * exit.count);
  auto& io = common_.wiring.io;
  const bool is_write = exit.direction == KVM_EXIT_IO_OUT;
  if (exit.count != 1) return is_write ? io.write_string(port, width, data) : io.read_string(port, width, data);
  std::uint64_t value = 0;
  if (is_write) {
    std::memcpy(&value, data.data(), width);
    io.write(port, width, value);
  } else {
    value = io.read(port, width);
    std::memcpy(data.data(), &value, width);
  }
}

void KvmVcpu::handle_mmio() {
  auto& exit = run_->mmio;
  const unsigned width = std::min<unsigned>(exit.len, sizeof exit.data);
  std::uint64_t value = 0;
  if (exit.is_write != 0) {
    std::memcpy(&value, exit.data, width);
    common_.wiring.mmio.write(exit.phys_addr, width, value);
  } else {
    value = common_.wiring.mmio.read(exit.phys_addr, width);
    std::memcpy(exit.data, &value, width);
  }
}

std::optional<RunExit> KvmVcpu::handle_system_event() const {
  switch (run_->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN: return RunExit{ExitReason::PowerOff, {}};
    case KVM_SYSTEM_EVENT_RESET: return RunExit{ExitReason::Reset, "the guest asked for a reset"};
    default:
      return RunExit{ExitReason::Failed, fmt::format("the guest reported a crash (event {})", run_->system_event.type)};
  }
}

}  // namespace vmm::cpu::kvm
