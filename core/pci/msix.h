// [PCI 3.0 6.8.2] MSI-X: a table of messages, each with a mask, and an array of pending bits, both in a memory BAR of
// their own; the capability that announces them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/bus/address_space.h"
#include "core/bus/irq.h"
#include "core/pci/capability_list.h"

namespace core::inline pci {

// Guarded by its function's lock. The function declares the BAR with this as its handler, tells of writes to config
// space, and resets and saves it.
class Msix final : public IoHandler {
 public:
  static constexpr unsigned kMaxVectors = 128;
  static constexpr std::uint64_t kBarBytes = 4096;

  Msix(unsigned vectors, MsiSink& sink);

  // Adds the capability, whose structures lie in BAR `bar`.
  void announce(CapabilityList& list, unsigned bar);
  // The capability's registers may have changed: sends what was only waiting for it.
  void follow(const RegisterFile& config);

  unsigned vectors() const { return static_cast<unsigned>(entries_.size()); }
  bool enabled() const { return enabled_; }
  // Sends a vector's message, or keeps it pending while it is masked. Vectors beyond the table are ignored, as are all
  // while the guest has MSI-X off.
  void notify(unsigned vector);
  // While the machine runs, messages go by routes of the sink's; those are closed when it stops, so that none is under
  // way when the CPUs are saved.
  void set_running(bool running);

  std::uint64_t read(std::uint64_t offset, unsigned width) override;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;

  void reset();
  // After the config space.
  void visit(StateVisitor& visitor);

 private:
  // [PCI 3.0 6.8.2.6..9]
  struct Entry {
    std::uint32_t address_low = 0;
    std::uint32_t address_high = 0;
    std::uint32_t data = 0;
    std::uint32_t control = kMasked;
    bool pending = false;
    // How the message `routed` goes: null for the sink's common way.
    std::unique_ptr<MsiRoute> route = nullptr;
    std::optional<MsiMessage> routed = std::nullopt;
    void visit(StateVisitor& visitor);
  };
  static constexpr std::uint32_t kMasked = 1;

  std::uint32_t read_table(std::uint64_t offset) const;
  void write_table(std::uint64_t offset, std::uint32_t value);
  std::uint32_t read_pending(std::uint64_t offset) const;
  void send(Entry& entry);
  bool is_masked(const Entry& entry) const { return function_masked_ || (entry.control & kMasked) != 0; }

  MsiSink& sink_;
  std::vector<Entry> entries_;
  std::uint32_t capability_ = 0;
  bool enabled_ = false;
  bool function_masked_ = false;
  bool running_ = false;
};

}  // namespace core::inline pci
