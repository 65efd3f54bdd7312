// The debug console: a port that firmware and test guests print to, a byte at a time. Reading it answers E9h, by which
// they tell that it is there.
#pragma once

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/ports/char_stream.h"

namespace devices::platform {

class Debugcon final : public core::Device, private core::IoHandler, private core::StringPort {
 public:
  struct Config {
    std::uint16_t port = 0x402;  // SeaBIOS's; Bochs has its at E9h
  };
  struct Wiring {
    core::CharStream& stream;
  };

  Debugcon(const Config& config, const Wiring& wiring) : config_(config), wiring_(wiring) {}
  core::Result<> attach(core::AddressSpace& io);

  void reset() override {}
  std::string_view state_name() const override { return "debugcon"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor&) override {}  // it has none

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  core::StringPort* string_port() override { return this; }
  std::size_t read_string(std::uint64_t offset, unsigned width, std::span<std::uint8_t> out) override;
  std::size_t write_string(std::uint64_t offset, unsigned width, std::span<const std::uint8_t> bytes) override;

  Config config_;
  Wiring wiring_;
  core::Registration range_;
};

}  // namespace devices::platform
