#include "vmm/cpu/kvm/interrupt_routes.h"

#include "core/base/fd.h"
#include "core/base/log.h"
#include "vmm/cpu/kvm/ioctl.h"
#include "vmm/cpu/kvm/kvm_abi.h"

namespace vmm::cpu::kvm {

namespace {

constexpr unsigned kFirstValidVector = 16;  // [SDM 3A 11.5.2] lower ones are illegal

core::Result<> connect(int vm_fd, int eventfd, unsigned gsi, std::uint32_t flags) {
  kvm_irqfd request{};
  request.fd = static_cast<std::uint32_t>(eventfd);
  request.gsi = gsi;
  request.flags = flags;
  return checked_ioctl(vm_fd, KVM_IRQFD, &request, "KVM_IRQFD");
}

}  // namespace

class IrqFd final : public core::MsiRoute {
 public:
  IrqFd(InterruptRoutes& routes, unsigned gsi, core::EventFd event)
      : routes_(routes), gsi_(gsi), event_(std::move(event)) {}
  ~IrqFd() override { routes_.detach(gsi_, event_.get()); }
  IrqFd(const IrqFd&) = delete;
  IrqFd& operator=(const IrqFd&) = delete;
  void send() override { event_.signal(); }

 private:
  InterruptRoutes& routes_;
  unsigned gsi_;
  core::EventFd event_;
};

void InterruptRoutes::set_ioapic(const std::array<core::IoApicRoute, core::kIoApicPins>& routes) {
  const std::scoped_lock lock(mutex_);
  auto next = routes_;
  next.erase(next.begin(), next.lower_bound(core::kIoApicPins));
  for (unsigned pin = 0; pin < core::kIoApicPins; ++pin) {
    // A masked pin keeps its route: the guest may mask a level interrupt before it ends it.
    if ((routes[pin].message.data & 0xff) >= kFirstValidVector) next[pin] = routes[pin].message;
  }
  if (next == routes_) return;
  routes_ = std::move(next);
  if (const auto applied = apply_locked(); !applied) MV_LOG_LIMITED(Warn, "kvm", "{}", applied.error().message);
}

core::Result<std::unique_ptr<core::MsiRoute>> InterruptRoutes::open(const core::MsiMessage& message) {
  auto event = core::EventFd::create();
  if (!event) return std::unexpected(event.error());
  const std::scoped_lock lock(mutex_);
  unsigned gsi = core::kIoApicPins;
  while (routes_.contains(gsi))
    ++gsi;
  if (gsi >= limit_) return core::fail("all {} interrupt routes of KVM are taken", limit_);
  routes_[gsi] = message;
  auto done = apply_locked();
  if (done) done = connect(vm_fd_, event->get(), gsi, 0);
  if (!done) {
    routes_.erase(gsi);
    return std::unexpected(done.error());
  }
  return std::make_unique<IrqFd>(*this, gsi, std::move(*event));
}

// KVM returns when what the eventfd has started is done.
void InterruptRoutes::detach(unsigned gsi, int eventfd) {
  const std::scoped_lock lock(mutex_);
  if (const auto done = connect(vm_fd_, eventfd, gsi, KVM_IRQFD_FLAG_DEASSIGN); !done) {
    core::log(core::LogLevel::Warn, "kvm", "{}", done.error().message);
  }
  routes_.erase(gsi);
  if (const auto done = apply_locked(); !done) core::log(core::LogLevel::Warn, "kvm", "{}", done.error().message);
}

core::Result<> InterruptRoutes::apply_locked() {
  RouteList table(routes_.size());
  auto entry = table.elements().begin();
  for (const auto& [gsi, message] : routes_) {
    entry->gsi = gsi;
    entry->type = KVM_IRQ_ROUTING_MSI;
    entry->u.msi.address_lo = static_cast<std::uint32_t>(message.address);
    entry->u.msi.address_hi = static_cast<std::uint32_t>(message.address >> 32);
    entry->u.msi.data = message.data;
    ++entry;
  }
  return checked_ioctl(vm_fd_, kSetGsiRouting, table.head(), "KVM_SET_GSI_ROUTING");
}

}  // namespace vmm::cpu::kvm
