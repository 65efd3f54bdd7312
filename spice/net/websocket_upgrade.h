// The HTTP request by which a client opens a WebSocket, and our answer [RFC 6455 4.2], without any I/O. SPICE is the
// sub-protocol "binary"; a client that names none gets the same.
//
// The request is looked at when it is whole, in however many pieces it came. One that asks for something else is told
// so in HTTP. Deliberately missing: extensions, of which none is accepted, and requests for anything but a WebSocket.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace spice::net {

class WebSocketUpgrade {
 public:
  static constexpr std::size_t kMaxRequest = 16 * 1024;  // browsers send what cookies they have for the host
  static constexpr std::size_t kMaxFields = 100;

  enum class State : std::uint8_t { Reading, Open, Refused };

  enum class Pages : std::uint8_t { Any, Local };
  explicit WebSocketUpgrade(Pages pages = Pages::Any) : pages_(pages) {}

  // What the first bytes of a connection say.
  enum class Opening : std::uint8_t { Unknown, Http, Other };
  static Opening opening(std::span<const std::uint8_t> input);

  // Takes the request from the start of `input` when it is there; returns how many bytes. What lies behind it stays.
  std::size_t receive(std::span<const std::uint8_t> input);
  State state() const { return state_; }
  // What to send, once it is not Reading any more.
  std::span<const std::uint8_t> answer() const {
    return {reinterpret_cast<const std::uint8_t*>(answer_.data()), answer_.size()};
  }

 private:
  void refuse(std::string_view status, std::string_view fields, std::string_view text);

  Pages pages_;
  State state_ = State::Reading;
  std::size_t searched_ = 0;  // of the input, for the request's end
  std::string answer_;
};

}  // namespace spice::net
