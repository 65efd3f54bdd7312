// Port 80h: firmware tells how far its power-on self test has come, systems write it to pass a microsecond. It keeps
// the last byte, for whoever asks where a boot got stuck.
#pragma once

#include "core/bus/address_space.h"
#include "core/bus/device.h"

namespace devices::platform {

class PostPort final : public core::Device, private core::IoHandler {
 public:
  core::Result<> attach(core::AddressSpace& io);

  std::uint8_t code() const { return code_; }  // lock held

  void reset() override { code_ = 0; }
  std::string_view state_name() const override { return "post"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("code", code_); }

 private:
  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;

  std::uint8_t code_ = 0;
  core::Registration range_;
};

}  // namespace devices::platform
