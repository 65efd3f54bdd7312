// WebSocket frames of a server [RFC 6455 5]: what clients send in masked binary messages is one stream of bytes,
// however it was cut into messages, fragments and segments; each run of bytes to send is one unmasked binary frame.
//
// Frames are passed on as they come and never gathered, so that no length in a header costs memory. Pings are answered.
// A violation is answered with a close frame that says what it was [7.4.1]. Deliberately missing: extensions, of which
// our answer to the request announces none, and a check that the reason in a close frame is UTF-8.
#pragma once

#include <array>
#include <cstdint>

#include "spice/net/transport.h"

namespace spice::net {

class WebSocketLayer final : public Layer {
 public:
  // A client that announces more at once is not one of ours.
  static constexpr std::uint64_t kMaxFrame = std::uint64_t{64} << 20;

  bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) override;
  void send(std::span<const std::uint8_t> bytes, Bytes& down) override;
  void end(Bytes& down) override;

 private:
  static constexpr std::size_t kMaxControl = 125;  // [5.5]

  // [7.4.1]
  enum class CloseCode : std::uint16_t {
    Normal = 1000,
    ProtocolError = 1002,
    UnacceptableData = 1003,
    MessageTooBig = 1009,
  };

  std::size_t header_size() const;
  bool begin_frame(Bytes& down);
  bool begin_data(Bytes& down);
  void take_payload(std::span<const std::uint8_t> bytes, Bytes& up);
  bool end_frame(Bytes& down);
  bool receive_close(Bytes& down);
  bool refuse(CloseCode code, Bytes& down);

  std::array<std::uint8_t, 14> header_{};  // as far as it has come
  std::size_t header_bytes_ = 0;
  bool in_payload_ = false;
  std::uint64_t payload_left_ = 0;
  std::size_t mask_position_ = 0;
  std::array<std::uint8_t, kMaxControl> control_{};  // the payload of a control frame
  std::size_t control_size_ = 0;
  bool in_message_ = false;  // a message's last frame is still to come
  bool closed_ = false;      // we sent a close frame: nothing follows it
};

}  // namespace spice::net
