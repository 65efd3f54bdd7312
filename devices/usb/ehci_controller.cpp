#include "devices/usb/ehci_controller.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/base/assert.h"

namespace devices::usb {

using namespace abi::ehci;
using namespace std::chrono_literals;

namespace {

constexpr core::PciIdentity kIdentity{.vendor = 0x8086,
                                      .device = 0x293a,
                                      .revision = 3,
                                      .class_code = 0x0c0320,  // USB, EHCI
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100,
                                      .multi_function = true,
                                      .interrupt_pin = 4};
constexpr std::uint64_t kBarSize = 0x1000;
constexpr core::GuestTime kMicroframe = 125us;
// [EHCI 4.8] The ring goes round as often as it can in a microframe: what a driver adds when it hears that a transfer
// has ended does not wait for the next one.
constexpr core::GuestTime kRound = kMicroframe / 4;
constexpr unsigned kQuickLooks = 48;
constexpr unsigned kLongestWait = 32 * kMicroframes;  // microframes
constexpr std::uint64_t kMostFramesLate = 64;         // those before are lost
constexpr std::uint64_t kFramesAhead = 32;            // no driver asks an input device less often

// [EHCI 2.2.3, 2.2.4] The extended capability is in config space.
constexpr std::uint32_t kLegacySupport = 0x68;
constexpr std::uint32_t kStructure = (kCompanions << 12) | (kPortsEach << 8) | kPorts;
constexpr std::uint32_t kCapability = (kLegacySupport << 8) | 0x80;  // a whole frame is read ahead

// Those of ports are in write_port().
constexpr core::Register port_row(std::string_view name, unsigned port) {
  return {.name = name, .offset = PORTSC + 4 * port, .width = 4, .reset = PORT_POWER | PORT_OWNER};
}

constexpr core::Register kRegisters[] = {
    {.name = "CAPLENGTH", .offset = CAPLENGTH, .width = 1, .reset = kOperational},                       // [2.2.1]
    {.name = "HCIVERSION", .offset = HCIVERSION, .width = 2, .reset = 0x0100},                           // [2.2.2]
    {.name = "HCSPARAMS", .offset = HCSPARAMS, .width = 4, .reset = kStructure},                         // [2.2.3]
    {.name = "HCCPARAMS", .offset = HCCPARAMS, .width = 4, .reset = kCapability},                        // [2.2.4]
    {.name = "USBCMD", .offset = USBCMD, .width = 4, .reset = 0x0008'0000, .writable = CMD_THRESHOLD},   // [2.3.1]
    {.name = "USBSTS", .offset = USBSTS, .width = 4, .reset = STS_HALTED, .clear_on_one = kInterrupts},  // [2.3.2]
    {.name = "USBINTR", .offset = USBINTR, .width = 4, .writable = kInterrupts},                         // [2.3.3]
    {.name = "FRINDEX", .offset = FRINDEX, .width = 4, .writable = kFrameIndex},                         // [2.3.4]
    {.name = "CTRLDSSEGMENT", .offset = CTRLDSSEGMENT, .width = 4},                                      // [2.3.5]
    {.name = "PERIODICLISTBASE", .offset = PERIODICLISTBASE, .width = 4, .writable = 0xffff'f000},       // [2.3.6]
    {.name = "ASYNCLISTADDR", .offset = ASYNCLISTADDR, .width = 4, .writable = kLinkAddress},            // [2.3.7]
    {.name = "CONFIGFLAG", .offset = CONFIGFLAG, .width = 4, .writable = 1},                             // [2.3.8]
    port_row("PORTSC1", 0),
    port_row("PORTSC2", 1),
    port_row("PORTSC3", 2),
    port_row("PORTSC4", 3),
    port_row("PORTSC5", 4),
    port_row("PORTSC6", 5),  // [2.3.9]
};

// [EHCI 2.1] Without PORTWAKECAP: there is no power management that ports could wake.
constexpr core::Register kConfigRows[] = {
    {.name = "SBRN", .offset = 0x60, .width = 1, .reset = 0x20},
    {.name = "FLADJ", .offset = 0x61, .width = 1, .reset = 0x20, .writable = 0x3f},
    {.name = "USBLEGSUP", .offset = kLegacySupport, .width = 4, .reset = 1, .writable = 0x0101'0000},
    {.name = "USBLEGCTLSTS",
     .offset = kLegacySupport + 4,
     .width = 4,
     .writable = 0x0000'e03f,
     .clear_on_one = 0xe000'0000},
};

constexpr std::uint32_t port_register(unsigned port) {
  return PORTSC + 4 * port;
}

}  // namespace

EhciController::EhciController(Config config, const Wiring& wiring)
    : PciFunction(kIdentity, kConfigRows, &wiring.bus),
      name_(std::move(config.name)),
      handler_(*this, &EhciController::read, &EhciController::write),
      registers_(kRegisters, kRegisterBytes),
      clock_(wiring.clock),
      microframes_(wiring.clock, kMicroframe),
      pace_({.quick = kQuickLooks, .calm = kMicroframes, .longest = kLongestWait}),
      watch_(wiring.alarms, wiring.bus, [this] { schedule_touched(); }),
      schedule_(
          wiring.memory, watch_, [this](std::uint8_t address) { return find_device(address); }, [this] { hurry(); }),
      timer_(wiring.clock.create_timer(wiring.bus, [this] { run(); })) {
  declare_bar({.index = 0,
               .kind = core::BarKind::Memory32,
               .size = kBarSize,
               .name = name_,
               .handler = &handler_,
               .max_width = 4});
}

EhciController::~EhciController() {
  for (auto& port : ports_) {
    if (port.device() != nullptr) port.device()->drain();
  }
  const std::scoped_lock guard(lock());
  schedule_.cancel_all();
}

void EhciController::connect_companion(unsigned index, PortOwner& companion) {
  companions_[index] = &companion;
  for (unsigned i = 0; i < kPortsEach; ++i)
    route(index * kPortsEach + i, true);
}

// --- registers -------------------------------------------------------------------------------------------------------

std::uint64_t EhciController::read(std::uint64_t offset, unsigned width) {
  note_rollover();
  registers_.set(FRINDEX, 4, microframes_.now() & kFrameIndex);
  return registers_.read(offset, width);
}

// [EHCI 2] Operational registers are written whole.
void EhciController::write(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (width != 4 || offset % 4 != 0 || offset + 4 > kRegisterBytes) return;
  const auto at = static_cast<std::uint32_t>(offset);
  const auto wanted = static_cast<std::uint32_t>(value);
  if (at >= PORTSC && at < port_register(kPorts)) return write_port((at - PORTSC) / 4, wanted);
  if (at == FRINDEX && microframes_.is_running()) return;
  const auto flag = reg(CONFIGFLAG);
  registers_.write(at, 4, wanted);
  switch (at) {
    case USBCMD: return write_command(wanted);
    case FRINDEX:
      microframes_.set(reg(FRINDEX));
      count_from_now();
      break;
    case PERIODICLISTBASE:
    case ASYNCLISTADDR: hurry(); break;
    case CONFIGFLAG:
      for (unsigned port = 0; port < kPorts && flag != reg(CONFIGFLAG); ++port)
        set_owner(port, reg(CONFIGFLAG) == 0);
      break;
    default: break;
  }
  update_status();
  schedule_next();
}

void EhciController::write_command(std::uint32_t value) {
  if ((value & CMD_HCRESET) != 0) return reset_controller();
  // The doorbell is the controller's to take back. [EHCI 2.3.1]
  const auto kept = reg(USBCMD) & (CMD_THRESHOLD | CMD_IAAD);
  registers_.set(USBCMD, 4, kept | (value & (CMD_RS | CMD_PSE | CMD_ASE | CMD_IAAD)));
  set_running((value & CMD_RS) != 0);
  update_status();
  hurry();
}

// [EHCI 2.3.1, 2.3.2]
void EhciController::set_running(bool running) {
  if (running == microframes_.is_running()) return;
  if (running) {
    clear_bits(USBSTS, STS_HALTED);
    microframes_.start();
    count_from_now();
  } else {
    wake();
    microframes_.stop();
    set_bits(USBSTS, STS_HALTED);
    clear_bits(USBCMD, CMD_RS);
  }
}

void EhciController::count_from_now() {
  next_frame_ = microframes_.now() / kMicroframes;
  rollovers_ = next_frame_ / kListFrames;
}

void EhciController::config_written(std::uint32_t, unsigned) {
  schedule_next();
}

bool EhciController::is_enabled(std::uint32_t schedule) const {
  return microframes_.is_running() && (reg(USBCMD) & schedule) != 0;
}

// What status tells of the schedules, and the interrupt.
void EhciController::update_status() {
  clear_bits(USBSTS, STS_PERIODIC | STS_ASYNC);
  if (is_enabled(CMD_PSE)) set_bits(USBSTS, STS_PERIODIC);
  if (is_enabled(CMD_ASE)) set_bits(USBSTS, STS_ASYNC);
  set_intx((reg(USBSTS) & reg(USBINTR) & kInterrupts) != 0);
}

// --- ports [EHCI 2.3.9, 4.2] -----------------------------------------------------------------------------------------

// By PORTSC, which says whose the port is.
void EhciController::route(unsigned port, bool quietly) {
  auto* const companion = companions_[port / kPortsEach];
  const bool is_ours = (reg(port_register(port)) & PORT_OWNER) == 0 || companion == nullptr;
  auto& owner = is_ours ? static_cast<PortOwner&>(*this) : *companion;
  const auto number = is_ours ? port : port % kPortsEach;
  quietly ? ports_[port].route_quietly_to(owner, number) : ports_[port].route_to(owner, number);
}

void EhciController::set_owner(unsigned port, bool companion) {
  const auto offset = port_register(port);
  if (companion) {
    set_bits(offset, PORT_OWNER);
  } else {
    clear_bits(offset, PORT_OWNER);
  }
  route(port, false);
}

void EhciController::connection_changed(unsigned port) {
  const auto before = reg(port_register(port));
  auto after = before & ~(PORT_CCS | PORT_PED | PORT_FPR | PORT_SUSPEND | PORT_RESET | PORT_K_STATE | PORT_J_STATE);
  if (auto* const device = this->device(port); device != nullptr) {
    after |= PORT_CCS | (device->fastest() == Speed::Low ? PORT_K_STATE : PORT_J_STATE);
    device->set_suspended(false);
  }
  if (((before ^ after) & PORT_CCS) != 0) after |= PORT_CSC;
  change_port(port, before, after);
}

void EhciController::change_port(unsigned port, std::uint32_t before, std::uint32_t after) {
  registers_.set(port_register(port), 4, after);
  constexpr std::uint32_t kChanges = PORT_CSC | PORT_PEDC | PORT_FPR;
  if ((after & ~before & kChanges) != 0) set_bits(USBSTS, STS_PORT_CHANGE);
  update_status();
  hurry();
}

void EhciController::write_port(unsigned port, std::uint32_t value) {
  const auto offset = port_register(port);
  if (((reg(offset) ^ value) & PORT_OWNER) != 0 && reg(CONFIGFLAG) != 0) {
    set_owner(port, (value & PORT_OWNER) != 0);
  }
  const auto before = reg(offset);
  auto after = (before & ~PORT_WAKE_AND_TEST) | (value & PORT_WAKE_AND_TEST);
  after &= ~(value & (PORT_CSC | PORT_PEDC | PORT_OCC));
  auto* const device = this->device(port);
  if (device == nullptr) {
    registers_.set(offset, 4, after);
    return;
  }
  if ((value & PORT_PED) == 0) after &= ~PORT_PED;
  if ((value & PORT_RESET) != 0) {
    if ((before & PORT_RESET) == 0) device->bus_reset(Speed::High);
    after = (after | PORT_RESET) & ~(PORT_PED | PORT_SUSPEND | PORT_FPR);
  } else if ((before & PORT_RESET) != 0) {
    // Only a high-speed device leaves the port enabled; the others are for the companion. [EHCI 4.2.2]
    after &= ~(PORT_RESET | PORT_K_STATE | PORT_J_STATE);
    const bool fast = device->fastest() == Speed::High;
    after |= fast ? PORT_PED : device->fastest() == Speed::Low ? PORT_K_STATE : PORT_J_STATE;
  } else if ((before & PORT_PED) != 0) {
    if ((value & PORT_SUSPEND) != 0) after |= PORT_SUSPEND;
    if ((after & PORT_SUSPEND) != 0 && (value & PORT_FPR) != 0) after |= PORT_FPR;
    if ((before & PORT_FPR) != 0 && (value & PORT_FPR) == 0) after &= ~(PORT_FPR | PORT_SUSPEND);
  }
  registers_.set(offset, 4, after);
  device->set_suspended((after & PORT_SUSPEND) != 0);
  hurry();
}

void EhciController::resume_signalled(unsigned port) {
  const auto before = reg(port_register(port));
  if ((before & PORT_SUSPEND) == 0) return;
  change_port(port, before, before | PORT_FPR);
}

UsbDevice* EhciController::find_device(std::uint8_t address) const {
  for (unsigned port = 0; port < kPorts; ++port) {
    if ((reg(port_register(port)) & (PORT_PED | PORT_SUSPEND)) != PORT_PED) continue;
    auto* const device = this->device(port);
    if (auto* const found = device != nullptr ? device->at(address) : nullptr; found != nullptr) return found;
  }
  return nullptr;
}

// --- schedules -------------------------------------------------------------------------------------------------------

void EhciController::run() {
  note_rollover();
  if (!is_resting_) {
    is_walking_ = true;
    worked_ = false;
    const auto frames = run_frames();
    run_ring();
    is_walking_ = false;
    settle(frames);
  }
  schedule_next();
}

// How many there were.
std::uint64_t EhciController::run_frames() {
  if (!microframes_.is_running()) return 0;
  const auto now = microframes_.now() / kMicroframes;
  if (now >= next_frame_ + kMostFramesLate || !is_enabled(CMD_PSE)) {
    if (next_frame_ < now && is_enabled(CMD_PSE)) watch_.watch(false);
    next_frame_ = std::max(next_frame_, now);
  }
  const auto first = next_frame_;
  for (; next_frame_ <= now && is_enabled(CMD_PSE); ++next_frame_)
    take(schedule_.run_frame(reg(PERIODICLISTBASE), next_frame_));
  return next_frame_ - first;
}

// After a pause a report does not wait for its endpoint's turn, of which the guest could not tell.
void EhciController::run_ahead() {
  if (is_walking_ || !bus_master_enabled()) return;
  run();
  is_walking_ = true;
  for (auto frame = next_frame_; frame < next_frame_ + kFramesAhead && is_enabled(CMD_PSE) && !worked_; ++frame)
    take(schedule_.run_frame(reg(PERIODICLISTBASE), frame, EhciSchedule::When::Ahead));
  is_walking_ = false;
}

// How soon to look again, if at all: the list has come round once in all its frames, the ring with each look.
void EhciController::settle(std::uint64_t frames) {
  pace_.note(worked_);
  watch_.watch(pace_.is_slow() && is_enabled(CMD_PSE | CMD_ASE));
  is_resting_ = is_enabled(CMD_PSE) ? watch_.is_settled(frames, kListFrames) : watch_.is_settled(1, 1);
}

void EhciController::run_ring() {
  if (is_enabled(CMD_ASE)) {
    std::uint32_t head = reg(ASYNCLISTADDR);
    const auto events = schedule_.run_ring(head);
    registers_.set(ASYNCLISTADDR, 4, head);
    take(events);
  }
  if (!is_enabled(CMD_IAAD)) return;
  schedule_.forget_unlinked(reg(ASYNCLISTADDR));
  clear_bits(USBCMD, CMD_IAAD);
  set_bits(USBSTS, STS_ASYNC_ADVANCE);
  update_status();
}

void EhciController::take(const EhciEvents& events) {
  worked_ = worked_ || events.worked;
  std::uint32_t status = 0;
  if (events.interrupt) status |= STS_USBINT;
  if (events.error) status |= STS_ERROR;
  if (events.system_error) status |= STS_HOST_ERROR;  // [EHCI 4.15.2.4]
  if (status == 0) return;
  set_bits(USBSTS, status);
  if (events.system_error) set_running(false);
  update_status();
}

// [EHCI 2.3.2] once in 1024 frames
void EhciController::note_rollover() {
  if (!microframes_.is_running()) return;
  const auto rollovers = microframes_.now() / kMicroframes / kListFrames;
  if (rollovers == rollovers_) return;
  rollovers_ = rollovers;
  set_bits(USBSTS, STS_ROLLOVER);
  update_status();
}

void EhciController::schedule_next() {
  const bool rolls = microframes_.is_running() && (reg(USBINTR) & STS_ROLLOVER) != 0;
  const bool ring = is_enabled(CMD_ASE | CMD_IAAD) && !is_resting_;
  const bool frames = is_enabled(CMD_PSE) && !is_resting_;
  if (!bus_master_enabled() || (!rolls && !ring && !frames)) return timer_->cancel();
  const auto now = microframes_.now();
  auto next = (rollovers_ + 1) * kListFrames * kMicroframes;
  if (ring || frames) {
    const std::uint64_t wait = std::max(pace_.steps(), ring ? 1U : kMicroframes);
    // The list's next frame, or for the ring the next microframe, and later while nothing moves.
    const auto look = ring ? now + wait : std::max(next_frame_ * kMicroframes, now + 1) + wait - kMicroframes;
    next = rolls ? std::min(next, look) : look;
  }
  const auto deadline = microframes_.begin_of(next);
  timer_->arm(ring && pace_.is_quick() ? std::min(deadline, clock_.now() + kRound) : deadline);
}

// The frames in between had nothing to do.
void EhciController::wake() {
  if (std::exchange(is_resting_, false)) next_frame_ = microframes_.now() / kMicroframes;
}

void EhciController::hurry() {
  wake();
  pace_.hurry();
  watch_.watch(false);
  schedule_next();
}

void EhciController::schedule_touched() {
  wake();
  pace_.look_again();
  watch_.watch(false);
  schedule_next();
}

void EhciController::data_ready() {
  const bool after_a_pause = pace_.is_calm();
  hurry();
  if (after_a_pause) run_ahead();
}

// --- reset and state -------------------------------------------------------------------------------------------------

// [EHCI 2.3.1] All ports are the companions' again. Devices there go on: only their ports' owner has changed.
void EhciController::reset_controller() {
  schedule_.cancel_all();
  timer_->cancel();
  std::array<bool, kPorts> was_ours{};
  for (unsigned port = 0; port < kPorts; ++port)
    was_ours[port] = device(port) != nullptr;
  registers_.reset();
  microframes_.reset();
  next_frame_ = 0;
  rollovers_ = 0;
  hurry();
  for (unsigned port = 0; port < kPorts; ++port) {
    if (was_ours[port]) ports_[port].device()->bus_reset(Speed::Full);
    route(port, false);
    registers_.set(port_register(port), 4, PORT_POWER | PORT_OWNER);
  }
  clear_bits(USBSTS, kInterrupts);
  update_status();
}

void EhciController::reset() {
  reset_config();
  for (auto& port : ports_) {
    if (port.device() != nullptr) port.device()->power_on();
  }
  reset_controller();
}

void EhciController::visit_state(core::StateVisitor& visitor) {
  if (is_resting_) next_frame_ = microframes_.now() / kMicroframes;
  registers_.set(FRINDEX, 4, microframes_.now() & kFrameIndex);
  visit_config(visitor);
  visitor.field("registers", registers_);
  visitor.field("microframes", microframes_);
  visitor.field("next_frame", next_frame_);
  visitor.field("rollovers", rollovers_);
  visitor.enter("ports");
  for (unsigned i = 0; i < kPorts; ++i) {
    if (ports_[i].device() != nullptr) visitor.field(std::to_string(i), *ports_[i].device());
  }
  visitor.leave();
}

core::Result<> EhciController::state_loaded() {
  schedule_.cancel_all();
  timer_->cancel();
  for (unsigned i = 0; i < kPorts; ++i) {
    route(i, true);
    if (ports_[i].device() == nullptr) continue;
    if (auto loaded = ports_[i].device()->state_loaded(); !loaded) return loaded;
  }
  const bool running = microframes_.is_running();
  const auto now = microframes_.now() / kMicroframes;
  if (!microframes_.valid() || running != ((reg(USBSTS) & STS_HALTED) == 0) ||
      running != ((reg(USBCMD) & CMD_RS) != 0) || next_frame_ > now + 1 || rollovers_ > now / kListFrames) {
    return core::fail("the frames of a USB controller are in a state that cannot be");
  }
  update_status();
  hurry();
  return {};
}

}  // namespace devices::usb
