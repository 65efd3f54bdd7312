#include "spice/net/tether.h"

#include <sys/socket.h>
#include <utility>

namespace spice::net {

void Tether::cut() {
  const std::scoped_lock lock(mutex_);
  is_cut_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

void Tether::attach(int fd) {
  const std::scoped_lock lock(mutex_);
  fd_ = fd;
  if (is_cut_) ::shutdown(fd_, SHUT_RDWR);
}

void Tether::release() {
  const std::scoped_lock lock(mutex_);
  fd_ = -1;
}

void Tether::tell_gone() {
  std::move_only_function<void()> gone;
  {
    const std::scoped_lock lock(mutex_);
    gone = std::exchange(on_gone_, nullptr);
  }
  if (gone) gone();
}

}  // namespace spice::net
