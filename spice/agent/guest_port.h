// A named port of the guest whose host end lives on a loop: the agent's, or one that a client has as a channel.
//
// What the guest writes waits in a bounded buffer; when that is full, it waits in the guest. What the host end has for
// the guest it keeps itself until the guest takes it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "core/event/loop.h"
#include "core/event/mailbox.h"
#include "core/ports/char_stream.h"

namespace spice::agent {

class GuestPort final : public core::CharStream {
 public:
  static constexpr std::size_t kCapacity = 256 * 1024;
  // Most that is read in one turn of the loop, which a guest that never stops writing would have for itself.
  static constexpr std::size_t kMostOfTurn = 4 * kCapacity;
  static constexpr std::size_t kMostDiscarded = 64 * kCapacity;

  // Who serves the port. Called on the loop.
  class Host {
   public:
    virtual ~Host() = default;
    virtual void guest_opened(bool open) = 0;  // in its place among what the guest writes
    virtual void guest_wrote() = 0;            // read() gives something
    virtual void guest_has_room() = 0;         // give() may take something
  };

  // What becomes of what the guest wrote and nobody has read when it closes its end.
  enum class AtClose : std::uint8_t { Keep, Drop };

  // The loop must outlive the port or have stopped.
  explicit GuestPort(core::Loop& loop, AtClose at_close = AtClose::Keep)
      : at_close_(at_close), news_(loop, [this] { look(); }), batch_given_(loop, [this] { end_batch(); }) {}

  // Without a host what the guest does waits until there is one. Any thread: returns when the host before is not called
  // any more, unless it was called from there.
  void serve(Host* host);

  // On the loop, or before there is a host.

  // Whether the guest sees somebody at the host end.
  void set_present(bool present);
  // What the guest wrote, up to where it closed its end. May be less than there is; nothing when this turn of the loop
  // has read kMostOfTurn: then guest_wrote() tells of the rest.
  std::vector<std::uint8_t> read(std::size_t most);
  // Drops what the guest wrote until now, up to where it opened or closed its end; at most about kMostDiscarded.
  void discard();
  // To the guest, which hears of it when the loop has done what it is at; returns how much it took.
  std::size_t give(std::span<const std::uint8_t> bytes);

  // The device's side.
  std::size_t write(std::span<const std::uint8_t> bytes) override;
  std::size_t write_some(std::span<const std::uint8_t> bytes) override;
  void set_observer(core::CharStreamObserver* observer) override;
  void set_receiver(core::CharReceiver receive) override;
  void guest_opened(bool open) override;
  void ready_to_receive() override;

 private:
  // Bytes, or none: then the guest opened or closed its end.
  struct Event {
    std::vector<std::uint8_t> bytes;
    bool open = false;
    bool is_turn() const { return bytes.empty(); }
  };
  enum class Next : std::uint8_t { Nothing, Opened, Closed, Data };

  void look();
  Next take_next();
  std::size_t discard_buffered();
  void offer_room();
  void end_batch();

  const AtClose at_close_;
  std::recursive_mutex host_mutex_;  // held while the host is called, and taken before all others
  Host* host_ = nullptr;
  bool present_ = false;
  std::size_t turn_left_ = kMostOfTurn;  // to be read

  std::mutex device_mutex_;  // held while the device is called: before its lock
  core::CharStreamObserver* observer_ = nullptr;
  core::CharReceiver receiver_;

  std::mutex mutex_;  // a leaf; guards the rest
  std::deque<Event> events_;
  std::size_t buffered_ = 0;  // bytes in all events
  std::size_t read_ = 0;      // of the first
  bool is_open_ = false;      // behind all events
  bool is_short_ = false;     // write_some() did not take everything
  bool has_room_ = false;     // news for the host

  core::Signal news_;
  core::Signal batch_given_;
};

}  // namespace spice::agent
