// Where clients' pointers go: to the mouse, the tablet or the agent, by the mouse mode, which is one for all clients.
// Control loop, except the tablet's word.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/event/mailbox.h"
#include "core/ports/input.h"
#include "spice/agent/agent.h"
#include "spice/channel/mouse_modes.h"

namespace spice::channel {

class Pointer {
 public:
  struct Wiring {
    core::Loop& loop;
    core::MouseSink& mouse;
    core::TabletSink* tablet = nullptr;
    agent::Agent* agent = nullptr;
    bool agent_mouse = true;  // whether the agent may move the pointer
    // Clients place the pointer themselves from now on, or no longer.
    std::function<void(bool)> on_client_mode = {};
  };

  explicit Pointer(const Wiring& wiring);
  ~Pointer();
  Pointer(const Pointer&) = delete;
  Pointer& operator=(const Pointer&) = delete;

  void set_listener(std::function<void()> modes_changed) { modes_changed_ = std::move(modes_changed); }
  void set_displays(unsigned count);
  void set_screen(std::int32_t width, std::int32_t height);  // of the one display, for the tablet

  const MouseModes& modes() const { return modes_; }
  void request(wire::MouseMode mode);

  // In the words of the inputs channel. Buttons are its bits of those now held; those of the wheel do not count. False:
  // that is not said in this mode, and changes nothing.
  bool move(std::int32_t dx, std::int32_t dy, std::uint16_t buttons);
  bool place(std::uint32_t x, std::uint32_t y, std::uint16_t buttons, std::uint8_t display);
  void press(std::int32_t wheel_steps, std::uint16_t buttons);  // a release, too

 private:
  enum class Target : std::uint8_t { Mouse, Tablet, Agent };
  Target wanted_target() const;
  void update();
  void change(const std::function<bool()>& modes_change);
  void act(Target target, std::int32_t wheel_steps);
  void to_tablet(std::int32_t wheel_steps);
  void to_agent(std::int32_t wheel_steps);

  core::MouseSink& mouse_;
  core::TabletSink* tablet_;
  agent::Agent* agent_;
  const bool agent_mouse_;
  const std::function<void(bool)> on_client_mode_;
  std::function<void()> modes_changed_;
  std::shared_ptr<core::Signal> tablet_changed_;

  MouseModes modes_;
  Target target_ = Target::Mouse;
  unsigned displays_ = 1;
  std::int32_t width_ = 0;
  std::int32_t height_ = 0;
  std::uint32_t x_ = 0;
  std::uint32_t y_ = 0;
  std::uint8_t display_ = 0;
  std::uint16_t buttons_ = 0;
};

// The tablet's coordinate, 0..32767, for place `at` of `side` pixels: the least that is not before the pixel, so that a
// guest which rounds down finds it again; the last pixel is 32767.
std::uint16_t tablet_coordinate(std::uint32_t at, std::int32_t side);

}  // namespace spice::channel
