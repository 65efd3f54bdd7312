#include "devices/character/unix_end.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "core/base/fd.h"

namespace devices::character {

namespace {

class UnixEnd final : public Endpoint {
 public:
  // Either a listener whose file is `identity`, or a peer.
  UnixEnd(std::string path, core::Fd listener, const struct stat& identity)
      : path_(std::move(path)), listener_(std::move(listener)), device_(identity.st_dev), inode_(identity.st_ino) {}
  UnixEnd(std::string path, core::Fd peer) : path_(std::move(path)), peer_(std::move(peer)) {}
  ~UnixEnd() override {
    struct stat now{};
    // Only our own: it may have been replaced since.
    if (listener_.valid() && ::lstat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_) {
      ::unlink(path_.c_str());
    }
  }

  std::string name() const override { return "unix:" + path_; }
  bool connect() override {
    if (listener_.valid()) peer_ = core::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return peer_.valid();
  }
  int waits_on() const override { return listener_.get(); }
  int input() const override { return peer_.get(); }
  int output() const override { return peer_.get(); }
  std::int64_t read(std::span<std::uint8_t> bytes) override {
    return ::recv(peer_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  }
  std::int64_t write(std::span<const std::uint8_t> bytes) override {
    return ::send(peer_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  bool input_end_disconnects() const override { return true; }
  void disconnect() override { peer_.close(); }

 private:
  std::string path_;
  core::Fd listener_;
  core::Fd peer_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

core::Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return core::fail("\"{}\" cannot be a unix socket: its path must have 1 to {} bytes; name another", path,
                      sizeof address.sun_path - 1);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

core::Fd unix_socket() {
  return core::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

bool call_with(int (*call)(int, const sockaddr*, socklen_t), const core::Fd& fd, const sockaddr_un& address) {
  return call(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Removes a socket file whose listener is gone.
core::Result<> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return core::fail("cannot listen at {}: it exists and is not a socket; name another path or remove it", path);
  }
  const auto probe = unix_socket();
  if (!probe.valid()) return core::fail("cannot create a unix socket: {}", core::errno_text());
  if (call_with(::connect, probe, address) || errno != ECONNREFUSED) {
    return core::fail("cannot listen at {}: another process does; name another path or end that process", path);
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return core::fail("cannot remove the unused socket {}: {}; remove it or name another path", path,
                      core::errno_text());
  }
  return {};
}

}  // namespace

core::Result<std::unique_ptr<Endpoint>> listen_unix_end(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  auto listener = unix_socket();
  bool bound = listener.valid() && call_with(::bind, listener, *address);
  if (!bound && errno == EADDRINUSE) {
    if (auto removed = remove_stale(path, *address); !removed) return std::unexpected(removed.error());
    bound = call_with(::bind, listener, *address);
  }
  struct stat identity{};
  if (!bound || ::lstat(path.c_str(), &identity) != 0 || ::listen(listener.get(), 1) != 0) {
    return core::fail("cannot listen at {}: {}; name a path in a folder that exists and can be written", path,
                      core::errno_text());
  }
  return std::make_unique<UnixEnd>(path, std::move(listener), identity);
}

core::Result<std::unique_ptr<Endpoint>> connect_unix_end(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  auto peer = unix_socket();
  if (!peer.valid() || !call_with(::connect, peer, *address)) {
    return core::fail("cannot connect to {}: {}; start its listener first, or listen here with server=on", path,
                      core::errno_text());
  }
  return std::make_unique<UnixEnd>(path, std::move(peer));
}

}  // namespace devices::character
