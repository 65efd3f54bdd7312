#include "spice/net/connection.h"

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "core/event/loop_timer.h"
#include "spice/net/ack_window.h"
#include "spice/net/latency_probe.h"
#include "spice/net/liveness.h"
#include "spice/net/socket.h"
#include "spice/wire/common.h"
#include "spice/wire/link.h"
#include "spice/wire/table.h"

namespace spice::net {

namespace {

using Time = std::chrono::nanoseconds;

// What may wait for one client before it is dropped. Channels with much to say ask writable() and never come near.
constexpr std::size_t kMaxQueuedBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxQueuedMessages = 4096;
// A longer message of unknown type is taken for a lost framing.
constexpr std::uint32_t kMaxSkippedSize = 1 << 20;
// Messages smaller than this that are sent in a row go out together, so many bytes at a time: a system call, and a
// wake-up of the peer, cost more than they do.
constexpr std::size_t kSmallMessage = 4 * 1024;
constexpr std::size_t kJoinedBytes = 32 * 1024;
// Keeps the random id of our pings apart from the small ones that channels use.
constexpr std::uint32_t kLeastProbeId = 0x100;

Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

struct Connection::Impl : std::enable_shared_from_this<Connection::Impl> {
  Impl(core::Loop& owner, Stream stream, const ConnectionOptions& wanted, Events handlers)
      : loop(owner),
        options(wanted),
        events(std::move(handlers)),
        timer(owner, [this] { tick(); }),
        socket(owner, std::move(stream),
               {.on_input = [this] { input(); },
                .on_drained = [this] { advance(); },
                .on_closed = [this](const std::string& reason) { close(reason); }}) {}

  void start() {
    socket.start();
    update_timer();
  }

  void start_probe(Time interval) {
    probe.emplace(std::random_device{}() | kLeastProbeId, interval);
    probe->busy(now());
    update_timer();
  }

  // Incoming

  void input() {
    liveness.sign_of_life(now());
    while (open && !holds_input && next_message()) {
    }
    if (open) update_timer();
  }

  void hold_input(bool holds) {
    if (std::exchange(holds_input, holds) == holds || !open) return;
    socket.hold_input(holds);
    liveness.sign_of_life(now());
  }

  // False when more bytes are needed.
  bool next_message() {
    const auto bytes = socket.input();
    if (skip > 0) {
      const auto count = std::min<std::size_t>(skip, bytes.size());
      skip -= count;
      socket.consume(count);
      return skip == 0;
    }
    const auto header_size = options.mini_header ? wire::MiniHeader::kSize : wire::FullHeader::kSize;
    if (bytes.size() < header_size) return false;
    const auto [type, size] = read_header(bytes.first(header_size));
    const auto* info = wire::find_message(options.channel, wire::Direction::ToServer, type);
    if (size > (info != nullptr ? info->max_size : kMaxSkippedSize)) {
      close(fmt::format("protocol violation: message {} of {} bytes", type, size));
      return false;
    }
    if (info == nullptr) {
      ++unknown_messages;
      socket.consume(header_size);
      skip = size;
      return true;
    }
    if (bytes.size() - header_size < size) return false;
    dispatch(type, bytes.subspan(header_size, size));
    if (open) socket.consume(header_size + size);
    return open;
  }

  std::pair<std::uint16_t, std::uint32_t> read_header(std::span<const std::uint8_t> bytes) const {
    if (options.mini_header) {
      const auto header = wire::decode<wire::MiniHeader>(bytes).value_or(wire::MiniHeader{});
      return {header.type, header.size};
    }
    const auto header = wire::decode<wire::FullHeader>(bytes).value_or(wire::FullHeader{});
    return {header.type, header.size};
  }

  void dispatch(std::uint16_t type, std::span<const std::uint8_t> body) {
    switch (type) {
      case wire::AckSync::kType:
        if (const auto sync = wire::decode<wire::AckSync>(body)) return window.synchronized(sync->generation);
        break;
      case wire::Ack::kType: window.acknowledged(); return advance();
      case wire::Pong::kType:
        if (const auto pong = wire::decode<wire::Pong>(body)) {
          if (probe && probe->pong(*pong, now())) return;
          return events.on_message(type, body);
        }
        break;
      default: note_traffic(); return events.on_message(type, body);
    }
    close(fmt::format("protocol violation: bad message {}", type));
  }

  // Outgoing

  void send(std::uint16_t type, wire::Gather body) {
    if (!open) return;
    if (pending.size() >= kMaxQueuedMessages || pending_bytes > kMaxQueuedBytes) {
      return close("it does not take what it is sent");
    }
    add_header(type, body);
    pending_bytes += body.total_size();
    pending.push_back(std::move(body));
    pump();
    was_writable = writable();
    if (joins) return;  // the clock is read when they go
    note_traffic();
    update_timer();
  }

  void note_traffic() {
    if (probe) probe->busy(now());
  }

  void add_header(std::uint16_t type, wire::Gather& body) {
    const auto size = static_cast<std::uint32_t>(body.size());
    ++serial;
    const auto header = options.mini_header
                            ? wire::encode(wire::MiniHeader{type, size})
                            : wire::encode(wire::FullHeader{.serial = serial, .type = type, .size = size});
    body.prepend_header(header.flatten());
  }

  bool has_room() const { return window.open() && socket.queued_bytes() == 0; }

  // Hands on what may go now.
  void pump() {
    while (open && !pending.empty() && has_room()) {
      auto next = std::move(pending.front());
      pending.pop_front();
      pending_bytes -= next.total_size();
      window.sent();
      if (next.total_size() < kSmallMessage) {
        join(next);
      } else {
        send_joined();
        socket.send(std::move(next));
      }
    }
  }

  // It goes when whoever sends now has sent all he has, or when there is enough.
  void join(const wire::Gather& message) {
    if (joined.empty()) joined.reserve(kJoinedBytes + kSmallMessage);
    message.append_to(joined);
    if (joined.size() >= kJoinedBytes) return send_joined();
    if (std::exchange(joins, true)) return;
    loop.post([self = shared_from_this()] {
      self->joins = false;
      self->send_joined();
      self->pump();
      self->note_traffic();
      self->tell_writable();
    });
  }

  void send_joined() {
    if (joined.empty() || !open) return;
    wire::Gather together;
    together.append(wire::Payload(std::exchange(joined, {})));
    socket.send(std::move(together));
  }

  bool writable() const { return open && pending.empty() && has_room(); }

  // There is more room than before.
  void advance() {
    liveness.sign_of_life(now());
    pump();
    tell_writable();
  }

  void tell_writable() {
    const bool before = std::exchange(was_writable, writable());
    if (!before && was_writable) events.on_writable();
    if (open) update_timer();
  }

  // Time

  bool waits_for_peer() const {
    if (holds_input) return false;
    return !pending.empty() || socket.queued_bytes() > 0 || !window.open() || (probe && probe->awaits_pong()) ||
           answer_expected;
  }

  void update_timer() {
    const auto time = now();
    if (socket.bytes_sent() != sent_when_looked) {
      sent_when_looked = socket.bytes_sent();
      liveness.sign_of_life(time);
    }
    liveness.waiting(waits_for_peer(), time);
    auto wanted = liveness.deadline();
    if (const auto measure = probe ? probe->next() : std::nullopt)
      wanted = std::min(wanted.value_or(*measure), *measure);
    // An early tick looks again; only an earlier deadline moves the timer.
    if (!wanted || (timer.armed() && armed_for <= *wanted)) return;
    armed_for = *wanted;
    timer.arm(std::max(*wanted - time, Time::zero()));
  }

  void tick() {
    const auto time = now();
    const auto deadline = liveness.deadline();
    if (socket.bytes_sent() == sent_when_looked && deadline && *deadline <= time) {
      return close("no sign of life");
    }
    if (probe && !writable()) probe->busy(time);
    if (probe && probe->due(time)) {
      // The first warms up, the second measures.
      for (int i = 0; i < 2; ++i)
        send(wire::Ping::kType, wire::encode(probe->ping(now())));
    }
    if (open) update_timer();
  }

  void close(const std::string& reason) {
    send_joined();
    if (!std::exchange(open, false)) return;
    socket.close();
    timer.cancel();
    pending.clear();
    loop.post([weak = weak_from_this(), reason] {
      const auto self = weak.lock();
      if (self && !self->abandoned) self->events.on_closed(reason);
    });
  }

  core::Loop& loop;
  ConnectionOptions options;
  Events events;
  core::LoopTimer timer;
  Socket socket;
  bool open = true;
  bool abandoned = false;
  bool holds_input = false;

  std::size_t skip = 0;  // rest of an unknown message
  std::uint64_t unknown_messages = 0;

  std::deque<wire::Gather> pending;
  std::size_t pending_bytes = 0;
  std::vector<std::uint8_t> joined;  // small messages, counted by the window
  bool joins = false;                // their sending is posted
  std::uint64_t serial = 0;          // of the last message
  AckWindow window;
  bool was_writable = true;

  Liveness liveness;
  std::optional<LatencyProbe> probe;
  bool answer_expected = false;
  std::uint64_t sent_when_looked = 0;
  Time armed_for{};
};

Connection::Connection(core::Loop& loop, Stream stream, const ConnectionOptions& options, Events events)
    : impl_(std::make_shared<Impl>(loop, std::move(stream), options, std::move(events))) {}

Connection::~Connection() {
  impl_->abandoned = true;
  impl_->close("abandoned");
}

void Connection::start() {
  impl_->start();
}

void Connection::start_acks(std::uint32_t window) {
  send(impl_->window.start(window));
}

void Connection::start_latency_probe(std::chrono::nanoseconds interval) {
  impl_->start_probe(interval);
}

void Connection::expect_answer(bool is_expected) {
  impl_->answer_expected = is_expected;
  impl_->update_timer();
}

void Connection::hold_input(bool holds) {
  impl_->hold_input(holds);
}

void Connection::send_encoded(std::uint16_t type, wire::Gather body) {
  impl_->send(type, std::move(body));
}

bool Connection::writable() const {
  return impl_->writable();
}

std::uint64_t Connection::next_serial() const {
  return impl_->serial + 1;
}

std::optional<std::chrono::nanoseconds> Connection::round_trip() const {
  const auto& probe = impl_->probe;
  return probe ? probe->round_trip() : std::nullopt;
}

std::uint64_t Connection::unknown_messages() const {
  return impl_->unknown_messages;
}

bool Connection::is_open() const {
  return impl_->open;
}

void Connection::close(const std::string& reason) {
  impl_->close(reason);
}

const Endpoint& Connection::local() const {
  return impl_->socket.local();
}

const Endpoint& Connection::remote() const {
  return impl_->socket.remote();
}

bool Connection::encrypted() const {
  return impl_->socket.encrypted();
}

}  // namespace spice::net
