// Rectangles and points as they lie on the wire. Half-open.
#pragma once

#include <cstdint>

namespace spice::wire {

struct Rect {
  static constexpr std::size_t kLeastSize = 16;
  std::int32_t top = 0;
  std::int32_t left = 0;
  std::int32_t bottom = 0;
  std::int32_t right = 0;

  bool operator==(const Rect&) const = default;
  template <class IO>
  void wire(IO& io) {
    io.value("top", top);
    io.value("left", left);
    io.value("bottom", bottom);
    io.value("right", right);
  }
};

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;

  bool operator==(const Point&) const = default;
  template <class IO>
  void wire(IO& io) {
    io.value("x", x);
    io.value("y", y);
  }
};

struct Point16 {
  std::int16_t x = 0;
  std::int16_t y = 0;

  bool operator==(const Point16&) const = default;
  template <class IO>
  void wire(IO& io) {
    io.value("x", x);
    io.value("y", y);
  }
};

}  // namespace spice::wire
