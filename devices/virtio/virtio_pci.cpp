#include "devices/virtio/virtio_pci.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/bits.h"
#include "core/base/log.h"

namespace devices::virtio {

using namespace abi;

namespace {

// [4.1.2.1] Legacy drivers know a device by its old ID; the types that had one, in the order of these IDs.
std::uint16_t transitional_device(std::uint16_t type) {
  constexpr std::array<std::uint16_t, 6> kTypes{1, 2, 5, 3, 8, 4};  // net, block, balloon, console, SCSI, entropy
  const auto found = std::ranges::find(kTypes, type);
  return static_cast<std::uint16_t>(0x1000 + (found - kTypes.begin()));
}

core::PciIdentity identity_of(const VirtioDevice& device, bool legacy) {
  const auto type = device.type();
  return {.vendor = kVendor,
          .device = legacy ? transitional_device(type) : static_cast<std::uint16_t>(kModernDevice + type),
          .revision = legacy ? std::uint8_t{0} : std::uint8_t{1},
          .class_code = device.class_code(),
          .subsystem_vendor = kVendor,
          .subsystem = legacy ? type : kSubsystemModern,
          .interrupt_pin = 1};
}

}  // namespace

// [4.1.4] Each structure of the modern BAR is announced by a capability.
void VirtioPci::add_structures(Layout& layout) {
  struct Structure {
    std::uint8_t type;
    std::uint32_t offset;
    std::uint32_t size;
  };
  constexpr Structure kStructures[] = {{kCommonCfg, kCommonRegion, kRegionBytes},
                                       {kIsrCfg, kIsrRegion, kRegionBytes},
                                       {kDeviceCfg, kDeviceRegion, kRegionBytes},
                                       {kNotifyCfg, kNotifyRegion, kRegionBytes},
                                       {kPciCfg, 0, 0}};
  for (const auto& structure : kStructures) {
    const bool has_extra = structure.type == kNotifyCfg || structure.type == kPciCfg;
    const bool is_window = structure.type == kPciCfg;
    const std::uint32_t length = has_extra ? 20 : 16;
    const std::uint64_t all = is_window ? 0xffff'ffff : 0;  // what a driver sets by itself
    std::vector<core::Register> rows{
        {.name = "CAPLEN", .offset = kCapLength, .width = 1, .reset = length},
        {.name = "CFGTYPE", .offset = kCapType, .width = 1, .reset = structure.type},
        {.name = "BAR", .offset = kCapBar, .width = 1, .reset = is_window ? 0 : kModernBar, .writable = all & 0xff},
        {.name = "OFFSET", .offset = kCapOffset, .width = 4, .reset = structure.offset, .writable = all},
        {.name = "LENGTH", .offset = kCapSize, .width = 4, .reset = structure.size, .writable = all}};
    if (has_extra) {
      rows.push_back({.name = is_window ? "DATA" : "NOTIFYMUL",
                      .offset = kCapExtra,
                      .width = 4,
                      .reset = is_window ? 0 : kNotifyMultiplier,
                      .writable = all});
    }
    const auto start = layout.capabilities.add(kVendorCapability, length, rows);
    if (is_window) layout.window = start;
  }
}

std::unique_ptr<VirtioPci> VirtioPci::create(Config config, std::unique_ptr<VirtioDevice> device,
                                             const Wiring& wiring) {
  const auto queues = device->queue_sizes().size();
  const auto vectors = config.msix_vectors != 0 ? config.msix_vectors : queues + 1;
  auto msix = std::make_unique<core::Msix>(
      static_cast<unsigned>(std::min<std::size_t>(vectors, core::Msix::kMaxVectors)), wiring.msi);
  Layout layout;
  msix->announce(layout.capabilities, kMsixBar);
  add_structures(layout);
  return std::unique_ptr<VirtioPci>(
      new VirtioPci(std::move(config), std::move(device), wiring, std::move(msix), layout));
}

// Without eventfds, or with too few, the driver's writes do it all.
std::vector<VirtioPci::Doorbell> VirtioPci::make_doorbells(std::string_view name, std::size_t queues) {
  std::vector<Doorbell> doorbells;
  doorbells.reserve(queues);
  while (doorbells.size() < queues) {
    auto event = core::EventFd::create();
    if (!event) {
      core::log(core::LogLevel::Warn, "virtio", "{} has no doorbells: {}", name, event.error().message);
      return {};
    }
    doorbells.push_back({std::move(*event), nullptr});
  }
  return doorbells;
}

VirtioPci::VirtioPci(Config config, std::unique_ptr<VirtioDevice> device, const Wiring& wiring,
                     std::unique_ptr<core::Msix> msix, const Layout& layout)
    : PciFunction(identity_of(*device, config.legacy), layout.capabilities.rows()),
      config_name_(std::move(config.name)),
      device_(std::move(device)),
      msix_(std::move(msix)),
      window_(layout.window),
      modern_(*this, &VirtioPci::read_modern, &VirtioPci::write_modern),
      legacy_(*this, &VirtioPci::read_legacy, &VirtioPci::write_legacy) {
  for (const auto size : device_->queue_sizes())
    queues_.emplace_back(wiring.memory, size);
  setups_.resize(queues_.size());
  if (wiring.doorbells != nullptr) watch_doorbells(*wiring.doorbells);
  declare_bars(config.legacy);
  device_->connect(*this);
  reset_device();
}

// What is still under way ends in the queues, so those must be there yet.
VirtioPci::~VirtioPci() {
  doorbells_.clear();
  device_.reset();
}

void VirtioPci::watch_doorbells(core::EventWaiter& waiter) {
  auto doorbells = make_doorbells(config_name_, queues_.size());
  for (unsigned queue = 0; queue < doorbells.size(); ++queue) {
    auto watch = waiter.watch(doorbells[queue].event.get(), [this, queue] {
      const std::scoped_lock guard(lock());
      take_doorbell(queue);
    });
    if (!watch) {
      core::log(core::LogLevel::Warn, "virtio", "{} has no doorbells: {}", config_name_, watch.error().message);
      return;
    }
    doorbells[queue].watch = std::move(*watch);
  }
  doorbells_ = std::move(doorbells);
}

void VirtioPci::declare_bars(bool legacy) {
  using core::BarKind;
  // Legacy drivers write a queue's number to one register, others anything to the queue's own. [4.1.4.4, 4.1.4.10]
  std::vector<core::BarDoorbell> legacy_bells;
  std::vector<core::BarDoorbell> modern_bells;
  for (unsigned queue = 0; queue < doorbells_.size(); ++queue) {
    const auto eventfd = doorbells_[queue].event.get();
    legacy_bells.push_back({.offset = kLegacyQueueNotify, .width = 2, .match = queue, .eventfd = eventfd});
    modern_bells.push_back(
        {.offset = kNotifyRegion + queue * kNotifyMultiplier, .width = 0, .match = {}, .eventfd = eventfd});
  }
  if (legacy) {
    const auto bytes = std::bit_ceil(kLegacyMsixConfig + device_->config().size());
    declare_bar({.index = kLegacyBar,
                 .kind = BarKind::Io,
                 .size = bytes,
                 .name = config_name_ + " legacy",
                 .handler = &legacy_,
                 .max_width = 4,
                 .doorbells = std::move(legacy_bells)});
  }
  declare_bar({.index = kMsixBar,
               .kind = BarKind::Memory32,
               .size = core::Msix::kBarBytes,
               .name = config_name_ + " msix",
               .handler = msix_.get()});
  declare_bar({.index = kModernBar,
               .kind = BarKind::Memory64,
               .size = kModernBarBytes,
               .prefetchable = true,
               .name = config_name_ + " modern",
               .handler = &modern_,
               .max_width = 4,
               .doorbells = std::move(modern_bells)});
}

// --- what both register layouts do -----------------------------------------------------------------------------------

std::uint64_t VirtioPci::offered_features() const {
  constexpr auto kTransport = std::uint64_t{1} << kAnyLayout | std::uint64_t{1} << kIndirectDesc |
                              std::uint64_t{1} << kEventIndex | std::uint64_t{1} << kVersion1;
  return device_->features() | kTransport;
}

VirtioPci::QueueSetup* VirtioPci::selected() {
  return common_.queue_select < setups_.size() ? &setups_[common_.queue_select] : nullptr;
}

const VirtioPci::QueueSetup* VirtioPci::selected() const {
  return common_.queue_select < setups_.size() ? &setups_[common_.queue_select] : nullptr;
}

// [4.1.5.1.2.1] A vector that cannot be had reads back as none.
std::uint16_t VirtioPci::accept_vector(std::uint32_t vector) const {
  return vector < msix_->vectors() ? static_cast<std::uint16_t>(vector) : kNoVector;
}

// [3.1.1] FEATURES_OK stays clear if the driver took what was not offered.
void VirtioPci::set_status(std::uint8_t value) {
  if (value == 0) return reset_device();
  const auto rising = static_cast<std::uint8_t>(value & ~common_.status);
  const bool sound = (common_.driver_features & ~offered_features()) == 0 && is_modern();
  if ((rising & kFeaturesOk) != 0 && !sound) value &= static_cast<std::uint8_t>(~kFeaturesOk);
  common_.status = value | (common_.status & kNeedsReset);
  if ((rising & kDriverOk) != 0) device_->driver_ready();
}

void VirtioPci::enable_queue(unsigned index) {
  auto& setup = setups_[index];
  setup.enabled = true;
  const Virtqueue::Ring ring{.size = setup.size,
                             .places = setup.places,
                             .indirect = has_feature(kIndirectDesc),
                             .event_index = has_feature(kEventIndex)};
  if (!queues_[index].enable(ring)) need_reset();
}

// [2.1.2] A modern device takes nothing before DRIVER_OK; legacy drivers may not have got round to setting it.
void VirtioPci::queue_written(std::uint32_t queue) {
  const bool ready = is_driver_ready() || !is_modern();
  if (queue >= queues_.size() || !queues_[queue].enabled() || !ready) return;
  if ((common_.status & kNeedsReset) != 0) return;
  device_->queue_notified(queue);
}

// One that was taken already, or that rang for a queue as it was before a reset, finds nothing to do.
bool VirtioPci::take_doorbell(unsigned queue) {
  if (!doorbells_[queue].event.drain()) return false;
  queue_written(queue);
  return true;
}

bool VirtioPci::serve_later(unsigned queue) {
  if (doorbells_.empty()) return false;
  doorbells_[queue].event.signal();
  return true;
}

// The CPUs have stopped before: what they rang for is under way before anything is saved or reset. No more of it comes,
// so that further turns (serve_later) come to an end.
void VirtioPci::set_running(bool running) {
  for (unsigned queue = 0; queue < doorbells_.size(); ++queue) {
    while (take_doorbell(queue))
      continue;
  }
  device_->set_running(running);
  msix_->set_running(running);
}

std::uint8_t VirtioPci::take_isr() {
  const auto isr = std::exchange(common_.isr, std::uint8_t{0});
  set_intx(false);
  return isr;
}

std::uint64_t VirtioPci::read_config_bytes(std::uint64_t offset, unsigned width) const {
  const auto bytes = device_->config();
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width && offset + i < bytes.size(); ++i)
    value |= std::uint64_t{bytes[offset + i]} << (8 * i);
  return value;
}

void VirtioPci::write_config_bytes(std::uint64_t offset, unsigned width, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  core::store_le(bytes.data(), value);
  device_->write_config(offset, std::span(bytes).first(width));
}

// --- interrupts ------------------------------------------------------------------------------------------------------

void VirtioPci::interrupt(std::uint16_t vector, std::uint8_t isr) {
  if (msix_->enabled()) return msix_->notify(vector);
  common_.isr |= isr;
  set_intx(true);
}

void VirtioPci::notify_used(unsigned queue) {
  if (queues_[queue].wants_interrupt()) interrupt(setups_[queue].vector, kIsrQueue);
}

void VirtioPci::notify_config_changed() {
  ++common_.generation;
  if (is_driver_ready()) interrupt(common_.config_vector, kIsrConfig);
}

void VirtioPci::need_reset() {
  if ((common_.status & kNeedsReset) != 0) return;
  MV_LOG_LIMITED(Warn, "virtio", "{}: the guest's driver broke the rules; the device waits for a reset", config_name_);
  common_.status |= kNeedsReset;
  notify_config_changed();
}

// --- config space ----------------------------------------------------------------------------------------------------

bool VirtioPci::window_touched(std::uint32_t offset, unsigned width) const {
  return offset + width > window_ + kCapExtra && offset < window_ + kCapExtra + 4;
}

namespace {

// [4.1.4.9.1] The window reaches what the driver has set, by an access of 1, 2 or 4 aligned bytes.
struct WindowAccess {
  std::uint32_t offset = 0;
  unsigned width = 0;  // 0: none
};

WindowAccess window_access(const core::RegisterFile& config, std::uint32_t window) {
  const auto offset = static_cast<std::uint32_t>(config.value(window + kCapOffset, 4));
  const auto width = static_cast<std::uint32_t>(config.value(window + kCapSize, 4));
  const bool sound = config.value(window + kCapBar, 1) == kModernBar && (width == 1 || width == 2 || width == 4) &&
                     offset % width == 0 && offset < kModernBarBytes;
  return {offset, sound ? width : 0};
}

}  // namespace

void VirtioPci::config_reading(std::uint32_t offset, unsigned width) {
  if (!window_touched(offset, width)) return;
  const auto access = window_access(config(), window_);
  if (access.width != 0) config().set(window_ + kCapExtra, 4, read_modern(access.offset, access.width));
}

void VirtioPci::config_written(std::uint32_t offset, unsigned width) {
  msix_->follow(config());
  if (msix_->enabled()) set_intx(false);
  if (!window_touched(offset, width)) return;
  const auto access = window_access(config(), window_);
  if (access.width != 0) write_modern(access.offset, access.width, config().value(window_ + kCapExtra, 4));
}

// --- reset and state -------------------------------------------------------------------------------------------------

void VirtioPci::reset_device() {
  device_->reset();
  common_ = {};
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queues_[i].reset();
    setups_[i] = {};
    setups_[i].size = queues_[i].max_size();
  }
  for (const auto& doorbell : doorbells_)
    doorbell.event.drain();
  set_intx(false);
}

void VirtioPci::reset() {
  reset_device();
  reset_config();
  msix_->reset();
}

void VirtioPci::QueueSetup::visit(core::StateVisitor& visitor) {
  visitor.field("size", size);
  visitor.field("vector", vector);
  visitor.field("enabled", enabled);
  visitor.field("places", places);
}

void VirtioPci::Common::visit(core::StateVisitor& visitor) {
  visitor.field("device_feature_select", device_feature_select);
  visitor.field("driver_feature_select", driver_feature_select);
  visitor.field("driver_features", driver_features);
  visitor.field("config_vector", config_vector);
  visitor.field("queue_select", queue_select);
  visitor.field("status", status);
  visitor.field("generation", generation);
  visitor.field("isr", isr);
}

void VirtioPci::visit_state(core::StateVisitor& visitor) {
  visit_config(visitor);
  msix_->visit(visitor);
  visitor.field("common", common_);
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    visitor.enter("queue" + std::to_string(i));
    setups_[i].visit(visitor);
    queues_[i].visit(visitor);
    visitor.leave();
  }
  visitor.enter("device");
  device_->visit(visitor);
  visitor.leave();
}

core::Result<> VirtioPci::state_loaded() {
  for (unsigned i = 0; i < queues_.size(); ++i) {
    queues_[i].disable();
    if (setups_[i].enabled) enable_queue(i);
  }
  if (auto loaded = device_->state_loaded(); !loaded) return core::fail_with(config_name_, loaded);
  set_intx(common_.isr != 0 && !msix_->enabled());
  return {};
}

}  // namespace devices::virtio
