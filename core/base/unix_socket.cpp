#include "core/base/unix_socket.h"

#include <cerrno>
#include <cstddef>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace core::inline base {

namespace {

// What bind(2) and connect(2) take.
struct Address {
  sockaddr_un name{};
  socklen_t size = sizeof name;

  bool bind(const Fd& fd) const { return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0; }
  bool connect(const Fd& fd) const { return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) == 0; }
};

Result<Address> address_of(const std::string& path, bool is_abstract) {
  Address address;
  address.name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.name.sun_path) {
    return fail("\"{}\" cannot be a unix socket: its path must have 1 to {} bytes; name another", path,
                sizeof address.name.sun_path - 1);
  }
  path.copy(address.name.sun_path, path.size());
  if (is_abstract) {
    address.name.sun_path[0] = '\0';
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  }
  return address;
}

Fd unix_socket() {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

std::unexpected<Error> in_use(const std::string& path) {
  return fail("cannot listen at {}: another process does; name another path or end that process", path);
}

// Removes a socket file that nobody listens on any more: only such a one refuses, a busy process does not.
Result<> remove_stale(const std::string& path, const Address& address) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return fail("cannot listen at {}: it exists and is not a socket; name another path or remove it", path);
  }
  const auto probe = unix_socket();
  if (!probe.valid()) return fail("cannot create a unix socket: {}", errno_text());
  if (address.connect(probe) || errno != ECONNREFUSED) return in_use(path);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail("cannot remove the unused socket {}: {}; remove it or name another path", path, errno_text());
  }
  return {};
}

}  // namespace

Result<UnixListener> UnixListener::open(const std::string& path, const Options& options) {
  const bool is_abstract = options.may_be_abstract && path.starts_with('@');
  const auto address = address_of(path, is_abstract);
  if (!address) return std::unexpected(address.error());
  auto fd = unix_socket();
  // The file gets the mode that the socket has when it is bound.
  if (options.is_private && fd.valid() && ::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0) fd.close();
  bool is_bound = fd.valid() && address->bind(fd);
  if (fd.valid() && !is_bound && errno == EADDRINUSE) {
    if (is_abstract) return in_use(path);
    if (auto removed = remove_stale(path, *address); !removed) return std::unexpected(removed.error());
    is_bound = address->bind(fd);
  }
  if (!is_bound || ::listen(fd.get(), options.backlog) != 0) {
    return fail("cannot listen at {}: {}; name a path in a folder that exists and can be written", path, errno_text());
  }
  return is_abstract ? UnixListener(std::move(fd), "", {}) : UnixListener(std::move(fd), path, mark_of(path));
}

UnixListener::Mark UnixListener::mark_of(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
}

UnixListener::~UnixListener() {
  // Somebody may have put another in its place.
  if (!path_.empty() && mark_ != Mark{} && mark_of(path_) == mark_) ::unlink(path_.c_str());
}

Result<Fd> connect_unix(const std::string& path) {
  const auto address = address_of(path, false);
  if (!address) return std::unexpected(address.error());
  auto peer = unix_socket();
  if (!peer.valid() || !address->connect(peer)) {
    return fail("cannot connect to {}: {}; start its listener first, or listen here with server=on", path,
                errno_text());
  }
  return peer;
}

}  // namespace core::inline base
