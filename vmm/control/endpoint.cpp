#include "vmm/control/endpoint.h"

#include <array>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/log.h"
#include "core/base/unix_socket.h"
#include "core/event/loop_timer.h"
#include "vmm/control/terminal.h"

namespace vmm::control {

namespace {

constexpr std::size_t kMaxQueuedBytes = 1 << 20;  // of replies and events a client has not read
constexpr std::size_t kMaxClients = 16;           // of one socket
constexpr std::chrono::milliseconds kAcceptAgain{100};
constexpr std::size_t kMaxDescriptors = 8;  // of one message; the kernel closes what there is no room for

using Socket = asio::local::stream_protocol::socket;
using Descriptor = asio::posix::stream_descriptor;

// Closes what came along with a message, or gives it on.
void take_descriptors(const msghdr& message, const std::function<void(core::Fd)>& take) {
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(const_cast<msghdr*>(&message), header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      take(core::Fd(fd));
    }
  }
}

// One client over descriptors. Keeps itself alive through its pending operations.
class Client final : public Output, public std::enable_shared_from_this<Client> {
 public:
  enum class Kind : std::uint8_t { File, UnixSocket, PseudoTerminal };

  Client(Kind kind, Descriptor in, Descriptor out) : kind_(kind), in_(std::move(in)), out_(std::move(out)) {
    out_.non_blocking(true);
  }

  void start(const SessionFactory& factory) {
    session_ = factory(*this);
    send(session_->greeting());
    read();
  }

  void send(std::string_view text) override {
    if (!session_ || text.empty()) return;
    queued_ += text;
    write();
    if (queued_.size() > kMaxQueuedBytes) close();
  }

  bool take_keys() override {
    if (kind_ == Kind::File) key_mode_ = take_keys_of(in_.native_handle());
    return kind_ == Kind::PseudoTerminal || key_mode_ != nullptr;
  }

  void close() {
    if (!session_) return;
    // The session may be the caller: it goes when nothing of ours runs any more.
    asio::post(in_.get_executor(), [self = shared_from_this()] { self->session_.reset(); });
    key_mode_.reset();
    asio::error_code ignored;
    in_.close(ignored);
    out_.close(ignored);
  }

  // The endpoint goes, and with it what the session refers to; no session is the caller.
  void end() {
    close();
    session_.reset();
  }

 private:
  void read() {
    if (kind_ == Kind::UnixSocket) {
      return in_.async_wait(Descriptor::wait_read, [self = shared_from_this()](auto error) {
        error ? self->close() : self->receive_message();
      });
    }
    in_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](auto error, std::size_t size) {
      error ? self->close() : self->received(size);
    });
  }

  // As asio does not: with the descriptors that came along.
  void receive_message() {
    if (!session_) return;
    iovec bytes{buffer_.data(), buffer_.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMaxDescriptors * sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = ::recvmsg(in_.native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return read();
    if (size <= 0) return close();
    take_descriptors(message, [this](core::Fd fd) { session_->receive_descriptor(std::move(fd)); });
    received(static_cast<std::size_t>(size));
  }

  void received(std::size_t size) {
    if (session_ && session_->receive({buffer_.data(), size})) return read();
    closing_ = true;
    if (session_) write();
  }

  // At once as far as the client takes it, so that the last words are out before the process ends.
  void write() {
    while (!is_waiting_ && !queued_.empty()) {
      const auto written = ::write(out_.native_handle(), queued_.data(), queued_.size());
      if (written >= 0) {
        queued_.erase(0, static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {
        wait_until_writable();
      } else if (errno != EINTR) {
        return close();
      }
    }
    if (queued_.empty() && closing_) close();
  }

  void wait_until_writable() {
    is_waiting_ = true;
    out_.async_wait(Descriptor::wait_write, [self = shared_from_this()](auto error) {
      self->is_waiting_ = false;
      if (error) return self->close();
      if (self->session_) self->write();
    });
  }

  Kind kind_;
  Descriptor in_;
  Descriptor out_;
  std::unique_ptr<KeyMode> key_mode_;
  std::unique_ptr<Session> session_;
  std::array<char, 4096> buffer_{};
  std::string queued_;
  bool is_waiting_ = false;
  bool closing_ = false;
};

// asio's local sockets are one object for both directions; Client wants two, so it gets descriptors.
class UnixEndpoint final : public Endpoint {
 public:
  UnixEndpoint(core::Loop& loop, std::string path, core::UnixListener listener, SessionFactory factory)
      : path_(std::move(path)),
        file_(std::move(listener)),
        acceptor_(loop.context()),
        factory_(std::move(factory)),
        accept_again_(loop, [this] { accept(); }) {
    acceptor_.assign(asio::local::stream_protocol(), file_.take_fd().release());
  }

  ~UnixEndpoint() override {
    asio::error_code ignored;
    acceptor_.close(ignored);
    for (auto& weak : clients_) {
      if (auto client = weak.lock()) client->end();
    }
  }

  void serve() override { accept(); }

 private:
  void accept() {
    acceptor_.async_accept([this](asio::error_code error, Socket socket) {
      if (error == asio::error::operation_aborted) return;
      // Without a descriptor left the next attempt would fail at once, too.
      if (error) return accept_again_.arm(kAcceptAgain);
      admit(std::move(socket));
      accept();
    });
  }

  void admit(Socket socket) {
    std::erase_if(clients_, [](const auto& weak) { return weak.expired(); });
    if (clients_.size() >= kMaxClients) {
      MV_LOG_LIMITED(Warn, "monitor", "{} has {} clients already: another is turned away", path_, kMaxClients);
      return;
    }
    const int fd = socket.release();
    const int second = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (second < 0) {
      ::close(fd);
      return;
    }
    auto client = std::make_shared<Client>(Client::Kind::UnixSocket, Descriptor(acceptor_.get_executor(), fd),
                                           Descriptor(acceptor_.get_executor(), second));
    clients_.push_back(client);
    client->start(factory_);
  }

  std::string path_;
  core::UnixListener file_;
  asio::local::stream_protocol::acceptor acceptor_;
  SessionFactory factory_;
  core::LoopTimer accept_again_;
  std::list<std::weak_ptr<Client>> clients_;
};

// A client that is there from the start.
class SingleEndpoint final : public Endpoint {
 public:
  SingleEndpoint(std::shared_ptr<Client> client, SessionFactory factory, core::Fd held = {})
      : held_(std::move(held)), factory_(std::move(factory)), client_(std::move(client)) {}
  ~SingleEndpoint() override { client_->end(); }

  void serve() override { client_->start(factory_); }

 private:
  core::Fd held_;  // the other side of a pseudo-terminal
  SessionFactory factory_;
  std::shared_ptr<Client> client_;
};

core::Result<std::unique_ptr<Endpoint>> open_stdio(core::Loop& loop, SessionFactory factory) {
  const int in = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (in < 0 || out < 0) return core::fail("cannot use stdio for a monitor: {}", core::errno_text());
  try {
    auto client =
        std::make_shared<Client>(Client::Kind::File, Descriptor(loop.context(), in), Descriptor(loop.context(), out));
    return std::make_unique<SingleEndpoint>(std::move(client), std::move(factory));
  } catch (const std::system_error& error) {
    // epoll refuses plain files and /dev/null.
    return core::fail("cannot use stdio for a monitor: {}; redirect it from a pipe or terminal",
                      error.code().message());
  }
}

core::Result<std::unique_ptr<Endpoint>> open_pty(core::Loop& loop, SessionFactory factory) {
  auto terminal = open_pseudo_terminal();
  if (!terminal) return std::unexpected(terminal.error());
  const int second = ::fcntl(terminal->ours.get(), F_DUPFD_CLOEXEC, 0);
  if (second < 0) return core::fail("cannot use a pseudo-terminal for a monitor: {}", core::errno_text());
  core::log(core::LogLevel::Info, "monitor", "pty is {}", terminal->path);
  auto client =
      std::make_shared<Client>(Client::Kind::PseudoTerminal, Descriptor(loop.context(), terminal->ours.release()),
                               Descriptor(loop.context(), second));
  return std::make_unique<SingleEndpoint>(std::move(client), std::move(factory), std::move(terminal->theirs));
}

}  // namespace

core::Result<std::unique_ptr<Endpoint>> open_endpoint(core::Loop& loop, const std::string& spec,
                                                      SessionFactory factory) {
  if (spec == "stdio") return open_stdio(loop, std::move(factory));
  if (spec == "pty") return open_pty(loop, std::move(factory));
  constexpr std::string_view kUnix = "unix:";
  if (!spec.starts_with(kUnix)) return core::fail("a monitor is at stdio, pty or unix:PATH, not at {}", spec);
  auto path = spec.substr(kUnix.size());
  // As QEMU users write it; a monitor always listens and never waits.
  path = path.substr(0, path.find(','));
  auto listener = core::UnixListener::open(path, {});
  if (!listener) return std::unexpected(listener.error());
  return std::make_unique<UnixEndpoint>(loop, path, *std::move(listener), std::move(factory));
}

}  // namespace vmm::control
