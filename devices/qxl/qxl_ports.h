// The I/O ports of a QXL function: which command is allowed when, what is checked before the source half gets it, and
// how a driver learns that an asynchronous one is done. [QXL QXL_IO_*]
//
// Called with the function's lock held, except written().
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bus/address_space.h"
#include "core/memory/memory_block.h"
#include "core/state/state.h"
#include "devices/qxl/qxl_abi.h"
#include "devices/qxl/qxl_layout.h"
#include "devices/qxl/qxl_ram_header.h"
#include "devices/qxl/qxl_rom.h"
#include "devices/qxl/source_mailbox.h"

namespace devices::qxl {

// Undefined: a driver has the device, but no primary surface.
enum class QxlMode : std::uint8_t { Undefined = 0, Vga = 1, Compat = 2, Native = 3 };

// What the ports need of the function they belong to.
class QxlPortsHost {
 public:
  virtual ~QxlPortsHost() = default;
  virtual void raise_locked(std::uint32_t interrupts) = 0;
  virtual void update_irq() = 0;
  virtual void port_log() = 0;
  // Where the guest sees a BAR now.
  virtual std::optional<std::uint64_t> bar_address(unsigned bar) const = 0;
};

class QxlPorts final : public core::IoHandler {
 public:
  struct Config {
    QxlLayout layout;
    std::uint32_t surfaces = 1024;
    bool primary = true;  // it has the VGA
    bool trace = false;   // prints which ports are used
  };

  QxlPorts(const Config& config, const QxlRamHeader& header, QxlRom& rom, SourceMailbox& mailbox, QxlPortsHost& host);

  // core::IoHandler
  std::uint64_t read(std::uint64_t, unsigned) override { return ~std::uint64_t{0}; }
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override;
  void written() override { mailbox_.settle(); }

  // A PCI reset, while the source stands still.
  void reset();
  // The guest wrote to the VGA's registers.
  void vga_touched();
  // Both halves of the device find out; the first reason is kept for people.
  void guest_bug(std::string_view what);
  void async_done(std::uint32_t ticket);

  QxlMode mode() const { return mode_; }
  bool has_guest_bug() const { return guest_bug_.load(std::memory_order_relaxed); }  // any thread
  const std::string& guest_bug_text() const { return guest_bug_text_; }
  std::uint8_t pending_async() const { return async_port_; }

  void visit(core::StateVisitor& visitor);
  core::Result<> state_loaded();

 private:
  using Port = abi::QxlPort;

  bool allowed(Port port);
  bool begin_async(Port port);
  void finish_async();
  void command(Port port, std::uint8_t value);
  void run(Port port, std::uint8_t value);
  void restart(std::optional<std::uint32_t> rom_mode);

  void update_area();
  void set_mode(std::uint8_t value);
  void add_slot(std::uint8_t id);
  void remove_slot(std::uint8_t id);
  void create_primary(std::uint8_t value);
  void destroy_primary(std::uint8_t value);
  void destroy_surface(std::uint32_t id);
  void destroy_all_surfaces();
  void notify_oom();
  std::optional<MemorySlot> find_memory(std::uint64_t start, std::uint64_t end) const;
  template <class Request>
  void post(Request request) {
    mailbox_.post({.what = std::move(request), .async = async_port_ != 0 ? async_ticket_ : 0});
  }

  Config config_;
  QxlRamHeader header_;
  QxlRom& rom_;
  SourceMailbox& mailbox_;
  QxlPortsHost& host_;
  QxlMode mode_;
  std::atomic<bool> guest_bug_{false};
  std::string guest_bug_text_;
  std::uint8_t slots_used_ = 0;     // a bit each
  std::uint8_t async_port_ = 0;     // that has not completed; 0: none
  std::uint32_t async_ticket_ = 0;  // of the last one, never reused after a reset; never 0 while there is one
};

}  // namespace devices::qxl
