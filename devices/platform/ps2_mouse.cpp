#include "devices/platform/ps2_mouse.h"

#include <algorithm>
#include <utility>

#include "core/ports/input.h"

namespace devices::platform {

using namespace ps2_abi::mouse;
using ps2_abi::kAck;
using ps2_abi::kResend;
using ps2_abi::kReset;
using ps2_abi::kSelfTestPassed;

namespace {

constexpr std::uint8_t kAllButtons =
    core::kLeftButton | core::kRightButton | core::kMiddleButton | core::kSideButton | core::kExtraButton;
constexpr unsigned kSideButtonsShift = 1;  // from core::MouseButton to the fourth byte of id 4

// Packets with motion only wait to be fetched two at a time: more would make the pointer lag.
constexpr std::size_t kMotionPackets = 2;
// What one packet moves at most; drivers of old read nine-bit deltas as eight.
constexpr std::int32_t kMaxStep = 127;
constexpr std::int32_t kMaxWheelStep = 7;
// Motion that adds up while nobody fetches it; further is not where anybody wants the pointer.
constexpr std::int32_t kMaxMotion = 8192;

constexpr std::array<std::uint8_t, 3> kWheelKnock = {200, 100, 80};
constexpr std::array<std::uint8_t, 3> kFiveButtonsKnock = {200, 200, 80};

void add(std::int32_t& sum, std::int32_t delta) {
  sum = std::clamp(sum + std::clamp(delta, -kMaxMotion, kMaxMotion), -kMaxMotion, kMaxMotion);
}

std::int32_t take(std::int32_t& sum, std::int32_t most) {
  const auto step = std::clamp(sum, -most, most);
  sum -= step;
  return step;
}

}  // namespace

void Ps2Mouse::Packet::visit(core::StateVisitor& v) {
  v.field("size", size);
  v.field("bytes", bytes);
}

void Ps2Mouse::State::visit(core::StateVisitor& v) {
  v.field("enabled", enabled);
  v.field("remote", remote);
  v.field("wrap", wrap);
  v.field("scaling", scaling);
  v.field("id", id);
  v.field("rate", rate);
  v.field("resolution", resolution);
  v.field("knock", knock);
  v.field("expects", expects);
  v.field("last_sent", last_sent);
  v.field("dx", dx);
  v.field("dy", dy);
  v.field("dz", dz);
  v.field("buttons", buttons);
  v.field("reported_buttons", reported_buttons);
  v.field("sent_bytes", sent_bytes);
  v.field("replies", replies);
  v.field("packets", packets);
}

void Ps2Mouse::sanitise() {
  if (state_.id != kIdWheel && state_.id != kIdFiveButtons) state_.id = kIdPlain;
  if (state_.expects > Expects::Resolution) state_.expects = Expects::Command;
  for (auto* sum : {&state_.dx, &state_.dy, &state_.dz})
    *sum = std::clamp(*sum, -kMaxMotion, kMaxMotion);
  state_.buttons &= kAllButtons;
  state_.replies.sanitise();
  state_.packets.sanitise();
  if (state_.packets.empty() || state_.sent_bytes >= state_.packets.front().size) state_.sent_bytes = 0;
}

// ---- motion

void Ps2Mouse::move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) {
  state_.buttons = buttons & kAllButtons;
  if (!state_.enabled && !state_.remote) return;
  add(state_.dx, dx);
  add(state_.dy, -std::max(dy, -kMaxMotion));
  add(state_.dz, dz);
  if (state_.id == kIdPlain) state_.dz = 0;
  report();
}

std::uint8_t Ps2Mouse::visible_buttons() const {
  return state_.id == kIdFiveButtons ? state_.buttons : state_.buttons & kPacketButtons;
}

void Ps2Mouse::report() {
  if (!reports()) return;
  while (state_.packets.room() > 0) {
    const bool clicked = visible_buttons() != state_.reported_buttons;
    if (!clicked && (!has_motion() || state_.packets.size() >= kMotionPackets)) break;
    state_.packets.push(make_packet());
  }
}

Ps2Mouse::Packet Ps2Mouse::make_packet() {
  const auto dx = scaled(take(state_.dx, kMaxStep));
  const auto dy = scaled(take(state_.dy, kMaxStep));
  const auto buttons = visible_buttons();
  state_.reported_buttons = buttons;
  Packet packet;
  packet.bytes[0] = static_cast<std::uint8_t>(kPacketAlways | (buttons & kPacketButtons) |
                                              (dx < 0 ? kPacketXNegative : 0) | (dy < 0 ? kPacketYNegative : 0));
  packet.bytes[1] = static_cast<std::uint8_t>(dx);
  packet.bytes[2] = static_cast<std::uint8_t>(dy);
  if (state_.id == kIdPlain) return packet;
  const auto dz = take(state_.dz, kMaxWheelStep);
  packet.size = 4;
  packet.bytes[3] = static_cast<std::uint8_t>(dz);
  if (state_.id == kIdFiveButtons) {
    packet.bytes[3] = static_cast<std::uint8_t>((dz & 15) | (buttons & (core::kSideButton | core::kExtraButton))
                                                                << kSideButtonsShift);
  }
  return packet;
}

// 2:1 scaling works on what stream mode reports. [HITR, Set Scaling 2:1]
std::int32_t Ps2Mouse::scaled(std::int32_t delta) const {
  constexpr std::array<std::int32_t, 6> kScaled = {0, 1, 1, 3, 6, 9};
  if (!state_.scaling || state_.remote) return delta;
  const auto size = std::abs(delta);
  const auto grown = size < std::ssize(kScaled) ? kScaled[static_cast<std::size_t>(size)] : 2 * size;
  return delta < 0 ? -grown : grown;
}

std::uint8_t Ps2Mouse::take_output() {
  if (!state_.replies.empty()) {
    state_.last_sent = state_.replies.pop();
    return state_.last_sent;
  }
  if (state_.packets.empty()) return state_.last_sent;
  const auto& packet = state_.packets.front();
  state_.last_sent = packet.bytes[state_.sent_bytes];
  if (++state_.sent_bytes >= packet.size) {
    state_.sent_bytes = 0;
    state_.packets.pop();
    report();
  }
  return state_.last_sent;
}

void Ps2Mouse::forget_motion() {
  state_.dx = state_.dy = state_.dz = 0;
}

void Ps2Mouse::drop_packets() {
  state_.packets.clear();
  state_.sent_bytes = 0;
}

// ---- commands

// A byte from the host ends whatever was being answered, and the packet that was under way.
void Ps2Mouse::receive(std::uint8_t byte) {
  state_.replies.clear();
  if (std::exchange(state_.sent_bytes, std::uint8_t{0}) != 0) state_.packets.pop();
  if (state_.wrap && byte != kEndWrap && byte != kReset) {
    reply(byte);
    return;
  }
  const auto expects = std::exchange(state_.expects, Expects::Command);
  if (expects != Expects::Command && byte < kScaling1To1) {
    option(expects, byte);
  } else {
    command(byte);
  }
}

void Ps2Mouse::command(std::uint8_t byte) {
  switch (byte) {
    case kResend: reply(state_.last_sent); return;
    case kStatus: reply_status(); return;
    case kReadData: reply_data(); return;
    case kReset:
      restore_defaults();
      state_.id = kIdPlain;
      break;
    case kDefaults: restore_defaults(); break;
    case kScaling1To1: state_.scaling = false; break;
    case kScaling2To1: state_.scaling = true; break;
    case kSetRate: state_.expects = Expects::Rate; break;
    case kSetResolution: state_.expects = Expects::Resolution; break;
    case kStreamMode:
    case kRemoteMode:
      state_.remote = byte == kRemoteMode;
      drop_packets();
      break;
    case kEndWrap: state_.wrap = false; break;
    case kWrapMode: state_.wrap = true; break;
    case kEnable:
      state_.enabled = true;
      forget_motion();
      break;
    case kDisable:
      state_.enabled = false;
      drop_packets();
      break;
    case kReadId: break;
    default: reply(kResend); return;
  }
  reply(kAck);
  if (byte == kReset) reply(kSelfTestPassed);
  if (byte == kReset || byte == kReadId) reply(state_.id);
}

void Ps2Mouse::option(Expects what, std::uint8_t byte) {
  if (what == Expects::Rate) {
    set_rate(byte);
  } else if (byte <= kMaxResolution) {
    state_.resolution = byte;
  } else {
    reply(kResend);
    return;
  }
  reply(kAck);
}

// Three rates in a row ask for the wheel or for five buttons. [IntelliMouse, Wheel detection]
void Ps2Mouse::set_rate(std::uint8_t rate) {
  state_.rate = rate;
  state_.knock = {state_.knock[1], state_.knock[2], rate};
  const auto id = state_.knock == kWheelKnock         ? kIdWheel
                  : state_.knock == kFiveButtonsKnock ? kIdFiveButtons
                                                      : state_.id;
  if (id == std::exchange(state_.id, id)) return;
  drop_packets();  // their size is another now
}

void Ps2Mouse::restore_defaults() {
  const auto id = state_.id;
  const auto buttons = state_.buttons;
  state_ = {};
  state_.id = id;
  state_.buttons = buttons;
}

// [HITR, Status Request]
void Ps2Mouse::reply_status() {
  const auto held = state_.buttons;
  reply(kAck);
  reply(static_cast<std::uint8_t>((state_.remote ? kStatusRemote : 0) | (state_.enabled ? kStatusEnabled : 0) |
                                  (state_.scaling ? kStatusScaling : 0) | ((held & core::kLeftButton) != 0 ? 4 : 0) |
                                  ((held & core::kMiddleButton) != 0 ? 2 : 0) |
                                  ((held & core::kRightButton) != 0 ? 1 : 0)));
  reply(state_.resolution);
  reply(state_.rate);
}

void Ps2Mouse::reply_data() {
  reply(kAck);
  const auto packet = make_packet();
  for (std::size_t i = 0; i < packet.size; ++i)
    reply(packet.bytes[i]);
}

}  // namespace devices::platform
