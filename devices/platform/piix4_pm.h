// Power management of the PIIX4 (82371AB, order number 290562-001) as PCI function 00:01.3: ACPI's PM1 event and
// control registers, the power management timer, the SCI, soft off, suspend to RAM and to disk, general purpose events,
// the APM ports and an empty SMBus. [82371AB 7, ACPI 6.5 4.8] The machine carries the sleep states out; the chip asks
// for them, and says after waking up why it did.
//
// Missing on purpose: system management mode (ACPI is switched on and off by the APM port itself, and DEVACTB reads as
// if firmware had set SMM up, so that it leaves it alone), standby (S1, S2), device monitors, throttling.
#pragma once

#include <array>
#include <functional>
#include <memory>

#include "core/event/guest_clock.h"
#include "core/pci/pci_function.h"

namespace devices::platform {

class Piix4Pm final : public core::PciFunction {
 public:
  // What the guest may ask for: S5; S4, where it has saved its memory itself; S3. [ACPI 6.5 16.1]
  enum class Sleep : std::uint8_t { SoftOff, ToDisk, ToRam };
  enum class WakeReason : std::uint8_t { PowerButton, Alarm };

  struct Wiring {
    core::GuestClock& clock;
    core::IrqLine sci;
    std::function<void(Sleep)> sleep;  // called with the device's lock held, must not wait
  };

  explicit Piix4Pm(Wiring wiring);

  // Claims the fixed ports; the PM and SMBus blocks follow the config registers by the PCI bus.
  core::Result<> attach(core::AddressSpace& io);

  // The power button was pressed. Any thread, no device lock held.
  void press_power_button();
  // Suspended to RAM: from the guest's write to the next reset. Any thread, no device lock held; so are the next two.
  bool suspended();
  // Whether an alarm of the RTC is to end that.
  bool wakes_by_alarm();
  // After the reset that wakes the machine up: the guest finds WAK_STS and the reason.
  void note_wake_up(WakeReason reason);
  // General purpose event 0..15 happened. Any thread, no device lock held.
  void raise_gpe(unsigned event);

  std::vector<Window> windows() const override;
  void reset() override;
  std::string_view state_name() const override { return "piix4-pm"; }
  unsigned state_version() const override { return 2; }
  void visit_state(core::StateVisitor& visitor) override;
  core::Result<> state_loaded() override;

 private:
  struct State {
    std::uint16_t status = 0;   // PMSTS; TMROF is set when it is seen, by overflow_tick
    std::uint16_t enable = 0;   // PMEN
    std::uint16_t control = 0;  // PMCNTRL
    bool suspended = false;
    std::uint64_t overflow_tick = 0;  // when the timer's top bit changes next after TMROF was cleared
    std::uint16_t gpe_status = 0;
    std::uint16_t gpe_enable = 0;
    std::array<std::uint8_t, 2> apm{};     // APMC, APMS
    std::array<std::uint8_t, 16> smbus{};  // by offset
    void visit(core::StateVisitor& v);
  };

  std::uint64_t read_pm(std::uint64_t offset, unsigned width);
  void write_pm(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_event(std::uint64_t offset, unsigned width, std::uint64_t value);
  void write_control(std::uint16_t value);
  std::uint64_t read_apm(std::uint64_t offset, unsigned width);
  void write_apm(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t read_gpe(std::uint64_t offset, unsigned width);
  void write_gpe(std::uint64_t offset, unsigned width, std::uint64_t value);
  std::uint64_t read_smbus(std::uint64_t offset, unsigned width);
  void write_smbus(std::uint64_t offset, unsigned width, std::uint64_t value);

  std::uint64_t ticks() const;
  void see_overflow();
  void update_timer();
  void update_irq();

  Wiring wiring_;
  State state_;
  std::unique_ptr<core::Timer> timer_;
  core::Handler<Piix4Pm> pm_handler_{*this, &Piix4Pm::read_pm, &Piix4Pm::write_pm};
  core::Handler<Piix4Pm> smbus_handler_{*this, &Piix4Pm::read_smbus, &Piix4Pm::write_smbus};
  core::Handler<Piix4Pm> apm_handler_{*this, &Piix4Pm::read_apm, &Piix4Pm::write_apm};
  core::Handler<Piix4Pm> gpe_handler_{*this, &Piix4Pm::read_gpe, &Piix4Pm::write_gpe};
  core::Bar pm_block_;
  core::Bar smbus_block_;
  core::Registration apm_range_;
  core::Registration gpe_range_;
};

}  // namespace devices::platform
