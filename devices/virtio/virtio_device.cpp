#include "devices/virtio/virtio_device.h"

namespace devices::virtio {

void VirtioDevice::write_config(std::uint64_t, std::span<const std::uint8_t>) {}

bool VirtioDevice::pop(unsigned queue, Chain& chain) {
  auto& from = host().queue(queue);
  if (from.pop(chain)) return true;
  if (from.broken()) host().need_reset();
  return false;
}

void VirtioDevice::push(unsigned queue, const Chain& chain, std::uint64_t written) {
  host().queue(queue).push(chain.head, static_cast<std::uint32_t>(written));
}

}  // namespace devices::virtio
