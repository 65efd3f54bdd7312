// The cursor channel of one client: tells it what its ClientCursor says it does not know, as fast as it takes it. A
// display whose device never gives a shape (a guest in VGA mode draws its own) tells that and nothing else. Display
// worker only.
#pragma once

#include "spice/channel/channel.h"
#include "spice/display/client_cursor.h"
#include "spice/wire/cursor.h"

namespace spice::display {

class CursorChannel final : public channel::Channel {
 public:
  static constexpr std::uint32_t kAckWindow = 20;

  CursorChannel(core::Loop& loop, const Cursor& cursor, channel::LinkedConnection linked)
      : Channel(loop, std::move(linked)), cursor_(cursor) {}

  // The pointer may have changed.
  void changed() { pump(); }
  // The primary surface was replaced: the client forgets shape and position, and gets them again.
  void reset();

 private:
  std::span<const Handler> handlers() const override { return {}; }
  void on_start() override;
  void on_writable() override { pump(); }
  void pump();
  void send_step(const ClientCursor::Step& step);

  const Cursor& cursor_;
  ClientCursor client_;
};

}  // namespace spice::display
