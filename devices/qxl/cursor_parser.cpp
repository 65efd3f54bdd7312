#include "devices/qxl/cursor_parser.h"

#include <memory>

#include "devices/qxl/shape_parser.h"

namespace devices::qxl {

using namespace abi;

namespace {

core::CursorShapePtr parse_shape(CommandReader& in, QxlAddress at) {
  const auto head = in.read<QXLCursor>(at);
  if (head.data_size > kMaxCursorBytes) in.fail("a cursor's shape is too large");
  if (head.type > static_cast<std::uint16_t>(core::CursorType::Color32)) in.fail("a cursor has an unknown type");
  auto shape = std::make_shared<core::CursorShape>();
  shape->unique = head.unique;
  shape->type = static_cast<core::CursorType>(std::uint16_t{head.type});
  shape->width = head.width;
  shape->height = head.height;
  shape->hot_spot = {head.hot_spot_x, head.hot_spot_y};
  if (in.ok()) shape->data = in.chunks_up_to(at + sizeof head, head.data_size);
  return in.ok() ? shape : nullptr;
}

}  // namespace

CursorCommand parse_cursor(CommandReader& in, QxlAddress at) {
  const auto head = in.read<QXLCursorCmd>(at);
  if (!in.ok()) return {};
  switch (static_cast<QxlCursorType>(head.type)) {
    case QxlCursorType::Set: {
      auto shape = parse_shape(in, {head.shape});
      if (!shape) return {};
      return SetCursor{std::move(shape), point_of(head.position), head.visible != 0};
    }
    case QxlCursorType::Move: return MoveCursor{point_of(head.position)};
    case QxlCursorType::Hide: return HideCursor{};
    case QxlCursorType::Trail: return CursorTrail{head.position.x, head.position.y};
  }
  in.fail("a cursor command has an unknown type");
  return {};
}

}  // namespace devices::qxl
