#include "devices/platform/pic.h"

#include <bit>

#include "core/base/bits.h"
#include "devices/platform/pic_abi.h"

namespace devices::platform {

using namespace pic_abi;

namespace {

constexpr std::uint8_t mask_of(unsigned input) {
  return static_cast<std::uint8_t>(1U << input);
}

void clear(std::uint8_t& bits, unsigned input) {
  bits = static_cast<std::uint8_t>(bits & ~mask_of(input));
}

}  // namespace

// ---- one chip

void Pic::Chip::visit(core::StateVisitor& v) {
  v.field("lines", lines);
  v.field("latched", latched);
  v.field("imr", imr);
  v.field("isr", isr);
  v.field("elcr", elcr);
  v.field("vector_base", vector_base);
  v.field("highest", highest);
  v.field("expects", expects);
  v.field("level_mode", level_mode);
  v.field("single", single);
  v.field("needs_icw4", needs_icw4);
  v.field("auto_eoi", auto_eoi);
  v.field("rotate_on_auto_eoi", rotate_on_auto_eoi);
  v.field("special_fully_nested", special_fully_nested);
  v.field("special_mask", special_mask);
  v.field("read_isr", read_isr);
  v.field("poll", poll);
}

std::uint8_t Pic::Chip::irr() const {
  const auto level = level_triggered();
  return static_cast<std::uint8_t>((lines & level) | (latched & ~level));
}

void Pic::Chip::set_line(unsigned input, bool level) {
  const auto mask = mask_of(input);
  if (level && (lines & mask) == 0) latched |= mask;
  lines = core::with_bit(lines, input, level);
}

unsigned Pic::Chip::rank(std::uint8_t inputs) const {
  return static_cast<unsigned>(std::countr_zero(std::rotr(inputs, highest)));
}

int Pic::Chip::requesting(bool is_master) const {
  const auto wanted = rank(static_cast<std::uint8_t>(irr() & ~imr));
  if (wanted == 8) return -1;
  auto in_service = isr;
  // Special mask mode: what is masked does not hold lower priorities back. [8259A, Special Mask Mode]
  if (special_mask) in_service = static_cast<std::uint8_t>(in_service & ~imr);
  // Special fully nested mode: the slave may interrupt itself. [8259A, The Special Fully Nested Mode]
  if (special_fully_nested && is_master) clear(in_service, kCascadeInput);
  return wanted < rank(in_service) ? static_cast<int>(input_at(wanted)) : -1;
}

void Pic::Chip::acknowledge(unsigned input) {
  clear(latched, input);
  if (!auto_eoi) {
    isr |= mask_of(input);
  } else if (rotate_on_auto_eoi) {
    highest = static_cast<std::uint8_t>((input + 1) & 7);
  }
}

// ICW1 clears everything but the trigger registers, and the edge detectors start anew. [8259A, ICW1]
void Pic::Chip::initialise(std::uint8_t icw1) {
  *this = {.lines = lines,
           .elcr = elcr,
           .expects = Expects::Icw2,
           .level_mode = (icw1 & kIcw1Level) != 0,
           .single = (icw1 & kIcw1Single) != 0,
           .needs_icw4 = (icw1 & kIcw1NeedsIcw4) != 0};
}

void Pic::Chip::operate(std::uint8_t ocw2) {
  const auto named = ocw2 & 7U;
  const auto end = [this](unsigned input, bool rotate) {
    clear(isr, input);
    if (rotate) highest = static_cast<std::uint8_t>((input + 1) & 7);
  };
  switch (static_cast<Ocw2>(ocw2 >> 5)) {
    case Ocw2::RotateAutoEoiOff: rotate_on_auto_eoi = false; break;
    case Ocw2::RotateAutoEoiOn: rotate_on_auto_eoi = true; break;
    case Ocw2::Eoi:
    case Ocw2::RotateEoi: {
      // In special mask mode a masked input is not the one that ends. [8259A, End of Interrupt]
      const auto first = rank(special_mask ? static_cast<std::uint8_t>(isr & ~imr) : isr);
      if (first < 8) end(input_at(first), static_cast<Ocw2>(ocw2 >> 5) == Ocw2::RotateEoi);
      break;
    }
    case Ocw2::SpecificEoi: end(named, false); break;
    case Ocw2::RotateSpecificEoi: end(named, true); break;
    case Ocw2::SetPriority: highest = static_cast<std::uint8_t>((named + 1) & 7); break;
    case Ocw2::NoOperation: break;
  }
}

// ---- the pair

Pic::Pic(const Wiring& wiring) : intr_(wiring.intr, 0) {}

core::Result<> Pic::attach(core::AddressSpace& io) {
  const auto claim = [&](std::uint16_t port, core::IoHandler& handler, core::Registration& registration) {
    auto range = io.add({.start = port, .size = 2, .max_width = 1}, handler, lock(), state_name());
    if (range) registration = std::move(*range);
    return range ? core::Result<>() : core::fail_with(state_name(), range);
  };
  if (auto claimed = claim(kMasterPort, master_handler_, ports_[0]); !claimed) return claimed;
  if (auto claimed = claim(kSlavePort, slave_handler_, ports_[1]); !claimed) return claimed;
  return claim(kElcrPort, elcr_handler_, ports_[2]);
}

// The lines are not ours: they keep the levels their devices give them.
void Pic::reset() {
  for (auto& chip : chips_)
    chip = {.lines = chip.lines};
  update_irq();
}

core::Result<> Pic::state_loaded() {
  for (auto& chip : chips_) {
    chip.highest &= 7;
    chip.vector_base &= 0xf8;
    if (chip.expects > Expects::Icw4) chip.expects = Expects::Mask;
  }
  chips_[kMaster].elcr &= kMasterElcrMask;
  chips_[kSlave].elcr &= kSlaveElcrMask;
  update_irq();
  return {};
}

void Pic::set_input(unsigned input, bool level) {
  if (input > 15 || input == kCascadeInput) return;
  const std::scoped_lock guard(lock());
  chips_[input / 8].set_line(input % 8, level);
  update_irq();
}

bool Pic::waits(unsigned input) {
  const std::scoped_lock guard(lock());
  const auto& chip = chips_[input / 8];
  return core::bit(static_cast<std::uint8_t>(chip.irr() & ~chip.imr), input % 8);
}

bool Pic::pending() {
  const std::scoped_lock guard(lock());
  return intr_.level();
}

std::uint8_t Pic::acknowledge() {
  const std::scoped_lock guard(lock());
  auto& master = chips_[kMaster];
  const int input = master.requesting(true);
  if (input < 0) return static_cast<std::uint8_t>(master.vector_base + kSpuriousInput);
  unsigned vector = master.vector_base + static_cast<unsigned>(input);
  master.acknowledge(static_cast<unsigned>(input));
  if (static_cast<unsigned>(input) == kCascadeInput) vector = acknowledge_slave();
  update_irq();
  return static_cast<std::uint8_t>(vector);
}

unsigned Pic::acknowledge_slave() {
  auto& slave = chips_[kSlave];
  const int input = slave.requesting(false);
  if (input < 0) return slave.vector_base + kSpuriousInput;
  slave.acknowledge(static_cast<unsigned>(input));
  // The slave's INT falls with the acknowledge and rises again if it has more. [8259A, Interrupt Sequence]
  chips_[kMaster].set_line(kCascadeInput, false);
  return slave.vector_base + static_cast<unsigned>(input);
}

void Pic::update_irq() {
  chips_[kMaster].set_line(kCascadeInput, chips_[kSlave].requesting(false) >= 0);
  intr_.set(chips_[kMaster].requesting(true) >= 0);
}

// A read in poll mode is the acknowledge. [8259A, Poll Command]
std::uint8_t Pic::poll(unsigned index) {
  auto& chip = chips_[index];
  chip.poll = false;
  const int input = chip.requesting(index == kMaster);
  if (input < 0) return 0;
  chip.acknowledge(static_cast<unsigned>(input));
  if (index == kSlave) chips_[kMaster].set_line(kCascadeInput, false);
  update_irq();
  return static_cast<std::uint8_t>(kPolledPending | static_cast<unsigned>(input));
}

template <unsigned Index>
std::uint64_t Pic::read(std::uint64_t offset, unsigned) {
  const auto& chip = chips_[Index];
  if (chip.poll) return poll(Index);
  if (offset == 1) return chip.imr;
  return chip.read_isr ? chip.isr : chip.irr();
}

template <unsigned Index>
void Pic::write(std::uint64_t offset, unsigned, std::uint64_t value) {
  if (offset == 0) {
    write_command(chips_[Index], static_cast<std::uint8_t>(value));
  } else {
    write_data(chips_[Index], static_cast<std::uint8_t>(value));
  }
  update_irq();
}

void Pic::write_command(Chip& chip, std::uint8_t value) {
  if ((value & kIcw1) != 0) {
    chip.initialise(value);
  } else if ((value & kOcw3) != 0) {
    if ((value & kOcw3Poll) != 0) chip.poll = true;
    if ((value & kOcw3ReadSelect) != 0) chip.read_isr = (value & kOcw3ReadIsr) != 0;
    if ((value & kOcw3SpecialMaskSelect) != 0) chip.special_mask = (value & kOcw3SpecialMask) != 0;
  } else {
    chip.operate(value);
  }
}

void Pic::write_data(Chip& chip, std::uint8_t value) {
  const auto after_icw3 = chip.needs_icw4 ? Expects::Icw4 : Expects::Mask;
  switch (chip.expects) {
    case Expects::Mask: chip.imr = value; break;
    case Expects::Icw2:
      chip.vector_base = value & 0xf8;
      chip.expects = chip.single ? after_icw3 : Expects::Icw3;
      break;
    case Expects::Icw3:  // the wiring of the cascade is fixed
      chip.expects = after_icw3;
      break;
    case Expects::Icw4:
      chip.auto_eoi = (value & kIcw4AutoEoi) != 0;
      chip.special_fully_nested = (value & kIcw4SpecialFullyNested) != 0;
      chip.expects = Expects::Mask;
      break;
  }
}

std::uint64_t Pic::read_elcr(std::uint64_t offset, unsigned) {
  return chips_[offset].elcr;
}

void Pic::write_elcr(std::uint64_t offset, unsigned, std::uint64_t value) {
  chips_[offset].elcr = static_cast<std::uint8_t>(value & (offset == kMaster ? kMasterElcrMask : kSlaveElcrMask));
  update_irq();
}

}  // namespace devices::platform
