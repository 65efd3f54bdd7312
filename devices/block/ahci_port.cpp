// Registers, link and resets of a port. The engine is in ahci_commands.cpp.
#include "devices/block/ahci_port.h"

#include <utility>

#include "core/base/bits.h"

namespace devices::block {

using namespace abi;
using namespace abi::hba;

namespace {

// What the guest's CPU may have to copy for one access to a register; more is for other threads.
constexpr std::uint64_t kAtOnceBytes = 64 << 10;

// [AHCI 3.3] What has no masks here is read-only, or set by the port itself.
constexpr core::Register kRegisters[] = {
    {.name = "PxCLB", .offset = PxCLB, .width = 4, .writable = ~(kHeaderAlignment - 1)},
    {.name = "PxCLBU", .offset = PxCLBU, .width = 4, .writable = 0xffff'ffff},
    {.name = "PxFB", .offset = PxFB, .width = 4, .writable = ~(kFisAlignment - 1)},
    {.name = "PxFBU", .offset = PxFBU, .width = 4, .writable = 0xffff'ffff},
    {.name = "PxIS", .offset = PxIS, .width = 4, .clear_on_one = kInterruptsCleared},
    {.name = "PxIE", .offset = PxIE, .width = 4, .writable = kInterruptsEnabled},
    {.name = "PxCMD",
     .offset = PxCMD,
     .width = 4,
     .reset = CMD_SUD | CMD_POD,
     .writable = CMD_ST | CMD_FRE | CMD_ATAPI | CMD_DLAE},
    {.name = "PxTFD", .offset = PxTFD, .width = 4, .reset = kNoDevice},
    {.name = "PxSIG", .offset = PxSIG, .width = 4, .reset = kNoSignature},
    {.name = "PxSSTS", .offset = PxSSTS, .width = 4},
    {.name = "PxSCTL", .offset = PxSCTL, .width = 4, .writable = 0x0fff},
    {.name = "PxSERR", .offset = PxSERR, .width = 4, .clear_on_one = kErrorBits},
    {.name = "PxSACT", .offset = PxSACT, .width = 4},
    {.name = "PxCI", .offset = PxCI, .width = 4},
    {.name = "PxSNTF", .offset = PxSNTF, .width = 4},
    {.name = "PxFBS", .offset = PxFBS, .width = 4},
    {.name = "PxDEVSLP", .offset = PxDEVSLP, .width = 4},
};

}  // namespace

AhciPort::AhciPort(Wiring wiring)
    : wiring_(std::move(wiring)), registers_(kRegisters, kPortStride), prdt_(wiring_.memory) {}

void AhciPort::attach(std::unique_ptr<IdeDrive> drive) {
  drive_ = std::move(drive);
  disk_ = dynamic_cast<SataDisk*>(drive_.get());
  for (auto& completion : completions_)
    completion = wiring_.clock.create_completion(wiring_.lock);
  power_on();
}

// --- registers -------------------------------------------------------------------------------------------------------

std::uint64_t AhciPort::address(std::uint32_t offset, std::uint32_t alignment) const {
  return registers_.value(offset, 8) & ~std::uint64_t{alignment - 1};
}

void AhciPort::show_task_file() {
  const auto& r = drive_->registers();
  set_reg(PxTFD, r.status | (std::uint32_t{r.error} << 8));
}

void AhciPort::write(std::uint32_t offset, unsigned width, std::uint32_t value) {
  const auto at = core::align_down(offset, 4U);
  const auto written = value << (8 * (offset - at));
  const auto before = reg(at);
  registers_.write(offset, width, value);
  switch (at) {
    case PxCMD: command_written(before, written); break;
    case PxSCTL: control_written(before); break;
    case PxSACT:
    case PxCI:
      if ((reg(PxCMD) & CMD_ST) != 0) set_bits(at, written);  // [AHCI 3.3.13, 3.3.14]
      break;
    default: break;
  }
  at_once_left_ = wiring_.reads_at_once ? kAtOnceBytes : 0;
  run();
  at_once_left_ = 0;
  update();
}

void AhciPort::command_written(std::uint32_t before, std::uint32_t written) {
  const auto now = reg(PxCMD);
  const bool started = (now & CMD_ST) != 0;
  if (started && (before & CMD_ST) == 0) {
    state_.last_slot = kSlots - 1;
    set_bits(PxCMD, CMD_CR);
  }
  if (!started && (before & CMD_ST) != 0) stop();
  (now & CMD_FRE) != 0 ? set_bits(PxCMD, CMD_FR) : clear_bits(PxCMD, CMD_FR);
  if ((written & CMD_CLO) != 0 && !started) clear_bits(PxTFD, BSY | DRQ);  // [AHCI 3.3.7]
}

void AhciPort::control_written(std::uint32_t before) {
  const auto was = before & kDetMask;
  const auto now = reg(PxSCTL) & kDetMask;
  if (now == was) return;
  if (now == kDetInitialize) link_down(0);
  if (now == kDetDisable) link_down(kLinkDisabled);
  if (now == 0) link_up();
}

// [AHCI 3.3.5] Some bits of PxIS follow PxSERR.
void AhciPort::follow_errors() {
  const auto errors = reg(PxSERR);
  clear_bits(PxIS, PCS | PRCS);
  set_bits(PxIS, ((errors & DIAG_X) != 0 ? PCS : 0) | ((errors & DIAG_N) != 0 ? PRCS : 0));
}

void AhciPort::update() {
  follow_errors();
  wiring_.changed();
}

void AhciPort::set_bus_master_enabled(bool enabled) {
  bus_master_ = enabled;
  run();
  update();
}

// --- link and resets -------------------------------------------------------------------------------------------------

void AhciPort::abandon_all() {
  for (const auto& request : in_flight_) {
    if (request == nullptr || request->abandoned) continue;
    request->abandoned = true;
    ++abandoned_;
  }
  command_ = {};
}

// [AHCI 3.3.7] PxCMD.ST was cleared.
void AhciPort::stop() {
  abandon_all();
  if (drive_ != nullptr && drive_->phase() != IdeDrive::Phase::Idle) drive_->abort();
  set_reg(PxCI, 0);
  set_reg(PxSACT, 0);
  clear_bits(PxCMD, CMD_CCS);
  state_.halted = false;
  state_.last_slot = kSlots - 1;
  settle();
}

// What has to wait until no request of a command that has ended is under way.
void AhciPort::settle() {
  if (abandoned_ > 0) return;
  if ((reg(PxCMD) & CMD_ST) == 0) clear_bits(PxCMD, CMD_CR);
  if (signature_due_) return send_signature();
  // The drive is done with what was stopped.
  const bool busy = (reg(PxTFD) & (BSY | DRQ)) != 0;
  if (busy && drive_ != nullptr && reg(PxSSTS) == kLinkUp && !state_.soft_reset && !state_.halted) show_task_file();
}

void AhciPort::link_down(std::uint32_t status) {
  stop();
  if ((reg(PxCMD) & CMD_ST) != 0) state_.halted = true;  // a port that is reset must not run [AHCI 10.4.2]
  signature_due_ = false;
  set_reg(PxSSTS, status);
  set_reg(PxTFD, kNoDevice);
}

// COMINIT from the drive, which then says what it is. [AHCI 10.4.2]
void AhciPort::link_up() {
  if (drive_ == nullptr) return set_reg(PxSSTS, 0);
  drive_->soft_reset();
  state_.soft_reset = false;
  set_reg(PxSSTS, kLinkUp);
  set_bits(PxSERR, DIAG_X | DIAG_N);
  set_reg(PxSIG, kNoSignature);
  set_reg(PxTFD, BSY);
  signature_due_ = true;
  settle();
}

void AhciPort::send_signature() {
  signature_due_ = false;
  const auto& r = drive_->registers();
  set_reg(PxSIG, r.count[0] | (std::uint32_t{r.lba_low[0]} << 8) | (std::uint32_t{r.lba_mid[0]} << 16) |
                     (std::uint32_t{r.lba_high[0]} << 24));
  show_task_file();
  post_register(false);
}

void AhciPort::power_on() {
  state_ = {};
  registers_.reset();
  signature_due_ = false;
  link_up();
  follow_errors();
}

void AhciPort::reset() {
  abandon_all();
  if (drive_ != nullptr) drive_->power_on();
  power_on();
  update();
}

void AhciPort::reset_by_hba() {
  abandon_all();
  if (drive_ != nullptr) drive_->abort();
  const auto list = registers_.value(PxCLB, 8);
  const auto fis = registers_.value(PxFB, 8);
  power_on();
  registers_.set(PxCLB, 8, list);
  registers_.set(PxFB, 8, fis);
  update();
}

// --- state -----------------------------------------------------------------------------------------------------------

void AhciPort::visit(core::StateVisitor& visitor) {
  visitor.field("registers", registers_);
  visitor.field("halted", state_.halted);
  visitor.field("soft_reset", state_.soft_reset);
  visitor.field("last_slot", state_.last_slot);
  if (drive_ == nullptr) return;
  visitor.enter("drive");
  drive_->visit(visitor);
  visitor.leave();
}

core::Result<> AhciPort::state_loaded() {
  abandon_all();
  signature_due_ = false;
  if (state_.last_slot >= kSlots) return core::fail("slot {} of an AHCI port does not exist", state_.last_slot);
  if (drive_ == nullptr) return {};
  if (!drive_->valid() || drive_->phase() != IdeDrive::Phase::Idle) {
    return core::fail("a drive of an AHCI port is in a state that cannot be");
  }
  // Nothing is under way in a saved machine.
  (reg(PxCMD) & CMD_ST) != 0 ? set_bits(PxCMD, CMD_CR) : clear_bits(PxCMD, CMD_CR);
  return {};
}

}  // namespace devices::block
