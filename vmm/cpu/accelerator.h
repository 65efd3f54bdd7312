// What executes guest code: KVM now, a software CPU next; both behind this interface and over the same machine.
//
// An accelerator follows the RamMap it is given, rings the doorbells of both address spaces, reads the dirty state of
// what its CPUs write, and is the CPUs' end of the interrupt seam: MSI messages and the I/O APIC's routes come in, EOIs
// of level-triggered vectors and the 8259's acknowledge cycle go out. Local APICs belong to the accelerator.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/bus/address_space.h"
#include "core/bus/irq.h"
#include "core/memory/ram_map.h"
#include "vmm/cpu/vcpu.h"

namespace vmm::cpu {

struct CpuConfig {
  unsigned count = 1;
};
constexpr unsigned kMaxCpus = 255;  // the I/O APIC addresses destinations with eight bits; 255 is "all"

// What the accelerator is made over; all of it outlives the accelerator.
struct AcceleratorWiring {
  core::RamMap& ram_map;
  core::AddressSpace& io;
  core::AddressSpace& mmio;
  core::ExtIntSource& pic;
  // A CPU finished a level-triggered vector. vCPU thread, no device lock held.
  std::function<void(std::uint8_t vector)> on_ioapic_eoi;
  // FERR#, of CPUs that have it. vCPU thread, no device lock held.
  std::function<void()> on_x87_error = {};
};

// Guest physical addresses that an accelerator keeps for itself; firmware must tell the guest.
struct KeptMemory {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

// deliver() and set_ioapic_routes(): any thread, device locks may be held, never block on a vCPU.
class Accelerator : public core::MsiSink, public core::IoApicRouteSink, public core::Stateful {
 public:
  virtual std::string_view name() const = 0;  // "kvm"
  virtual std::span<Vcpu* const> vcpus() = 0;
  virtual std::span<CpuRunner* const> runners() = 0;
  virtual std::optional<KeptMemory> kept_memory() const { return std::nullopt; }

  // The 8259's INTR output rose: the boot CPU looks at it. Any thread, device locks may be held.
  virtual void kick_ext_int() = 0;
  // The A20 gate. An accelerator that cannot fold addresses at 1 MiB leaves it open. vCPU thread.
  virtual void set_a20(bool open) = 0;
  // The guest asked the machine for something that it shall not outrun. An accelerator that can exits with Held after
  // the present access. vCPU thread, from within that access.
  virtual void hold() {}
  // Whether a doorbell of either address space is rung without a CPU leaving the guest.
  virtual bool rings_doorbells() const { return false; }

  // The guest's paravirtual clock stands still in between. Control loop, all runners paused.
  virtual void stop_clock() = 0;
  virtual void start_clock() = 0;
};

// How fast an accelerator runs kernel-mode code, by a short measurement.
struct Speed {
  double kernel_mips = 0;
  // Emulation is below 20 million instructions a second, any hardware above a hundred.
  bool is_hardware() const { return kernel_mips > 50; }
};

}  // namespace vmm::cpu
