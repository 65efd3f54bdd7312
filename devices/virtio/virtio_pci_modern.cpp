// The registers of virtio 1.x drivers. [virtio 1.2, 4.1.4.3 to 4.1.4.6]
#include <algorithm>

#include "core/base/bits.h"
#include "devices/virtio/virtio_pci.h"

namespace devices::virtio {

using namespace abi;

namespace {

std::uint32_t half(std::uint64_t value, std::uint32_t select) {
  return select < 2 ? static_cast<std::uint32_t>(value >> (32 * select)) : 0;
}

void set_half(std::uint64_t& value, std::uint32_t select, std::uint32_t word) {
  if (select >= 2) return;
  const auto shift = 32 * select;
  value = (value & ~(std::uint64_t{0xffff'ffff} << shift)) | std::uint64_t{word} << shift;
}

}  // namespace

// [4.1.4.3] Those from queue_size on are of the queue selected; of one that does not exist they read as 0.
const std::span<const VirtioPci::CommonRegister> VirtioPci::kCommonRegisters = [] {
  using Self = VirtioPci;
  using Word = std::uint32_t;
  // Places may change only while their queue is off. [4.1.4.3.2]
  static constexpr auto read_place = []<std::uint64_t Virtqueue::Places::* Place, Word Half>(const Self& self) -> Word {
    const auto* queue = self.selected();
    return queue != nullptr ? half(queue->places.*Place, Half) : 0;
  };
  static constexpr auto write_place = []<std::uint64_t Virtqueue::Places::* Place, Word Half>(Self& self, Word value) {
    auto* queue = self.selected();
    if (queue != nullptr && !queue->enabled) set_half(queue->places.*Place, Half, value);
  };
  using Places = Virtqueue::Places;
  static constexpr CommonRegister kRows[] = {
      {"device_feature_select", 0, 4, [](const Self& self) -> Word { return self.common_.device_feature_select; },
       [](Self& self, Word value) { self.common_.device_feature_select = value; }},
      {"device_feature", 4, 4,
       [](const Self& self) -> Word { return half(self.offered_features(), self.common_.device_feature_select); },
       nullptr},
      {"driver_feature_select", 8, 4, [](const Self& self) -> Word { return self.common_.driver_feature_select; },
       [](Self& self, Word value) { self.common_.driver_feature_select = value; }},
      {"driver_feature", 12, 4,
       [](const Self& self) -> Word { return half(self.common_.driver_features, self.common_.driver_feature_select); },
       [](Self& self, Word value) {
         const bool settled = (self.common_.status & kFeaturesOk) != 0;
         if (!settled) set_half(self.common_.driver_features, self.common_.driver_feature_select, value);
       }},
      {"config_msix_vector", 16, 2, [](const Self& self) -> Word { return self.common_.config_vector; },
       [](Self& self, Word value) { self.common_.config_vector = self.accept_vector(value); }},
      {"num_queues", 18, 2, [](const Self& self) -> Word { return static_cast<Word>(self.queues_.size()); }, nullptr},
      {"device_status", 20, 1, [](const Self& self) -> Word { return self.common_.status; },
       [](Self& self, Word value) { self.set_status(static_cast<std::uint8_t>(value)); }},
      {"config_generation", 21, 1, [](const Self& self) -> Word { return self.common_.generation; }, nullptr},
      {"queue_select", 22, 2, [](const Self& self) -> Word { return self.common_.queue_select; },
       [](Self& self, Word value) { self.common_.queue_select = static_cast<std::uint16_t>(value); }},
      {"queue_size", 24, 2,
       [](const Self& self) -> Word { return self.selected() != nullptr ? self.selected()->size : 0; },
       [](Self& self, Word value) {
         auto* queue = self.selected();
         if (queue != nullptr && !queue->enabled) queue->size = static_cast<std::uint16_t>(value);
       }},
      {"queue_msix_vector", 26, 2,
       [](const Self& self) -> Word { return self.selected() != nullptr ? self.selected()->vector : kNoVector; },
       [](Self& self, Word value) {
         if (auto* queue = self.selected()) queue->vector = self.accept_vector(value);
       }},
      {"queue_enable", 28, 2,
       [](const Self& self) -> Word { return self.selected() != nullptr && self.selected()->enabled ? 1 : 0; },
       [](Self& self, Word value) {
         auto* queue = self.selected();
         if (queue != nullptr && !queue->enabled && value == 1) self.enable_queue(self.common_.queue_select);
       }},
      {"queue_notify_off", 30, 2, [](const Self& self) -> Word { return self.common_.queue_select; }, nullptr},
      {"queue_desc", 32, 4, [](const Self& self) { return read_place.operator()<&Places::descriptors, 0>(self); },
       [](Self& self, Word value) { write_place.operator()<&Places::descriptors, 0>(self, value); }},
      {"queue_desc_high", 36, 4, [](const Self& self) { return read_place.operator()<&Places::descriptors, 1>(self); },
       [](Self& self, Word value) { write_place.operator()<&Places::descriptors, 1>(self, value); }},
      {"queue_driver", 40, 4, [](const Self& self) { return read_place.operator()<&Places::available, 0>(self); },
       [](Self& self, Word value) { write_place.operator()<&Places::available, 0>(self, value); }},
      {"queue_driver_high", 44, 4, [](const Self& self) { return read_place.operator()<&Places::available, 1>(self); },
       [](Self& self, Word value) { write_place.operator()<&Places::available, 1>(self, value); }},
      {"queue_device", 48, 4, [](const Self& self) { return read_place.operator()<&Places::used, 0>(self); },
       [](Self& self, Word value) { write_place.operator()<&Places::used, 0>(self, value); }},
      {"queue_device_high", 52, 4, [](const Self& self) { return read_place.operator()<&Places::used, 1>(self); },
       [](Self& self, Word value) { write_place.operator()<&Places::used, 1>(self, value); }},
  };
  return std::span<const CommonRegister>(kRows);
}();

const VirtioPci::CommonRegister* VirtioPci::common_register(std::uint64_t offset) {
  const auto found = std::ranges::find(kCommonRegisters, offset, &CommonRegister::offset);
  return found != kCommonRegisters.end() ? &*found : nullptr;
}

// [4.1.3.1] Drivers access each field by its own width; a field is what begins at the offset.
std::uint64_t VirtioPci::read_modern(std::uint64_t offset, unsigned width) {
  const auto inside = offset % kRegionBytes;
  switch (offset - inside) {
    case kCommonRegion: {
      const auto* row = common_register(inside);
      return row != nullptr ? row->read(*this) & core::all_ones(width) : 0;
    }
    case kIsrRegion: return inside == 0 ? take_isr() : 0;
    case kDeviceRegion: return read_config_bytes(inside, width);
    default: return 0;
  }
}

void VirtioPci::write_modern(std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto inside = offset % kRegionBytes;
  switch (offset - inside) {
    case kCommonRegion: {
      const auto* row = common_register(inside);
      if (row == nullptr || row->write == nullptr) return;
      return row->write(*this, static_cast<std::uint32_t>(value & core::all_ones(std::min(width, row->width))));
    }
    case kDeviceRegion: return write_config_bytes(inside, width, value);
    // [4.1.5.2] Where the driver writes says which queue, as the value does.
    case kNotifyRegion: return queue_written(static_cast<std::uint32_t>(inside / kNotifyMultiplier));
    default: return;
  }
}

}  // namespace devices::virtio
