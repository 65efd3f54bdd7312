#include "devices/platform/uart16550.h"

#include <gtest/gtest.h>

#include "devices/platform/uart16550_abi.h"
#include "tests/device/fake_char_stream.h"
#include "tests/device/fake_clock.h"
#include "tests/device/fake_wiring.h"
#include "tests/state/state_law.h"

namespace {

using namespace devices::platform::uart_abi;

constexpr std::uint64_t kBase = 0x3f8;
// At 115200 8N1 a character takes 86.8 us.
constexpr std::chrono::microseconds kFourCharacters{348};

struct UartRig {
  tests::FakeClock clock;
  tests::FakeBus io;
  tests::RecordingIrqSink irqs;
  tests::FakeCharStream stream;
  devices::platform::Uart16550 device{{}, {clock, core::IrqLine(irqs, 4), stream}};

  UartRig() { EXPECT_TRUE(device.attach(io.space)); }

  std::uint8_t in(std::uint64_t reg) { return io.in8(kBase + reg); }
  void out(std::uint64_t reg, unsigned value) { io.out8(kBase + reg, value); }
  bool irq() const { return irqs.level(4); }

  // 115200 8N1, FIFOs with a trigger level of 8, the given interrupts.
  void program(unsigned interrupts, unsigned fifo = 0x87) {
    out(LCR, LCR_DLAB | 3);
    out(RBR, 1);
    out(IER, 0);
    out(LCR, 3);
    out(IIR, fifo);
    out(MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    out(IER, interrupts);
  }
  std::string drain() {
    std::string text;
    while ((in(LSR)&LSR_DR) != 0)
      text += static_cast<char>(in(RBR));
    return text;
  }
  void scribble() {
    program(IER_RDA | IER_MS);
    stream.offer("abc");
    out(SCR, 0x5a);
    out(MCR, MCR_OUT2 | MCR_LOOP | MCR_OUT1);
    out(RBR, 'x');
    clock.advance(kFourCharacters / 2);
  }
};

class Uart16550 : public testing::Test, protected UartRig {};

TEST_F(Uart16550, reset_values) {
  EXPECT_EQ(in(IER), 0x00);
  EXPECT_EQ(in(IIR), IIR_NONE);
  EXPECT_EQ(in(LCR), 0x00);
  EXPECT_EQ(in(MCR), 0x00);
  EXPECT_EQ(in(LSR), LSR_THRE | LSR_TEMT);
  EXPECT_EQ(in(MSR), MSR_CTS | MSR_DSR | MSR_DCD);
  EXPECT_EQ(in(RBR), 0x00);
}

TEST_F(Uart16550, is_found_as_a_16550a) {
  out(IIR, FCR_ENABLE);
  EXPECT_EQ(in(IIR)&IIR_FIFOS, IIR_FIFOS);
  out(IIR, 0);
  EXPECT_EQ(in(IIR)&IIR_FIFOS, 0);
  out(SCR, 0xa5);
  EXPECT_EQ(in(SCR), 0xa5);
  out(IER, 0xff);
  EXPECT_EQ(in(IER), IER_BITS);
}

TEST_F(Uart16550, divisor_latch_hides_data_and_enable) {
  out(IER, IER_MS);
  out(LCR, LCR_DLAB);
  out(RBR, 0x34);
  out(IER, 0x12);
  EXPECT_EQ(in(RBR), 0x34);
  EXPECT_EQ(in(IER), 0x12);
  out(LCR, 0);
  EXPECT_EQ(in(IER), IER_MS);
  EXPECT_EQ(stream.sent, "");
}

TEST_F(Uart16550, sends_to_the_stream) {
  program(0);
  for (const char c : std::string("hello\r\n"))
    out(RBR, static_cast<unsigned char>(c));
  EXPECT_EQ(stream.sent, "hello\r\n");
  EXPECT_EQ(in(LSR), LSR_THRE | LSR_TEMT);
}

TEST_F(Uart16550, transmitter_interrupt_comes_with_enabling_and_with_each_byte) {
  program(IER_THRE);
  EXPECT_TRUE(irq());
  EXPECT_EQ(in(IIR), IIR_THRE | IIR_FIFOS);
  EXPECT_FALSE(irq());
  EXPECT_EQ(in(IIR), IIR_NONE | IIR_FIFOS);
  out(RBR, 'a');
  EXPECT_TRUE(irq());
}

TEST_F(Uart16550, without_fifos_one_byte_waits_and_the_rest_stays_outside) {
  program(IER_RDA, 0);
  EXPECT_EQ(stream.offer("ab"), 1u);
  EXPECT_TRUE(irq());
  EXPECT_EQ(in(IIR), IIR_RDA);
  EXPECT_EQ(stream.offer("b"), 0u);
  EXPECT_EQ(stream.ready, 0u);
  EXPECT_EQ(in(RBR), 'a');
  EXPECT_FALSE(irq());
  EXPECT_EQ(stream.ready, 1u);
  EXPECT_EQ(stream.offer("b"), 1u);
}

TEST_F(Uart16550, fifo_takes_sixteen_and_asks_for_more_when_read) {
  program(0);
  EXPECT_EQ(stream.offer("0123456789abcdefXYZ"), 16u);
  EXPECT_EQ(in(RBR), '0');
  EXPECT_EQ(stream.ready, 1u);
  in(RBR);
  EXPECT_EQ(stream.ready, 1u) << "nothing is held back any more as far as the device knows";
  EXPECT_EQ(drain(), "23456789abcdef");
}

TEST_F(Uart16550, takes_nothing_while_the_machine_stands_still) {
  const auto set_running = [this](bool running) {
    const std::scoped_lock guard(device.lock());
    device.set_running(running);
  };
  set_running(false);
  EXPECT_EQ(stream.offer("a"), 0u);
  EXPECT_TRUE(device.state_loaded());
  EXPECT_EQ(stream.ready, 0u);
  set_running(true);
  EXPECT_EQ(stream.ready, 1u);
  EXPECT_EQ(stream.offer("a"), 1u);
}

TEST_F(Uart16550, trigger_level_raises_data_available) {
  program(IER_RDA);
  stream.offer("1234567");
  EXPECT_FALSE(irq());
  stream.offer("8");
  EXPECT_TRUE(irq());
  EXPECT_EQ(in(IIR), IIR_RDA | IIR_FIFOS);
  in(RBR);
  EXPECT_FALSE(irq());
}

TEST_F(Uart16550, timeout_comes_after_four_characters_of_silence) {
  program(IER_RDA);
  stream.offer("1");
  clock.advance(kFourCharacters / 2);
  stream.offer("2");
  clock.advance(kFourCharacters - std::chrono::microseconds(1));
  EXPECT_FALSE(irq());
  clock.advance(std::chrono::microseconds(1));
  EXPECT_TRUE(irq());
  EXPECT_EQ(in(IIR), IIR_CTI | IIR_FIFOS);
  in(RBR);
  EXPECT_FALSE(irq());
  clock.advance(kFourCharacters);
  EXPECT_TRUE(irq()) << "one is still there";
  EXPECT_EQ(in(RBR), '2');
  EXPECT_FALSE(irq());
  EXPECT_EQ(clock.armed_timers(), 0u);
}

TEST_F(Uart16550, timeout_follows_the_programmed_rate) {
  program(IER_RDA);
  out(LCR, LCR_DLAB | LCR_PARITY | LCR_STOP | 3);
  out(RBR, 12);  // 9600 8E2: 12 bits of 104.2 us
  out(LCR, LCR_PARITY | LCR_STOP | 3);
  stream.offer("1");
  EXPECT_EQ(clock.next_deadline(), core::GuestTime(4 * 1'250'000));
}

TEST_F(Uart16550, fifo_reset_empties_it) {
  program(IER_RDA);
  stream.offer("12345678");
  out(IIR, FCR_ENABLE | FCR_RX_RESET | 0x80);
  EXPECT_FALSE(irq());
  EXPECT_EQ(in(LSR)&LSR_DR, 0);
}

TEST_F(Uart16550, changing_the_fifo_mode_empties_it) {
  program(0);
  stream.offer("12");
  out(IIR, 0);
  EXPECT_EQ(in(LSR)&LSR_DR, 0);
}

TEST_F(Uart16550, interrupts_come_by_priority) {
  program(IER_BITS, 0);
  out(MCR, MCR_OUT2 | MCR_LOOP);  // modem lines fall
  out(RBR, 'a');
  out(RBR, 'b');  // overruns the single register
  EXPECT_EQ(in(IIR), IIR_RLS);
  EXPECT_EQ(in(LSR), LSR_OE | LSR_DR | LSR_THRE | LSR_TEMT);
  EXPECT_EQ(in(IIR), IIR_RDA);
  EXPECT_EQ(in(RBR), 'b');
  EXPECT_EQ(in(IIR), IIR_THRE);
  EXPECT_EQ(in(IIR), IIR_MS);
  EXPECT_TRUE(irq());
  EXPECT_EQ(in(MSR), MSR_DCD | MSR_DCTS | MSR_DDSR);
  EXPECT_EQ(in(IIR), IIR_NONE);
  EXPECT_FALSE(irq());
}

TEST_F(Uart16550, overrun_of_the_fifo_loses_the_newest) {
  program(0);
  out(MCR, MCR_LOOP);
  for (unsigned i = 0; i < 17; ++i)
    out(RBR, 'a' + i);
  EXPECT_NE(in(LSR)&LSR_OE, 0);
  EXPECT_EQ(in(LSR)&LSR_OE, 0);
  EXPECT_EQ(drain(), "abcdefghijklmnop");
}

TEST_F(Uart16550, loopback_turns_data_and_modem_lines_around) {
  program(0);
  out(MCR, MCR_LOOP | MCR_RTS | MCR_OUT1);
  EXPECT_EQ(in(MSR) & 0xf0, MSR_CTS | MSR_RI);
  out(MCR, MCR_LOOP | MCR_DTR | MCR_OUT2);
  EXPECT_EQ(in(MSR), MSR_DSR | MSR_DCD | MSR_DCTS | MSR_DDSR | MSR_TERI | MSR_DDCD);
  out(RBR, 0x42);
  EXPECT_EQ(in(RBR), 0x42);
  EXPECT_EQ(stream.sent, "");
}

TEST_F(Uart16550, loopback_keeps_outside_data_out_until_it_ends) {
  program(0);
  out(MCR, MCR_LOOP);
  EXPECT_EQ(stream.offer("x"), 0u);
  out(MCR, 0);
  EXPECT_EQ(stream.ready, 1u);
}

TEST_F(Uart16550, out2_gates_the_interrupt) {
  program(IER_THRE);
  out(MCR, 0);
  EXPECT_FALSE(irq());
  out(MCR, MCR_OUT2);
  EXPECT_TRUE(irq());
}

TEST_F(Uart16550, wide_write_reaches_consecutive_registers) {
  program(0);
  io.out16(kBase + MCR, 0x0003);
  EXPECT_EQ(in(MCR), 3);
}

TEST_F(Uart16550, load_asks_for_what_the_stream_holds_back) {
  UartRig copy;
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<UartRig&>(*this))));
  EXPECT_EQ(copy.stream.ready, 1u);
}

TEST_F(Uart16550, load_resumes_the_timeout) {
  program(IER_RDA);
  stream.offer("1");
  clock.advance(kFourCharacters / 2);
  UartRig copy;
  copy.clock.set_now(clock.now());
  ASSERT_TRUE(tests::load_rig(copy, tests::save_rig(static_cast<UartRig&>(*this))));
  copy.clock.advance(kFourCharacters / 2);
  EXPECT_TRUE(copy.irq());
}

TEST(Uart16550Lifetime, destruction_detaches_from_the_stream) {
  tests::FakeClock clock;
  tests::FakeCharStream stream;
  {
    const devices::platform::Uart16550 uart{{}, {clock, {}, stream}};
    EXPECT_TRUE(stream.attached());
  }
  EXPECT_FALSE(stream.attached());
}

TEST(Uart16550State, obeys_the_state_law) {
  tests::check_state_law<UartRig>();
}

}  // namespace
