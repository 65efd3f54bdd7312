// A host against tablet, keyboard, mouse, hub and stick, without a controller in between: requests, wrappers and
// packets of any kind and length, late images, cancelled packets, resets.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "tests/device/usb/usb_host.h"
#include "tests/fuzz/usb_scene.h"

namespace {

using tests::FuzzInput;
using tests::UsbHost;
namespace usb = devices::usb;

constexpr unsigned kMaxSteps = 1000;

class Host {
 public:
  explicit Host(FuzzInput input) : input_(input) {
    for (unsigned i = 0; i < devices_.size(); ++i) {
      devices_[i] = scene_.make(board_, i);
      host_.configure(*devices_[i]);
    }
  }
  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step)
      do_step();
    scene_.settle(board_);
    const std::scoped_lock guard(board_.lock);
    forget();
  }

 private:
  void do_step() {
    const auto choice = input_.u8() % 8U;
    if (choice == 0) return scene_.happen(input_, board_);
    if (choice == 1) return board_.pass(input_.u8());
    const std::scoped_lock guard(board_.lock);
    auto& device = *devices_[input_.u8() % devices_.size()];
    switch (choice) {
      case 2:
      case 3: return setup(device);
      case 4: return packet(device);
      case 5:
      case 6: return wrapper();
      default: break;
    }
    forget();
    if ((input_.u8() & 7) == 0) device.bus_reset(usb::Speed::High);
    if ((input_.u8() & 7) == 0) host_.configure(device);
    device.set_suspended((input_.u8() & 3) == 0);
  }

  void forget() {
    if (waits_ != nullptr && waiting_.result == usb::UsbResult::Pending) waits_->cancel(waiting_);
    waits_ = nullptr;
  }
  void submit(usb::UsbDevice& device, usb::Pid pid, std::uint8_t endpoint, std::span<const std::uint8_t> out,
              std::size_t in) {
    forget();
    host_.submit(device, waiting_, pid, endpoint, out, in);
    waits_ = &device;
    if (waiting_.transferred > waiting_.length()) std::abort();
  }
  void setup(usb::UsbDevice& device) {
    std::vector<std::uint8_t> bytes(8);
    for (auto& byte : bytes)
      byte = input_.u8();
    submit(device, usb::Pid::Setup, 0, bytes, 0);
  }
  void packet(usb::UsbDevice& device) {
    const auto flags = input_.u8();
    const auto length = input_.u16() % 0x5001U;
    const bool in = (flags & 1) != 0;
    const std::vector<std::uint8_t> out(in ? 0 : length, flags);
    submit(device, in ? usb::Pid::In : usb::Pid::Out, (flags >> 1) & 3, out, in ? length : 0);
  }
  void wrapper() {
    std::vector<std::uint8_t> bytes{'U', 'S', 'B', 'C', 0, 0, 0, 0};
    bytes.push_back(input_.u8());
    bytes.push_back(input_.u8());
    bytes.insert(bytes.end(), {0, 0, static_cast<std::uint8_t>(input_.u8() & 0x80), 0, 16});
    for (unsigned i = 0; i < 16; ++i)
      bytes.push_back(i == 0 || i > 3 ? input_.u8() : std::uint8_t{0});
    submit(*devices_[1], usb::Pid::Out, 2, bytes, 0);
  }

  FuzzInput input_;
  tests::UsbBoard board_;
  tests::UsbScene scene_;
  UsbHost host_;
  std::array<std::unique_ptr<usb::UsbDevice>, 3> devices_;
  usb::UsbPacket waiting_;
  usb::UsbDevice* waits_ = nullptr;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Host(FuzzInput({data, size})).run();
  return 0;
}
