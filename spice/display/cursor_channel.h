// The cursor channel of one client. The pointer has no shape until the device gives it one: a guest in VGA mode draws
// its own. Like the picture, what a client is owed is a state and not a queue. Display worker only.
#pragma once

#include "spice/channel/channel.h"
#include "spice/wire/cursor.h"

namespace spice::display {

class CursorChannel final : public channel::Channel {
 public:
  static constexpr std::uint32_t kAckWindow = 20;

  CursorChannel(core::Loop& loop, channel::LinkedConnection linked) : Channel(loop, std::move(linked)) {}

  // The primary surface was replaced: the client forgets shape and position.
  void reset();

 private:
  std::span<const Handler> handlers() const override { return {}; }
  void on_start() override;
  void on_writable() override { pump(); }
  void pump();

  bool reset_owed_ = false;
};

}  // namespace spice::display
