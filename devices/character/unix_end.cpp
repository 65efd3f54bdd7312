#include "devices/character/unix_end.h"

#include <optional>
#include <sys/socket.h>
#include <utility>

#include "core/base/fd.h"
#include "core/base/unix_socket.h"

namespace devices::character {

namespace {

class UnixEnd final : public Endpoint {
 public:
  UnixEnd(std::string path, core::UnixListener listener) : path_(std::move(path)), listener_(std::move(listener)) {}
  UnixEnd(std::string path, core::Fd peer) : path_(std::move(path)), peer_(std::move(peer)) {}

  std::string name() const override { return "unix:" + path_; }
  bool connect() override {
    if (listener_) peer_ = core::Fd(::accept4(listener_->get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    return peer_.valid();
  }
  int waits_on() const override { return listener_ ? listener_->get() : -1; }
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
  std::optional<core::UnixListener> listener_;
  core::Fd peer_;
};

}  // namespace

core::Result<std::unique_ptr<Endpoint>> listen_unix_end(const std::string& path) {
  auto listener = core::UnixListener::open(path, {.backlog = 1});
  if (!listener) return std::unexpected(listener.error());
  return std::make_unique<UnixEnd>(path, *std::move(listener));
}

core::Result<std::unique_ptr<Endpoint>> connect_unix_end(const std::string& path) {
  auto peer = core::connect_unix(path);
  if (!peer) return std::unexpected(peer.error());
  return std::make_unique<UnixEnd>(path, *std::move(peer));
}

}  // namespace devices::character
