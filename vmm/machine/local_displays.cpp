#include "vmm/machine/local_displays.h"

#include "spice/channel/pointer.h"

namespace vmm::machine {

void LocalInput::key(core::KeyCode code, bool down) {
  control_.post([&keyboard = keyboard_, code, down] { keyboard.key(code, down); });
}

void LocalInput::place(core::Point at, std::int32_t surface_width, std::int32_t surface_height, std::int32_t dz,
                       std::uint8_t buttons) {
  if (tablet_ == nullptr) return;
  const auto x = spice::channel::tablet_coordinate(static_cast<std::uint32_t>(at.x), surface_width);
  const auto y = spice::channel::tablet_coordinate(static_cast<std::uint32_t>(at.y), surface_height);
  control_.post([&tablet = *tablet_, x, y, dz, buttons] { tablet.position(x, y, dz, buttons); });
}

void LocalInput::move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) {
  control_.post([&mouse = mouse_, dx, dy, dz, buttons] { mouse.move(dx, dy, dz, buttons); });
}

bool LocalInput::resize(std::int32_t width, std::int32_t height) {
  if (!source_.takes_client_monitors()) return false;
  const core::ClientMonitor wanted{.area = {0, 0, width, height}};
  source_.set_client_monitors({&wanted, 1});
  return true;
}

}  // namespace vmm::machine
