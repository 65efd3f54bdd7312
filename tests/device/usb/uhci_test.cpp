// A universal host controller: registers, ports and frames.
#include <gtest/gtest.h>

#include "tests/device/usb/usb_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::ScriptedDevice;
using tests::UhciRig;
namespace usb = devices::usb;
using usb::Pid;
using usb::UsbResult;
namespace uhci = devices::usb::abi::uhci;

constexpr std::uint32_t kQueue = 0x20000;
constexpr std::uint32_t kTd = 0x21000;
constexpr std::uint32_t kTd2 = 0x21010;
constexpr std::uint32_t kActive = uhci::TD_ACTIVE | UhciRig::kThreeErrors;

// One queue with descriptors, and a device in port 0.
struct OneQueue : UhciRig {
  ScriptedDevice& stick = plug(0, std::make_unique<ScriptedDevice>());
  OneQueue() {
    put_queue(kQueue, uhci::kTerminate, kTd);
    start(kQueue | uhci::kQueueHead);
  }
};

UsbResult send(usb::UsbPacket& packet, std::size_t bytes) {
  packet.put(std::vector<std::uint8_t>(bytes, 0x5a));
  return UsbResult::Done;
}

TEST(Uhci, power_on_registers) {
  UhciRig rig;
  rig.enable();
  EXPECT_EQ(rig.get(uhci::USBCMD), 0);
  EXPECT_EQ(rig.get(uhci::USBSTS), uhci::STS_HALTED);
  EXPECT_EQ(rig.bus.in8(UhciRig::kIo + uhci::SOFMOD), 0x40);
  EXPECT_EQ(rig.get(uhci::PORTSC1), uhci::PORT_ALWAYS);
}

TEST(Uhci, port_shows_a_device_and_its_speed) {
  UhciRig rig;
  rig.enable();
  rig.plug(0, std::make_unique<ScriptedDevice>());
  rig.plug(1, std::make_unique<ScriptedDevice>(usb::Speed::Low));
  EXPECT_EQ(rig.get(uhci::PORTSC1) & 0x103, uhci::PORT_CCS | uhci::PORT_CSC);
  EXPECT_EQ(rig.get(uhci::PORTSC2) & 0x103, uhci::PORT_CCS | uhci::PORT_CSC | uhci::PORT_LOW_SPEED);
  rig.set(uhci::PORTSC1, uhci::PORT_CSC);
  EXPECT_EQ(rig.get(uhci::PORTSC1) & 3, uhci::PORT_CCS);
}

TEST(Uhci, port_reset_resets_the_device_once_and_leaves_it_to_the_driver_to_enable) {
  UhciRig rig;
  rig.enable();
  auto& device = rig.plug(0, std::make_unique<ScriptedDevice>());
  rig.set(uhci::PORTSC1, uhci::PORT_RESET);
  rig.set(uhci::PORTSC1, uhci::PORT_RESET);
  EXPECT_EQ(device.resets, 1u);
  EXPECT_EQ(device.reset_to, usb::Speed::Full);
  rig.set(uhci::PORTSC1, 0);
  EXPECT_EQ(rig.get(uhci::PORTSC1) & uhci::PORT_PE, 0);
  rig.set(uhci::PORTSC1, uhci::PORT_PE);
  EXPECT_NE(rig.get(uhci::PORTSC1) & uhci::PORT_PE, 0);
}

TEST(Uhci, an_empty_port_cannot_be_enabled) {
  UhciRig rig;
  rig.enable();
  rig.set(uhci::PORTSC1, uhci::PORT_PE);
  EXPECT_EQ(rig.get(uhci::PORTSC1) & uhci::PORT_PE, 0);
}

TEST(Uhci, remote_wake_up_sets_resume_detect) {
  OneQueue rig;
  rig.set(uhci::PORTSC1, uhci::PORT_PE | uhci::PORT_SUSPEND);
  EXPECT_TRUE(rig.stick.suspended);
  rig.stick.signal_resume();
  EXPECT_NE(rig.get(uhci::PORTSC1) & uhci::PORT_RD, 0);
  EXPECT_NE(rig.get(uhci::USBSTS) & uhci::STS_RESUME, 0);
  EXPECT_TRUE(rig.irq());
  rig.set(uhci::PORTSC1, uhci::PORT_PE);
  EXPECT_EQ(rig.get(uhci::PORTSC1) & (uhci::PORT_SUSPEND | uhci::PORT_RD), 0);
  EXPECT_FALSE(rig.stick.suspended);
}

TEST(Uhci, frame_number_follows_the_clock_and_stops_with_the_controller) {
  UhciRig rig;
  rig.enable();
  rig.set(uhci::FRNUM, 0x7fe);
  rig.set(uhci::USBCMD, uhci::CMD_RS);
  EXPECT_EQ(rig.get(uhci::USBSTS) & uhci::STS_HALTED, 0);
  rig.pass(3);
  EXPECT_EQ(rig.get(uhci::FRNUM), 1);
  rig.set(uhci::USBCMD, 0);
  rig.pass(5);
  EXPECT_EQ(rig.get(uhci::FRNUM), 1);
}

TEST(Uhci, state_with_a_new_frame_number_can_be_loaded) {
  UhciRig rig;
  rig.enable();
  rig.set(uhci::USBCMD, uhci::CMD_RS);
  rig.pass(100);
  rig.set(uhci::USBCMD, 0);
  rig.set(uhci::FRNUM, 1);
  EXPECT_TRUE(rig.device.state_loaded());
  EXPECT_EQ(rig.get(uhci::FRNUM), 1);
}

TEST(Uhci, queue_advances_descriptor_by_descriptor) {
  OneQueue rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.put_td(kTd, kTd2 | uhci::kDepthFirst, kActive, UhciRig::token(Pid::In, 8));
  rig.put_td(kTd2, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8), UhciRig::kData + 8);
  rig.pass(1);
  EXPECT_EQ(rig.status(kTd), UhciRig::kThreeErrors | 7);
  EXPECT_EQ(rig.status(kTd2), UhciRig::kThreeErrors | uhci::TD_IOC | 7);
  EXPECT_EQ(rig.word(kQueue + 4), uhci::kTerminate);
  EXPECT_EQ(rig.bytes(UhciRig::kData, 16), std::vector<std::uint8_t>(16, 0x5a));
  EXPECT_EQ(rig.get(uhci::USBSTS), uhci::STS_USBINT);
  EXPECT_TRUE(rig.irq());
  rig.set(uhci::USBSTS, uhci::STS_USBINT);
  EXPECT_FALSE(rig.irq());
}

TEST(Uhci, breadth_first_does_one_descriptor_a_visit) {
  OneQueue rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.put_td(kTd, kTd2, kActive, UhciRig::token(Pid::In, 8));
  rig.put_td(kTd2, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
  rig.pass(0);
  EXPECT_EQ(rig.word(kQueue + 4), kTd2);
  EXPECT_NE(rig.status(kTd2) & uhci::TD_ACTIVE, 0u);
}

TEST(Uhci, nak_leaves_the_descriptor_active) {
  OneQueue rig;
  rig.put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
  rig.pass(2);
  EXPECT_EQ(rig.status(kTd), kActive | uhci::TD_IOC | uhci::TD_NAK);
  EXPECT_EQ(rig.get(uhci::USBSTS), 0);
}

TEST(Uhci, short_packet_stops_the_queue_where_spd_is_set) {
  OneQueue rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 3); };
  rig.put_td(kTd, kTd2 | uhci::kDepthFirst, kActive | uhci::TD_SHORT_PACKET, UhciRig::token(Pid::In, 8));
  rig.put_td(kTd2, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
  rig.pass(1);
  EXPECT_EQ(rig.status(kTd) & (uhci::TD_ACTIVE | uhci::TD_ACTUAL), 2u);
  EXPECT_EQ(rig.word(kQueue + 4), kTd);
  EXPECT_NE(rig.status(kTd2) & uhci::TD_ACTIVE, 0u);
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, stall_and_babble_retire_the_descriptor_with_an_error) {
  for (const auto& [result, bits] : {std::pair(UsbResult::Stall, uhci::TD_STALLED),
                                     std::pair(UsbResult::Babble, uhci::TD_STALLED | uhci::TD_BABBLE)}) {
    OneQueue rig;
    rig.stick.on_packet = [result](usb::UsbPacket&) { return result; };
    rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
    rig.pass(1);
    EXPECT_EQ(rig.status(kTd) & (uhci::TD_ACTIVE | uhci::TD_RESULTS), bits);
    EXPECT_EQ(rig.get(uhci::USBSTS), uhci::STS_ERROR);
    EXPECT_EQ(rig.word(kQueue + 4), kTd);
  }
}

TEST(Uhci, nobody_there_is_tried_three_times) {
  OneQueue rig;
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8, 1, 77));
  rig.pass(1);
  EXPECT_NE(rig.status(kTd) & uhci::TD_ACTIVE, 0u);
  rig.pass(3);
  EXPECT_EQ(rig.status(kTd) & (uhci::TD_ACTIVE | uhci::TD_RESULTS), uhci::TD_STALLED | uhci::TD_TIMEOUT);
  EXPECT_EQ(rig.get(uhci::USBSTS), uhci::STS_ERROR);
}

TEST(Uhci, setup_and_out_reach_the_device_with_their_data) {
  OneQueue rig;
  std::vector<std::uint8_t> got;
  rig.stick.on_packet = [&got](usb::UsbPacket& packet) {
    got.resize(packet.length());
    packet.take(got);
    return UsbResult::Done;
  };
  rig.put_bytes(UhciRig::kData, std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8});
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::Setup, 8, 0));
  rig.pass(1);
  EXPECT_EQ(got, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Uhci, isochronous_descriptor_is_done_once_whatever_comes) {
  UhciRig rig;
  rig.plug(0, std::make_unique<ScriptedDevice>());
  rig.put_td(kTd, uhci::kTerminate, uhci::TD_ACTIVE | uhci::TD_ISOCHRONOUS | uhci::TD_IOC, UhciRig::token(Pid::In, 64));
  rig.start(kTd);
  rig.pass(1);
  EXPECT_EQ(rig.status(kTd) & uhci::TD_ACTIVE, 0u);
  EXPECT_NE(rig.get(uhci::USBSTS) & uhci::STS_USBINT, 0);
}

TEST(Uhci, inactive_descriptor_with_ioc_interrupts) {
  UhciRig rig;
  rig.put_td(kTd, uhci::kTerminate, uhci::TD_IOC, 0);
  rig.start(kTd);
  rig.pass(1);
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, packet_in_flight_lands_in_a_later_frame) {
  OneQueue rig;
  rig.stick.on_packet = [](usb::UsbPacket&) { return UsbResult::Pending; };
  rig.put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
  rig.pass(100);
  EXPECT_EQ(rig.stick.submitted, 1u);
  rig.stick.finish_first(UsbResult::Done, std::vector<std::uint8_t>{9, 9});
  rig.pass(1);
  EXPECT_EQ(rig.status(kTd) & (uhci::TD_ACTIVE | uhci::TD_ACTUAL), 1u);
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, unlinked_or_changed_descriptor_cancels_its_packet) {
  OneQueue rig;
  rig.stick.on_packet = [](usb::UsbPacket&) { return UsbResult::Pending; };
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
  rig.pass(1);
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 16));
  rig.pass(40);
  EXPECT_EQ(rig.stick.cancelled, 1u);
  EXPECT_EQ(rig.stick.submitted, 2u);
  rig.put_queue(kQueue, uhci::kTerminate, uhci::kTerminate);
  rig.pass(400);
  EXPECT_EQ(rig.stick.cancelled, 2u);
}

TEST(Uhci, circles_end_with_the_frame) {
  UhciRig rig;
  rig.put_td(kTd, kTd, 0, 0);
  rig.start(kTd);
  rig.pass(10);
  rig.put_queue(kQueue, kQueue | uhci::kQueueHead, kQueue | uhci::kQueueHead);
  rig.fill_frames(kQueue | uhci::kQueueHead);
  rig.pass(200);
  EXPECT_EQ(rig.get(uhci::USBSTS), 0);
}

TEST(Uhci, a_ring_of_queues_has_the_bytes_of_a_frame) {
  OneQueue rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 64); };
  rig.put_queue(kQueue, kQueue | uhci::kQueueHead, kTd);
  for (std::uint32_t i = 0; i < 100; ++i)
    rig.put_td(kTd + 16 * i, kTd + 16 * (i + 1), kActive, UhciRig::token(Pid::In, 64));
  rig.put_td(kTd + 1600, uhci::kTerminate, 0, 0);
  rig.pass(0);
  EXPECT_EQ(rig.stick.submitted, 20u);
}

TEST(Uhci, wrong_descriptors_and_addresses_halt_with_the_spec_s_error) {
  for (const auto& [token, status] :
       {std::pair(0U, uhci::STS_PROCESS_ERROR), std::pair(UhciRig::token(Pid::In, 1500), uhci::STS_PROCESS_ERROR)}) {
    OneQueue rig;
    rig.put_td(kTd, uhci::kTerminate, kActive, token);
    rig.pass(1);
    EXPECT_EQ(rig.get(uhci::USBSTS), status | uhci::STS_HALTED);
    EXPECT_TRUE(rig.irq());
  }
  OneQueue rig;
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8), 0xf000'0000);
  rig.pass(1);
  EXPECT_EQ(rig.get(uhci::USBSTS), uhci::STS_HOST_ERROR | uhci::STS_HALTED);
  EXPECT_EQ(rig.get(uhci::USBCMD) & uhci::CMD_RS, 0);
}

TEST(Uhci, stopped_controller_has_no_timer) {
  OneQueue rig;
  rig.pass(5);
  rig.set(uhci::USBCMD, 0);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
}

TEST(Uhci, idle_schedule_is_looked_at_rarely_and_data_wakes_it) {
  OneQueue rig;
  rig.alarms.refuses = true;
  rig.put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
  rig.pass(1000);
  const auto before = rig.clock.fired();
  rig.pass(1000);
  EXPECT_LE(rig.clock.fired() - before, 1000u / 32 + 1);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.stick.data_ready();
  rig.pass(1);
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, idle_schedule_misses_no_frame) {
  OneQueue rig;
  rig.alarms.refuses = true;
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
  rig.pass(1000);
  const auto before = rig.stick.submitted;
  rig.pass(320);
  EXPECT_NEAR(rig.stick.submitted - before, 320, 33);
}

// A queue whose device has nothing, and time enough for the controller to rest.
struct Resting : OneQueue {
  Resting() {
    put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
    pass(3000);
  }
};

TEST(Uhci, schedule_on_which_nothing_moves_is_left_alone) {
  Resting rig;
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  const auto frame = rig.get(uhci::FRNUM);
  rig.pass(10);
  EXPECT_EQ(rig.get(uhci::FRNUM), (frame + 10) & uhci::kFrameNumber);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
}

TEST(Uhci, data_wakes_a_resting_controller_and_is_taken_at_once) {
  Resting rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  const std::scoped_lock guard(rig.lock);
  rig.stick.data_ready();
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, data_is_taken_before_its_queue_has_its_turn_but_only_after_a_pause) {
  Resting rig;
  rig.fill_frames(uhci::kTerminate);
  const auto now = rig.get(uhci::FRNUM) % 32;
  for (std::uint32_t frame = (now + 20) % 32; frame < uhci::kListFrames; frame += 32)
    rig.set_word(UhciRig::kFrames + 4 * frame, kQueue | uhci::kQueueHead);
  rig.pass(3200);
  unsigned reports = 0;
  rig.stick.on_packet = [&](usb::UsbPacket& packet) { return ++reports, send(packet, 8); };
  const auto give = [&] {
    const std::scoped_lock guard(rig.lock);
    rig.stick.data_ready();
  };
  give();
  EXPECT_EQ(reports, 1u);
  rig.put_queue(kQueue, uhci::kTerminate, kTd);
  rig.put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
  give();
  EXPECT_EQ(reports, 1u);
  rig.pass(32);
  EXPECT_EQ(reports, 2u);
}

TEST(Uhci, isochronous_descriptors_are_not_run_ahead_of_their_frame) {
  Resting rig;
  rig.fill_frames(kTd2);
  rig.put_td(kTd2, kQueue | uhci::kQueueHead, uhci::TD_ISOCHRONOUS, UhciRig::token(Pid::In, 8));
  rig.pass(3000);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  rig.stick.on_packet = [&](usb::UsbPacket& packet) {
    rig.memory->write(core::Gpa(kTd2 + 4), core::le32(uhci::TD_ISOCHRONOUS | uhci::TD_ACTIVE));
    return packet.endpoint == 1 ? UsbResult::Nak : UsbResult::Done;
  };
  {
    const std::scoped_lock guard(rig.lock);
    rig.stick.data_ready();
  }
  EXPECT_NE(rig.status(kTd2) & uhci::TD_ACTIVE, 0u);
}

TEST(Uhci, what_the_guest_writes_wakes_a_resting_controller) {
  Resting rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
  rig.pass(2);
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, writes_beside_the_schedule_do_not_keep_it_awake) {
  Resting rig;
  rig.set_word(kTd + 0x800, 1);
  EXPECT_EQ(rig.clock.armed_timers(), 1u);
  const auto before = rig.clock.fired();
  rig.pass(2000);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  EXPECT_LE(rig.clock.fired() - before, 64u);
}

TEST(Uhci, a_queue_in_one_frame_of_all_is_watched_too) {
  OneQueue rig;
  rig.fill_frames(uhci::kTerminate);
  rig.set_word(UhciRig::kFrames + 4 * 777, kQueue | uhci::kQueueHead);
  rig.put_queue(kQueue, uhci::kTerminate, uhci::kTerminate);
  rig.pass(4000);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
  rig.set_word(kQueue + 4, kTd);
  rig.pass(1025);
  EXPECT_TRUE(rig.irq());
}

TEST(Uhci, a_schedule_spread_over_too_many_pages_is_looked_at_for_ever) {
  UhciRig rig;
  rig.start(uhci::kTerminate);
  for (std::uint32_t i = 0; i < 100; ++i) {
    rig.put_queue(0x200000 + i * 0x1000, uhci::kTerminate, uhci::kTerminate);
    rig.set_word(UhciRig::kFrames + 4 * i, (0x200000 + i * 0x1000) | uhci::kQueueHead);
  }
  rig.pass(5000);
  EXPECT_EQ(rig.clock.armed_timers(), 1u);
}

TEST(Uhci, stop_start_and_a_new_list_wake_a_resting_controller) {
  Resting rig;
  rig.set(uhci::USBCMD, 0);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  rig.set(uhci::USBCMD, uhci::CMD_RS);
  EXPECT_EQ(rig.clock.armed_timers(), 1u);
  rig.pass(3000);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  rig.bus.out32(UhciRig::kIo + uhci::FRBASEADD, UhciRig::kFrames);
  EXPECT_EQ(rig.clock.armed_timers(), 1u);
}

struct RestingState : UhciRig {
  ScriptedDevice& stick = plug(0, std::make_unique<ScriptedDevice>());
  void scribble() {
    put_queue(kQueue, uhci::kTerminate, kTd);
    put_td(kTd, uhci::kTerminate, kActive, UhciRig::token(Pid::In, 8));
    start(kQueue | uhci::kQueueHead);
    pass(3000);
  }
};
TEST(Uhci, resting_controller_obeys_the_state_law) {
  tests::check_state_law<RestingState>();
}

struct StateRig : UhciRig {
  ScriptedDevice& stick = plug(0, std::make_unique<ScriptedDevice>());
  void scribble() {
    put_queue(kQueue, kQueue | uhci::kQueueHead, kTd);
    put_td(kTd, uhci::kTerminate, kActive | uhci::TD_IOC, UhciRig::token(Pid::In, 8));
    stick.on_packet = [](usb::UsbPacket&) { return UsbResult::Pending; };
    start(kQueue | uhci::kQueueHead);
    pass(7);
    set(uhci::PORTSC2, 0xffff);
    bus.out8(kIo + uhci::SOFMOD, 0x12);
  }
};
TEST(Uhci, obeys_the_state_law) {
  tests::check_state_law<StateRig>();
}

}  // namespace
