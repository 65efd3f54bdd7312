// A host in a test's hands: transfers to one device without a controller in between.
#pragma once

#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/memory/guest_memory.h"
#include "devices/usb/usb_abi.h"
#include "devices/usb/usb_device.h"

namespace tests {

namespace usb = devices::usb;

class UsbHost final : public usb::UsbUpstream, public usb::UsbPacketOwner {
 public:
  using Bytes = std::vector<std::uint8_t>;

  void data_ready() override { ++readies; }
  void signal_resume() override { ++resumes; }
  void packet_done(usb::UsbPacket&) override { ++done; }

  static usb::abi::Setup request(std::uint8_t type, std::uint8_t code, std::uint16_t value = 0, std::uint16_t index = 0,
                                 std::uint16_t length = 0) {
    return {type, code, value, index, length};
  }
  // Fills `packet`, which has to live until it is done.
  usb::UsbResult submit(usb::UsbDevice& device, usb::UsbPacket& packet, usb::Pid pid, std::uint8_t endpoint,
                        std::span<const std::uint8_t> out, std::size_t in = 0) {
    packet = {};
    packet.pid = pid;
    packet.endpoint = endpoint;
    packet.owner = this;
    const auto length = out.empty() ? in : out.size();
    EXPECT_TRUE(length == 0 || memory_->gather(core::Gpa(kBuffer), length, packet.data));
    EXPECT_TRUE(out.empty() || memory_->write(core::Gpa(kBuffer), out));
    packet.result = device.submit(packet);
    return packet.result;
  }
  usb::UsbResult send(usb::UsbDevice& device, usb::Pid pid, std::uint8_t endpoint, std::span<const std::uint8_t> out) {
    usb::UsbPacket packet;
    return submit(device, packet, pid, endpoint, out);
  }
  // nullopt: anything but Done.
  std::optional<Bytes> receive(usb::UsbDevice& device, std::uint8_t endpoint, std::size_t most) {
    usb::UsbPacket packet;
    if (submit(device, packet, usb::Pid::In, endpoint, {}, most) != usb::UsbResult::Done) return std::nullopt;
    return received(packet);
  }
  Bytes received(const usb::UsbPacket& packet) const {
    Bytes bytes(packet.transferred);
    EXPECT_TRUE(memory_->read(core::Gpa(kBuffer), bytes));
    return bytes;
  }

  // A control transfer with data from the device; nullopt: refused.
  std::optional<Bytes> read(usb::UsbDevice& device, const usb::abi::Setup& setup) {
    if (send(device, usb::Pid::Setup, 0, bytes_of(setup)) != usb::UsbResult::Done) return std::nullopt;
    auto data = receive(device, 0, setup.length);
    if (data && send(device, usb::Pid::Out, 0, {}) != usb::UsbResult::Done) return std::nullopt;
    return data;
  }
  // One without, or with data to the device; false: refused.
  bool write(usb::UsbDevice& device, const usb::abi::Setup& setup, std::span<const std::uint8_t> data = {}) {
    if (send(device, usb::Pid::Setup, 0, bytes_of(setup)) != usb::UsbResult::Done) return false;
    if (!data.empty() && send(device, usb::Pid::Out, 0, data) != usb::UsbResult::Done) return false;
    return receive(device, 0, 0).has_value();
  }
  void configure(usb::UsbDevice& device, usb::Speed speed = usb::Speed::High) {
    device.connect(*this);
    device.bus_reset(speed);
    EXPECT_TRUE(write(device, request(0, usb::abi::SET_ADDRESS, 5)));
    EXPECT_TRUE(write(device, request(0, usb::abi::SET_CONFIGURATION, 1)));
  }

  unsigned readies = 0;
  unsigned resumes = 0;
  unsigned done = 0;

 private:
  static constexpr std::uint64_t kBuffer = 0x1000;
  static Bytes bytes_of(const usb::abi::Setup& setup) {
    const auto* const raw = reinterpret_cast<const std::uint8_t*>(&setup);
    return {raw, raw + sizeof setup};
  }

  std::unique_ptr<core::GuestMemory> memory_ = *core::GuestMemory::create(1 << 20, std::uint64_t{3} << 30);
};

}  // namespace tests
