#include "vmm/cpu/kvm/accelerator.h"

#include <algorithm>
#include <linux/kvm.h>
#include <vector>

#include "core/base/log.h"
#include "vmm/cpu/cpuid.h"
#include "vmm/cpu/kvm/doorbells.h"
#include "vmm/cpu/kvm/interrupt_routes.h"
#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/kick_signal.h"
#include "vmm/cpu/kvm/kvm_abi.h"
#include "vmm/cpu/kvm/memory_slots.h"
#include "vmm/cpu/kvm/posted_writes.h"
#include "vmm/cpu/kvm/system.h"
#include "vmm/cpu/kvm/vcpu.h"

namespace vmm::cpu::kvm {

namespace {

// What Intel's KVM keeps for itself where a processor cannot run real mode: one page and three, in the hole between the
// local APICs and the BIOS.
constexpr std::uint64_t kIdentityMapAddress = 0xfeff'c000;
constexpr unsigned long kTssAddress = 0xfeff'd000;
constexpr std::uint64_t kKeptBytes = 0x4000;
// [SDM 3A 11.11.1] Where messages go; the bits below say to whom.
constexpr std::uint64_t kMessageAddress = 0xfee0'0000;
constexpr std::uint64_t kMessageMask = 0xfff0'0000;

class KvmAccelerator final : public Accelerator {
 public:
  KvmAccelerator(const System& system, core::Fd vm, const AcceleratorWiring& wiring)
      : vm_(std::move(vm)),
        slots_(vm_.get(), static_cast<std::uint32_t>(system.capability(KVM_CAP_NR_MEMSLOTS))),
        routes_(vm_.get(), static_cast<unsigned>(system.capability(KVM_CAP_IRQ_ROUTING))),
        port_doorbells_(vm_.get(), Space::Ports),
        mmio_doorbells_(vm_.get(), Space::Mmio),
        posted_writes_(vm_.get(), wiring.io, wiring.mmio),
        common_{.wiring = wiring, .posted_writes = &posted_writes_} {}

  ~KvmAccelerator() override {
    common_.wiring.mmio.set_doorbell_listener(nullptr);
    common_.wiring.io.set_doorbell_listener(nullptr);
    common_.wiring.ram_map.set_listener(nullptr);
  }

  core::Result<> set_up(const System& system, const CpuConfig& config);

  std::string_view name() const override { return "kvm"; }
  std::span<Vcpu* const> vcpus() override { return vcpus_; }
  std::span<CpuRunner* const> runners() override { return runners_; }
  std::optional<KeptMemory> kept_memory() const override { return KeptMemory{kIdentityMapAddress, kKeptBytes}; }
  void kick_ext_int() override { owned_.front()->want_ext_int(); }
  void set_a20(bool) override {}  // KVM cannot fold addresses; no guest of the last decades closes the gate for good
  bool rings_doorbells() const override { return true; }
  void set_ioapic_routes(const std::array<core::IoApicRoute, core::kIoApicPins>& routes) override {
    routes_.set_ioapic(routes);
  }
  void deliver(const core::MsiMessage& message) override;
  std::unique_ptr<core::MsiRoute> open_route(const core::MsiMessage& message) override;

  void stop_clock() override;
  void start_clock() override;
  std::string_view state_name() const override { return "cpu-clock"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("clock_ns", clock_ns_); }

 private:
  core::Result<> set_up_vm() const;
  core::Result<> create_vcpus(const System& system, unsigned count);
  std::uint64_t read_clock() const;

  core::Fd vm_;
  MemorySlots slots_;
  InterruptRoutes routes_;
  Doorbells port_doorbells_;
  Doorbells mmio_doorbells_;
  PostedWrites posted_writes_;
  VcpuCommon common_;
  std::vector<std::unique_ptr<KvmVcpu>> owned_;
  std::vector<Vcpu*> vcpus_;
  std::vector<CpuRunner*> runners_;
  std::uint64_t clock_ns_ = 0;  // the guest's paravirtual clock while it stands still
};

core::Result<> KvmAccelerator::set_up(const System& system, const CpuConfig& config) {
  const auto allowed = static_cast<unsigned>(system.capability(KVM_CAP_MAX_VCPUS));
  if (config.count == 0 || config.count > std::min(allowed, kMaxCpus)) {
    return core::fail("{} CPUs cannot be had, only 1 to {}", config.count, std::min(allowed, kMaxCpus));
  }
  if (auto installed = install_kick_signal(); !installed) return installed;
  if (auto done = set_up_vm(); !done) return done;
  if (auto created = create_vcpus(system, config.count); !created) return created;
  common_.wiring.ram_map.set_listener(&slots_);
  common_.wiring.io.set_doorbell_listener(&port_doorbells_);
  common_.wiring.mmio.set_doorbell_listener(&mmio_doorbells_);
  return {};
}

core::Result<> KvmAccelerator::set_up_vm() const {
  std::uint64_t identity_map = kIdentityMapAddress;
  auto done = checked_ioctl(vm_.get(), KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR");
  if (done) done = checked_ioctl(vm_.get(), KVM_SET_TSS_ADDR, kTssAddress, "KVM_SET_TSS_ADDR");
  kvm_enable_cap split{};
  split.cap = KVM_CAP_SPLIT_IRQCHIP;
  split.args[0] = core::kIoApicPins;
  if (done) done = checked_ioctl(vm_.get(), KVM_ENABLE_CAP, &split, "KVM_CAP_SPLIT_IRQCHIP");
  return done;
}

core::Result<> KvmAccelerator::create_vcpus(const System& system, unsigned count) {
  const auto host = system.supported_cpuid();
  if (!host) return std::unexpected(host.error());
  auto msrs = system.msr_indices();
  if (!msrs) return std::unexpected(msrs.error());
  const auto run_area = system.run_area_bytes();
  if (!run_area) return std::unexpected(run_area.error());
  common_.msr_indices = std::move(*msrs);
  common_.run_area_bytes = *run_area;
  common_.has_xcrs = system.capability(KVM_CAP_XCRS) != 0;
  // The VM's answer depends on the features it may use; the size is 0 before XSAVE2 existed.
  const int xsave2 = kvm_ioctl(vm_.get(), KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
  common_.has_xsave2 = xsave2 > 0;
  common_.xsave_bytes = std::max(sizeof(XsaveHead), static_cast<std::size_t>(std::max(xsave2, 0)));

  const CpuModel model{.count = count,
                       .has_tsc_deadline = system.capability(KVM_CAP_TSC_DEADLINE_TIMER) != 0,
                       .has_kvm_hypercalls = true};
  for (unsigned index = 0; index < count; ++index) {
    auto vcpu = KvmVcpu::create(vm_.get(), index, common_, compose_cpuid(*host, model, index));
    if (!vcpu) return std::unexpected(vcpu.error());
    vcpus_.push_back(vcpu->get());
    runners_.push_back(vcpu->get());
    owned_.push_back(std::move(*vcpu));
  }
  posted_writes_.map(owned_.front()->descriptor());
  return {};
}

// A guest that programs another address has a device write to memory: nothing that interrupts.
bool interrupts(const core::MsiMessage& message) {
  return (message.address & kMessageMask) == kMessageAddress;
}

std::unique_ptr<core::MsiRoute> KvmAccelerator::open_route(const core::MsiMessage& message) {
  if (!interrupts(message)) return nullptr;
  auto route = routes_.open(message);
  if (route) return std::move(*route);
  MV_LOG_LIMITED(Warn, "kvm", "an interrupt goes a longer way: {}", route.error().message);
  return nullptr;
}

void KvmAccelerator::deliver(const core::MsiMessage& message) {
  if (!interrupts(message)) return;
  kvm_msi msi{};
  msi.address_lo = static_cast<std::uint32_t>(message.address);
  msi.address_hi = static_cast<std::uint32_t>(message.address >> 32);
  msi.data = message.data;
  // 0: every addressed local APIC is off. An error: the guest programmed an impossible message. Both are lost, as on
  // the bus.
  kvm_ioctl(vm_.get(), KVM_SIGNAL_MSI, &msi);
}

std::uint64_t KvmAccelerator::read_clock() const {
  kvm_clock_data clock{};
  return kvm_ioctl(vm_.get(), KVM_GET_CLOCK, &clock) < 0 ? 0 : std::uint64_t{clock.clock};
}

void KvmAccelerator::stop_clock() {
  clock_ns_ = read_clock();
  // Tells guests that use the clock that they were paused, lest their watchdogs bark. Fails for the others.
  for (const auto& vcpu : owned_)
    vcpu->note_pause();
}

void KvmAccelerator::start_clock() {
  kvm_clock_data clock{};
  clock.clock = clock_ns_;
  kvm_ioctl(vm_.get(), KVM_SET_CLOCK, &clock);
}

}  // namespace

core::Result<std::unique_ptr<Accelerator>> create_accelerator(const CpuConfig& config,
                                                              const AcceleratorWiring& wiring) {
  const auto system = System::open();
  if (!system) return std::unexpected(system.error());
  auto vm = system->create_vm();
  if (!vm) return std::unexpected(vm.error());
  auto accelerator = std::make_unique<KvmAccelerator>(*system, std::move(*vm), wiring);
  if (auto done = accelerator->set_up(*system, config); !done) return std::unexpected(done.error());
  return accelerator;
}

}  // namespace vmm::cpu::kvm
