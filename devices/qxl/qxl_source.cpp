#include "devices/qxl/qxl_source.h"

#include <mutex>

namespace devices::qxl {

QxlSource::QxlSource(core::DeviceLock& lock, const Vga& vga, core::MemoryBlock& ram, const core::GuestClock& clock)
    : lock_(lock), vga_(vga), clock_(clock), renderer_(ram) {}

bool QxlSource::refresh(core::DisplayCanvas& canvas, bool full) {
  VgaSnapshot registers;
  {
    const std::scoped_lock device(lock_);
    registers = vga_.snapshot();
  }
  return renderer_.refresh(registers, clock_.now(), canvas, full);
}

}  // namespace devices::qxl
