#include "spice/net/websocket_layer.h"

#include <algorithm>

namespace spice::net {

namespace {

// [RFC 6455 5.2]
constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kOpcode = 0x0f;
constexpr std::uint8_t kControlBit = 0x08;  // of an opcode
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7f;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kMaskSize = 4;

enum Opcode : std::uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

void append_frame(Opcode opcode, std::span<const std::uint8_t> payload, Bytes& down) {
  const auto size = payload.size();
  down.push_back(static_cast<std::uint8_t>(kFin | opcode));
  std::size_t length_bytes = 0;
  if (size < kLength16) {
    down.push_back(static_cast<std::uint8_t>(size));
  } else {
    length_bytes = size <= 0xffff ? 2 : 8;
    down.push_back(length_bytes == 2 ? kLength16 : kLength64);
  }
  for (std::size_t i = length_bytes; i > 0; --i)
    down.push_back(static_cast<std::uint8_t>(size >> (8 * (i - 1))));
  down.insert(down.end(), payload.begin(), payload.end());
}

std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes)
    value = value << 8 | byte;
  return value;
}

// What may stand in a close frame [7.4].
bool may_be_sent(std::uint64_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

bool WebSocketLayer::receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) {
  if (closed_) return false;
  while (!bytes.empty()) {
    if (in_payload_) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
      take_payload(bytes.first(count), up);
      bytes = bytes.subspan(count);
    } else {
      header_[header_bytes_++] = bytes.front();
      bytes = bytes.subspan(1);
      if (header_bytes_ < header_size()) continue;
      if (!begin_frame(down)) return false;
    }
    if (payload_left_ == 0 && !end_frame(down)) return false;
  }
  return true;
}

// As far as the bytes tell that have come.
std::size_t WebSocketLayer::header_size() const {
  constexpr std::size_t kFixed = 2;
  if (header_bytes_ < kFixed) return kFixed;
  const auto length = header_[1] & kLength;
  const std::size_t length_bytes = length == kLength64 ? 8 : length == kLength16 ? 2 : 0;
  return kFixed + length_bytes + ((header_[1] & kMasked) != 0 ? kMaskSize : 0);
}

bool WebSocketLayer::begin_frame(Bytes& down) {
  // No extension was negotiated [5.2]; clients mask [5.1].
  if ((header_[0] & kReserved) != 0 || (header_[1] & kMasked) == 0) return refuse(CloseCode::ProtocolError, down);
  payload_left_ = header_[1] & kLength;
  if (payload_left_ == kLength16) {
    payload_left_ = number(std::span(header_).subspan(2, 2));
    if (payload_left_ < kLength16) return refuse(CloseCode::ProtocolError, down);  // not the shortest form
  } else if (payload_left_ == kLength64) {
    payload_left_ = number(std::span(header_).subspan(2, 8));
    if (payload_left_ <= 0xffff || payload_left_ >> 63 != 0) return refuse(CloseCode::ProtocolError, down);
    if (payload_left_ > kMaxFrame) return refuse(CloseCode::MessageTooBig, down);
  }
  in_payload_ = true;
  mask_position_ = 0;
  control_size_ = 0;
  const std::uint8_t opcode = header_[0] & kOpcode;
  if ((opcode & kControlBit) == 0) return begin_data(down);
  // Control frames are short and whole [5.5].
  const bool known = opcode == kClose || opcode == kPing || opcode == kPong;
  if (!known || (header_[0] & kFin) == 0 || payload_left_ > kMaxControl) {
    return refuse(CloseCode::ProtocolError, down);
  }
  return true;
}

bool WebSocketLayer::begin_data(Bytes& down) {
  const std::uint8_t opcode = header_[0] & kOpcode;
  if (opcode == kText) return refuse(CloseCode::UnacceptableData, down);
  // A continuation continues something, and nothing else does [5.4].
  const bool fits = opcode == kContinuation ? in_message_ : opcode == kBinary && !in_message_;
  if (!fits) return refuse(CloseCode::ProtocolError, down);
  in_message_ = (header_[0] & kFin) == 0;
  return true;
}

void WebSocketLayer::take_payload(std::span<const std::uint8_t> bytes, Bytes& up) {
  const std::span mask(&header_[header_bytes_ - kMaskSize], kMaskSize);
  const bool is_control = (header_[0] & kControlBit) != 0;
  if (!is_control) up.reserve(up.size() + bytes.size());
  for (const auto byte : bytes) {
    const auto plain = static_cast<std::uint8_t>(byte ^ mask[mask_position_++ % kMaskSize]);
    if (is_control) {
      control_[control_size_++] = plain;
    } else {
      up.push_back(plain);
    }
  }
  payload_left_ -= bytes.size();
}

bool WebSocketLayer::end_frame(Bytes& down) {
  in_payload_ = false;
  header_bytes_ = 0;
  switch (header_[0] & kOpcode) {
    case kPing: append_frame(kPong, std::span(control_).first(control_size_), down); return true;
    case kClose: return receive_close(down);
    default: return true;
  }
}

// The peer's code goes back to it [5.5.1].
bool WebSocketLayer::receive_close(Bytes& down) {
  constexpr std::size_t kCodeSize = 2;
  const bool has_code = control_size_ >= kCodeSize;
  if (control_size_ == 1 || (has_code && !may_be_sent(number(std::span(control_).first(kCodeSize))))) {
    return refuse(CloseCode::ProtocolError, down);
  }
  append_frame(kClose, std::span(control_).first(has_code ? kCodeSize : 0), down);
  closed_ = true;
  return false;
}

bool WebSocketLayer::refuse(CloseCode code, Bytes& down) {
  const auto value = static_cast<std::uint16_t>(code);
  const std::array payload{static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  append_frame(kClose, payload, down);
  closed_ = true;
  return false;
}

void WebSocketLayer::send(std::span<const std::uint8_t> bytes, Bytes& down) {
  if (!closed_ && !bytes.empty()) append_frame(kBinary, bytes, down);
}

void WebSocketLayer::end(Bytes& down) {
  if (!closed_) refuse(CloseCode::Normal, down);
}

}  // namespace spice::net
