// A USB stick: the bulk-only transport, its thirteen cases, and the SCSI commands over it.
#include "devices/usb/mass_storage.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <mutex>

#include "tests/device/block/fake_disk.h"
#include "tests/device/fake_clock.h"
#include "tests/device/usb/usb_host.h"

namespace {

namespace usb = devices::usb;
namespace abi = devices::usb::abi;
namespace scsi = devices::usb::abi::scsi;
using tests::UsbHost;
using usb::Pid;
using usb::UsbResult;
using Bytes = UsbHost::Bytes;

constexpr std::size_t kSectors = 2048;

struct Stick {
  tests::FakeClock clock;
  core::DeviceLock lock;
  UsbHost host;
  std::shared_ptr<tests::FakeDiskState> disk = std::make_shared<tests::FakeDiskState>(kSectors * 512);
  usb::MassStorage device{{std::make_unique<tests::FakeDisk>(disk), "SERIAL"}, {clock, lock}};

  Stick() { host.configure(device); }

  UsbResult command(Bytes cdb, std::uint32_t length, bool to_host) {
    Bytes wrapper{'U', 'S', 'B', 'C', 1, 2, 3, 4};
    for (unsigned i = 0; i < 4; ++i)
      wrapper.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
    wrapper.insert(wrapper.end(),
                   {static_cast<std::uint8_t>(to_host ? 0x80 : 0), 0, static_cast<std::uint8_t>(cdb.size())});
    cdb.resize(16);
    wrapper.insert(wrapper.end(), cdb.begin(), cdb.end());
    return host.send(device, Pid::Out, 2, wrapper);
  }
  // The disk does what it is asked for meanwhile; nullopt: a stall.
  std::optional<Bytes> in(std::size_t bytes) {
    usb::UsbPacket packet;
    if (host.submit(device, packet, Pid::In, 1, {}, bytes) == UsbResult::Pending) disk->perform_all();
    return packet.result == UsbResult::Done ? std::optional(host.received(packet)) : std::nullopt;
  }
  UsbResult out(const Bytes& bytes) {
    usb::UsbPacket packet;
    if (host.submit(device, packet, Pid::Out, 2, bytes) == UsbResult::Pending) disk->perform_all();
    return packet.result;
  }
  bool clear_halt(std::uint8_t endpoint) {
    return host.write(device, UsbHost::request(2, abi::CLEAR_FEATURE, abi::ENDPOINT_HALT, endpoint));
  }
  struct Status {
    std::uint32_t residue = 99;
    unsigned status = 99;
    bool operator==(const Status&) const = default;
  };
  Status status() {
    const auto bytes = in(13);
    if (!bytes || bytes->size() != 13 || !std::equal(bytes->begin(), bytes->begin() + 8, "USBS\1\2\3\4")) return {};
    return {core::load_le<std::uint32_t>(&(*bytes)[8]), (*bytes)[12]};
  }
  std::pair<unsigned, unsigned> sense() {
    command({scsi::REQUEST_SENSE, 0, 0, 0, 18}, 18, true);
    const auto bytes = in(18);
    status();
    return bytes ? std::pair<unsigned, unsigned>((*bytes)[2], ((*bytes)[12] << 8U) | (*bytes)[13])
                 : std::pair(99U, 99U);
  }
  Bytes contents(std::size_t lba, std::size_t sectors) const {
    const auto at = disk->data.begin() + static_cast<std::ptrdiff_t>(lba * 512);
    return {at, at + static_cast<std::ptrdiff_t>(sectors * 512)};
  }
  static Bytes access_10(std::uint8_t code, std::uint16_t lba, std::uint16_t sectors) {
    return {code,
            0,
            0,
            0,
            static_cast<std::uint8_t>(lba >> 8),
            static_cast<std::uint8_t>(lba),
            0,
            static_cast<std::uint8_t>(sectors >> 8),
            static_cast<std::uint8_t>(sectors),
            0};
  }
};

TEST(UsbStick, tells_what_it_is) {
  Stick stick;
  EXPECT_EQ(stick.host.read(stick.device, UsbHost::request(0xa1, abi::storage::GET_MAX_LUN, 0, 0, 1)), Bytes{0});
  EXPECT_EQ(stick.command({scsi::INQUIRY, 0, 0, 0, 36}, 36, true), UsbResult::Done);
  const auto inquiry = stick.in(36);
  ASSERT_TRUE(inquiry);
  EXPECT_EQ(std::string(inquiry->begin() + 8, inquiry->begin() + 15), "MINIVMM");
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  stick.command({scsi::READ_CAPACITY_10}, 8, true);
  EXPECT_EQ(stick.in(8), (Bytes{0, 0, 7, 255, 0, 0, 2, 0}));
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  stick.command({scsi::SERVICE_ACTION_IN_16, scsi::READ_CAPACITY_16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}, 32, true);
  EXPECT_EQ((*stick.in(32))[6], 7);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
}

TEST(UsbStick, mode_sense_tells_of_write_protection) {
  Stick stick;
  stick.disk->read_only = true;
  stick.command({scsi::MODE_SENSE_6, 0, 0x3f, 0, 192}, 192, true);
  const auto pages = stick.in(192);
  ASSERT_TRUE(pages);
  EXPECT_EQ((*pages)[2], 0x80);
  EXPECT_EQ((*pages)[4], scsi::kCachingPage);
  EXPECT_EQ(stick.status(), (Stick::Status{192 - 24, 0}));
  stick.command(Stick::access_10(scsi::WRITE_10, 0, 1), 512, false);
  EXPECT_EQ(stick.out(Bytes(512)), UsbResult::Done);
  EXPECT_EQ(stick.status(), (Stick::Status{512, 1}));
  EXPECT_EQ(stick.sense(), std::pair(7U, 0x2700U));
}

TEST(UsbStick, reads_through_its_buffer_and_from_memory) {
  for (const bool cached : {false, true}) {
    Stick stick;
    stick.disk->cached = cached;
    stick.command(Stick::access_10(scsi::READ_10, 3, 500), 500 * 512, true);
    Bytes all;
    while (all.size() < 500 * 512) {
      const auto part = stick.in(std::min<std::size_t>(20480, 500 * 512 - all.size()));
      ASSERT_TRUE(part);
      all.insert(all.end(), part->begin(), part->end());
    }
    EXPECT_EQ(all, stick.contents(3, 500));
    EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  }
}

TEST(UsbStick, writes_and_flushes) {
  Stick stick;
  Bytes data(300 * 512);
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::uint8_t>(i * 7);
  stick.command(Stick::access_10(scsi::WRITE_10, 9, 300), 300 * 512, false);
  for (std::size_t at = 0; at < data.size(); at += 10240)
    EXPECT_EQ(stick.out({data.begin() + static_cast<std::ptrdiff_t>(at),
                         data.begin() + static_cast<std::ptrdiff_t>(at + 10240)}),
              UsbResult::Done);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  EXPECT_EQ(stick.contents(9, 300), data);
  stick.command({scsi::SYNCHRONIZE_CACHE_10}, 0, false);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  EXPECT_EQ(stick.disk->flushes, 1u);
}

TEST(UsbStick, sixteen_byte_commands_reach_the_same_sectors) {
  Stick stick;
  stick.command({scsi::READ_16, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1}, 512, true);
  EXPECT_EQ(stick.in(512), stick.contents(5, 1));
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  stick.command({scsi::WRITE_16, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 1}, 512, false);
  stick.out(stick.contents(5, 1));
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
  EXPECT_EQ(stick.contents(6, 1), stick.contents(5, 1));
}

TEST(UsbStick, beyond_its_end_and_unknown_commands_fail) {
  Stick stick;
  stick.command(Stick::access_10(scsi::READ_10, kSectors - 1, 2), 1024, true);
  EXPECT_FALSE(stick.in(1024));
  EXPECT_TRUE(stick.clear_halt(0x81));
  EXPECT_EQ(stick.status(), (Stick::Status{1024, 1}));
  EXPECT_EQ(stick.sense(), std::pair(5U, 0x2100U));
  stick.command({0xf7}, 0, false);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 1}));
  EXPECT_EQ(stick.sense(), std::pair(5U, 0x2000U));
  EXPECT_EQ(stick.sense(), std::pair(0U, 0U));
}

TEST(UsbStick, failing_disk_is_a_medium_error) {
  Stick stick;
  stick.disk->failing = true;
  stick.command(Stick::access_10(scsi::READ_10, 0, 1), 512, true);
  EXPECT_FALSE(stick.in(512));
  EXPECT_TRUE(stick.clear_halt(0x81));
  EXPECT_EQ(stick.status(), (Stick::Status{512, 1}));
  EXPECT_EQ(stick.sense(), std::pair(3U, 0x1100U));
}

TEST(UsbStick, less_than_expected_is_short_and_more_is_a_phase_error) {
  Stick stick;
  stick.command({scsi::INQUIRY, 0, 0, 0, 255}, 255, true);
  EXPECT_EQ(stick.in(255)->size(), 36u);
  EXPECT_EQ(stick.status(), (Stick::Status{219, 0}));
  stick.command(Stick::access_10(scsi::READ_10, 0, 2), 512, true);
  EXPECT_EQ(stick.in(512)->size(), 512u);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 2}));
  stick.command(Stick::access_10(scsi::READ_10, 0, 1), 0, false);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 2}));
  stick.command(Stick::access_10(scsi::READ_10, 0, 1), 512, false);
  EXPECT_EQ(stick.out(Bytes(512)), UsbResult::Done);
  EXPECT_EQ(stick.status(), (Stick::Status{512, 2}));
  stick.command(Stick::access_10(scsi::WRITE_10, 0, 1), 512, true);
  EXPECT_FALSE(stick.in(512));
  EXPECT_TRUE(stick.clear_halt(0x81));
  EXPECT_EQ(stick.status(), (Stick::Status{512, 2}));
  EXPECT_EQ(stick.disk->writes, 0u);
}

TEST(UsbStick, exact_end_with_more_expected_stalls) {
  Stick stick;
  stick.command(Stick::access_10(scsi::READ_10, 0, 1), 1024, true);
  EXPECT_EQ(stick.in(512)->size(), 512u);
  EXPECT_FALSE(stick.in(512));
  EXPECT_TRUE(stick.clear_halt(0x81));
  EXPECT_EQ(stick.status(), (Stick::Status{512, 0}));
}

TEST(UsbStick, invalid_wrapper_needs_a_reset_recovery) {
  Stick stick;
  EXPECT_EQ(stick.out(Bytes(31)), UsbResult::Stall);
  EXPECT_TRUE(stick.clear_halt(0x02));
  EXPECT_EQ(stick.command({scsi::TEST_UNIT_READY}, 0, false), UsbResult::Stall);
  EXPECT_TRUE(stick.host.write(stick.device, UsbHost::request(0x21, abi::storage::RESET)));
  EXPECT_TRUE(stick.clear_halt(0x02));
  EXPECT_TRUE(stick.clear_halt(0x81));
  EXPECT_EQ(stick.command({scsi::TEST_UNIT_READY}, 0, false), UsbResult::Done);
  EXPECT_EQ(stick.status(), (Stick::Status{0, 0}));
}

TEST(UsbStick, waiting_packet_is_cancelled_or_ended_by_a_reset) {
  Stick stick;
  stick.command(Stick::access_10(scsi::READ_10, 0, 4), 2048, true);
  usb::UsbPacket packet;
  EXPECT_EQ(stick.host.submit(stick.device, packet, Pid::In, 1, {}, 2048), UsbResult::Pending);
  stick.device.cancel(packet);
  stick.disk->perform_all();
  EXPECT_EQ(stick.host.done, 0u);
  EXPECT_EQ(stick.in(2048), stick.contents(0, 4));
  stick.status();
  stick.command(Stick::access_10(scsi::READ_10, 0, 4), 2048, true);
  EXPECT_EQ(stick.host.submit(stick.device, packet, Pid::In, 1, {}, 2048), UsbResult::Pending);
  stick.device.bus_reset(usb::Speed::High);
  EXPECT_EQ(packet.result, UsbResult::NoResponse);
  stick.disk->perform_all();
}

// Saved while it waits for the image: the copy asks for it again, and the packet comes again.
struct Section final : core::Stateful {
  explicit Section(usb::MassStorage& wanted) : stick(wanted) {}
  std::string_view state_name() const override { return "stick"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { stick.visit(visitor); }
  core::Result<> state_loaded() override { return stick.state_loaded(); }
  usb::MassStorage& stick;
};

TEST(UsbStick, goes_on_after_a_load_in_mid_command) {
  for (const bool write : {false, true}) {
    Stick stick;
    stick.command(Stick::access_10(write ? scsi::WRITE_10 : scsi::READ_10, 7, 300), 300 * 512, !write);
    const Bytes data(150 * 1024, 0x77);
    usb::UsbPacket packet;
    EXPECT_EQ(
        stick.host.submit(stick.device, packet, write ? Pid::Out : Pid::In, write ? 2 : 1,
                          write ? std::span<const std::uint8_t>(data) : std::span<const std::uint8_t>(), 150 * 1024),
        UsbResult::Pending);
    Section from(stick.device);
    core::Stateful* const saved[] = {&from};
    const auto stream = core::save_state(saved);
    stick.device.cancel(packet);
    Stick copy;
    Section to(copy.device);
    core::Stateful* const loaded[] = {&to};
    ASSERT_TRUE(core::load_state(stream, loaded));
    if (write) {
      EXPECT_EQ(copy.out(data), UsbResult::Done);
      EXPECT_EQ(copy.status(), (Stick::Status{0, 0}));
      EXPECT_EQ(copy.contents(7, 300), data);
    } else {
      EXPECT_EQ(copy.in(150 * 1024), copy.contents(7, 300));
      EXPECT_EQ(copy.status(), (Stick::Status{0, 0}));
    }
  }
}

}  // namespace
