// The pointer of a display as its device has left it last. What happened in between is nobody's business any more: who
// shows it to somebody compares this with what that one has. Display worker only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/ports/cursor.h"

namespace spice::display {

struct CursorState {
  core::CursorShapePtr shape{};  // null: none; otherwise it has all the bytes that cursor_bytes() wants
  core::Point position{};
  bool visible = false;
  std::uint16_t trail_length = 0;
  std::uint16_t trail_frequency = 0;
  std::uint64_t resets = 0;   // since which the names of shapes have meant what they mean
  bool client_mouse = false;  // clients place the pointer themselves
};

// The data that a shape of this kind and size has: rows of pixels, then a palette if there is one, then for the colour
// types a mask of one bit a pixel. Nothing if there is no such type or a side is 0.
std::optional<std::size_t> cursor_bytes(core::CursorType type, std::uint16_t width, std::uint16_t height);

class Cursor final : public core::CursorSink {
 public:
  const CursorState& state() const { return state_; }
  void set_client_mouse(bool client_mouse) { state_.client_mouse = client_mouse; }

  // A shape that lacks data counts as none: clients read what its size says without looking.
  void set(core::CursorShapePtr shape, core::Point position, bool visible) override;
  void move(core::Point position) override;
  void hide() override { state_.visible = false; }
  void set_trail(std::uint16_t length, std::uint16_t frequency) override;
  void reset() override;

 private:
  CursorState state_;
};

}  // namespace spice::display
