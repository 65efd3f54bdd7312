// The contents of BAR2: what a driver learns about the device before it starts. [QXL QXLRom, QXLModes]
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/memory/memory_block.h"
#include "core/ports/display.h"
#include "devices/qxl/qxl_abi.h"
#include "devices/qxl/qxl_layout.h"

namespace devices::qxl {

struct QxlRomOptions {
  std::uint32_t id = 0;  // of several QXL functions
  std::uint32_t log_level = 0;
  std::uint32_t surfaces = 1024;
  // The first monitor as a client would ask for it; 0 for none.
  std::uint32_t xres = 0;
  std::uint32_t yres = 0;
};

// 8192 bytes, as after a reset.
std::vector<std::uint8_t> rom_image(const QxlLayout& layout, const QxlRomOptions& options);

// The ROM, in which the device tells its driver things. With the function's lock held.
class QxlRom {
 public:
  QxlRom(core::MemoryBlock& block, const QxlLayout& layout, const QxlRomOptions& options);

  // As after a reset, save that the clients, how they are sent pictures and what they wish for are those of now.
  void reset();
  // The entry of the mode list, as SET_MODE counts them.
  std::optional<abi::QXLMode> mode(std::uint32_t index) const;
  void set_mode(std::uint32_t index);
  void set_slot_generation(std::uint8_t generation);
  void set_update_id(std::uint32_t id);
  void set_compression_level(std::uint32_t level);
  // Both: whether this is something new to the driver.
  bool set_clients(const core::DisplayClients& clients);
  bool set_client_monitors(std::span<const core::ClientMonitor> monitors, std::size_t most);
  // The memory was loaded: it says what clients there were then.
  void restore_clients();

 private:
  void write_clients();
  void write_monitors(const abi::QXLClientMonitorsConfig& config);

  core::MemorySlice rom_;
  QxlLayout layout_;
  QxlRomOptions options_;
  core::DisplayClients clients_;
  std::uint32_t compression_level_ = 0;
  std::optional<abi::QXLClientMonitorsConfig> monitors_;
};

}  // namespace devices::qxl
