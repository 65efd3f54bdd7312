#include "spice/wire/cursor.h"

#include "spice/wire/coding_impl.h"

namespace spice::wire {

template <class IO>
void CursorShape::wire(IO& io) {
  io.value("flags", flags);
  if ((flags & kCursorNone) != 0) return;
  io.value("unique", unique);
  io.value("type", type);
  io.value("width", width);
  io.value("height", height);
  io.value("hot_x", hot_x);
  io.value("hot_y", hot_y);
  if ((flags & kCursorFromCache) == 0) io.rest("data", data);
}

template <class IO>
void CursorInit::wire(IO& io) {
  io.object("position", position);
  io.value("trail_length", trail_length);
  io.value("trail_frequency", trail_frequency);
  io.value("visible", visible);
  io.object("shape", shape);
}

template <class IO>
void CursorSet::wire(IO& io) {
  io.object("position", position);
  io.value("visible", visible);
  io.object("shape", shape);
}

template <class IO>
void CursorMove::wire(IO& io) {
  io.object("position", position);
}

template <class IO>
void CursorTrail::wire(IO& io) {
  io.value("length", length);
  io.value("frequency", frequency);
}

template <class IO>
void CursorInvalOne::wire(IO& io) {
  io.value("id", id);
}

template struct Coding<CursorInit>;
template struct Coding<CursorReset>;
template struct Coding<CursorSet>;
template struct Coding<CursorMove>;
template struct Coding<CursorHide>;
template struct Coding<CursorTrail>;
template struct Coding<CursorInvalOne>;
template struct Coding<CursorInvalAll>;

}  // namespace spice::wire
