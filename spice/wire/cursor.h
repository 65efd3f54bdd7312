// Messages of the cursor channel, all from the server.
#pragma once

#include <cstdint>

#include "spice/wire/common.h"
#include "spice/wire/geometry.h"

namespace spice::wire {

enum CursorFlag : std::uint16_t { kCursorNone = 1, kCursorCacheMe = 2, kCursorFromCache = 4 };

enum class CursorType : std::uint8_t {
  Alpha = 0,
  Mono = 1,
  Color4 = 2,
  Color8 = 3,
  Color16 = 4,
  Color24 = 5,
  Color32 = 6,
};

// A pointer's shape. With kCursorNone only the flags are sent, with kCursorFromCache no pixels.
struct CursorShape {
  std::uint16_t flags = kCursorNone;
  std::uint64_t unique = 0;  // 0 must not be cached
  CursorType type{};
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint16_t hot_x = 0;
  std::uint16_t hot_y = 0;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct CursorInit {
  static constexpr std::uint16_t kType = 101;
  Point16 position;
  std::uint16_t trail_length = 0;
  std::uint16_t trail_frequency = 0;
  std::uint8_t visible = 1;
  CursorShape shape;

  template <class IO>
  void wire(IO& io);
};

using CursorReset = Empty<ChannelType::Cursor, 102>;

struct CursorSet {
  static constexpr std::uint16_t kType = 103;
  Point16 position;
  std::uint8_t visible = 1;
  CursorShape shape;

  template <class IO>
  void wire(IO& io);
};

struct CursorMove {
  static constexpr std::uint16_t kType = 104;
  Point16 position;

  template <class IO>
  void wire(IO& io);
};

using CursorHide = Empty<ChannelType::Cursor, 105>;

struct CursorTrail {
  static constexpr std::uint16_t kType = 106;
  std::uint16_t length = 0;
  std::uint16_t frequency = 0;

  template <class IO>
  void wire(IO& io);
};

struct CursorInvalOne {
  static constexpr std::uint16_t kType = 107;
  std::uint64_t id = 0;

  template <class IO>
  void wire(IO& io);
};

using CursorInvalAll = Empty<ChannelType::Cursor, 108>;

}  // namespace spice::wire
