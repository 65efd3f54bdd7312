#include "spice/display/cursor_channel.h"

namespace spice::display {

void CursorChannel::on_start() {
  connection().start_acks(kAckWindow);
  send(wire::CursorInit{});
}

void CursorChannel::reset() {
  reset_owed_ = true;
  pump();
}

void CursorChannel::pump() {
  if (!reset_owed_ || !writable()) return;
  reset_owed_ = false;
  send(wire::CursorInvalAll{});
  send(wire::CursorReset{});
  send(wire::CursorInit{});
}

}  // namespace spice::display
