#include "spice/channel/pointer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "spice/wire/inputs.h"

namespace spice::channel {

namespace {

// A single motion is no longer than this; keeps sums in devices far from overflow.
constexpr std::int32_t kLongestMotion = 0x7fff;
constexpr std::uint32_t kLastCoordinate = 0x7fff;
constexpr std::int32_t kLeastSide = 16;
constexpr std::uint16_t kWheel = wire::kWheelUpBit | wire::kWheelDownBit;

std::uint8_t to_device(std::uint16_t wire_buttons) {
  struct Pair {
    std::uint16_t wire;
    std::uint8_t button;
  };
  constexpr std::array<Pair, 5> kPairs{{{wire::kLeftBit, core::kLeftButton},
                                        {wire::kMiddleBit, core::kMiddleButton},
                                        {wire::kRightBit, core::kRightButton},
                                        {wire::kSideBit, core::kSideButton},
                                        {wire::kExtraBit, core::kExtraButton}}};
  std::uint8_t buttons = 0;
  for (const auto& pair : kPairs)
    if ((wire_buttons & pair.wire) != 0) buttons |= pair.button;
  return buttons;
}

}  // namespace

std::uint16_t tablet_coordinate(std::uint32_t at, std::int32_t side) {
  const auto last = static_cast<std::uint64_t>(std::max(side, kLeastSide) - 1);
  const auto place = std::min<std::uint64_t>(at, last);
  return static_cast<std::uint16_t>((place * kLastCoordinate + last - 1) / last);
}

Pointer::Pointer(const Wiring& wiring)
    : mouse_(wiring.mouse),
      tablet_(wiring.tablet),
      agent_(wiring.agent),
      agent_mouse_(wiring.agent_mouse),
      on_client_mode_(wiring.on_client_mode) {
  if (agent_ != nullptr) agent_->set_listener([this] { update(); });
  if (tablet_ == nullptr) return;
  tablet_changed_ = std::make_shared<core::Signal>(wiring.loop, [this] { update(); });
  tablet_->set_use_listener([signal = tablet_changed_](bool) { signal->ring(); });
}

Pointer::~Pointer() {
  if (tablet_ != nullptr) tablet_->set_use_listener(nullptr);
  if (agent_ != nullptr) agent_->set_listener(nullptr);
}

void Pointer::set_displays(unsigned count) {
  displays_ = count;
  update();
}

void Pointer::set_screen(std::int32_t width, std::int32_t height) {
  width_ = width;
  height_ = height;
}

void Pointer::update() {
  change([this] {
    return modes_.update({.agent_mouse = agent_mouse_,
                          .agent = agent_ != nullptr && agent_->is_present(),
                          .tablet = tablet_ != nullptr && tablet_->in_use(),
                          .displays = displays_});
  });
}

void Pointer::request(wire::MouseMode mode) {
  change([this, mode] { return modes_.request(mode); });
}

// Whoever had the pointer before holds no button when it goes on elsewhere.
void Pointer::change(const std::function<bool()>& modes_change) {
  const bool is_change = modes_change();
  const auto before = std::exchange(target_, wanted_target());
  if (target_ != before && buttons_ != 0) {
    buttons_ = 0;
    act(before, 0);
  }
  if (!is_change) return;
  if (on_client_mode_) on_client_mode_(modes_.current() == wire::MouseMode::Client);
  if (modes_changed_) modes_changed_();
}

Pointer::Target Pointer::wanted_target() const {
  if (modes_.current() == wire::MouseMode::Server) return Target::Mouse;
  const bool is_agents = agent_mouse_ && agent_ != nullptr && agent_->is_present();
  return is_agents || tablet_ == nullptr ? Target::Agent : Target::Tablet;
}

bool Pointer::move(std::int32_t dx, std::int32_t dy, std::uint16_t buttons) {
  if (target_ != Target::Mouse) return false;
  buttons_ = buttons & ~kWheel;
  mouse_.move(std::clamp(dx, -kLongestMotion, kLongestMotion), std::clamp(dy, -kLongestMotion, kLongestMotion), 0,
              to_device(buttons));
  return true;
}

bool Pointer::place(std::uint32_t x, std::uint32_t y, std::uint16_t buttons, std::uint8_t display) {
  if (target_ == Target::Mouse) return false;
  x_ = x;
  y_ = y;
  display_ = display;
  press(0, buttons);
  return true;
}

void Pointer::press(std::int32_t wheel_steps, std::uint16_t buttons) {
  buttons_ = buttons & ~kWheel;
  act(target_, wheel_steps);
}

void Pointer::act(Target target, std::int32_t wheel_steps) {
  switch (target) {
    case Target::Mouse: return mouse_.move(0, 0, wheel_steps, to_device(buttons_));
    case Target::Tablet: return to_tablet(wheel_steps);
    case Target::Agent: return to_agent(wheel_steps);
  }
}

void Pointer::to_tablet(std::int32_t wheel_steps) {
  tablet_->position(tablet_coordinate(x_, width_), tablet_coordinate(y_, height_), wheel_steps, to_device(buttons_));
}

// The agent's button bits are the channel's, one up. It has buttons for the wheel, which are down for a moment.
void Pointer::to_agent(std::int32_t wheel_steps) {
  if (agent_ == nullptr) return;
  std::uint16_t buttons = buttons_;
  if (wheel_steps < 0) buttons |= wire::kWheelUpBit;
  if (wheel_steps > 0) buttons |= wire::kWheelDownBit;
  agent_->point({.x = x_, .y = y_, .buttons = std::uint32_t{buttons} << 1, .display = display_});
}

}  // namespace spice::channel
