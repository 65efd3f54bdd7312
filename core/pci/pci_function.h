// A PCI function: the base of every PCI device. It owns its config space; the bus maps its BARs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/device.h"
#include "core/bus/irq.h"
#include "core/bus/registers.h"
#include "core/memory/memory_block.h"
#include "core/pci/pci_abi.h"

namespace core::inline pci {

struct PciIdentity {
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::uint8_t revision = 0;
  std::uint32_t class_code = 0;  // 24 bits: class, subclass, interface
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem = 0;
  bool multi_function = false;
  std::uint8_t interrupt_pin = 0;  // 0 none, 1 INTA .. 4 INTD
};

enum class BarKind : std::uint8_t { Io, Memory32, Memory64, Rom };

// A register in a handler's range, writes to which only wake somebody. See core::Doorbell.
struct BarDoorbell {
  std::uint64_t offset = 0;
  unsigned width = 0;
  std::optional<std::uint64_t> match;
  int eventfd = -1;
};

// One declared BAR: registers behind a handler, or memory that the guest reaches directly.
struct Bar {
  unsigned index = 0;  // 0..5; a Memory64 takes index and index+1; Rom is the expansion ROM whatever the index
  BarKind kind = BarKind::Memory32;
  std::uint64_t size = 0;  // a power of two; at least 4 for Io, 16 for memory, 2048 for Rom
  bool prefetchable = false;
  std::string name;
  IoHandler* handler = nullptr;   // either this
  unsigned max_width = 8;         // of accesses to the handler
  MemoryBlock* memory = nullptr;  // or this, from its start
  bool writable = true;           // of the memory by the guest
  bool log_dirty = false;         // a watcher collects the guest's stores
  std::vector<BarDoorbell> doorbells = {};
};

class PciFunction : public Device {
 public:
  // Guest access to config space; offset + width <= 256. Lock held.
  std::uint32_t config_read(std::uint32_t offset, unsigned width);
  void config_write(std::uint32_t offset, unsigned width, std::uint32_t value);

  // A BAR and where the guest has put it: nullopt while decoding is off or the address cannot be decoded.
  struct Window {
    const Bar* bar = nullptr;
    std::optional<std::uint64_t> base;
    bool operator==(const Window&) const = default;
  };
  // A function with base registers outside the standard BARs (an ACPI block) adds their windows.
  virtual std::vector<Window> windows() const;
  std::span<const Bar> bars() const { return bars_; }
  const PciIdentity& identity() const { return identity_; }

  // The bus connects INTx when the function is plugged in.
  void connect_intx(IrqLine line) { intx_line_ = line; }

 protected:
  // `rows` are the device's own config registers above the standard header (a CapabilityList's); they are copied.
  // `shared` is the lock of a chip with several functions that act on each other.
  explicit PciFunction(const PciIdentity& identity, std::span<const Register> rows = {}, DeviceLock* shared = nullptr);
  void declare_bar(Bar bar);

  // Before a guest reads config space (windows into something else); lock held.
  virtual void config_reading(std::uint32_t offset, unsigned width);
  // After a guest wrote config space (side effects); lock held.
  virtual void config_written(std::uint32_t offset, unsigned width);
  // Config space to power-on values; a device's reset() calls it.
  void reset_config();
  void visit_config(StateVisitor& visitor) { config_.visit(visitor); }

  RegisterFile& config() { return config_; }
  const RegisterFile& config() const { return config_; }
  bool bus_master_enabled() const;
  // The function's INTx level; the command register may mask it. [PCI 3.0 6.2.2 bit 10]
  void set_intx(bool level);

 private:
  static std::vector<Register> header_rows(const PciIdentity& identity, std::span<const Register> rows);
  void update_intx();
  std::optional<std::uint64_t> base_of(const Bar& bar) const;

  PciIdentity identity_;
  std::vector<Register> rows_;
  RegisterFile config_;
  std::vector<Bar> bars_;
  IrqLine intx_line_;
  bool intx_level_ = false;
};

}  // namespace core::inline pci
