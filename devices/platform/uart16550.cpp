#include "devices/platform/uart16550.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "devices/platform/uart16550_abi.h"

namespace devices::platform {

using namespace uart_abi;

namespace {
constexpr unsigned kTimeoutCharacters = 4;  // [PC16550D 8.4.2]
}

void Uart16550::State::visit(core::StateVisitor& v) {
  v.field("interrupt_enable", interrupt_enable);
  v.field("fifo_control", fifo_control);
  v.field("line_control", line_control);
  v.field("modem_control", modem_control);
  v.field("modem_status", modem_status);
  v.field("scratch", scratch);
  v.field("divisor", divisor);
  v.field("overrun", overrun);
  v.field("transmit_pending", transmit_pending);
  v.field("timed_out", timed_out);
  v.field("timeout_ns", timeout_ns);
  v.field("received", received, kFifoBytes);
}

Uart16550::Uart16550(Config config, Wiring wiring)
    : config_(std::move(config)), wiring_(wiring), timeout_(wiring_.clock.create_timer(lock(), [this] {
        state_.timed_out = true;
        update_irq();
      })) {
  reset();
  wiring_.stream.set_receiver([this](std::span<const std::uint8_t> bytes, core::Batch) { return receive(bytes); });
}

Uart16550::~Uart16550() {
  wiring_.stream.set_receiver(nullptr);
}

core::Result<> Uart16550::attach(core::AddressSpace& io) {
  auto range = io.add({.start = config_.port, .size = kPorts, .max_width = 1}, *this, lock(), config_.name);
  if (!range) return std::unexpected(range.error());
  range_ = std::move(*range);
  return {};
}

void Uart16550::reset() {
  state_ = {};
  state_.modem_status = modem_lines();
  update_timeout();
  offer_room();
  update_irq();
}

core::Result<> Uart16550::state_loaded() {
  state_.interrupt_enable &= IER_BITS;
  state_.modem_control &= MCR_BITS;
  update_timeout();
  refused_ = true;  // whatever the stream holds back, it was told by another machine
  offer_room();
  update_irq();
  return {};
}

// ---- registers

std::uint64_t Uart16550::read(std::uint64_t offset, unsigned) {
  switch (offset) {
    case RBR: return latch_open() ? state_.divisor & 0xff : read_received();
    case IER: return latch_open() ? state_.divisor >> 8 : state_.interrupt_enable;
    case IIR: return read_identification();
    case LCR: return state_.line_control;
    case MCR: return state_.modem_control;
    case LSR: {
      const auto status = line_status();
      state_.overrun = false;
      update_irq();
      return status;
    }
    case MSR: return read_modem_status();
    default: return state_.scratch;
  }
}

void Uart16550::write(std::uint64_t offset, unsigned, std::uint64_t wide) {
  const auto value = static_cast<std::uint8_t>(wide);
  switch (offset) {
    case RBR:
      if (!latch_open()) return transmit(value);
      state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xff00) | value);
      break;
    case IER:
      if (!latch_open()) return write_enable(value);
      state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0x00ff) | value << 8);
      break;
    case IIR: return write_fifo_control(value);
    case LCR: state_.line_control = value; break;
    case MCR: return write_modem_control(value);
    case SCR: state_.scratch = value; break;
    default: break;  // [PC16550D 8.4, 8.7] the status registers are for reading
  }
}

std::uint8_t Uart16550::read_received() {
  if (state_.received.empty()) return 0;
  const auto byte = state_.received.front();
  state_.received.erase(state_.received.begin());
  state_.timed_out = false;
  state_.timeout_ns = wiring_.clock.now().count() + kTimeoutCharacters * character_time_ns();
  update_timeout();
  offer_room();
  update_irq();
  return byte;
}

// [PC16550D table IV] reading clears the transmitter's interrupt, if that is the one reported.
std::uint8_t Uart16550::read_identification() {
  const auto source = identification();
  if (source == IIR_THRE) {
    state_.transmit_pending = false;
    update_irq();
  }
  return source | (fifos_enabled() ? IIR_FIFOS : std::uint8_t{0});
}

std::uint8_t Uart16550::read_modem_status() {
  const auto status = state_.modem_status;
  state_.modem_status &= static_cast<std::uint8_t>(~MSR_DELTAS);
  update_irq();
  return status;
}

std::uint8_t Uart16550::line_status() const {
  std::uint8_t status = LSR_THRE | LSR_TEMT;  // what is sent is gone
  if (!state_.received.empty()) status |= LSR_DR;
  if (state_.overrun) status |= LSR_OE;
  return status;
}

void Uart16550::transmit(std::uint8_t byte) {
  if (looped()) {
    take(byte);
  } else {
    wiring_.stream.write(std::span(&byte, 1));
  }
  state_.transmit_pending = true;
  update_irq();
}

void Uart16550::write_enable(std::uint8_t value) {
  const bool enables_transmit = (value & ~state_.interrupt_enable & IER_THRE) != 0;
  state_.interrupt_enable = value & IER_BITS;
  if (enables_transmit) state_.transmit_pending = true;  // the transmitter is empty
  update_irq();
}

void Uart16550::write_fifo_control(std::uint8_t value) {
  // [PC16550D 8.3] changing the mode clears the FIFOs; without bit 0 the other bits are not programmed.
  const bool changes = ((value ^ state_.fifo_control) & FCR_ENABLE) != 0;
  if (changes || (value & FCR_RX_RESET) != 0) {
    state_.received.clear();
    state_.timed_out = false;
  }
  state_.fifo_control = (value & FCR_ENABLE) != 0 ? value & (FCR_ENABLE | FCR_DMA | FCR_TRIGGER) : 0;
  update_timeout();
  offer_room();
  update_irq();
}

void Uart16550::write_modem_control(std::uint8_t value) {
  state_.modem_control = value & MCR_BITS;
  update_modem_status();
  offer_room();
  update_irq();
}

// ---- receiving

// A full receiver takes nothing; the stream offers the rest again when there is room.
std::size_t Uart16550::receive(std::span<const std::uint8_t> bytes) {
  const std::scoped_lock guard(lock());
  const auto taken = std::min(bytes.size(), takes() ? room() : 0);
  for (const auto byte : bytes.first(taken))
    take(byte);
  refused_ = taken < bytes.size();
  update_irq();
  return taken;
}

void Uart16550::take(std::uint8_t byte) {
  if (room() == 0) {
    // [PC16550D 8.4] the newest character is lost from the FIFO, the older one from the single register.
    state_.overrun = true;
    if (fifos_enabled()) return;
    state_.received.clear();
  }
  state_.received.push_back(byte);
  state_.timeout_ns = wiring_.clock.now().count() + kTimeoutCharacters * character_time_ns();
  update_timeout();
}

void Uart16550::set_running(bool running) {
  running_ = running;
  offer_room();
}

bool Uart16550::takes() const {
  return running_ && !looped();
}

void Uart16550::offer_room() {
  if (!refused_ || !takes() || room() == 0) return;
  refused_ = false;
  wiring_.stream.ready_to_receive();
}

std::size_t Uart16550::room() const {
  const std::size_t capacity = fifos_enabled() ? kFifoBytes : 1;
  return capacity - std::min(capacity, state_.received.size());
}

std::size_t Uart16550::trigger() const {
  constexpr std::array<std::size_t, 4> kLevels{1, 4, 8, 14};  // [PC16550D 8.3]
  return fifos_enabled() ? kLevels[state_.fifo_control >> 6] : 1;
}

std::int64_t Uart16550::character_time_ns() const {
  const auto line = state_.line_control;
  const auto bits =
      1u + 5u + (line & LCR_LENGTH) + ((line & LCR_PARITY) != 0 ? 1u : 0u) + ((line & LCR_STOP) != 0 ? 2u : 1u);
  const std::int64_t divisor = std::max<std::int64_t>(1, state_.divisor);
  return divisor * bits * 1'000'000'000 / kBaseBaud;
}

// The timeout matters only for a FIFO that holds less than its trigger level.
void Uart16550::update_timeout() {
  const bool waits = fifos_enabled() && !state_.received.empty() && !state_.timed_out;
  if (waits && state_.received.size() < trigger()) {
    timeout_->arm(core::GuestTime(state_.timeout_ns));
  } else {
    timeout_->cancel();
  }
}

// ---- modem

// What the status register's upper half shows: the far end is there and ready, or in loopback our own outputs.
std::uint8_t Uart16550::modem_lines() const {
  if (!looped()) return MSR_CTS | MSR_DSR | MSR_DCD;
  const auto control = state_.modem_control;
  std::uint8_t lines = 0;
  if ((control & MCR_RTS) != 0) lines |= MSR_CTS;
  if ((control & MCR_DTR) != 0) lines |= MSR_DSR;
  if ((control & MCR_OUT1) != 0) lines |= MSR_RI;
  if ((control & MCR_OUT2) != 0) lines |= MSR_DCD;
  return lines;
}

void Uart16550::update_modem_status() {
  const auto before = state_.modem_status;
  const auto lines = modem_lines();
  const auto changed = before ^ lines;
  auto status = static_cast<std::uint8_t>((before & MSR_DELTAS) | lines);
  if ((changed & MSR_CTS) != 0) status |= MSR_DCTS;
  if ((changed & MSR_DSR) != 0) status |= MSR_DDSR;
  if ((before & ~lines & MSR_RI) != 0) status |= MSR_TERI;  // [PC16550D 8.7] its trailing edge only
  if ((changed & MSR_DCD) != 0) status |= MSR_DDCD;
  state_.modem_status = status;
}

// ---- interrupt

bool Uart16550::fifos_enabled() const {
  return (state_.fifo_control & FCR_ENABLE) != 0;
}

bool Uart16550::looped() const {
  return (state_.modem_control & MCR_LOOP) != 0;
}

bool Uart16550::latch_open() const {
  return (state_.line_control & LCR_DLAB) != 0;
}

std::uint8_t Uart16550::identification() const {
  const auto enabled = state_.interrupt_enable;
  if ((enabled & IER_RLS) != 0 && state_.overrun) return IIR_RLS;
  if ((enabled & IER_RDA) != 0 && state_.received.size() >= trigger()) return IIR_RDA;
  if ((enabled & IER_RDA) != 0 && state_.timed_out && !state_.received.empty()) return IIR_CTI;
  if ((enabled & IER_THRE) != 0 && state_.transmit_pending) return IIR_THRE;
  if ((enabled & IER_MS) != 0 && (state_.modem_status & MSR_DELTAS) != 0) return IIR_MS;
  return IIR_NONE;
}

// The PC gates the interrupt with OUT2.
void Uart16550::update_irq() {
  wiring_.irq.set(identification() != IIR_NONE && (state_.modem_control & MCR_OUT2) != 0);
}

}  // namespace devices::platform
