// The registers of drivers from before virtio 1.0. [virtio 1.2, 4.1.4.10]
#include "core/base/bits.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtqueue_abi.h"

namespace devices::virtio {

using namespace abi;

std::uint64_t VirtioPci::legacy_config_start() const {
  return msix_->enabled() ? kLegacyMsixConfig : kLegacyConfig;
}

std::uint64_t VirtioPci::read_legacy(std::uint64_t offset, unsigned width) {
  const auto config = legacy_config_start();
  return offset >= config ? read_config_bytes(offset - config, width) : legacy_register(offset) & core::all_ones(width);
}

void VirtioPci::write_legacy(std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto config = legacy_config_start();
  if (offset >= config) return write_config_bytes(offset - config, width, value);
  set_legacy_register(offset, value & core::all_ones(width));
}

std::uint64_t VirtioPci::legacy_register(std::uint64_t offset) {
  const auto* queue = selected();
  switch (offset) {
    case kLegacyHostFeatures: return offered_features() & 0xffff'ffff;
    case kLegacyGuestFeatures: return common_.driver_features & 0xffff'ffff;
    case kLegacyQueueAddress: return queue != nullptr && queue->enabled ? queue->places.descriptors / kLegacyAlign : 0;
    case kLegacyQueueSize: return queue != nullptr ? queues_[common_.queue_select].max_size() : 0;
    case kLegacyQueueSelect: return common_.queue_select;
    case kLegacyStatus: return common_.status;
    case kLegacyIsr: return take_isr();
    case kLegacyConfigVector: return common_.config_vector;
    case kLegacyQueueVector: return queue != nullptr ? queue->vector : kNoVector;
    default: return 0;
  }
}

void VirtioPci::set_legacy_register(std::uint64_t offset, std::uint64_t value) {
  const auto word = static_cast<std::uint32_t>(value);
  switch (offset) {
    // [6.3] There is no FEATURES_OK: what is not offered is not taken.
    case kLegacyGuestFeatures: common_.driver_features = word & offered_features(); break;
    case kLegacyQueueAddress: set_legacy_queue_address(word); break;
    case kLegacyQueueSelect: common_.queue_select = static_cast<std::uint16_t>(word); break;
    case kLegacyQueueNotify: queue_written(word); break;
    case kLegacyStatus: set_status(static_cast<std::uint8_t>(word)); break;
    case kLegacyConfigVector: common_.config_vector = accept_vector(word); break;
    case kLegacyQueueVector:
      if (auto* queue = selected()) queue->vector = accept_vector(word);
      break;
    default: break;
  }
}

// [2.7.2] The three parts lie one after the other, the used ring on a page of its own. Page 0 ends the driver's use.
void VirtioPci::set_legacy_queue_address(std::uint32_t page) {
  if (page == 0) return reset_device();
  auto* queue = selected();
  if (queue == nullptr || queue->enabled) return;
  const auto size = queues_[common_.queue_select].max_size();
  auto& places = queue->places;
  queue->size = size;
  places.descriptors = page * kLegacyAlign;
  places.available = places.descriptors + descriptor_bytes(size);
  places.used = core::align_up(places.available + available_bytes(size), kLegacyAlign);
  enable_queue(common_.queue_select);
}

}  // namespace devices::virtio
