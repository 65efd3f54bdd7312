#include "devices/virtio/virtio_console.h"

#include <gtest/gtest.h>
#include <mutex>
#include <string>

#include "devices/virtio/virtio_console_abi.h"
#include "tests/device/fake_char_stream.h"
#include "tests/device/virtio/virtio_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::VirtioRig;
using namespace devices::virtio;
using namespace devices::virtio::abi;

constexpr std::uint64_t kVersion1Bit = std::uint64_t{1} << kVersion1;
constexpr std::uint64_t kMultiportBit = std::uint64_t{1} << kConsoleMultiport;
constexpr auto kBuffers = VirtioRig::kBuffers;
constexpr std::uint64_t kControlBuffers = kBuffers + 0x1'0000;
constexpr std::uint64_t kReceiveBuffers = kBuffers + 0x2'0000;

struct ConsoleRig {
  ConsoleRig()
      : rig(std::make_unique<VirtioConsole>(
            std::vector<VirtioConsole::PortConfig>{{"", &console}, {"org.test.0", &port}}, clock)) {}

  struct Message {
    std::uint32_t port = 0;
    std::uint16_t event = 0;
    std::uint16_t value = 0;
    bool operator==(const Message&) const = default;
  };
  void give_control_buffers(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      rig.add(kControlReceive, {{kControlBuffers + 64 * control_given, 64, true}},
              static_cast<std::uint16_t>(control_given % 32));
      ++control_given;
    }
    rig.kick(kControlReceive);
  }
  void say(std::uint32_t number, std::uint16_t event, std::uint16_t value) {
    rig.memory->write(core::Gpa(kBuffers), ControlMessage{number, event, value});
    rig.add(kControlTransmit, {{kBuffers, 8}});
    rig.kick(kControlTransmit);
  }
  std::vector<Message> messages() {
    std::vector<Message> result;
    for (unsigned i = 0; i < rig.used_index(kControlReceive); ++i) {
      const auto message = *rig.memory->read<ControlMessage>(core::Gpa(kControlBuffers + 64 * i));
      result.push_back({message.port, message.event, message.value});
    }
    return result;
  }
  // A driver that knows ports, with both of them ready and open.
  void start_ports() {
    ASSERT_TRUE(rig.start(kVersion1Bit | kMultiportBit));
    give_control_buffers(16);
    say(~0U, kDeviceReady, 1);
    for (const unsigned number : {0U, 1U}) {
      say(number, kPortReady, 1);
      say(number, kPortOpen, 1);
    }
  }
  void send(unsigned number, std::string_view text) {
    rig.put(kBuffers + 0x1000, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    rig.add(transmit_queue(number), {{kBuffers + 0x1000, static_cast<std::uint32_t>(text.size())}});
    rig.kick(transmit_queue(number));
  }
  void give_receive_buffer(unsigned number, std::uint32_t length) {
    rig.add(receive_queue(number), {{kReceiveBuffers, length, true}});
    rig.kick(receive_queue(number));
  }
  std::string received(std::size_t length) {
    const auto bytes = rig.bytes(kReceiveBuffers, length);
    return {bytes.begin(), bytes.end()};
  }

  tests::FakeClock clock;
  tests::FakeCharStream console;
  tests::FakeCharStream port;
  unsigned control_given = 0;
  VirtioRig rig;
};

class VirtioConsoleTest : public testing::Test, protected ConsoleRig {};

TEST_F(VirtioConsoleTest, introduces_its_ports) {
  start_ports();
  const std::vector<Message> expected{{0, kPortAdd, 1},  {1, kPortAdd, 1},  {0, kConsolePort, 1},
                                      {0, kPortOpen, 1}, {1, kPortName, 1}, {1, kPortOpen, 1}};
  EXPECT_EQ(messages(), expected);
  const auto name = rig.bytes(kControlBuffers + 64 * 4 + 8, 11);
  EXPECT_EQ(std::string(name.begin(), name.end()), std::string("org.test.0\0", 11));
}

TEST_F(VirtioConsoleTest, messages_wait_for_buffers) {
  ASSERT_TRUE(rig.start(kVersion1Bit | kMultiportBit));
  say(~0U, kDeviceReady, 1);
  EXPECT_TRUE(messages().empty());
  give_control_buffers(1);
  EXPECT_EQ(messages().size(), 1u);
  give_control_buffers(1);
  EXPECT_EQ(messages().size(), 2u);
}

TEST_F(VirtioConsoleTest, guest_sends) {
  start_ports();
  send(1, "hello");
  send(0, "console");
  EXPECT_EQ(port.sent, "hello");
  EXPECT_EQ(console.sent, "console");
  EXPECT_EQ(rig.used_index(transmit_queue(1)), 1u);
}

TEST_F(VirtioConsoleTest, guest_waits_while_the_host_has_no_room) {
  start_ports();
  port.room = 3;
  send(1, "hello");
  EXPECT_EQ(port.sent, "hel");
  EXPECT_EQ(rig.used_index(transmit_queue(1)), 0u);
  port.make_room(10);
  EXPECT_EQ(port.sent, "hello");
  EXPECT_EQ(rig.used_index(transmit_queue(1)), 1u);
}

TEST_F(VirtioConsoleTest, a_lot_is_sent_in_several_goes) {
  start_ports();
  rig.add(transmit_queue(1), {{kBuffers, 3 << 20}});
  rig.kick(transmit_queue(1));
  EXPECT_EQ(port.sent.size(), 1u << 20);
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(port.sent.size(), 3u << 20);
  EXPECT_EQ(rig.used_index(transmit_queue(1)), 1u);
}

TEST_F(VirtioConsoleTest, host_sends_into_the_guests_buffers) {
  start_ports();
  EXPECT_EQ(port.offer("abcdef"), 0u) << "no buffer yet";
  const auto before = port.ready;
  give_receive_buffer(1, 4);
  EXPECT_GT(port.ready, before);
  EXPECT_EQ(port.offer("abcdef"), 4u);
  EXPECT_EQ(received(4), "abcd");
  EXPECT_EQ(std::uint32_t{rig.used(receive_queue(1), 0).length}, 4u);
}

TEST_F(VirtioConsoleTest, guest_hears_of_a_batch_when_it_ends_or_the_machine_stops) {
  start_ports();
  for (std::uint16_t slot = 0; slot < 3; ++slot)
    rig.add(receive_queue(1), {{kReceiveBuffers + 16U * slot, 16, true}}, slot);
  rig.isr();
  EXPECT_EQ(port.offer("ab", core::Batch::GoesOn), 2u);
  EXPECT_EQ(rig.isr(), 0u);
  EXPECT_EQ(port.offer("", core::Batch::Ends), 0u);
  EXPECT_EQ(rig.isr(), kIsrQueue);

  EXPECT_EQ(port.offer("cd", core::Batch::GoesOn), 2u);
  {
    const std::scoped_lock guard(rig.function->lock());
    rig.function->set_running(false);
  }
  EXPECT_EQ(rig.isr(), kIsrQueue);
}

// [virtio 1.2, 2.7.10]
TEST_F(VirtioConsoleTest, driver_rings_when_half_of_its_buffers_are_back) {
  ASSERT_TRUE(rig.start(kVersion1Bit | kMultiportBit | std::uint64_t{1} << kEventIndex));
  give_control_buffers(16);
  say(~0U, kDeviceReady, 1);
  say(1, kPortReady, 1);
  say(1, kPortOpen, 1);
  const auto queue = receive_queue(1);
  const auto event = [&] {
    return std::uint16_t{*rig.memory->read<core::le16>(core::Gpa(rig.places(queue).used + 4 + 8 * rig.size_of(queue)))};
  };
  for (int i = 0; i < 8; ++i)
    rig.add(queue, {{kReceiveBuffers, 1, true}});
  rig.kick(queue);
  EXPECT_EQ(port.offer("abcdefghijkl"), 8u);
  EXPECT_EQ(event(), 8 + 4 - 1) << "the fourth that comes back";
  for (int i = 0; i < 4; ++i)
    rig.add(queue, {{kReceiveBuffers, 1, true}});
  rig.kick(queue);
  EXPECT_EQ(port.offer("ijkl"), 4u);
  EXPECT_EQ(port.offer("m"), 0u);
  EXPECT_EQ(event(), 12 + 4 - 1);
}

// With half of one buffer there would be no doorbell.
TEST_F(VirtioConsoleTest, driver_with_one_buffer_rings_for_it) {
  ASSERT_TRUE(rig.start(kVersion1Bit | kMultiportBit | std::uint64_t{1} << kEventIndex));
  give_control_buffers(16);
  say(~0U, kDeviceReady, 1);
  say(1, kPortReady, 1);
  say(1, kPortOpen, 1);
  const auto queue = receive_queue(1);
  rig.add(queue, {{kReceiveBuffers, 1, true}});
  rig.kick(queue);
  EXPECT_EQ(port.offer("ab"), 1u);
  EXPECT_EQ(
      std::uint16_t{*rig.memory->read<core::le16>(core::Gpa(rig.places(queue).used + 4 + 8 * rig.size_of(queue)))}, 1);
}

TEST_F(VirtioConsoleTest, closed_port_takes_nothing) {
  start_ports();
  give_receive_buffer(1, 4);
  say(1, kPortOpen, 0);
  EXPECT_EQ(port.offer("a"), 0u);
}

TEST_F(VirtioConsoleTest, driver_without_ports_has_one_console) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  give_receive_buffer(0, 4);
  EXPECT_EQ(console.offer("ab"), 2u);
  give_receive_buffer(1, 4);
  EXPECT_EQ(port.offer("ab"), 0u);
  send(0, "x");
  EXPECT_EQ(console.sent, "x");
}

TEST_F(VirtioConsoleTest, tells_when_the_host_end_is_left) {
  start_ports();
  const auto before = messages().size();
  port.set_peer(false);
  port.set_peer(true);
  ASSERT_EQ(messages().size(), before + 2);
  EXPECT_EQ(messages()[before], (Message{1, kPortOpen, 0}));
  EXPECT_EQ(messages()[before + 1], (Message{1, kPortOpen, 1}));
}

TEST_F(VirtioConsoleTest, emergency_write_reaches_the_console) {
  ASSERT_TRUE(rig.start(kVersion1Bit));
  rig.mmio.write(VirtioRig::kModern + kDeviceRegion + kEmergencyWriteOffset, 4, '!');
  EXPECT_EQ(console.sent, "!");
}

TEST_F(VirtioConsoleTest, messages_about_no_port_are_ignored) {
  start_ports();
  say(9, kPortReady, 1);
  say(~0U, kPortOpen, 1);
  say(1, 99, 1);
  EXPECT_EQ(rig.status() & kNeedsReset, 0);
}

TEST_F(VirtioConsoleTest, driver_that_never_reads_messages_needs_a_reset) {
  ASSERT_TRUE(rig.start(kVersion1Bit | kMultiportBit));
  for (unsigned i = 0; i < 600; ++i)
    say(~0U, kDeviceReady, 1);
  EXPECT_NE(rig.status() & kNeedsReset, 0);
}

TEST_F(VirtioConsoleTest, empty_chains_do_not_hold_it_up) {
  start_ports();
  for (std::uint16_t slot = 0; slot < 100; ++slot)
    rig.add(transmit_queue(1), {{kBuffers, 8, true}}, slot);
  rig.kick(transmit_queue(1));
  clock.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(rig.used_index(transmit_queue(1)), 100u);
}

TEST_F(VirtioConsoleTest, streams_hear_when_the_guest_opens_its_end) {
  start_ports();
  EXPECT_EQ(port.turns, "+");
  say(1, kPortOpen, 0);
  say(1, kPortOpen, 1);
  EXPECT_EQ(port.turns, "+-+");
  const std::scoped_lock guard(rig.function->lock());
  rig.function->reset();
  EXPECT_EQ(port.turns, "+-+-");
  rig.function->reset();
  EXPECT_EQ(port.turns, "+-+-");
}

TEST_F(VirtioConsoleTest, streams_hear_anew_after_a_load) {
  start_ports();
  const std::scoped_lock guard(rig.function->lock());
  ASSERT_TRUE(rig.function->state_loaded());
  EXPECT_EQ(port.turns, "+-+");
}

struct LawRig : ConsoleRig {
  LawRig() : device(*rig.function) { tests::reset_rig(*this); }
  void scribble() {
    rig.place_bars();
    rig.start(kVersion1Bit | kMultiportBit);
    say(~0U, kDeviceReady, 1);
    give_control_buffers(1);
    say(1, kPortReady, 1);
    say(1, kPortOpen, 1);
    port.room = 3;
    send(1, "hello");
  }
  VirtioPci& device;
};

TEST(VirtioConsole, obeys_the_state_law) {
  tests::check_state_law<LawRig>();
}

}  // namespace
