#include "spice/net/tether.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <utility>

namespace spice::net {

void Tether::cut() {
  const std::scoped_lock lock(mutex_);
  is_cut_ = true;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

std::optional<LineFacts> Tether::facts() {
  const std::scoped_lock lock(mutex_);
  tcp_info info{};
  socklen_t size = sizeof info;
  if (fd_ < 0 || ::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  int queued = 0;
  ::ioctl(fd_, SIOCOUTQ, &queued);
  return LineFacts{.bytes_sent = info.tcpi_bytes_acked,
                   .bytes_received = info.tcpi_bytes_received,
                   .queued_bytes = static_cast<std::uint64_t>(queued),
                   .round_trip_us = info.tcpi_rtt,
                   .bytes_per_second = info.tcpi_delivery_rate};
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
