#include "vmm/control/endpoint.h"

#include <array>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <fcntl.h>
#include <list>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/fd.h"

namespace vmm::control {

namespace {

constexpr std::size_t kMaxQueuedBytes = 1 << 20;  // of replies and events a client has not read

// One client over any Asio stream. Keeps itself alive through its pending operations.
template <class Stream>
class Client final : public Output, public std::enable_shared_from_this<Client<Stream>> {
 public:
  Client(Stream in, Stream out, std::function<void()> closed)
      : in_(std::move(in)), out_(std::move(out)), closed_(std::move(closed)) {}

  void start(const SessionFactory& factory) {
    session_ = factory(*this);
    send(session_->greeting());
    read();
  }

  void send(std::string_view text) override {
    if (!session_ || text.empty()) return;
    queued_ += text;
    if (queued_.size() > kMaxQueuedBytes) return close();
    write();
  }

  void close() {
    if (!session_) return;
    // The session may be the caller: it goes when nothing of ours runs any more.
    asio::post(in_.get_executor(), [self = this->shared_from_this()] { self->session_.reset(); });
    asio::error_code ignored;
    in_.close(ignored);
    out_.close(ignored);
    if (closed_) std::exchange(closed_, nullptr)();
  }

  // The endpoint goes, and with it what the session refers to; no session is the caller.
  void end() {
    close();
    session_.reset();
  }

 private:
  void read() {
    in_.async_read_some(asio::buffer(buffer_), [self = this->shared_from_this()](auto error, std::size_t size) {
      if (error) return self->close();
      if (self->session_ && self->session_->receive({self->buffer_.data(), size})) return self->read();
      self->closing_ = true;
      if (!self->writing_) self->close();
    });
  }

  void write() {
    if (std::exchange(writing_, true)) return;
    sending_.swap(queued_);
    queued_.clear();
    asio::async_write(out_, asio::buffer(sending_), [self = this->shared_from_this()](auto error, std::size_t) {
      self->writing_ = false;
      if (error) return self->close();
      if (!self->queued_.empty()) return self->write();
      if (self->closing_) self->close();
    });
  }

  Stream in_;
  Stream out_;
  std::function<void()> closed_;
  std::unique_ptr<Session> session_;
  std::array<char, 4096> buffer_{};
  std::string queued_;
  std::string sending_;
  bool writing_ = false;
  bool closing_ = false;
};

using Socket = asio::local::stream_protocol::socket;
using Descriptor = asio::posix::stream_descriptor;

// asio's local sockets are one object for both directions; Client wants two, so it gets descriptors.
class UnixEndpoint final : public Endpoint {
 public:
  UnixEndpoint(asio::io_context& context, std::string path, int listener, SessionFactory factory)
      : path_(std::move(path)), acceptor_(context), factory_(std::move(factory)) {
    acceptor_.assign(asio::local::stream_protocol(), listener);
  }

  ~UnixEndpoint() override {
    asio::error_code ignored;
    acceptor_.close(ignored);
    for (auto& weak : clients_) {
      if (auto client = weak.lock()) client->end();
    }
    ::unlink(path_.c_str());
  }

  void serve() override { accept(); }

 private:
  void accept() {
    acceptor_.async_accept([this](asio::error_code error, Socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error) admit(std::move(socket));
      accept();
    });
  }

  void admit(Socket socket) {
    const int fd = socket.release();
    const int second = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (second < 0) {
      ::close(fd);
      return;
    }
    auto client = std::make_shared<Client<Descriptor>>(Descriptor(acceptor_.get_executor(), fd),
                                                       Descriptor(acceptor_.get_executor(), second), nullptr);
    std::erase_if(clients_, [](const auto& weak) { return weak.expired(); });
    clients_.push_back(client);
    client->start(factory_);
  }

  std::string path_;
  asio::local::stream_protocol::acceptor acceptor_;
  SessionFactory factory_;
  std::list<std::weak_ptr<Client<Descriptor>>> clients_;
};

class StdioEndpoint final : public Endpoint {
 public:
  StdioEndpoint(asio::io_context& context, int in, int out, SessionFactory factory)
      : factory_(std::move(factory)),
        client_(std::make_shared<Client<Descriptor>>(Descriptor(context, in), Descriptor(context, out), nullptr)) {}
  ~StdioEndpoint() override { client_->end(); }

  void serve() override { client_->start(factory_); }

 private:
  SessionFactory factory_;
  std::shared_ptr<Client<Descriptor>> client_;
};

bool socket_is_live(const sockaddr_un& address) {
  const core::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe.valid() && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

core::Result<core::Fd> listen_on(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return core::fail("cannot listen on {}: a socket path has 1 to {} characters", path, sizeof address.sun_path - 1);
  }
  path.copy(address.sun_path, path.size());
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return core::fail("cannot listen on {}: the file exists and is no socket", path);
    if (socket_is_live(address)) return core::fail("cannot listen on {}: another process serves it", path);
    ::unlink(path.c_str());
  }
  core::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 8) != 0) {
    return core::fail("cannot listen on {}: {}", path, core::errno_text());
  }
  return fd;
}

}  // namespace

core::Result<std::unique_ptr<Endpoint>> open_endpoint(core::Loop& loop, const std::string& spec,
                                                      SessionFactory factory) {
  if (spec == "stdio") {
    const int in = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (in < 0 || out < 0) return core::fail("cannot use stdio for a monitor: {}", core::errno_text());
    try {
      return std::make_unique<StdioEndpoint>(loop.context(), in, out, std::move(factory));
    } catch (const std::system_error& error) {
      // epoll refuses plain files and /dev/null.
      return core::fail("cannot use stdio for a monitor: {}; redirect it from a pipe or terminal",
                        error.code().message());
    }
  }
  constexpr std::string_view kUnix = "unix:";
  if (!spec.starts_with(kUnix)) return core::fail("a monitor is at stdio or unix:PATH, not at {}", spec);
  auto path = spec.substr(kUnix.size());
  // As QEMU users write it; a monitor always listens and never waits.
  path = path.substr(0, path.find(','));
  auto listener = listen_on(path);
  if (!listener) return std::unexpected(listener.error());
  return std::make_unique<UnixEndpoint>(loop.context(), path, listener->release(), std::move(factory));
}

}  // namespace vmm::control
