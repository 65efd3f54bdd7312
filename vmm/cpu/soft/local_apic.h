// The local APIC of one software CPU. [SDM 3A 11]
//
// Its registers are kept as the register page has them, a paragraph each, so that saving it is a copy. On the CPUs'
// thread, as everything of a CPU.
//
// Deliberately missing: SMI (there is no system management mode), CMCI, and the 8259 through LINT0 in any other mode
// than ExtINT.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "vmm/cpu/soft/cpu.h"

namespace vmm::cpu::soft {

// [SDM 3A 11.6.1]
enum class DeliveryMode : std::uint8_t { Fixed, LowestPriority, Smi, Reserved, Nmi, Init, StartUp, ExtInt };
enum class Shorthand : std::uint8_t { None, Self, All, Others };

// An interrupt on its way to local APICs, from another one or from a device. [SDM 3A 11.6, 11.11]
struct ApicMessage {
  std::uint8_t vector = 0;
  DeliveryMode mode = DeliveryMode::Fixed;
  bool level = false;     // triggered
  bool asserted = true;   // false: INIT level de-assert
  bool logical = false;   // destination mode
  bool extended = false;  // a destination of 32 bits, by an APIC in x2APIC mode
  Shorthand shorthand = Shorthand::None;
  std::uint32_t destination = 0;
};

// What a device wrote. [SDM 3A 11.11.1]
ApicMessage decode_msi(std::uint64_t address, std::uint32_t data);

// What local APICs meet outside of their CPU.
class LocalApicBus {
 public:
  virtual ~LocalApicBus() = default;
  virtual void send(const ApicMessage& message, unsigned from) = 0;  // the sender's Cpu::index
  virtual void end_level_interrupt(std::uint8_t vector) = 0;
  virtual std::uint64_t now() = 0;  // of the timers' clock and the time stamp counter, in ns
};

class LocalApic {
 public:
  static constexpr std::size_t kPageBytes = CpuState::kLocalApicBytes;
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  LocalApic(Cpu& cpu, LocalApicBus& bus) : cpu_(cpu), bus_(bus) { reset(); }
  LocalApic(const LocalApic&) = delete;
  LocalApic& operator=(const LocalApic&) = delete;

  void reset();       // power-on
  void initialize();  // INIT: keeps its ID, base and mode [SDM 3A 11.4.7.3]

  // The CPU's side. IA32_APIC_BASE, IA32_TSC_DEADLINE and 800h-8FFh; false: #GP(0).
  bool read_msr(std::uint32_t index, std::uint64_t& value);
  bool write_msr(std::uint32_t index, std::uint64_t value);
  bool mmio_covers(std::uint64_t physical) const { return (physical & ~std::uint64_t{0xfff}) == page_; }
  std::uint32_t mmio_read(std::uint32_t offset);  // offset within the page, a multiple of four
  void mmio_write(std::uint32_t offset, std::uint32_t value);
  std::uint8_t tpr() const;
  void set_tpr(std::uint8_t value);

  // The bus' side.
  bool is_enabled() const { return (base_ & kBaseEnable) != 0; }
  bool is_destination(const ApicMessage& message) const;
  bool takes_fixed() const;       // enabled by its software too
  std::uint8_t priority() const;  // PPR
  void receive(const ApicMessage& message);
  void advance(std::uint64_t now);  // runs the timer
  std::uint64_t deadline() const;   // when advance() is due, or kNever

  // The runner's side.
  bool has_interrupt() const;                   // for the CPU, above its priority
  std::optional<std::uint8_t> take();           // ... which is being delivered from here on
  bool passes_ext_int() const;                  // LINT0, or no APIC in the way
  std::optional<std::uint8_t> take_start_up();  // a SIPI's vector

  // The saved state: the register page and the two MSRs that are not in it. Deadlines are as of bus.now().
  std::uint64_t base() const { return base_; }
  std::uint64_t tsc_deadline() const { return tsc_deadline_; }
  void save_page(std::span<std::uint8_t, kPageBytes> page) const;
  core::Result<> load(std::uint64_t base, std::span<const std::uint8_t, kPageBytes> page, std::uint64_t tsc_deadline);

 private:
  friend struct LocalApicRegisters;  // local_apic_registers.cpp: the table and its side effects
  static constexpr std::uint64_t kBaseBsp = 1u << 8, kBaseX2apic = 1u << 10, kBaseEnable = 1u << 11;
  static constexpr std::uint64_t kNoPage = 1;

  std::uint32_t& reg(std::uint32_t offset) { return registers_[offset >> 4]; }
  std::uint32_t reg(std::uint32_t offset) const { return registers_[offset >> 4]; }
  bool is_x2apic() const { return (base_ & kBaseX2apic) != 0; }
  bool write_base(std::uint64_t value);
  bool write_x2apic(std::uint32_t offset, std::uint64_t value);
  void update_page();
  void reset_registers();
  void look_again() { cpu_.attention.store(1, std::memory_order_relaxed); }

  void accept(std::uint8_t vector, bool level);
  void end_of_interrupt();
  void note_error(std::uint32_t bit);
  void deliver_local(std::uint32_t offset);
  void send_ipi();

  bool uses_tsc_deadline() const;
  std::uint64_t divider() const;  // ns of one count
  std::uint32_t current_count() const;
  void start_timer(std::uint64_t ticks);

  Cpu& cpu_;
  LocalApicBus& bus_;
  std::array<std::uint32_t, kPageBytes / 16> registers_{};
  std::uint64_t base_ = 0;
  std::uint64_t page_ = kNoPage;           // where it answers
  std::uint64_t timer_deadline_ = kNever;  // one-shot and periodic
  std::uint64_t tsc_deadline_ = 0;         // in the guest's counter; 0: not armed
  std::optional<std::uint8_t> start_up_;
};

}  // namespace vmm::cpu::soft
