// The mouse in the hand of all monitors together: a button that one command presses is held until another releases it.
#pragma once

#include <cstdint>

#include "core/ports/input.h"

namespace vmm::control {

class Mouse {
 public:
  // Control loop only; the sink must outlive it.
  explicit Mouse(core::MouseSink& sink) : sink_(sink) {}

  std::uint8_t buttons() const { return buttons_; }  // core::MouseButton bits
  // As core::MouseSink has it; the buttons are those held from now on.
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) {
    buttons_ = buttons;
    sink_.move(dx, dy, dz, buttons);
  }

 private:
  core::MouseSink& sink_;
  std::uint8_t buttons_ = 0;
};

}  // namespace vmm::control
