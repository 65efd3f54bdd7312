// The guest against a universal host controller: bytes become register accesses, queues and descriptors in guest memory
// that lead to each other, a tablet and a hub or a stick, time, and loads of what was saved.
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/usb_scene.h"

namespace {

using tests::FuzzInput;
using tests::UhciRig;
namespace uhci = devices::usb::abi::uhci;
namespace usb = devices::usb;

constexpr unsigned kMaxSteps = 400;
constexpr std::uint32_t kArea = 0x20000;  // queues and descriptors lie here, 16 bytes each
constexpr unsigned kPlaces = 32;

class Guest {
 public:
  explicit Guest(FuzzInput input) : input_(input) {
    const auto kind = input_.u8();
    rig_.plug(0, scene_.make(rig_, (kind & 1) != 0 ? 1 : 0));
    rig_.plug(1, scene_.make(rig_, 2));
    rig_.start(kArea | uhci::kQueueHead);
    rig_.enable_port(1);
  }

  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step)
      do_step();
    scene_.settle(rig_);
  }

 private:
  std::uint32_t place() { return kArea + 16 * (input_.u8() % kPlaces); }
  std::uint32_t link() {
    const auto flags = input_.u8();
    if (flags == 0xff) return input_.u32();
    return place() | (flags & 7U);
  }

  // A moment, or long enough for an idle controller to rest.
  void pass_time() {
    const auto ms = input_.u8();
    rig_.pass(ms < 0xf8 ? ms % 40U : 2000U);
  }

  void do_step() {
    switch (input_.u8() % 12U) {
      case 0: rig_.bus.space.read(UhciRig::kIo + input_.u8() % 0x1eU, 1U << (input_.u8() % 3)); break;
      case 1: rig_.bus.space.write(UhciRig::kIo + input_.u8() % 0x1eU, 1U << (input_.u8() % 3), input_.u32()); break;
      case 2: rig_.put_queue(place(), link(), link()); break;
      case 3: {
        const auto at = place();
        rig_.put_td(at, link(), input_.u32(), input_.u32(), UhciRig::kData + input_.u16());
        break;
      }
      case 4: descriptor(); break;
      case 5: request(); break;
      case 6: rig_.set_word(UhciRig::kFrames + 4 * (input_.u16() % 1024U), link()); break;
      case 7: scene_.happen(input_, rig_); break;
      case 8: pass_time(); break;
      case 9: rig_.start(kArea | uhci::kQueueHead); break;
      case 10: tests::save_and_load(input_, rig_); break;
      default: {
        const std::scoped_lock guard(rig_.lock);
        rig_.device.reset();
        break;
      }
    }
  }

  // One that makes sense.
  void descriptor() {
    constexpr usb::Pid kPids[] = {usb::Pid::Setup, usb::Pid::In, usb::Pid::Out, usb::Pid::In};
    const auto flags = input_.u8();
    const auto at = place();
    rig_.put_td(at, link(), uhci::TD_ACTIVE | UhciRig::kThreeErrors | ((flags & 1U) << 29),
                UhciRig::token(kPids[(flags >> 1) & 3], input_.u8(), (flags >> 4) & 3, flags >> 6),
                UhciRig::kData + input_.u16());
  }

  // A control transfer to a device, in three descriptors.
  void request() {
    std::vector<std::uint8_t> setup(8);
    for (auto& byte : setup)
      byte = input_.u8();
    rig_.put_bytes(UhciRig::kData, setup);
    const auto address = input_.u8() % 4U;
    const bool in = (setup[0] & 0x80) != 0;
    const auto data = in ? usb::Pid::In : usb::Pid::Out;
    constexpr std::uint32_t kActive = uhci::TD_ACTIVE | UhciRig::kThreeErrors;
    rig_.put_td(kArea + 0x1000, (kArea + 0x1010) | uhci::kDepthFirst, kActive,
                UhciRig::token(usb::Pid::Setup, 8, 0, address));
    rig_.put_td(kArea + 0x1010, (kArea + 0x1020) | uhci::kDepthFirst, kActive,
                UhciRig::token(data, setup[6] == 0 ? 0 : setup[6], 0, address), UhciRig::kData + 0x100);
    rig_.put_td(kArea + 0x1020, uhci::kTerminate, kActive,
                UhciRig::token(in ? usb::Pid::Out : usb::Pid::In, 0, 0, address));
    rig_.put_queue(kArea, link(), kArea + 0x1000);
    rig_.pass(1);
  }

  FuzzInput input_;
  tests::UsbScene scene_;
  UhciRig rig_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest(FuzzInput({data, size})).run();
  return 0;
}
