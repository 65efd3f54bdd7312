// The displays for somebody at this computer: what they show, and where that one's input goes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/event/loop.h"
#include "core/ports/display.h"
#include "core/ports/input.h"
#include "core/ports/view.h"

namespace vmm::machine {

// Both live as long as the machine.
struct LocalDisplay {
  std::string name;  // of its device
  core::DisplayView* view = nullptr;
  core::ViewInput* input = nullptr;
};

// Input goes through the control loop, as that of clients does.
class LocalInput final : public core::ViewInput {
 public:
  // They outlive it. The tablet may be null.
  LocalInput(core::Loop& control, core::KeyboardSink& keyboard, core::MouseSink& mouse, core::TabletSink* tablet,
             core::DisplaySource& source)
      : control_(control), keyboard_(keyboard), mouse_(mouse), tablet_(tablet), source_(source) {}

  void key(core::KeyCode code, bool down) override;
  bool takes_places() override { return tablet_ != nullptr && tablet_->in_use(); }
  void place(core::Point at, std::int32_t surface_width, std::int32_t surface_height, std::int32_t dz,
             std::uint8_t buttons) override;
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override;
  bool resize(std::int32_t width, std::int32_t height) override;

 private:
  core::Loop& control_;
  core::KeyboardSink& keyboard_;
  core::MouseSink& mouse_;
  core::TabletSink* tablet_;
  core::DisplaySource& source_;
};

}  // namespace vmm::machine
