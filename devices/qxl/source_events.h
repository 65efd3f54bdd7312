// What the source half of a QXL function tells the function half. Display worker; no lock held.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/ports/display.h"

namespace devices::qxl {

class SourceEvents {
 public:
  virtual ~SourceEvents() = default;
  // Sets interrupt bits in the RAM header, and the line by them.
  virtual void raise(std::uint32_t interrupts) = 0;
  // The driver did what makes no sense: ERROR interrupt, and nothing but RESET works.
  virtual void guest_bug(std::string_view what) = 0;
  // It did so, here or at a port; until the next restart.
  virtual bool has_guest_bug() const = 0;
  // An asynchronous port has done its work.
  virtual void async_done(std::uint32_t ticket) = 0;
  // ROM and RAM header as after a reset; the ROM says that `mode` is set, if one is.
  virtual void restart_memory(std::optional<std::uint32_t> mode) = 0;
  // [QXL QXLRom update_id] The guest's UPDATE command of this number has been done.
  virtual void updated(std::uint32_t update_id) = 0;

  // What the display tells its device; see core::DisplaySource. The last two: any thread.
  virtual void clients_changed(const core::DisplayClients& clients) = 0;
  virtual void set_compression_level(std::uint32_t level) = 0;
  virtual bool takes_client_monitors() = 0;
  virtual void set_client_monitors(std::span<const core::ClientMonitor> monitors) = 0;
};

}  // namespace devices::qxl
