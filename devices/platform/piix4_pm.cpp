#include "devices/platform/piix4_pm.h"

#include <mutex>
#include <utility>

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "devices/platform/piix4_pm_abi.h"

namespace devices::platform {

using namespace piix4_abi;

namespace {

constexpr std::uint64_t kPmBlockSize = 64;
constexpr std::uint64_t kSmbusBlockSize = 16;
constexpr std::uint64_t kTimerHz = 3'579'545;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kTimerMask = 0xff'ffff;                // [ACPI 4.8.3.3] 24 bits
constexpr std::uint64_t kHalfPeriod = std::uint64_t{1} << 23;  // ticks between changes of the top bit
constexpr std::uint16_t kSciEvents = TMROF | GBL | PWRBTN | RTC;
constexpr std::uint16_t kClearable = TMROF | BM_STS | GBL | PWRBTN | RTC | RSM_STS;
constexpr std::uint16_t kControlBits = SCI_EN | BRLD_EN_BM | 7 << kSusTypShift;  // SUS_EN reads as zero

// [82371AB 7.1] Values after reset are those of the data sheet, but for DEVACTB: firmware that finds APMC_EN takes
// system management mode for set up. The device resource registers are storage.
constexpr core::Register kRegisters[] = {
    {.name = "PCICMD", .offset = 0x04, .width = 2, .writable = 0x0001},
    {.name = "PCISTS", .offset = 0x06, .width = 2, .reset = 0x0280, .clear_on_one = 0x7800},
    {.name = "PMBA", .offset = PMBA, .width = 4, .reset = 0x0001, .writable = 0xffc0},
    {.name = "CNTA", .offset = 0x44, .width = 4, .writable = 0xffff'ffff},
    {.name = "CNTB", .offset = 0x48, .width = 4, .writable = 0xffff'ffff},
    {.name = "GPICTL", .offset = 0x4c, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESD", .offset = 0x50, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVACTA", .offset = 0x54, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVACTB", .offset = DEVACTB, .width = 4, .reset = APMC_EN << 24, .writable = 0xffff'ffff},
    {.name = "DEVRESA", .offset = 0x5c, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESB", .offset = 0x60, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESC", .offset = 0x64, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESE", .offset = 0x68, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESF", .offset = 0x6c, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESG", .offset = 0x70, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESH", .offset = 0x74, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESI", .offset = 0x78, .width = 4, .writable = 0xffff'ffff},
    {.name = "DEVRESJ", .offset = 0x7c, .width = 4, .writable = 0xffff'ffff},
    {.name = "PMREGMISC", .offset = PMREGMISC, .width = 1, .writable = PMIOSE},
    {.name = "SMBBA", .offset = SMBBA, .width = 4, .reset = 0x0001, .writable = 0xfff0},
    {.name = "SMBHSTCFG", .offset = SMBHSTCFG, .width = 1, .writable = 0x0f},
    {.name = "SMBSLVC", .offset = 0xd3, .width = 1, .writable = 0xff},
    {.name = "SMBSHDW1", .offset = 0xd4, .width = 1, .writable = 0xff},
    {.name = "SMBSHDW2", .offset = 0xd5, .width = 1, .writable = 0xff},
    {.name = "SMBREV", .offset = 0xd6, .width = 1},
};

// The interrupt pin is for show: the SCI has its own wire to IRQ 9.
constexpr core::PciIdentity kIdentity{.vendor = 0x8086,
                                      .device = 0x7113,
                                      .revision = 3,
                                      .class_code = 0x068000,
                                      .subsystem_vendor = 0x1af4,
                                      .subsystem = 0x1100,
                                      .interrupt_pin = 1};

// The byte at offset+i of a little-endian register of `size` bytes at `at`, or zero.
std::uint8_t byte_of(std::uint64_t reg, std::uint64_t at, unsigned size, std::uint64_t offset) {
  return offset >= at && offset < at + size ? static_cast<std::uint8_t>(reg >> (8 * (offset - at))) : std::uint8_t{0};
}

// What a write at [offset, offset+width) leaves in a 16-bit register at `at`.
struct Merged {
  std::uint16_t value = 0;  // old bytes where nothing was written
  std::uint16_t mask = 0;   // ones where something was
};

Merged merge16(std::uint16_t old, std::uint64_t at, std::uint64_t offset, unsigned width, std::uint64_t value) {
  Merged merged{old, 0};
  for (unsigned i = 0; i < width; ++i) {
    if (offset + i < at || offset + i >= at + 2) continue;
    const auto shift = 8 * static_cast<unsigned>(offset + i - at);
    const auto lane = static_cast<std::uint16_t>(0xff << shift);
    const auto byte = static_cast<std::uint16_t>(((value >> (8 * i)) & 0xff) << shift);
    merged.value = static_cast<std::uint16_t>((merged.value & ~lane) | byte);
    merged.mask |= lane;
  }
  return merged;
}

}  // namespace

void Piix4Pm::State::visit(core::StateVisitor& v) {
  v.field("status", status);
  v.field("enable", enable);
  v.field("control", control);
  v.field("suspended", suspended);
  v.field("overflow_tick", overflow_tick);
  v.field("gpe_status", gpe_status);
  v.field("gpe_enable", gpe_enable);
  v.field("apm", apm);
  v.field("smbus", smbus);
}

Piix4Pm::Piix4Pm(Wiring wiring)
    : PciFunction(kIdentity, kRegisters), wiring_(std::move(wiring)), timer_(wiring_.clock.create_timer(lock(), [this] {
        see_overflow();
        update_irq();
      })) {
  pm_block_ = {.kind = core::BarKind::Io, .size = kPmBlockSize, .name = "piix4-pm", .handler = &pm_handler_};
  pm_block_.max_width = 4;
  smbus_block_ = {
      .kind = core::BarKind::Io, .size = kSmbusBlockSize, .name = "piix4-smbus", .handler = &smbus_handler_};
  smbus_block_.max_width = 1;
  reset();
}

core::Result<> Piix4Pm::attach(core::AddressSpace& io) {
  auto apm = io.add({.start = APMC, .size = 2, .max_width = 1}, apm_handler_, lock(), "piix4-apm");
  if (!apm) return std::unexpected(apm.error());
  auto gpe = io.add({.start = kGpeBlock, .size = kGpeBlockSize, .max_width = 4}, gpe_handler_, lock(), "acpi-gpe");
  if (!gpe) return std::unexpected(gpe.error());
  apm_range_ = std::move(*apm);
  gpe_range_ = std::move(*gpe);
  return {};
}

std::vector<core::PciFunction::Window> Piix4Pm::windows() const {
  const auto base_of = [this](std::uint32_t reg, std::uint64_t size, bool enabled) -> std::optional<std::uint64_t> {
    const auto base = config().value(reg, 2) & ~(size - 1);
    return enabled && base != 0 ? std::optional(base) : std::nullopt;
  };
  auto windows = PciFunction::windows();
  windows.push_back({&pm_block_, base_of(PMBA, kPmBlockSize, (config().value(PMREGMISC, 1) & PMIOSE) != 0)});
  windows.push_back({&smbus_block_, base_of(SMBBA, kSmbusBlockSize, (config().value(SMBHSTCFG, 1) & SMB_HST_EN) != 0)});
  return windows;
}

void Piix4Pm::reset() {
  reset_config();
  state_ = {};
  // The timer itself runs on: TMROF tells of the first change of its top bit from here.
  state_.overflow_tick = (ticks() / kHalfPeriod + 1) * kHalfPeriod;
  update_timer();
  update_irq();
}

void Piix4Pm::visit_state(core::StateVisitor& visitor) {
  visit_config(visitor);
  visitor.field("state", state_);
}

core::Result<> Piix4Pm::state_loaded() {
  state_.status &= kClearable;
  state_.enable &= kSciEvents;
  state_.control &= kControlBits;
  update_timer();
  update_irq();
  return {};
}

void Piix4Pm::press_power_button() {
  const std::scoped_lock guard(lock());
  state_.status |= PWRBTN;
  update_irq();
}

bool Piix4Pm::suspended() {
  const std::scoped_lock guard(lock());
  return state_.suspended;
}

bool Piix4Pm::wakes_by_alarm() {
  const std::scoped_lock guard(lock());
  return (state_.enable & RTC) != 0;
}

void Piix4Pm::note_wake_up(WakeReason reason) {
  const std::scoped_lock guard(lock());
  state_.status |= RSM_STS | (reason == WakeReason::Alarm ? RTC : PWRBTN);
  update_irq();
}

void Piix4Pm::raise_gpe(unsigned event) {
  MV_ASSERT(event < 16, "the event block has 16 events");
  const std::scoped_lock guard(lock());
  state_.gpe_status |= static_cast<std::uint16_t>(1 << event);
  update_irq();
}

// ---- power management timer [ACPI 4.8.3.3]

std::uint64_t Piix4Pm::ticks() const {
  const auto now = static_cast<std::uint64_t>(wiring_.clock.now().count());
  return now / kSecond * kTimerHz + now % kSecond * kTimerHz / kSecond;
}

void Piix4Pm::see_overflow() {
  if (ticks() >= state_.overflow_tick) state_.status |= TMROF;
}

// The host timer runs only while a change of the top bit would interrupt: every 2.3 s of an idle guest that asked for
// it.
void Piix4Pm::update_timer() {
  const bool wanted = (state_.enable & TMROF) != 0 && (state_.status & TMROF) == 0;
  if (!wanted) {
    timer_->cancel();
    return;
  }
  const auto tick = state_.overflow_tick;
  // The first nanosecond at which ticks() has reached the tick.
  const auto rest = (tick % kTimerHz * kSecond + kTimerHz - 1) / kTimerHz;
  timer_->arm(core::GuestTime(static_cast<std::int64_t>(tick / kTimerHz * kSecond + rest)));
}

// [ACPI 4.8.3.1] with SCI_EN off an event would raise an SMI instead, and nobody handles that.
void Piix4Pm::update_irq() {
  const bool fixed = (state_.status & state_.enable & kSciEvents) != 0;
  const bool general = (state_.gpe_status & state_.gpe_enable) != 0;
  wiring_.sci.set((state_.control & SCI_EN) != 0 && (fixed || general));
}

// ---- the PM block

std::uint64_t Piix4Pm::read_pm(std::uint64_t offset, unsigned width) {
  if (offset < PMEN) see_overflow();
  const auto timer = offset + width > PMTMR && offset < PMTMR + 4 ? ticks() & kTimerMask : 0;
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    const auto at = offset + i;
    const auto byte = byte_of(state_.status, PMSTS, 2, at) | byte_of(state_.enable, PMEN, 2, at) |
                      byte_of(state_.control, PMCNTRL, 2, at) | byte_of(timer, PMTMR, 4, at);
    value |= std::uint64_t{static_cast<std::uint8_t>(byte)} << (8 * i);
  }
  return value;
}

void Piix4Pm::write_pm(std::uint64_t offset, unsigned width, std::uint64_t value) {
  if (offset < PMCNTRL) write_event(offset, width, value);
  const auto control = merge16(state_.control, PMCNTRL, offset, width, value);
  if (control.mask != 0) write_control(control.value);
}

void Piix4Pm::write_event(std::uint64_t offset, unsigned width, std::uint64_t value) {
  see_overflow();
  const auto status = merge16(0, PMSTS, offset, width, value);
  const auto cleared = static_cast<std::uint16_t>(status.value & status.mask & kClearable);
  if ((cleared & state_.status & TMROF) != 0) {
    state_.overflow_tick = (ticks() / kHalfPeriod + 1) * kHalfPeriod;
  }
  state_.status &= static_cast<std::uint16_t>(~cleared);
  const auto enable = merge16(state_.enable, PMEN, offset, width, value);
  state_.enable = enable.value & kSciEvents;
  update_timer();
  update_irq();
}

void Piix4Pm::write_control(std::uint16_t value) {
  state_.control = value & kControlBits;
  update_irq();
  if ((value & SUS_EN) == 0) return;
  switch (core::bits<unsigned>(value, kSusTypShift, kSusTypBits)) {
    case kSusTypSoftOff: return wiring_.sleep(Sleep::SoftOff);
    case kSusTypDisk: return wiring_.sleep(Sleep::ToDisk);
    case kSusTypRam:
      if (!std::exchange(state_.suspended, true)) wiring_.sleep(Sleep::ToRam);
      return;
    default: return;  // sleep states that the ACPI tables do not offer
  }
}

// ---- APM ports: the hand-over between firmware and system, without the SMI [82371AB 6.8]

std::uint64_t Piix4Pm::read_apm(std::uint64_t offset, unsigned) {
  return state_.apm[offset];
}

void Piix4Pm::write_apm(std::uint64_t offset, unsigned, std::uint64_t value) {
  state_.apm[offset] = static_cast<std::uint8_t>(value);
  if (offset != 0) return;
  if (value == kAcpiEnable) state_.control |= SCI_EN;
  if (value == kAcpiDisable) state_.control &= static_cast<std::uint16_t>(~SCI_EN);
  update_irq();
}

// ---- general purpose events [ACPI 4.8.4]

std::uint64_t Piix4Pm::read_gpe(std::uint64_t offset, unsigned width) {
  const auto all = state_.gpe_status | std::uint64_t{state_.gpe_enable} << 16;
  return (all >> (8 * offset)) & core::all_ones(width);
}

void Piix4Pm::write_gpe(std::uint64_t offset, unsigned width, std::uint64_t value) {
  const auto status = merge16(0, 0, offset, width, value);
  state_.gpe_status &= static_cast<std::uint16_t>(~(status.value & status.mask));
  state_.gpe_enable = merge16(state_.gpe_enable, 2, offset, width, value).value;
  update_irq();
}

// ---- SMBus host without anybody on its bus: each transaction ends at once, unacknowledged [82371AB 7.3]

std::uint64_t Piix4Pm::read_smbus(std::uint64_t offset, unsigned) {
  return state_.smbus[offset];
}

void Piix4Pm::write_smbus(std::uint64_t offset, unsigned, std::uint64_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  switch (offset) {
    case SMBHSTSTS: state_.smbus[SMBHSTSTS] &= static_cast<std::uint8_t>(~(byte & SMB_STATUS_CLEAR)); break;
    case SMBHSTCNT:
      state_.smbus[SMBHSTCNT] = byte & static_cast<std::uint8_t>(~SMB_START);
      if ((byte & SMB_START) != 0) state_.smbus[SMBHSTSTS] |= SMB_DEV_ERR;
      break;
    case SMBHSTCMD:
    case SMBHSTADD:
    case SMBHSTDAT0:
    case SMBHSTDAT1:
    case SMBBLKDAT: state_.smbus[offset] = byte; break;
    default: break;  // the slave half, which nobody addresses
  }
}

}  // namespace devices::platform
