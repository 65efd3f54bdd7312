// The two cascaded 8259A interrupt controllers of a PC with the PIIX edge/level registers. [8259A] [PIIX4 4.2]
//
// As QEMU has it, an edge once seen stays requested even if its line falls before the CPU acknowledges it, and the
// initialisation words do not silence the chip between ICW1 and the last one. Missing: MCS-80 mode, buffered mode.
#pragma once

#include <array>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"

namespace devices::platform {

class Pic final : public core::Device, public core::IrqSink, public core::ExtIntSource {
 public:
  struct Wiring {
    core::IrqSink& intr;  // input 0: the pair's INTR output; called with the PIC's lock held
  };

  explicit Pic(const Wiring& wiring);

  core::Result<> attach(core::AddressSpace& io);

  // Interrupt requests 0..15. Any thread; takes the lock.
  void set_input(unsigned input, bool level) override;
  // An edge or level that is let through and has not been acknowledged. Any thread; takes the lock.
  bool waits(unsigned input);
  // The CPU's side; takes the lock.
  bool pending() override;
  std::uint8_t acknowledge() override;

  void reset() override;
  std::string_view state_name() const override { return "pic"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("chip", chips_); }
  core::Result<> state_loaded() override;

 private:
  // What the next write to the data port means.
  enum class Expects : std::uint8_t { Mask, Icw2, Icw3, Icw4 };

  struct Chip {
    std::uint8_t lines = 0;    // levels at the inputs
    std::uint8_t latched = 0;  // edges not yet acknowledged
    std::uint8_t imr = 0;
    std::uint8_t isr = 0;
    std::uint8_t elcr = 0;
    std::uint8_t vector_base = 0;
    std::uint8_t highest = 0;  // the input with the highest priority
    Expects expects = Expects::Mask;
    bool level_mode = false;  // ICW1: all inputs
    bool single = false;
    bool needs_icw4 = false;
    bool auto_eoi = false;
    bool rotate_on_auto_eoi = false;
    bool special_fully_nested = false;
    bool special_mask = false;
    bool read_isr = false;
    bool poll = false;

    void visit(core::StateVisitor& v);
    std::uint8_t level_triggered() const { return level_mode ? 0xff : elcr; }
    std::uint8_t irr() const;
    void set_line(unsigned input, bool level);
    unsigned rank(std::uint8_t inputs) const;  // of the foremost of `inputs`: 0 highest, 8 none
    unsigned input_at(unsigned rank) const { return (highest + rank) & 7; }
    int requesting(bool is_master) const;  // the input to interrupt for, or -1
    void acknowledge(unsigned input);
    void initialise(std::uint8_t icw1);
    void operate(std::uint8_t ocw2);
  };

  static constexpr unsigned kMaster = 0;
  static constexpr unsigned kSlave = 1;

  template <unsigned Index>
  std::uint64_t read(std::uint64_t offset, unsigned width);
  template <unsigned Index>
  void write(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t read_elcr(std::uint64_t offset, unsigned width);
  void write_elcr(std::uint64_t offset, unsigned width, std::uint64_t value);

  void write_command(Chip& chip, std::uint8_t value);
  void write_data(Chip& chip, std::uint8_t value);
  std::uint8_t poll(unsigned index);
  unsigned acknowledge_slave();
  void update_irq();

  std::array<Chip, 2> chips_;
  core::IrqLine intr_;
  core::Handler<Pic> master_handler_{*this, &Pic::read<kMaster>, &Pic::write<kMaster>};
  core::Handler<Pic> slave_handler_{*this, &Pic::read<kSlave>, &Pic::write<kSlave>};
  core::Handler<Pic> elcr_handler_{*this, &Pic::read_elcr, &Pic::write_elcr};
  std::array<core::Registration, 3> ports_;
};

}  // namespace devices::platform
