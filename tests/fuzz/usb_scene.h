// What the USB fuzz targets share: real devices, input, and bytes that become transfers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "devices/usb/hid_keyboard.h"
#include "devices/usb/hid_pointers.h"
#include "devices/usb/mass_storage.h"
#include "devices/usb/usb_hub.h"
#include "tests/device/block/fake_disk.h"
#include "tests/device/usb/usb_rig.h"
#include "tests/fuzz/input.h"

namespace tests {

// A tablet, a stick, and a hub with keyboard and mouse, in the ports of a rig; `kind` of packets in flight by script.
struct UsbScene {
  std::shared_ptr<FakeDiskState> disk = std::make_shared<FakeDiskState>(std::size_t{512} * 256);
  usb::HidTablet* tablet = nullptr;
  usb::HidKeyboard* keyboard = nullptr;
  usb::HidMouse* mouse = nullptr;
  usb::MassStorage* stick = nullptr;

  std::unique_ptr<usb::UsbDevice> make(UsbBoard& board, unsigned which) {
    const usb::HidDevice::Wiring hid{board.clock, board.lock};
    if (which == 0) {
      auto made = std::make_unique<usb::HidTablet>(usb::UsbVersion::Usb2, hid);
      tablet = made.get();
      return made;
    }
    if (which == 1) {
      auto made =
          std::make_unique<usb::MassStorage>(usb::MassStorage::Config{std::make_unique<FakeDisk>(disk), "SERIAL"},
                                             usb::MassStorage::Wiring{board.clock, board.lock});
      stick = made.get();
      return made;
    }
    auto hub = std::make_unique<usb::UsbHub>();
    auto keys = std::make_unique<usb::HidKeyboard>(usb::UsbVersion::Usb2, hid);
    auto pointer = std::make_unique<usb::HidMouse>(usb::UsbVersion::Usb2, hid);
    keyboard = keys.get();
    mouse = pointer.get();
    hub->plug(0, std::move(keys));
    hub->plug(1, std::move(pointer));
    return hub;
  }

  void happen(FuzzInput& input, UsbBoard& board) {
    switch (input.u8() % 8U) {
      case 0:
        if (tablet != nullptr) tablet->position(input.u16(), input.u16(), input.u8() - 128, input.u8());
        break;
      case 1:
        if (keyboard != nullptr) keyboard->key(input.u16(), (input.u8() & 1) != 0);
        break;
      case 2:
        if (mouse != nullptr) mouse->move(input.u8() - 128, input.u16() - 32768, input.u8() - 128, input.u8());
        break;
      case 3: disk->perform_one(); break;
      case 4: disk->failing = (input.u8() & 1) != 0; break;
      case 5: disk->cached = (input.u8() & 1) != 0; break;
      case 6: board.clock.hold_completions((input.u8() & 1) != 0); break;
      default: board.clock.deliver_completions(); break;
    }
  }
  void settle(UsbBoard& board) {
    board.clock.hold_completions(false);
    board.clock.deliver_completions();
    disk->perform_all();
  }
};

// What was saved must load, changed by a bit or not.
template <class Rig>
void save_and_load(FuzzInput& input, Rig& rig) {
  core::Stateful* const objects[] = {&rig.device};
  const auto flip = input.u32();
  {
    const std::scoped_lock guard(rig.device.lock());
    auto saved = core::save_state(objects);
    if (!core::load_state(saved, objects)) std::abort();
    saved[flip % saved.size()] = static_cast<std::uint8_t>(saved[flip % saved.size()] ^ (flip >> 24));
    if (!core::load_state(saved, objects)) rig.device.reset();
  }
  rig.pci.remap();
}

}  // namespace tests
