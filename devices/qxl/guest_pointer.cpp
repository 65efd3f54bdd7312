#include "devices/qxl/guest_pointer.h"

#include <memory>

namespace devices::qxl {

void GuestPointer::apply(const CursorCommand& command, core::CursorSink& sink) {
  if (const auto* set = std::get_if<SetCursor>(&command)) {
    shape_ = set->shape;
    position_ = set->position;
    visible_ = set->visible;
    sink.set(shape_, position_, visible_);
  } else if (const auto* move = std::get_if<MoveCursor>(&command)) {
    position_ = move->position;
    visible_ = true;
    sink.move(position_);
  } else if (std::holds_alternative<HideCursor>(command)) {
    visible_ = false;
    sink.hide();
  } else if (const auto* trail = std::get_if<CursorTrail>(&command)) {
    trail_ = *trail;
    sink.set_trail(trail_.length, trail_.frequency);
  }
}

void GuestPointer::reset(core::CursorSink& sink) {
  *this = {};
  sink.reset();
}

void GuestPointer::show(core::CursorSink& sink) const {
  sink.reset();
  if (shape_) sink.set(shape_, position_, visible_);
  if (trail_.length != 0) sink.set_trail(trail_.length, trail_.frequency);
}

void GuestPointer::visit(core::StateVisitor& visitor) {
  bool has_shape = shape_ != nullptr;
  visitor.field("has_shape", has_shape);
  auto shape = shape_ ? std::make_shared<core::CursorShape>(*shape_) : std::make_shared<core::CursorShape>();
  visitor.field("unique", shape->unique);
  visitor.field("type", shape->type);
  visitor.field("width", shape->width);
  visitor.field("height", shape->height);
  visitor.field("hot_spot_x", shape->hot_spot.x);
  visitor.field("hot_spot_y", shape->hot_spot.y);
  visitor.field("data", shape->data, kMaxCursorBytes);
  shape_ = has_shape ? std::move(shape) : nullptr;
  visitor.field("x", position_.x);
  visitor.field("y", position_.y);
  visitor.field("visible", visible_);
  visitor.field("trail_length", trail_.length);
  visitor.field("trail_frequency", trail_.frequency);
}

bool GuestPointer::valid() const {
  return !shape_ || shape_->type <= core::CursorType::Color32;
}

}  // namespace devices::qxl
