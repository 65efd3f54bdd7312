// The RAM header at the end of BAR0, shared with the driver: interrupt words, log, rings. [QXL QXLRam]
//
// The guest writes it at any time; every field is read once and checked by its user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/memory/memory_block.h"
#include "devices/qxl/qxl_abi.h"

namespace devices::qxl {

class QxlRamHeader {
 public:
  explicit QxlRamHeader(const core::MemorySlice& header) : header_(header) {}

  // Magic, empty rings, no interrupt pending or enabled; the rest stays.
  void reset() const;
  // Sets pending bits, whatever the mask is. False if all were set already.
  bool raise(std::uint32_t interrupts) const;
  // Whether an interrupt that the guest wants is pending.
  bool interrupt_wanted() const;
  std::uint32_t interrupt_mask() const;
  // The log buffer up to its first NUL, printable characters only.
  std::string log_text() const;

  // The operands of ports.
  struct Update {
    std::uint32_t surface = 0;
    abi::QXLURect area{};
  };
  Update update_area() const;
  struct Range {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
  };
  Range mem_slot() const;
  abi::QXLSurfaceCreate create_surface() const;
  std::uint64_t monitors_config() const;

  bool release_ring_empty() const;
  core::MemorySlice command_ring() const;
  core::MemorySlice cursor_ring() const;
  core::MemorySlice release_ring() const;

 private:
  core::MemorySlice part(std::size_t offset, std::size_t size) const;

  core::MemorySlice header_;
};

}  // namespace devices::qxl
