#include "spice/display/cursor_channel.h"

#include <algorithm>
#include <limits>

namespace spice::display {
namespace {

std::int16_t wire_coordinate(std::int32_t value) {
  using Limits = std::numeric_limits<std::int16_t>;
  return static_cast<std::int16_t>(std::clamp<std::int32_t>(value, Limits::min(), Limits::max()));
}

wire::Point16 wire_point(const core::Point& point) {
  return {.x = wire_coordinate(point.x), .y = wire_coordinate(point.y)};
}

// A hot spot lies inside its shape or right behind it.
std::uint16_t wire_hot_spot(std::int32_t value, std::uint16_t side) {
  return static_cast<std::uint16_t>(std::clamp<std::int32_t>(value, 0, side));
}

wire::CursorShape wire_shape(const core::CursorShapePtr& shape, ClientCursor::ShapeForm form) {
  using Form = ClientCursor::ShapeForm;
  if (form == Form::None) return {};
  wire::CursorShape result{.flags = 0,
                           .unique = shape->unique,
                           .type = static_cast<wire::CursorType>(shape->type),
                           .width = shape->width,
                           .height = shape->height,
                           .hot_x = wire_hot_spot(shape->hot_spot.x, shape->width),
                           .hot_y = wire_hot_spot(shape->hot_spot.y, shape->height),
                           .data = {}};
  if (form == Form::FromCache) {
    result.flags = wire::kCursorFromCache;
    return result;
  }
  if (form == Form::CacheMe) result.flags = wire::kCursorCacheMe;
  const auto size = cursor_bytes(shape->type, shape->width, shape->height).value_or(0);
  result.data = wire::Payload(shape, std::span(shape->data).first(size));
  return result;
}

}  // namespace

void CursorChannel::on_start() {
  connection().start_acks(kAckWindow);
  pump();
}

void CursorChannel::reset() {
  client_.start_over();
  pump();
}

void CursorChannel::pump() {
  while (writable()) {
    const auto step = client_.next(cursor_.state());
    if (!step) return;
    send_step(*step);
  }
}

void CursorChannel::send_step(const ClientCursor::Step& step) {
  using Kind = ClientCursor::Kind;
  const auto& state = cursor_.state();
  const auto position = wire_point(state.position);
  // Without a shape there is nothing to hide; clients have always been told so.
  const std::uint8_t visible = state.visible || state.shape == nullptr ? 1 : 0;
  switch (step.kind) {
    case Kind::InvalidateAll: return send(wire::CursorInvalAll{});
    case Kind::Reset: return send(wire::CursorReset{});
    case Kind::Init:
      return send(wire::CursorInit{.position = position,
                                   .trail_length = state.trail_length,
                                   .trail_frequency = state.trail_frequency,
                                   .visible = visible,
                                   .shape = wire_shape(state.shape, step.form)});
    case Kind::InvalidateOne: return send(wire::CursorInvalOne{.id = step.unique});
    case Kind::Trail: return send(wire::CursorTrail{.length = state.trail_length, .frequency = state.trail_frequency});
    case Kind::Set:
      return send(
          wire::CursorSet{.position = position, .visible = visible, .shape = wire_shape(state.shape, step.form)});
    case Kind::Hide: return send(wire::CursorHide{});
    case Kind::Move: return send(wire::CursorMove{.position = position});
  }
}

}  // namespace spice::display
