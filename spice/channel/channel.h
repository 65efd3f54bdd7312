// One channel of one client: what all channels have in common. On the thread of its loop only.
//
// A channel lists its handlers in a constexpr table and gets decoded messages:
//
//   static constexpr std::array kHandlers{on<&InputsChannel::key_down>, ...};   // void key_down(const
//   wire::InputsKeyDown&)
//
// A message that does not decode, is too long or is refused by its handler closes this connection and nothing else.
// Messages without a handler are skipped.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "core/event/loop.h"
#include "spice/channel/linked_connection.h"
#include "spice/net/connection.h"
#include "spice/wire/coding.h"

namespace spice::channel {

class Channel {
 public:
  struct Handler {
    std::uint16_t type;
    bool (*call)(Channel& channel, std::span<const std::uint8_t> body);
  };

  virtual ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Begins to read, then calls on_start(). `closed` is called once, from the loop, when the connection has ended, and
  // may destroy the channel.
  void start(std::move_only_function<void()> closed);

  const wire::ChannelKey& key() const { return key_; }
  SessionInfo& session() const { return *session_; }
  const wire::Capabilities& client_caps() const { return client_caps_; }
  const net::Connection& connection() const { return connection_; }

  // The log gets one line. Idempotent; `closed` follows from the loop.
  void close(const std::string& reason) { connection_.close(reason); }

 protected:
  Channel(core::Loop& loop, LinkedConnection linked);

  template <class M>
  void send(const M& message) {
    connection_.send(message);
  }
  // Whether what is sent now goes out at once; if not, on_writable() follows when it is again.
  bool writable() const { return connection_.writable(); }
  net::Connection& connection() { return connection_; }
  // Done by start(), unless the channel first has another measurement of its own.
  void start_latency_probe();
  virtual bool measures_line_itself() const { return false; }

  virtual std::span<const Handler> handlers() const = 0;
  virtual void on_start() {}
  virtual void on_writable() {}
  virtual void on_closed() {}  // last words, before the owner hears of it

 private:
  void received(std::uint16_t type, std::span<const std::uint8_t> body);
  void ended(const std::string& reason);

  wire::ChannelKey key_;
  wire::Capabilities client_caps_;
  std::shared_ptr<SessionInfo> session_;
  std::move_only_function<void()> closed_;
  net::Connection connection_;
};

namespace detail {

template <auto Method>
struct Bound;

template <class C, class R, class M, R (C::*Method)(const M&)>
struct Bound<Method> {
  static bool call(Channel& channel, std::span<const std::uint8_t> body) {
    const auto message = wire::decode<M>(body);
    if (!message) return false;
    auto& self = static_cast<C&>(channel);
    if constexpr (std::is_void_v<R>) {
      (self.*Method)(*message);
      return true;
    } else {
      return (self.*Method)(*message);
    }
  }
  static constexpr Channel::Handler kHandler{M::kType, &call};
};

}  // namespace detail

// The table row for a method `void f(const Message&)`, or `bool f(const Message&)`, where false refuses the message.
template <auto Method>
inline constexpr Channel::Handler on = detail::Bound<Method>::kHandler;

// The channels of one kind that are connected now; each leaves when it ends.
template <class C>
class ChannelList {
 public:
  C& add(std::unique_ptr<C> channel) {
    const auto place = channels_.insert(channels_.end(), std::move(channel));
    auto& added = **place;
    added.start([this, place] { channels_.erase(place); });
    return added;
  }
  template <class F>
  void for_each(F f) {
    for (auto& channel : channels_)
      f(*channel);
  }
  void clear() { channels_.clear(); }  // loop thread, or the loop has stopped
  bool empty() const { return channels_.empty(); }
  std::size_t size() const { return channels_.size(); }

 private:
  std::list<std::unique_ptr<C>> channels_;
};

}  // namespace spice::channel
