#include "devices/usb/uhci_controller.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/base/bits.h"

namespace devices::usb {

using namespace abi::uhci;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kBar = 4;
constexpr core::GuestTime kFrame = 1ms;
constexpr unsigned kLongestWait = 32;                        // frames
constexpr std::uint64_t kMostFramesLate = 2 * kLongestWait;  // those before are lost
constexpr std::uint64_t kFramesAhead = 32;                   // no driver asks an input device less often

constexpr std::uint16_t kPortWritable = PORT_PE | PORT_RD | PORT_RESET | PORT_SUSPEND;
constexpr std::uint16_t kPortChanges = PORT_CSC | PORT_PEC;

constexpr core::Register kRegisters[] = {
    {.name = "USBCMD", .offset = USBCMD, .width = 2, .writable = 0xff},                           // [UHCI 2.1.1]
    {.name = "USBSTS", .offset = USBSTS, .width = 2, .reset = STS_HALTED, .clear_on_one = 0x1f},  // [UHCI 2.1.2]
    {.name = "USBINTR", .offset = USBINTR, .width = 2, .writable = 0xf},                          // [UHCI 2.1.3]
    {.name = "FRNUM", .offset = FRNUM, .width = 2, .writable = kFrameNumber},                     // [UHCI 2.1.4]
    {.name = "FRBASEADD", .offset = FRBASEADD, .width = 4, .writable = 0xffff'f000},              // [UHCI 2.1.5]
    {.name = "SOFMOD", .offset = SOFMOD, .width = 1, .reset = 0x40, .writable = 0x7f},            // [UHCI 2.1.6]
    {.name = "PORTSC1", .offset = PORTSC1, .width = 2, .reset = PORT_ALWAYS},                     // [UHCI 2.1.7]
    {.name = "PORTSC2", .offset = PORTSC2, .width = 2, .reset = PORT_ALWAYS},
};

// [UHCI 5.1, 5.2] behind the standard header
constexpr core::Register kConfigRows[] = {
    {.name = "SBRN", .offset = 0x60, .width = 1, .reset = 0x10},
    {.name = "LEGSUP", .offset = 0xc0, .width = 2, .reset = 0x2000, .writable = 0x20bf, .clear_on_one = 0x8f00},
};

constexpr std::uint32_t port_register(unsigned port) {
  return PORTSC1 + 2 * port;
}

}  // namespace

core::PciIdentity UhciController::piix3() {
  return {.vendor = 0x8086,
          .device = 0x7020,
          .revision = 1,
          .class_code = 0x0c0300,  // USB, UHCI
          .subsystem_vendor = 0x1af4,
          .subsystem = 0x1100,
          .interrupt_pin = 4};
}

core::PciIdentity UhciController::ich9(unsigned companion) {
  return {.vendor = 0x8086,
          .device = static_cast<std::uint16_t>(0x2934 + companion),
          .revision = 3,
          .class_code = 0x0c0300,
          .subsystem_vendor = 0x1af4,
          .subsystem = 0x1100,
          .multi_function = true,
          .interrupt_pin = static_cast<std::uint8_t>(1 + companion)};
}

UhciController::UhciController(Config config, const Wiring& wiring)
    : PciFunction(config.identity, kConfigRows, &wiring.bus),
      name_(std::move(config.name)),
      handler_(*this, &UhciController::read, &UhciController::write),
      registers_(kRegisters, kRegisterBytes),
      frames_(wiring.clock, kFrame),
      pace_({.longest = kLongestWait}),
      watch_(wiring.alarms, wiring.bus, [this] { schedule_touched(); }),
      ports_(wiring.ports),
      schedule_(
          wiring.memory, watch_, [this](std::uint8_t address) { return find_device(address); }, [this] { hurry(); }),
      timer_(wiring.clock.create_timer(wiring.bus, [this] { run(); })) {
  declare_bar({.index = kBar,
               .kind = core::BarKind::Io,
               .size = kRegisterBytes,
               .name = name_,
               .handler = &handler_,
               .max_width = 4});
  for (unsigned i = 0; i < kPorts; ++i) {
    if (ports_[i] == nullptr) ports_[i] = own_ports_.emplace_back(std::make_unique<RootPort>()).get();
    if (owns_ports()) ports_[i]->route_quietly_to(*this, i);
  }
}

UhciController::~UhciController() {
  for (const auto& port : own_ports_) {
    if (port->device() != nullptr) port->device()->drain();
  }
  const std::scoped_lock guard(lock());
  schedule_.cancel_all();
}

// --- registers -------------------------------------------------------------------------------------------------------

std::uint64_t UhciController::read(std::uint64_t offset, unsigned width) {
  registers_.set(FRNUM, 2, frames_.now() & kFrameNumber);
  return registers_.read(offset, width);
}

// A wide access reaches each register by itself.
void UhciController::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  while (width > 0) {
    const auto* const found = registers_.at(offset);
    const auto end = found != nullptr ? found->offset + found->width : offset + 1;
    const auto part = static_cast<unsigned>(std::min<std::uint64_t>(width, end - offset));
    if (found != nullptr) {
      write_register(static_cast<std::uint32_t>(offset), part,
                     static_cast<std::uint32_t>(value & core::all_ones(part)));
    }
    offset += part;
    width -= part;
    value >>= 8 * part;
  }
}

void UhciController::write_register(std::uint32_t offset, unsigned width, std::uint32_t value) {
  const auto* const found = registers_.at(offset);
  for (unsigned port = 0; port < kPorts; ++port) {
    // [UHCI 2.1] These are words; half a write would clear what was not meant.
    if (found->offset == port_register(port)) {
      if (width == 2) write_port(port, static_cast<std::uint16_t>(value));
      return;
    }
  }
  if (found->offset == FRNUM && frames_.is_running()) return;  // [UHCI 2.1.4] not while it counts
  const auto command = reg(USBCMD);
  registers_.write(offset, width, value);
  if (found->offset == USBCMD) write_command(command);
  if (found->offset == FRNUM) {
    frames_.set(reg(FRNUM));
    next_frame_ = frames_.now();
  }
  if (found->offset == FRBASEADD) hurry();
  if ((reg(USBSTS) & STS_USBINT) == 0) completed_ = short_packet_ = false;
  update_interrupt();
}

void UhciController::write_command(std::uint16_t before) {
  const auto command = reg(USBCMD);
  if ((command & CMD_HCRESET) != 0) return reset_controller();
  if ((command & CMD_GRESET) != 0 && (before & CMD_GRESET) == 0) reset_devices();
  set_running((command & CMD_RS) != 0);
}

// [UHCI 2.1.1] Everything stops where it stands, and goes on there.
void UhciController::set_running(bool running) {
  if (running == frames_.is_running()) return;
  if (running) {
    clear_bits(USBSTS, STS_HALTED);
    frames_.start();
    next_frame_ = frames_.now();
  } else {
    wake();
    frames_.stop();
    set_bits(USBSTS, STS_HALTED);
    clear_bits(USBCMD, CMD_RS);
  }
  hurry();
}

void UhciController::config_written(std::uint32_t, unsigned) {
  schedule_next();
}

void UhciController::update_interrupt() {
  const auto status = reg(USBSTS);
  const auto enabled = reg(USBINTR);
  const bool level = (completed_ && (enabled & INTR_IOC) != 0) || (short_packet_ && (enabled & INTR_SHORT) != 0) ||
                     ((status & STS_ERROR) != 0 && (enabled & INTR_ERROR) != 0) ||
                     ((status & STS_RESUME) != 0 && (enabled & INTR_RESUME) != 0) ||
                     (status & (STS_HOST_ERROR | STS_PROCESS_ERROR)) != 0;  // [UHCI 2.1.2] not to be masked
  set_intx(level);
}

// --- ports [UHCI 2.1.7] ----------------------------------------------------------------------------------------------

void UhciController::write_port(unsigned port, std::uint16_t value) {
  const auto offset = port_register(port);
  const auto before = reg(offset);
  auto* const device = this->device(port);
  auto after =
      static_cast<std::uint16_t>((before & ~kPortWritable & ~(value & kPortChanges)) | (value & kPortWritable));
  if (device == nullptr || (after & PORT_RESET) != 0) after = static_cast<std::uint16_t>(after & ~PORT_PE);
  // The end of a resume is the end of the suspension.
  if ((before & PORT_RD) != 0 && (value & PORT_RD) == 0) after = static_cast<std::uint16_t>(after & ~PORT_SUSPEND);
  registers_.set(offset, 2, after);
  if (device == nullptr) return;
  if ((after & PORT_RESET) != 0 && (before & PORT_RESET) == 0) device->bus_reset(Speed::Full);
  device->set_suspended((after & PORT_SUSPEND) != 0);
  hurry();
}

void UhciController::connection_changed(unsigned port) {
  const auto offset = port_register(port);
  const auto before = reg(offset);
  auto after = static_cast<unsigned>(before) &
               ~(PORT_CCS | PORT_PE | PORT_LOW_SPEED | PORT_D_PLUS | PORT_D_MINUS | PORT_SUSPEND | PORT_RD);
  if (auto* const device = this->device(port); device != nullptr) {
    after |= PORT_CCS | (device->fastest() == Speed::Low ? PORT_LOW_SPEED | PORT_D_MINUS : PORT_D_PLUS);
    device->set_suspended(false);
  }
  if ((before & PORT_PE) != 0) after |= PORT_PEC;
  if (((before ^ after) & PORT_CCS) != 0) after |= PORT_CSC;
  registers_.set(offset, 2, after);
  if ((reg(USBCMD) & CMD_EGSM) != 0) set_bits(USBSTS, STS_RESUME);
  update_interrupt();
  hurry();
}

void UhciController::resume_signalled(unsigned port) {
  const auto offset = port_register(port);
  if ((reg(offset) & PORT_SUSPEND) == 0 || (reg(offset) & PORT_RD) != 0) return;
  set_bits(offset, PORT_RD);
  set_bits(USBSTS, STS_RESUME);
  update_interrupt();
}

UsbDevice* UhciController::find_device(std::uint8_t address) const {
  for (unsigned port = 0; port < kPorts; ++port) {
    const auto status = reg(port_register(port));
    if ((status & PORT_PE) == 0 || (status & PORT_SUSPEND) != 0) continue;
    auto* const device = this->device(port);
    if (auto* const found = device != nullptr ? device->at(address) : nullptr; found != nullptr) return found;
  }
  return nullptr;
}

// --- frames ----------------------------------------------------------------------------------------------------------

void UhciController::run() {
  if (!frames_.is_running()) return;
  const auto now = frames_.now();
  if (now >= next_frame_ + kMostFramesLate) {
    next_frame_ = now - kMostFramesLate + 1;
    watch_.watch(false);
  }
  is_walking_ = true;
  bool worked = false;
  const auto first = next_frame_;
  while (next_frame_ <= now && frames_.is_running()) {
    const auto list = static_cast<std::uint32_t>(registers_.value(FRBASEADD, 4));
    worked = take(schedule_.run_frame(list, next_frame_++)) || worked;
  }
  is_walking_ = false;
  settle(next_frame_ - first, worked);
  schedule_next();
}

// After a pause a report does not wait for its endpoint's turn, of which the guest could not tell.
void UhciController::run_ahead() {
  if (is_walking_ || !frames_.is_running() || !bus_master_enabled()) return;
  run();
  is_walking_ = true;
  bool worked = false;
  for (std::uint64_t frame = next_frame_; frame < next_frame_ + kFramesAhead && frames_.is_running() && !worked;
       ++frame) {
    const auto list = static_cast<std::uint32_t>(registers_.value(FRBASEADD, 4));
    worked = take(schedule_.run_frame(list, frame, UhciSchedule::When::Ahead));
  }
  is_walking_ = false;
}

// How soon to look again, if at all.
void UhciController::settle(std::uint64_t frames, bool worked) {
  pace_.note(worked);
  watch_.watch(pace_.is_slow());
  is_resting_ = watch_.is_settled(frames, kListFrames);
}

// [UHCI 4.1, 4.2] at the end of a frame; whether something has moved
bool UhciController::take(const UhciSchedule::Events& events) {
  completed_ = completed_ || events.complete;
  short_packet_ = short_packet_ || events.short_packet;
  unsigned status = 0;
  if (events.complete || events.short_packet) status |= STS_USBINT;
  if (events.error) status |= STS_ERROR;
  if (events.system_error) status |= STS_HOST_ERROR;
  if (events.process_error) status |= STS_PROCESS_ERROR;
  set_bits(USBSTS, status);
  if (events.system_error || events.process_error) set_running(false);
  update_interrupt();
  return events.worked || events.complete;
}

void UhciController::schedule_next() {
  if (!frames_.is_running() || !bus_master_enabled() || is_resting_) return timer_->cancel();
  timer_->arm(frames_.begin_of(next_frame_ + pace_.steps() - 1));
}

// The frames in between had nothing to do.
void UhciController::wake() {
  if (std::exchange(is_resting_, false)) next_frame_ = frames_.now();
}

void UhciController::hurry() {
  wake();
  pace_.hurry();
  watch_.watch(false);
  schedule_next();
}

void UhciController::schedule_touched() {
  wake();
  pace_.look_again();
  watch_.watch(false);
  schedule_next();
}

void UhciController::data_ready() {
  const bool after_a_pause = pace_.is_calm();
  hurry();
  if (after_a_pause) run_ahead();
}

// --- reset and state -------------------------------------------------------------------------------------------------

void UhciController::reset_devices() {
  for (unsigned port = 0; port < kPorts; ++port) {
    if (auto* const device = this->device(port); device != nullptr) device->bus_reset(Speed::Full);
    clear_bits(port_register(port), PORT_PE | PORT_SUSPEND | PORT_RD);
  }
}

// [UHCI 2.1.1] The devices are unplugged and plugged again, as far as the guest can see.
void UhciController::reset_controller() {
  schedule_.cancel_all();
  registers_.reset();
  frames_.reset();
  next_frame_ = 0;
  completed_ = short_packet_ = false;
  hurry();
  for (unsigned port = 0; port < kPorts; ++port) {
    if (auto* const device = this->device(port); device != nullptr) device->bus_reset(Speed::Full);
    connection_changed(port);
  }
  update_interrupt();
}

void UhciController::reset() {
  reset_config();
  for (const auto& port : own_ports_) {
    if (port->device() != nullptr) port->device()->power_on();
  }
  reset_controller();
}

void UhciController::visit_state(core::StateVisitor& visitor) {
  if (is_resting_) next_frame_ = frames_.now();
  registers_.set(FRNUM, 2, frames_.now() & kFrameNumber);
  visit_config(visitor);
  visitor.field("registers", registers_);
  visitor.field("frames", frames_);
  visitor.field("next_frame", next_frame_);
  visitor.field("completed", completed_);
  visitor.field("short_packet", short_packet_);
  visitor.enter("ports");
  for (std::size_t i = 0; i < own_ports_.size(); ++i) {
    if (own_ports_[i]->device() != nullptr) visitor.field(std::to_string(i), *own_ports_[i]->device());
  }
  visitor.leave();
}

core::Result<> UhciController::state_loaded() {
  schedule_.cancel_all();
  timer_->cancel();
  for (const auto& port : own_ports_) {
    if (port->device() == nullptr) continue;
    if (auto loaded = port->device()->state_loaded(); !loaded) return loaded;
  }
  const bool running = frames_.is_running();
  if (!frames_.valid() || running != ((reg(USBSTS) & STS_HALTED) == 0) || running != ((reg(USBCMD) & CMD_RS) != 0) ||
      next_frame_ > frames_.now() + 1) {
    return core::fail("the frames of a USB controller are in a state that cannot be");
  }
  hurry();
  update_interrupt();
  return {};
}

}  // namespace devices::usb
