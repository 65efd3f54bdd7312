// The debug exit port: a test guest writes a code and the process ends with status (code << 1) | 1, which is never the
// 0 of a clean power-off.
#pragma once

#include <functional>

#include "core/bus/address_space.h"
#include "core/bus/device.h"

namespace devices::platform {

class DebugExit final : public core::Device, private core::IoHandler {
 public:
  struct Config {
    std::uint16_t port = 0xf4;
  };
  struct Wiring {
    std::function<void(int status)> exit;  // called with the device's lock held, must not wait
  };

  DebugExit(const Config& config, Wiring wiring) : config_(config), wiring_(std::move(wiring)) {}
  core::Result<> attach(core::AddressSpace& io);

  void reset() override {}
  std::string_view state_name() const override { return "debug-exit"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor&) override {}  // it has none

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;

  Config config_;
  Wiring wiring_;
  core::Registration range_;
};

}  // namespace devices::platform
