#include "vmm/machine/virtio_devices.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <random>
#include <sys/random.h>

#include "devices/virtio/virtio_balloon.h"
#include "devices/virtio/virtio_blk.h"
#include "devices/virtio/virtio_console.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_rng.h"

namespace vmm::machine {

namespace virtio = devices::virtio;

namespace {

// docs/machine.md
constexpr core::PciAddress kSerialSlot{3, 0};
constexpr core::PciAddress kEntropySlot{4, 0};
constexpr core::PciAddress kBalloonSlot{5, 0};
constexpr unsigned kMostQueues = 16;  // of a disk: more CPUs share them

void host_entropy(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto got = ::getrandom(out.data(), out.size(), 0);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR) return;
  }
}

// With counted time the same run gets the same numbers.
virtio::EntropySource repeatable_entropy() {
  return [engine = std::mt19937_64()](std::span<std::uint8_t> out) mutable {
    for (auto& byte : out)
      byte = static_cast<std::uint8_t>(engine());
  };
}

// By tag.
constexpr std::array<std::string_view, virtio::BalloonStatistics::kTags> kStatisticNames = {
    "swap-in",      "swap-out",         "major-faults", "minor-faults", "free-memory",
    "total-memory", "available-memory", "disk-caches",  "htlb-pgalloc", "htlb-pgfail"};

}  // namespace

VirtioDevices::VirtioDevices(const config::MachineConfig& config, HostEnds& ends, const Wiring& wiring)
    : clock_(wiring.clock), doorbells_("doorbells", ends.start) {
  add_disks(config, ends, wiring);
  if (ends.virtio_console || !ends.virtio_ports.empty()) add_serial(ends, wiring);
  if (config.rng) add_entropy(config, wiring);
  if (config.balloon) add_balloon(wiring);
}

VirtioDevices::~VirtioDevices() = default;

virtio::VirtioPci& VirtioDevices::add(core::PciAddress address, std::string name,
                                      std::unique_ptr<virtio::VirtioDevice> device, const Wiring& wiring) {
  auto function = virtio::VirtioPci::create({.name = std::move(name)}, std::move(device),
                                            {wiring.memory, wiring.msi, wiring.doorbells ? &doorbells_ : nullptr});
  return *functions_.emplace_back(address, std::move(function)).function;
}

void VirtioDevices::add_disks(const config::MachineConfig& config, HostEnds& ends, const Wiring& wiring) {
  for (auto& drive : ends.drives) {
    if (drive.interface != config::DiskInterface::Virtio) continue;
    disks_.emplace_back(drive.slot, drive.medium.get());
    virtio::VirtioBlk::Config disk{.disk = std::move(drive.medium),
                                   .serial = fmt::format("MV{:05}", drive.slot + 1),
                                   .queues = std::min(config.cpus, kMostQueues)};
    auto device = std::make_unique<virtio::VirtioBlk>(std::move(disk), wiring.clock);
    add({kFirstDiskSlot + drive.slot, 0}, fmt::format("virtio-blk{}", drive.slot), std::move(device), wiring);
  }
}

void VirtioDevices::add_serial(HostEnds& ends, const Wiring& wiring) {
  std::vector<virtio::VirtioConsole::PortConfig> ports;
  if (ends.virtio_console) ports.push_back({"", ends.virtio_console.get()});
  for (const auto& port : ends.virtio_ports)
    ports.push_back({port.name, port.stream.get()});
  auto device = std::make_unique<virtio::VirtioConsole>(std::move(ports), wiring.clock);
  add(kSerialSlot, "virtio-serial", std::move(device), wiring);
}

void VirtioDevices::add_entropy(const config::MachineConfig& config, const Wiring& wiring) {
  auto source = config.icount ? repeatable_entropy() : virtio::EntropySource(host_entropy);
  auto device = std::make_unique<virtio::VirtioRng>(std::move(source), wiring.clock);
  add(kEntropySlot, "virtio-rng", std::move(device), wiring);
}

void VirtioDevices::add_balloon(const Wiring& wiring) {
  auto device = std::make_unique<virtio::VirtioBalloon>(
      virtio::VirtioBalloon::Wiring{wiring.memory, wiring.clock, wiring.on_balloon});
  balloon_ = device.get();
  balloon_function_ = &add(kBalloonSlot, "virtio-balloon", std::move(device), wiring);
}

core::Result<> VirtioDevices::plug(core::PciBus& bus) {
  for (const auto& [address, function] : functions_) {
    if (auto plugged = bus.plug(address, *function); !plugged) return plugged;
  }
  return {};
}

void VirtioDevices::list(std::vector<core::Device*>& devices) const {
  for (const auto& placed : functions_)
    devices.push_back(placed.function.get());
}

void VirtioDevices::drain() {
  for (const auto& placed : functions_)
    placed.function->drain();
}

void VirtioDevices::set_running(bool running) {
  for (const auto& placed : functions_) {
    const std::scoped_lock guard(placed.function->lock());
    placed.function->set_running(running);
  }
}

core::BlockBackend* VirtioDevices::disk(unsigned slot) const {
  const auto found = std::ranges::find(disks_, slot, [](const auto& disk) { return disk.first; });
  return found != disks_.end() ? found->second : nullptr;
}

bool VirtioDevices::set_balloon(std::uint64_t bytes) {
  if (balloon_ == nullptr) return false;
  const std::scoped_lock guard(balloon_function_->lock());
  balloon_->set_target(bytes);
  return true;
}

std::optional<std::uint64_t> VirtioDevices::balloon() const {
  if (balloon_ == nullptr) return std::nullopt;
  const std::scoped_lock guard(balloon_function_->lock());
  return balloon_->actual_bytes();
}

std::optional<BalloonStatistics> VirtioDevices::balloon_statistics() const {
  if (balloon_ == nullptr) return std::nullopt;
  const std::scoped_lock guard(balloon_function_->lock());
  const auto& told = balloon_->statistics();
  BalloonStatistics result{.values = {}, .last_update = 0, .polling_seconds = balloon_->polling()};
  for (std::size_t tag = 0; tag < kStatisticNames.size(); ++tag) {
    const auto value = told.values[tag];
    result.values.push_back({kStatisticNames[tag], value == told.kUnknown ? std::nullopt : std::optional(value)});
  }
  if (told.told) {
    const auto time = std::chrono::system_clock::now() - (clock_.now() - told.told_at);
    result.last_update = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  }
  return result;
}

bool VirtioDevices::set_balloon_polling(std::uint32_t seconds) {
  if (balloon_ == nullptr) return false;
  const std::scoped_lock guard(balloon_function_->lock());
  balloon_->set_polling(seconds);
  return true;
}

}  // namespace vmm::machine
