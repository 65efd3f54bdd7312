// The guest against an enhanced host controller and its companions: bytes become register accesses, queue heads and
// descriptors in guest memory that lead to each other, devices that answer late, time, and loads of what was saved.
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/usb_scene.h"

namespace {

using tests::EhciRig;
using tests::FuzzInput;
namespace ehci = devices::usb::abi::ehci;
namespace uhci = devices::usb::abi::uhci;
namespace usb = devices::usb;

constexpr unsigned kMaxSteps = 400;
constexpr std::uint32_t kArea = 0x20000;  // structures of 64 bytes
constexpr unsigned kPlaces = 16;

class Guest {
 public:
  explicit Guest(FuzzInput input) : input_(input) {
    rig_.plug(0, scene_.make(rig_, 0));
    rig_.plug(1, scene_.make(rig_, 1));
    rig_.plug(2, scene_.make(rig_, 2));
    auto scripted = std::make_unique<tests::ScriptedDevice>();
    scripted_ = scripted.get();
    scripted_->on_packet = [this](usb::UsbPacket& packet) { return answer(packet); };
    rig_.plug(3, std::move(scripted));
    rig_.start();
    for (unsigned port = 1; port < 4; ++port)
      rig_.take_port(port);
    rig_.start_ring(kArea);
  }

  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step)
      do_step();
    scene_.settle(rig_);
  }

 private:
  usb::UsbResult answer(usb::UsbPacket& packet) {
    const auto kind = input_.u8();
    if (packet.pid == usb::Pid::In) packet.put(std::vector<std::uint8_t>(kind));
    if (packet.pid != usb::Pid::In) packet.transferred = packet.length();
    return static_cast<usb::UsbResult>(kind % 6);
  }
  std::uint32_t place() { return kArea + 0x40 * (input_.u8() % kPlaces); }
  std::uint32_t link() {
    const auto flags = input_.u8();
    if (flags == 0xff) return input_.u32();
    return place() | (flags & 7U);
  }

  // A moment, or long enough for an idle controller to rest.
  void pass_time() {
    const auto ms = input_.u8();
    rig_.pass(ms < 0xf8 ? ms % 20U : 2000U);
  }

  void do_step() {
    switch (input_.u8() % 14U) {
      case 0: rig_.mmio.space.read(EhciRig::kMmio + input_.u8() % 0xf8U, 1U << (input_.u8() % 4)); break;
      case 1: rig_.mmio.space.write(EhciRig::kMmio + input_.u8() % 0xf8U, 1U << (input_.u8() % 4), input_.u32()); break;
      case 2: rig_.set(EhciRig::portsc(input_.u8() % 4U), input_.u32() & 0x31ff); break;
      case 3: rig_.set_companion_port(input_.u8() % 6U, input_.u16()); break;
      case 4: raw(); break;
      case 5: queue(); break;
      case 6: descriptor(); break;
      case 7: rig_.set_word(EhciRig::kFrames + 4 * (input_.u16() % 1024U), link()); break;
      case 8: scene_.happen(input_, rig_); break;
      case 9: pass_time(); break;
      case 10: rig_.set(ehci::USBCMD, input_.u8() & 0x71U); break;
      case 11:
        rig_.start();
        rig_.start_ring(kArea);
        break;
      case 12: land(); break;
      default: save_or_reset(); break;
    }
  }

  void land() {
    const std::scoped_lock guard(rig_.lock);
    if (!scripted_->pending.empty()) scripted_->finish_first(static_cast<usb::UsbResult>(input_.u8() % 6));
  }
  void save_or_reset() {
    if ((input_.u8() & 3) != 0) return tests::save_and_load(input_, rig_);
    const std::scoped_lock guard(rig_.lock);
    rig_.device.reset();
  }
  void raw() {
    const auto at = place();
    for (std::uint32_t word = 0; word < 12; ++word)
      rig_.set_word(at + 4 * word, word == 0 ? link() : input_.u32());
  }
  void queue() {
    const auto at = place();
    const auto flags = input_.u8();
    rig_.put_queue(at, link(), place(), ((flags & 1U) << 15) | ((flags >> 1U) & 3U), (1U << 30) | ((flags >> 3U) & 1U));
  }
  void descriptor() {
    constexpr usb::Pid kPids[] = {usb::Pid::Setup, usb::Pid::In, usb::Pid::Out, usb::Pid::In};
    const auto flags = input_.u8();
    const auto at = place();
    const auto next = link();
    rig_.put_qtd(at, next, link(), EhciRig::token(kPids[flags & 3], input_.u16() & 0x7fff, (flags & 4U) << 13),
                 EhciRig::kData + input_.u16());
  }

  FuzzInput input_;
  tests::UsbScene scene_;
  tests::ScriptedDevice* scripted_ = nullptr;
  EhciRig rig_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest(FuzzInput({data, size})).run();
  return 0;
}
