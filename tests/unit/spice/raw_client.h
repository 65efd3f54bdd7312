// A SPICE client made of a blocking socket, which sends what it is told, good or bad. Waiting ends with an answer, with
// the end of the connection, or, in a broken build, after a generous time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

#include "core/base/fd.h"
#include "spice/wire/coding.h"
#include "spice/wire/link.h"

namespace spice::test {

class RawClient {
 public:
  using Bytes = std::vector<std::uint8_t>;

  explicit RawClient(core::Fd fd) : fd_(std::move(fd)) {
    constexpr timeval kGiveUp{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &kGiveUp, sizeof kGiveUp);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &kGiveUp, sizeof kGiveUp);
  }

  static RawClient connect(std::uint16_t port) {
    core::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    constexpr int kOn = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.close();
    return RawClient(std::move(fd));
  }

  int fd() const { return fd_.get(); }
  void close() { fd_.close(); }

  void send(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  template <class M>
  void send_plain(const M& message) {
    send(wire::encode(message).flatten());
  }
  // With a mini header.
  template <class M>
  void send_message(const M& message) {
    auto body = wire::encode(message);
    const auto size = static_cast<std::uint32_t>(body.size());
    body.prepend_header(wire::encode(wire::MiniHeader{M::kType, size}).flatten());
    send(body.flatten());
  }

  // Fewer bytes if the connection ends before.
  Bytes receive(std::size_t size) {
    Bytes bytes(size);
    std::size_t there = 0;
    while (there < size) {
      const auto count = ::recv(fd_.get(), bytes.data() + there, size - there, 0);
      if (count <= 0) break;
      there += static_cast<std::size_t>(count);
    }
    bytes.resize(there);
    return bytes;
  }
  bool ended() { return receive(1).empty(); }

  template <class M>
  std::optional<M> receive_plain(std::size_t size) {
    const auto bytes = receive(size);
    return wire::decode<M>(bytes);
  }

  struct Message {
    std::uint16_t type = 0;
    Bytes body;
  };
  std::optional<Message> receive_message() {
    const auto header = receive_plain<wire::MiniHeader>(wire::MiniHeader::kSize);
    if (!header) return std::nullopt;
    Message message{header->type, receive(header->size)};
    if (message.body.size() != header->size) return std::nullopt;
    return message;
  }
  // Skips messages of other types. A decoded Payload refers to our copy, which lives until the next call.
  template <class M>
  std::optional<M> await() {
    while (auto message = receive_message()) {
      if (message->type != M::kType) continue;
      last_body_ = std::move(message->body);
      return wire::decode<M>(last_body_);
    }
    return std::nullopt;
  }

  // Header and link message.
  void send_link(const wire::LinkMessage& message) {
    const auto body = wire::encode(message).flatten();
    send_plain(wire::LinkHeader{.size = static_cast<std::uint32_t>(body.size())});
    send(body);
  }
  std::optional<wire::LinkReply> receive_reply() {
    const auto header = receive_plain<wire::LinkHeader>(wire::kLinkHeaderSize);
    if (!header) return std::nullopt;
    return receive_plain<wire::LinkReply>(header->size);
  }
  std::optional<wire::LinkError> receive_result() {
    const auto result = receive_plain<wire::LinkResult>(sizeof(wire::LinkError));
    if (!result) return std::nullopt;
    return result->error;
  }

 private:
  core::Fd fd_;
  Bytes last_body_;
};

}  // namespace spice::test
