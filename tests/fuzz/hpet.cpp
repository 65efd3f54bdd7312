// The guest against the HPET: accesses of every width, time that passes or jumps, the PIT's and the RTC's lines,
// resets, and loads of what was saved.
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <span>

#include "core/base/endian.h"
#include "tests/device/platform/hpet_rig.h"

namespace {

constexpr unsigned kMaxSteps = 2000;
constexpr std::size_t kStepBytes = 12;  // what to do, where, how, and a value

class Guest {
 public:
  void step(std::span<const std::uint8_t, kStepBytes> bytes) {
    const auto value = core::load_le<std::uint64_t>(bytes.data() + 4);
    const std::uint64_t offset = (bytes[1] | bytes[2] << 8) % tests::hpet::kSize;
    const auto width = 1U << (bytes[3] % 4);
    switch (bytes[0] % 8) {
      case 0: rig_.get(offset, width); break;
      case 1:
      case 2: rig_.set(offset, value, width); break;
      case 3: rig_.set(offset % tests::hpet::kRegistersEnd & ~7U, value); break;
      case 4: rig_.clock.advance(core::GuestTime(value % 10'000'000)); break;
      case 5: rig_.clock.set_now(rig_.clock.now() + core::GuestTime(value % kLongPause)); break;
      case 6: (bytes[1] % 2 == 0 ? pit_ : rtc_).set(value % 2 != 0); break;
      default: bytes[1] % 4 == 0 ? reset() : save_and_load(value); break;
    }
  }

 private:
  static constexpr std::uint64_t kLongPause = 100'000'000'000'000;

  void reset() {
    const std::scoped_lock guard(rig_.device.lock());
    rig_.device.reset();
  }

  // What was saved must load into the same machine, changed by a bit or not.
  void save_and_load(std::uint64_t flip) {
    core::Stateful* const objects[] = {&rig_.device};
    const std::scoped_lock guard(rig_.device.lock());
    auto saved = core::save_state(objects);
    if (!core::load_state(saved, objects)) std::abort();
    auto& byte = saved[(flip >> 8) % saved.size()];
    byte = static_cast<std::uint8_t>(byte ^ (flip & 0xff));
    if (!core::load_state(saved, objects)) rig_.device.reset();
  }

  tests::HpetRig rig_;
  core::IrqLine pit_{rig_.irqs.board(), 0};
  core::IrqLine rtc_{rig_.irqs.board(), 8};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest guest;
  std::span<const std::uint8_t> input(data, size);
  for (unsigned step = 0; step < kMaxSteps && input.size() >= kStepBytes; ++step) {
    guest.step(input.first<kStepBytes>());
    input = input.subspan(kStepBytes);
  }
  return 0;
}
