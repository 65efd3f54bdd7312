#include "spice/net/socket.h"

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <deque>
#include <limits>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

#include "core/base/result.h"
#include "spice/net/input_buffer.h"

namespace spice::net {

namespace {
constexpr std::size_t kLayeredRead = 64 * 1024;
constexpr std::size_t kMaxPieces = 64;
// How much goes through the layers at a time, and is ready to be written: enough for a system call, and little enough
// to stay in the cache and to leave the rest to the moment at which the peer takes it.
constexpr std::size_t kReadyBytes = 64 * 1024;
// Pieces of a message smaller than this go through the layers together, so many bytes at a time.
constexpr std::size_t kSmallPiece = 4 * 1024;
constexpr std::size_t kJoinedBytes = 16 * 1024;
// What layers may answer to a peer that takes nothing: pings and key updates are asked for faster than read.
constexpr std::size_t kMaxAnswers = 64 * 1024;
}  // namespace

struct Socket::Impl : std::enable_shared_from_this<Socket::Impl> {
  Impl(core::Loop& owner, Stream stream, Events handlers)
      : loop(owner),
        descriptor(owner.context()),
        fd(std::move(stream.fd)),
        transport(std::move(stream.transport)),
        local(std::move(stream.local)),
        remote(std::move(stream.remote)),
        events(std::move(handlers)),
        input(std::move(stream.unread)),
        unsent(std::move(stream.unsent)) {
    descriptor.assign(fd.get(), attach_error);
  }
  ~Impl() { leave_loop(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void leave_loop() {
    open = false;
    // The descriptor is ours; Asio only watches it.
    if (descriptor.is_open()) descriptor.release();
  }

  void drop() {
    leave_loop();
    fd.close();
  }

  // The layers' farewell goes if there is room for it at once.
  void close() {
    if (open) shutdown_output();
    drop();
  }

  void fail(const std::string& reason) {
    if (!open) return;
    drop();
    events.on_closed(reason);
  }

  void fail_later(std::string reason) {
    loop.post([weak = weak_from_this(), reason = std::move(reason)] {
      if (const auto self = weak.lock()) self->fail(reason);
    });
  }

  void start() {
    if (attach_error) return fail_later(attach_error.message());
    if (!unsent.empty()) flush();
    loop.post([self = shared_from_this()] {
      if (!self->open) return;
      if (!self->input.empty()) self->events.on_input();
      self->wait_for_input();
    });
  }

  void hold_input(bool holds) {
    if (std::exchange(holds_input, holds) == holds || holds) return;
    loop.post([self = shared_from_this()] {
      if (!self->open || self->holds_input) return;
      if (!self->input.empty()) self->events.on_input();
      if (!self->waiting_for_input) self->wait_for_input();
    });
  }

  void wait_for_input() {
    waiting_for_input = false;
    if (!open || holds_input) return;
    waiting_for_input = true;
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const asio::error_code& error) {
                            if (error || !self->open) return;
                            if (!self->holds_input) self->read();
                            self->wait_for_input();
                          });
  }

  // One read an event: a talkative peer does not keep others waiting.
  void read() {
    const bool plain = transport.plain();
    thread_local std::array<std::uint8_t, kLayeredRead> layered;
    const auto room = plain ? input.room() : std::span<std::uint8_t>(layered);
    const auto count = ::recv(fd.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) return fail(core::errno_text());
    if (count == 0) return fail("the peer closed it");
    const auto came = static_cast<std::size_t>(count);
    if (plain) input.add(came);
    const bool fine = plain || receive(room.first(came));
    // What came before the end counts.
    if (!input.empty()) events.on_input();
    if (!fine) fail("the peer ended the transport or broke its rules");
  }

  // Through the layers.
  bool receive(std::span<const std::uint8_t> bytes) {
    Bytes up;
    const bool fine = answer([&] { return transport.receive(bytes, up, unsent); });
    input.append(up);
    return fine;
  }

  // Runs what makes layers answer.
  bool answer(const auto& receive) {
    const auto before = unsent.size();
    const bool fine = receive();
    answers += unsent.size() - before;
    if (!waiting_for_room) flush();
    return fine && answers <= kMaxAnswers;
  }

  void push(std::unique_ptr<Layer> layer) {
    make_all_ready();  // what was sent before goes without it
    const auto unread = input.take();
    Bytes up;
    const bool fine = answer([&] { return transport.push(std::move(layer), unread, up, unsent); });
    input.append(up);
    if (!fine) fail_later("the peer ended the transport or broke its rules");
  }

  void send(wire::Gather data) {
    if (!open) return;
    queued_bytes += data.total_size();
    queue.push_back(std::move(data));
    if (!waiting_for_room) flush();
  }

  std::size_t pending() const { return unsent.size() - unsent_begin + queued_bytes; }

  // The pieces to write next, oldest first.
  std::size_t next_pieces(std::array<iovec, kMaxPieces>& out) const {
    std::size_t count = 0;
    const auto add = [&](std::span<const std::uint8_t> piece) {
      // The kernel only reads.
      out[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
    };
    if (unsent_begin < unsent.size()) add(std::span(unsent).subspan(unsent_begin));
    if (!transport.plain()) return count;  // nothing goes past the layers
    auto skip = front_sent;
    for (const auto& data : queue) {
      std::array<std::span<const std::uint8_t>, kMaxPieces> pieces;
      const auto there = data.pieces(std::exchange(skip, 0), pieces);
      for (std::size_t i = 0; i < there && count < out.size(); ++i)
        add(pieces[i]);
      if (count == out.size()) break;
    }
    return count;
  }

  void was_sent(std::size_t count) {
    bytes_sent += count;
    const auto from_unsent = std::min(count, unsent.size() - unsent_begin);
    unsent_begin += from_unsent;
    if (unsent_begin == unsent.size()) {
      unsent.clear();
      unsent_begin = 0;
      answers = 0;
    }
    leaves_queue(count - from_unsent);
  }

  void leaves_queue(std::size_t count) {
    queued_bytes -= count;
    front_sent += count;
    while (!queue.empty() && front_sent >= queue.front().total_size()) {
      front_sent -= queue.front().total_size();
      queue.pop_front();
    }
  }

  // Sends the queue's next bytes through the layers, until there are so many in `unsent`; those that were written count
  // until all are, so that it does not grow.
  void make_ready(std::size_t wanted) {
    if (transport.plain()) return;
    while (!queue.empty() && unsent.size() < wanted) {
      std::array<std::span<const std::uint8_t>, kMaxPieces> pieces;
      const auto count = queue.front().pieces(front_sent, pieces);
      const auto first = pieces.front();
      if (count == 1 || first.size() >= kSmallPiece) {
        const auto part = first.first(std::min(first.size(), kReadyBytes));
        transport.send(part, unsent);
        leaves_queue(part.size());
      } else {
        send_joined(std::span(pieces).first(count));
      }
    }
    if (queue.empty() && output_ends && !std::exchange(farewell_said, true)) transport.end(unsent);
  }

  void send_joined(std::span<const std::span<const std::uint8_t>> pieces) {
    std::array<std::uint8_t, kJoinedBytes> joined;
    std::size_t size = 0;
    for (const auto piece : pieces) {
      const auto part = piece.first(std::min(piece.size(), joined.size() - size));
      std::ranges::copy(part, joined.begin() + static_cast<std::ptrdiff_t>(size));
      size += part.size();
    }
    transport.send(std::span(joined).first(size), unsent);
    leaves_queue(size);
  }

  void flush() {
    for (make_ready(kReadyBytes); open && pending() > 0; make_ready(kReadyBytes)) {
      std::array<iovec, kMaxPieces> pieces;
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = next_pieces(pieces);
      const auto count = ::sendmsg(fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        was_sent(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        return wait_for_room();
      } else if (errno != EINTR) {
        return fail_later(core::errno_text());
      }
    }
    if (open && output_ends) ::shutdown(fd.get(), SHUT_WR);
  }

  void shutdown_output() {
    output_ends = true;
    if (!waiting_for_room) flush();
  }

  void wait_for_room() {
    waiting_for_room = true;
    descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                          [self = shared_from_this()](const asio::error_code& error) {
                            self->waiting_for_room = false;
                            if (error || !self->open) return;
                            self->flush();
                            if (self->open && self->pending() == 0) self->events.on_drained();
                          });
  }

  // All that was sent becomes bytes for the network.
  void make_all_ready() {
    if (!transport.plain()) return make_ready(std::numeric_limits<std::size_t>::max());
    unsent.erase(unsent.begin(), unsent.begin() + static_cast<std::ptrdiff_t>(std::exchange(unsent_begin, 0)));
    for (const auto& data : queue) {
      const auto bytes = data.flatten();
      const auto skip = std::exchange(front_sent, 0);
      unsent.insert(unsent.end(), bytes.begin() + static_cast<std::ptrdiff_t>(skip), bytes.end());
    }
    queue.clear();
    queued_bytes = 0;
  }

  Stream detach() {
    leave_loop();
    make_all_ready();
    Stream stream;
    stream.fd = std::move(fd);
    stream.transport = std::move(transport);
    stream.local = local;
    stream.remote = remote;
    stream.unread = input.take();
    stream.unsent.assign(unsent.begin() + static_cast<std::ptrdiff_t>(unsent_begin), unsent.end());
    return stream;
  }

  core::Loop& loop;
  asio::posix::stream_descriptor descriptor;
  TetheredFd fd;
  Transport transport;
  Endpoint local;
  Endpoint remote;
  Events events;
  asio::error_code attach_error;
  bool open = true;
  bool waiting_for_input = false;
  bool holds_input = false;
  bool waiting_for_room = false;
  bool output_ends = false;
  bool farewell_said = false;  // by the layers

  InputBuffer input;
  std::deque<wire::Gather> queue;
  std::size_t front_sent = 0;    // of the queue's first, to the network or through the layers
  std::size_t queued_bytes = 0;  // of the queue, without what was sent
  Bytes unsent;                  // as the network gets it; goes before the queue
  std::size_t unsent_begin = 0;
  std::size_t answers = 0;  // of the transport's layers, among unsent
  std::uint64_t bytes_sent = 0;
};

Socket::Socket(core::Loop& loop, Stream stream, Events events)
    : impl_(std::make_shared<Impl>(loop, std::move(stream), std::move(events))) {}

Socket::~Socket() {
  impl_->close();
}

void Socket::start() {
  impl_->start();
}

void Socket::hold_input(bool holds) {
  impl_->hold_input(holds);
}

std::span<const std::uint8_t> Socket::input() const {
  return impl_->input.bytes();
}

void Socket::consume(std::size_t bytes) {
  impl_->input.consume(bytes);
}

void Socket::send(wire::Gather data) {
  impl_->send(std::move(data));
}

std::size_t Socket::queued_bytes() const {
  return impl_->pending();
}

std::uint64_t Socket::bytes_sent() const {
  return impl_->bytes_sent;
}

bool Socket::is_open() const {
  return impl_->open;
}

const Endpoint& Socket::local() const {
  return impl_->local;
}

const Endpoint& Socket::remote() const {
  return impl_->remote;
}

bool Socket::encrypted() const {
  return impl_->transport.encrypted();
}

void Socket::push(std::unique_ptr<Layer> layer) {
  impl_->push(std::move(layer));
}

void Socket::shutdown_output() {
  impl_->shutdown_output();
}

void Socket::close() {
  impl_->close();
}

Stream Socket::detach() {
  return impl_->detach();
}

}  // namespace spice::net
