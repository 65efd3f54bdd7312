// The RAM header at the end of BAR0, shared with the driver: interrupt words, log, rings. [QXL QXLRam]
//
// The guest writes it at any time; every field is read once and checked by its user.
#pragma once

#include <cstdint>
#include <string>

#include "core/memory/memory_block.h"

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
  // The log buffer up to its first NUL, printable characters only.
  std::string log_text() const;

 private:
  core::MemorySlice header_;
};

}  // namespace devices::qxl
