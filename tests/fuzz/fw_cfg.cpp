// The guest against fw_cfg: bytes become port accesses, strings, DMA descriptors anywhere and resets.
#include <cstdint>
#include <span>

#include "core/base/log.h"
#include "tests/device/firmware/fw_cfg_rig.h"

namespace {

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  template <class T>
  T take() {
    T value{};
    const auto count = std::min(bytes_.size(), sizeof value);
    std::memcpy(&value, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

constexpr unsigned kMaxSteps = 500;

void step(tests::FwCfgRig& rig, Input& input) {
  switch (input.take<std::uint8_t>() % 7) {
    case 0: rig.select(firmware::FwCfgKey{input.take<std::uint16_t>()}); break;
    case 1: rig.read(input.take<std::uint16_t>()); break;
    case 2: {
      const auto port = firmware::kFwCfgSelectorPort + input.take<std::uint8_t>() % 12U;
      rig.bus.space.read(port, 1U << (input.take<std::uint8_t>() % 4));
      break;
    }
    case 3: {
      const auto port = firmware::kFwCfgSelectorPort + input.take<std::uint8_t>() % 12U;
      const auto width = 1U << (input.take<std::uint8_t>() % 4);
      rig.bus.space.write(port, width, input.take<std::uint64_t>());
      break;
    }
    case 4: {
      const auto control = input.take<std::uint32_t>();
      const auto length = input.take<std::uint32_t>();
      rig.dma(control, length, input.take<std::uint64_t>());
      break;
    }
    case 5: {  // close to what succeeds
      const auto key = firmware::FwCfgKey{static_cast<std::uint16_t>(input.take<std::uint8_t>() % 0x24)};
      const auto control = tests::FwCfgRig::selecting(key, input.take<std::uint8_t>());
      const auto length = input.take<std::uint8_t>();
      rig.dma(control, length, input.take<std::uint16_t>());
      break;
    }
    default: rig.device.reset(); break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  core::set_log_level(core::LogLevel::Error);
  tests::FwCfgRig rig;
  Input input({data, size});
  for (unsigned i = 0; i < kMaxSteps && !input.empty(); ++i)
    step(rig, input);
  return 0;
}
