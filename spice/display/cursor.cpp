#include "spice/display/cursor.h"

#include <utility>

namespace spice::display {
namespace {

std::size_t bit_rows(std::size_t width, std::size_t height) {
  return (width + 7) / 8 * height;
}

bool is_whole(const core::CursorShape& shape) {
  const auto needed = cursor_bytes(shape.type, shape.width, shape.height);
  return needed && shape.data.size() >= *needed;
}

}  // namespace

std::optional<std::size_t> cursor_bytes(core::CursorType type, std::uint16_t width, std::uint16_t height) {
  if (width == 0 || height == 0) return std::nullopt;
  const std::size_t pixels = std::size_t{width} * height;
  const std::size_t mask = bit_rows(width, height);
  switch (type) {
    case core::CursorType::Alpha: return pixels * 4;
    case core::CursorType::Mono: return mask * 2;
    case core::CursorType::Color4: return std::size_t{(width + 1U) / 2} * height + 16 * 4 + mask;
    case core::CursorType::Color8: return pixels + 256 * 4 + mask;
    case core::CursorType::Color16: return pixels * 2 + mask;
    case core::CursorType::Color24: return pixels * 3 + mask;
    case core::CursorType::Color32: return pixels * 4 + mask;
  }
  return std::nullopt;
}

void Cursor::set(core::CursorShapePtr shape, core::Point position, bool visible) {
  if (shape != nullptr && !is_whole(*shape)) shape = nullptr;
  state_.shape = std::move(shape);
  state_.position = position;
  state_.visible = visible;
}

void Cursor::move(core::Point position) {
  state_.position = position;
  state_.visible = true;
}

void Cursor::set_trail(std::uint16_t length, std::uint16_t frequency) {
  state_.trail_length = length;
  state_.trail_frequency = frequency;
}

void Cursor::reset() {
  state_ = {.resets = state_.resets + 1, .client_mouse = state_.client_mouse};
}

}  // namespace spice::display
