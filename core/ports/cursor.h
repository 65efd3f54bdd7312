// The pointer that a display device shows over its surfaces, and where it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/ports/geometry.h"

namespace core::inline ports {

// Numbers of QXL and SPICE (spice-protocol: enums.h SpiceCursorType).
enum class CursorType : std::uint8_t {
  Alpha = 0,  // ARGB, premultiplied
  Mono = 1,   // an AND mask, then an XOR mask, one bit a pixel, highest bit first
  Color4 = 2,
  Color8 = 3,
  Color16 = 4,
  Color24 = 5,
  Color32 = 6,
};

struct CursorShape {
  std::uint64_t unique = 0;  // the guest's name for it, under which a client may keep it; 0: must not be kept
  CursorType type = CursorType::Alpha;
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  Point hot_spot{};
  std::vector<std::uint8_t> data{};  // as the guest has it, of any length
};

// Shapes are shared by the display and clients' queues, and never change.
using CursorShapePtr = std::shared_ptr<const CursorShape>;

// Where a device's pointer goes. Positions are those of the hot spot on the primary surface. Display worker only.
class CursorSink {
 public:
  virtual ~CursorSink() = default;
  virtual void set(CursorShapePtr shape, Point position, bool visible) = 0;
  virtual void move(Point position) = 0;  // also shows it
  virtual void hide() = 0;
  virtual void set_trail(std::uint16_t length, std::uint16_t frequency) = 0;
  virtual void reset() = 0;  // no shape, hidden, at (0, 0), no trail
};

}  // namespace core::inline ports
