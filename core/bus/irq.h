// Interrupt lines and message-signalled interrupts. A device knows neither its GSI nor the accelerator.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace core::inline bus {

// Where a level goes: an interrupt controller's input, a PCI slot's INTx pin, a test's recorder.
class IrqSink {
 public:
  virtual ~IrqSink() = default;
  // Any thread; `input` is the sink's own numbering. Called on changes only.
  virtual void set_input(unsigned input, bool level) = 0;
};

// One wire into a sink. Idempotent: only changes are reported. Guarded by the owning device's lock.
class IrqLine {
 public:
  IrqLine() = default;  // not connected
  IrqLine(IrqSink& sink, unsigned input) : sink_(&sink), input_(input) {}

  void set(bool level) {
    if (level == level_) return;
    level_ = level;
    if (sink_ != nullptr) sink_->set_input(input_, level);
  }
  // An edge: down, up (ISA timers).
  void pulse() {
    set(false);
    set(true);
  }
  bool level() const { return level_; }

 private:
  IrqSink* sink_ = nullptr;
  unsigned input_ = 0;
  bool level_ = false;
};

// [SDM 3A 11.11] what a device writes to interrupt a CPU.
struct MsiMessage {
  std::uint64_t address = 0;
  std::uint32_t data = 0;
  bool operator==(const MsiMessage&) const = default;
};

// A shorter way for one message. When it is gone, everything it has sent has arrived.
class MsiRoute {
 public:
  virtual ~MsiRoute() = default;
  virtual void send() = 0;  // any thread, never blocks
};

class MsiSink {
 public:
  virtual ~MsiSink() = default;
  virtual void deliver(const MsiMessage& message) = 0;  // any thread, never blocks
  // For a message that will be sent time and again; null: nothing is shorter than deliver(). Any thread; the route must
  // be gone before the sink is.
  virtual std::unique_ptr<MsiRoute> open_route(const MsiMessage&) { return nullptr; }
};

// One entry of an I/O APIC's redirection table as the accelerator needs it. [82093AA 3.2.4]
struct IoApicRoute {
  MsiMessage message;  // what the pin sends; bit 15 of data set for level
  bool level = false;
  bool masked = true;
  bool operator==(const IoApicRoute&) const = default;
};
constexpr unsigned kIoApicPins = 24;

// The accelerator's side of the I/O APIC: it must know which vectors are level-triggered to report their EOIs.
class IoApicRouteSink {
 public:
  virtual ~IoApicRouteSink() = default;
  virtual void set_ioapic_routes(const std::array<IoApicRoute, kIoApicPins>& routes) = 0;  // any thread
};

// The 8259 pair as a CPU sees it: a pending external interrupt and the INTA cycle. vCPU thread, no device lock held.
class ExtIntSource {
 public:
  virtual ~ExtIntSource() = default;
  virtual bool pending() = 0;
  virtual std::uint8_t acknowledge() = 0;  // the vector; the spurious one if nothing is pending any more
};

}  // namespace core::inline bus
