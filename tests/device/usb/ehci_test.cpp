// An enhanced host controller: registers, ports and their owners, the asynchronous ring and the periodic list.
#include <gtest/gtest.h>

#include "tests/device/usb/usb_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::EhciRig;
using tests::ScriptedDevice;
namespace usb = devices::usb;
using usb::Pid;
using usb::UsbResult;
namespace ehci = devices::usb::abi::ehci;
namespace uhci = devices::usb::abi::uhci;

constexpr std::uint32_t kQueue = 0x20000;
constexpr std::uint32_t kQueue2 = 0x20100;
constexpr std::uint32_t kTd = 0x21000;
constexpr std::uint32_t kTd2 = 0x21040;
constexpr std::uint32_t kEnd = ehci::kTerminate;

// A ring of one queue, the head, and a device in port 0.
struct Ring : EhciRig {
  ScriptedDevice& stick = plug(0, std::make_unique<ScriptedDevice>());
  explicit Ring(std::uint32_t capabilities = 1U << 30) {
    start();
    put_queue(kQueue, kQueue | kQueueLink, kTd, ehci::QH_HEAD, capabilities);
  }
  void run(unsigned ms = 1) {
    start_ring(kQueue);
    pass(ms);
  }
};

UsbResult send(usb::UsbPacket& packet, std::size_t bytes) {
  packet.put(std::vector<std::uint8_t>(bytes, 0x5a));
  return UsbResult::Done;
}

TEST(Ehci, capability_registers) {
  EhciRig rig;
  rig.enable();
  EXPECT_EQ(rig.get(0), 0x0100'0020u);
  EXPECT_EQ(rig.get(ehci::HCSPARAMS), 0x3206u);
  EXPECT_EQ(rig.get(ehci::USBCMD), 0x0008'0000u);
  EXPECT_EQ(rig.get(ehci::USBSTS), ehci::STS_HALTED);
  EXPECT_EQ(rig.get(EhciRig::portsc(5)), ehci::PORT_POWER | ehci::PORT_OWNER);
}

TEST(Ehci, ports_are_the_companions_until_configflag_is_set) {
  EhciRig rig;
  rig.enable();
  rig.plug(3, std::make_unique<ScriptedDevice>());
  EXPECT_EQ(rig.get(EhciRig::portsc(3)) & ehci::PORT_CCS, 0u);
  EXPECT_EQ(rig.companion_port(3) & 3, uhci::PORT_CCS | uhci::PORT_CSC);
  rig.set_companion_port(3, uhci::PORT_CSC);
  rig.set(ehci::CONFIGFLAG, 1);
  EXPECT_EQ(rig.get(EhciRig::portsc(3)) & 0x2003, ehci::PORT_CCS | ehci::PORT_CSC);
  EXPECT_EQ(rig.companion_port(3) & 3, uhci::PORT_CSC);
  EXPECT_NE(rig.get(ehci::USBSTS) & ehci::STS_PORT_CHANGE, 0u);
}

TEST(Ehci, full_speed_device_is_not_enabled_and_goes_to_the_companion) {
  EhciRig rig;
  rig.enable();
  auto& device = rig.plug(1, std::make_unique<ScriptedDevice>(usb::Speed::Full));
  rig.take_port(1);
  EXPECT_EQ(rig.get(EhciRig::portsc(1)) & (ehci::PORT_CCS | ehci::PORT_PED), ehci::PORT_CCS);
  rig.set(EhciRig::portsc(1), ehci::PORT_OWNER);
  EXPECT_EQ(rig.get(EhciRig::portsc(1)) & (ehci::PORT_CCS | ehci::PORT_OWNER), ehci::PORT_OWNER);
  EXPECT_NE(rig.companion_port(1) & uhci::PORT_CCS, 0);
  rig.set_companion_port(1, uhci::PORT_RESET);
  EXPECT_EQ(device.reset_to, usb::Speed::Full);
}

TEST(Ehci, low_speed_device_shows_its_line_state_before_a_reset) {
  EhciRig rig;
  rig.enable();
  rig.set(ehci::CONFIGFLAG, 1);
  rig.plug(2, std::make_unique<ScriptedDevice>(usb::Speed::Low));
  EXPECT_EQ(rig.get(EhciRig::portsc(2)) & (ehci::PORT_K_STATE | ehci::PORT_J_STATE), ehci::PORT_K_STATE);
}

TEST(Ehci, high_speed_device_is_enabled_by_its_reset) {
  EhciRig rig;
  rig.enable();
  auto& device = rig.plug(0, std::make_unique<ScriptedDevice>());
  rig.take_port(0);
  EXPECT_EQ(device.reset_to, usb::Speed::High);
  EXPECT_EQ(rig.get(EhciRig::portsc(0)) & 0xfff, ehci::PORT_CCS | ehci::PORT_PED);
}

TEST(Ehci, controller_reset_gives_the_ports_back) {
  EhciRig rig;
  rig.enable();
  rig.plug(0, std::make_unique<ScriptedDevice>());
  rig.take_port(0);
  rig.set(ehci::USBCMD, ehci::CMD_HCRESET);
  EXPECT_EQ(rig.get(ehci::CONFIGFLAG), 0u);
  EXPECT_EQ(rig.get(EhciRig::portsc(0)), ehci::PORT_POWER | ehci::PORT_OWNER);
  EXPECT_NE(rig.companion_port(0) & uhci::PORT_CCS, 0);
}

TEST(Ehci, suspended_port_resumes_by_the_device_and_by_the_driver) {
  Ring rig;
  rig.set(EhciRig::portsc(0), ehci::PORT_PED | ehci::PORT_SUSPEND);
  EXPECT_TRUE(rig.stick.suspended);
  rig.stick.signal_resume();
  EXPECT_NE(rig.get(EhciRig::portsc(0)) & ehci::PORT_FPR, 0u);
  EXPECT_TRUE(rig.irq());
  rig.set(EhciRig::portsc(0), ehci::PORT_PED);
  EXPECT_EQ(rig.get(EhciRig::portsc(0)) & (ehci::PORT_FPR | ehci::PORT_SUSPEND), 0u);
  EXPECT_FALSE(rig.stick.suspended);
}

TEST(Ehci, frame_index_follows_the_clock_and_rolls_over) {
  EhciRig rig;
  rig.enable();
  rig.set(ehci::FRINDEX, 0x3ff8);
  rig.set(ehci::USBINTR, ehci::STS_ROLLOVER);
  rig.set(ehci::USBCMD, ehci::CMD_RS);
  EXPECT_EQ(rig.get(ehci::FRINDEX), 0x3ff8u);
  EXPECT_FALSE(rig.irq());
  rig.pass(2);
  EXPECT_EQ(rig.get(ehci::FRINDEX), 8u);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, state_with_a_new_frame_index_can_be_loaded) {
  EhciRig rig;
  rig.enable();
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
  rig.pass(2000);
  rig.set(ehci::USBCMD, 0);
  rig.set(ehci::FRINDEX, 8);
  EXPECT_TRUE(rig.device.state_loaded());
  EXPECT_EQ(rig.get(ehci::FRINDEX), 8u);
}

TEST(Ehci, descriptors_pass_through_the_overlay) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length()); };
  rig.put_qtd(kTd, kTd2, kEnd, EhciRig::token(Pid::In, 1024));
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 600, ehci::QTD_IOC), EhciRig::kData + 0x800);
  rig.run();
  EXPECT_EQ(rig.qtd_token(kTd) & ehci::QTD_ACTIVE, 0u);
  EXPECT_EQ(rig.qtd_token(kTd) >> 16, 0u);  // two packets: the toggle is as it was
  EXPECT_EQ(rig.qtd_token(kTd2) >> 16, 0u);
  EXPECT_EQ(rig.word(kQueue + 12), kTd2);
  EXPECT_EQ(rig.bytes(EhciRig::kData, 1024), std::vector<std::uint8_t>(1024, 0x5a));
  EXPECT_NE(rig.get(ehci::USBSTS) & ehci::STS_USBINT, 0u);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, toggle_turns_with_each_packet_and_comes_from_the_descriptor_if_asked) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length()); };
  rig.put_qtd(kTd, kTd2, kEnd, EhciRig::token(Pid::In, 512));
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 512));
  rig.run();
  EXPECT_NE(rig.qtd_token(kTd) & ehci::QTD_TOGGLE, 0u);
  EXPECT_EQ(rig.qtd_token(kTd2) & ehci::QTD_TOGGLE, 0u);
  rig.put_queue(kQueue, kQueue | EhciRig::kQueueLink, kTd, ehci::QH_HEAD | ehci::QH_TOGGLE_FROM_QTD);
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 512, ehci::QTD_TOGGLE));
  rig.pass(20);
  EXPECT_EQ(rig.qtd_token(kTd) & ehci::QTD_TOGGLE, 0u);
}

TEST(Ehci, short_packet_takes_the_alternate_descriptor) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length() > 0 ? 100 : 0); };
  constexpr std::uint32_t kStatus = kTd2 + 0x40;
  rig.put_qtd(kTd, kTd2, kStatus, EhciRig::token(Pid::In, 1024));
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 1024));
  rig.put_qtd(kStatus, kEnd, kEnd, EhciRig::token(Pid::Out, 0));
  rig.run();
  EXPECT_EQ((rig.qtd_token(kTd) >> 16) & 0x7fff, 924u);
  EXPECT_NE(rig.qtd_token(kTd2) & ehci::QTD_ACTIVE, 0u);
  EXPECT_EQ(rig.qtd_token(kStatus) & ehci::QTD_ACTIVE, 0u);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, nak_leaves_everything_as_it_is) {
  Ring rig;
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 512, ehci::QTD_IOC));
  rig.run(5);
  EXPECT_EQ(rig.qtd_token(kTd), EhciRig::token(Pid::In, 512, ehci::QTD_IOC));
  EXPECT_NE(rig.word(kQueue + 24) & ehci::QTD_ACTIVE, 0u);
  EXPECT_FALSE(rig.irq());
}

TEST(Ehci, errors_halt_the_queue) {
  struct Case {
    UsbResult result;
    std::uint32_t bits;
  };
  for (const auto& [result, bits] :
       {Case{UsbResult::Stall, ehci::QTD_HALTED}, Case{UsbResult::Babble, ehci::QTD_HALTED | ehci::QTD_BABBLE},
        Case{UsbResult::NoResponse, ehci::QTD_HALTED | ehci::QTD_ERROR}}) {
    Ring rig;
    rig.stick.on_packet = [wanted = result](usb::UsbPacket&) { return wanted; };
    rig.put_qtd(kTd, kTd2, kEnd, EhciRig::token(Pid::In, 512));
    rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 512));
    rig.run(5);
    EXPECT_EQ(rig.qtd_token(kTd) & 0xfe, bits);
    EXPECT_EQ(rig.word(kQueue + 24) & 0xfe, bits);
    EXPECT_EQ(rig.stick.submitted, 1u);
    EXPECT_NE(rig.get(ehci::USBSTS) & ehci::STS_ERROR, 0u);
  }
}

TEST(Ehci, wrong_pid_and_too_few_pages_are_buffer_errors) {
  for (const auto token : {EhciRig::token(Pid::In, 512, 1U << 9), EhciRig::token(Pid::In, 0x5001),
                           EhciRig::token(Pid::In, 0x2000, 4U << 12)}) {
    Ring rig;
    rig.put_qtd(kTd, kEnd, kEnd, token);
    rig.run();
    EXPECT_EQ(rig.qtd_token(kTd) & 0xfe, ehci::QTD_HALTED | ehci::QTD_BUFFER_ERROR);
    EXPECT_EQ(rig.stick.submitted, 0u);
  }
}

TEST(Ehci, addresses_outside_ram_are_host_system_errors) {
  Ring rig;
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 512), 0xf000'0000);
  rig.run();
  EXPECT_EQ(rig.get(ehci::USBSTS) & (ehci::STS_HOST_ERROR | ehci::STS_HALTED), ehci::STS_HOST_ERROR | ehci::STS_HALTED);
  EXPECT_EQ(rig.get(ehci::USBCMD) & ehci::CMD_RS, 0u);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, packet_in_flight_lands_later) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket&) { return UsbResult::Pending; };
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 512, ehci::QTD_IOC));
  rig.run(100);
  EXPECT_EQ(rig.stick.submitted, 1u);
  rig.stick.finish_first(UsbResult::Done, std::vector<std::uint8_t>(512, 7));
  rig.pass(1);
  EXPECT_EQ(rig.qtd_token(kTd) & ehci::QTD_ACTIVE, 0u);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, doorbell_forgets_what_was_unlinked_and_keeps_the_rest) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket&) { return UsbResult::Pending; };
  rig.put_queue(kQueue, kQueue2 | EhciRig::kQueueLink, kTd, ehci::QH_HEAD);
  rig.put_queue(kQueue2, kQueue | EhciRig::kQueueLink, kTd2);
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 512));
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 512));
  rig.run();
  EXPECT_EQ(rig.stick.pending.size(), 2u);
  rig.set_word(kQueue, kQueue | EhciRig::kQueueLink);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_ASE | ehci::CMD_IAAD);
  rig.pass(1);
  EXPECT_EQ(rig.stick.cancelled, 1u);
  EXPECT_EQ(rig.stick.pending.size(), 1u);
  EXPECT_NE(rig.get(ehci::USBSTS) & ehci::STS_ASYNC_ADVANCE, 0u);
  EXPECT_EQ(rig.get(ehci::USBCMD) & ehci::CMD_IAAD, 0u);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, rings_without_a_way_round_and_endless_descriptors_end) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length()); };
  rig.put_queue(kQueue, kQueue2 | EhciRig::kQueueLink, kTd, 0);
  rig.put_queue(kQueue2, kQueue2 | EhciRig::kQueueLink, kEnd, 0);
  rig.put_qtd(kTd, kTd, kTd, EhciRig::token(Pid::In, 512));
  rig.run(50);
  EXPECT_EQ(rig.qtd_token(kTd) & ehci::QTD_ACTIVE, 0u);
}

TEST(Ehci, interrupt_queue_is_asked_once_a_frame) {
  Ring rig;
  rig.set(ehci::USBCMD, ehci::CMD_RS);
  rig.fill_frames(kQueue | EhciRig::kQueueLink);
  rig.put_queue(kQueue, kEnd, kTd, 0, (1U << 30) | 1);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length()); };
  for (std::uint32_t i = 0; i < 4; ++i)
    rig.put_qtd(kTd + 0x40 * i, kTd + 0x40 * (i + 1), kEnd, EhciRig::token(Pid::In, 8));
  rig.put_qtd(kTd + 0x100, kEnd, kEnd, 0);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
  EXPECT_NE(rig.get(ehci::USBSTS) & ehci::STS_PERIODIC, 0u);
  rig.pass(2);
  EXPECT_GE(rig.stick.submitted, 2u);
  EXPECT_LE(rig.stick.submitted, 3u);
}

TEST(Ehci, split_transaction_reaches_a_full_speed_device) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length()); };
  rig.put_queue(kQueue, kQueue | EhciRig::kQueueLink, kTd, ehci::QH_HEAD, (1U << 30) | (1U << 23) | (2U << 16));
  rig.set_word(kQueue + 4, (64U << 16) | ehci::QH_HEAD | (1U << 8));
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 8, ehci::QTD_IOC));
  rig.run();
  EXPECT_EQ(rig.qtd_token(kTd) & ehci::QTD_ACTIVE, 0u);
}

TEST(Ehci, isochronous_transactions_of_a_frame) {
  Ring rig;
  rig.set(ehci::USBCMD, ehci::CMD_RS);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 100); };
  rig.set_word(kTd, kEnd);
  rig.set_word(kTd + 4, ehci::ITD_ACTIVE | (200U << 16) | ehci::ITD_IOC);
  rig.set_word(kTd + 8, ehci::ITD_ACTIVE | (200U << 16) | 0x200);
  rig.set_word(kTd + 36, EhciRig::kData | (1U << 8));
  rig.set_word(kTd + 40, (EhciRig::kData + 0x1000) | ehci::ITD_IN | 512);
  rig.fill_frames(kTd);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
  rig.pass(1);
  EXPECT_EQ(rig.word(kTd + 4), (100U << 16) | ehci::ITD_IOC);
  EXPECT_EQ(rig.word(kTd + 8), (100U << 16) | 0x200);
  EXPECT_EQ(rig.bytes(EhciRig::kData + 0x200, 4), std::vector<std::uint8_t>(4, 0x5a));
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, split_isochronous_transaction) {
  Ring rig;
  rig.set(ehci::USBCMD, ehci::CMD_RS);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 60); };
  rig.set_word(kTd, kEnd);
  rig.set_word(kTd + 4, ehci::SITD_IN | (1U << 8));
  rig.set_word(kTd + 12, ehci::SITD_ACTIVE | ehci::SITD_IOC | (64U << 16));
  rig.set_word(kTd + 16, EhciRig::kData);
  rig.fill_frames(kTd | 4);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
  rig.pass(1);
  EXPECT_EQ(rig.word(kTd + 12), 4U << 16 | ehci::SITD_IOC);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, endless_frame_ends) {
  Ring rig;
  rig.set(ehci::USBCMD, ehci::CMD_RS);
  rig.set_word(kTd, kTd);
  rig.fill_frames(kTd);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
  rig.pass(100);
  EXPECT_EQ(rig.get(ehci::USBSTS) & ehci::STS_HALTED, 0u);
}

TEST(Ehci, nothing_scheduled_needs_no_timer) {
  Ring rig;
  rig.set(ehci::USBCMD, ehci::CMD_RS);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
}

TEST(Ehci, idle_schedules_are_looked_at_rarely_and_data_wakes_them) {
  Ring rig;
  rig.alarms.refuses = true;
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 8, ehci::QTD_IOC));
  rig.run(1000);
  const auto before = rig.clock.fired();
  rig.pass(1000);
  EXPECT_LE(rig.clock.fired() - before, 1000u / 32 + 1);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.stick.data_ready();
  rig.pass(1);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, what_follows_a_transfer_does_not_wait_for_the_next_microframe) {
  Ring rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, packet.length()); };
  rig.put_qtd(kTd, kTd2, kEnd, EhciRig::token(Pid::In, 512));
  rig.start_ring(kQueue);
  rig.clock.advance(std::chrono::microseconds(125));
  EXPECT_EQ(rig.qtd_token(kTd) & ehci::QTD_ACTIVE, 0u);
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 512, ehci::QTD_IOC));
  rig.clock.advance(std::chrono::microseconds(32));
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, ring_on_which_nothing_moves_is_left_alone_until_something_is_written) {
  Ring rig;
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 8, ehci::QTD_IOC));
  rig.run(2000);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  rig.put_queue(kQueue2, kQueue | EhciRig::kQueueLink, kTd2);
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 8, ehci::QTD_IOC));
  rig.set_word(kQueue, kQueue2 | EhciRig::kQueueLink);
  rig.pass(1);
  EXPECT_TRUE(rig.irq());
}

// An input device's queue in the frame list.
struct RestingList : Ring {
  RestingList() : Ring((1U << 30) | 1) {
    put_queue(kQueue, kEnd, kTd, 0, (1U << 30) | 1);
    put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 8, ehci::QTD_IOC));
    fill_frames(kEnd);
    for (std::uint32_t frame = 5; frame < ehci::kListFrames; frame += 32)
      set_word(kFrames + 4 * frame, kQueue | kQueueLink);
    set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
    pass(3000);
  }
};

TEST(Ehci, list_on_which_nothing_moves_is_left_alone) {
  RestingList rig;
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  EXPECT_EQ(rig.alarms.watched_pages(), 2u);  // the descriptor has been fetched
  const auto index = rig.get(ehci::FRINDEX);
  rig.pass(10);
  EXPECT_EQ(rig.get(ehci::FRINDEX), (index + 80) & ehci::kFrameIndex);
}

TEST(Ehci, data_wakes_a_resting_list_and_is_taken_at_once) {
  RestingList rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  {
    const std::scoped_lock guard(rig.lock);
    rig.stick.data_ready();
  }
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, queue_that_is_linked_into_a_resting_list_is_heard_of) {
  RestingList rig;
  rig.stick.on_packet = [](usb::UsbPacket& packet) { return send(packet, 8); };
  rig.put_qtd(kTd2, kEnd, kEnd, EhciRig::token(Pid::In, 8, ehci::QTD_IOC));
  rig.put_queue(kQueue2, kEnd, kTd2, 0, (1U << 30) | 1);
  rig.set_word(kQueue, kQueue2 | EhciRig::kQueueLink);
  rig.pass(33);
  EXPECT_TRUE(rig.irq());
}

TEST(Ehci, resting_list_tells_of_rollovers_if_asked_to_and_of_nothing_else) {
  RestingList rig;
  rig.set(ehci::USBSTS, ehci::kInterrupts);
  rig.set(ehci::USBINTR, ehci::STS_ROLLOVER);
  const auto before = rig.clock.fired();
  rig.pass(1025);
  EXPECT_TRUE(rig.irq());
  EXPECT_LE(rig.clock.fired() - before, 2u);
}

TEST(Ehci, doorbell_and_commands_wake_a_resting_ring) {
  Ring rig;
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 8));
  rig.run(2000);
  EXPECT_EQ(rig.clock.armed_timers(), 0u);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_ASE | ehci::CMD_IAAD);
  rig.pass(1);
  EXPECT_NE(rig.get(ehci::USBSTS) & ehci::STS_ASYNC_ADVANCE, 0u);
}

TEST(Ehci, isochronous_descriptors_are_not_run_ahead_of_their_frame) {
  Ring rig;
  rig.set_word(kTd2, kQueue2 | EhciRig::kQueueLink);
  rig.put_queue(kQueue2, kEnd, kTd, 0, (1U << 30) | 1);
  rig.put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 8));
  rig.fill_frames(kTd2);
  rig.set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_PSE);
  rig.pass(3000);
  rig.stick.on_packet = [&](usb::UsbPacket&) {
    rig.memory->write(core::Gpa(kTd2 + 4), core::le32(ehci::ITD_ACTIVE));
    return UsbResult::Nak;
  };
  {
    const std::scoped_lock guard(rig.lock);
    rig.stick.data_ready();
  }
  EXPECT_NE(rig.word(kTd2 + 4) & ehci::ITD_ACTIVE, 0u);
}

struct StateRig : EhciRig {
  ScriptedDevice& stick = plug(0, std::make_unique<ScriptedDevice>());
  void scribble() {
    stick.on_packet = [](usb::UsbPacket&) { return UsbResult::Pending; };
    start();
    put_queue(kQueue, kQueue | kQueueLink, kTd, ehci::QH_HEAD);
    put_qtd(kTd, kEnd, kEnd, EhciRig::token(Pid::In, 512));
    put_queue(kQueue2, kEnd, kTd, 0, (1U << 30) | 1);
    fill_frames(kQueue2 | kQueueLink);
    set(ehci::USBINTR, 0x3f);
    set(ehci::ASYNCLISTADDR, kQueue);
    set(ehci::FRINDEX, 0x3ff0);
    set(ehci::USBCMD, ehci::CMD_RS | ehci::CMD_ASE | ehci::CMD_PSE);
    pass(9);
    set(portsc(0), ehci::PORT_PED | ehci::PORT_SUSPEND);
  }
};
TEST(Ehci, obeys_the_state_law) {
  tests::check_state_law<StateRig>();
}

}  // namespace
