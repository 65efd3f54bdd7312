#include "spice/server/link_stage.h"

#include <utility>

#include "core/base/endian.h"
#include "spice/wire/coding.h"

namespace spice::server {

namespace {
const wire::Capabilities kCommonCaps{wire::kAuthSelectionCap, wire::kAuthSpiceCap, wire::kMiniHeaderCap};
}

std::size_t LinkStage::receive(std::span<const std::uint8_t> input) {
  std::size_t taken = 0;
  while (!finished()) {
    const auto count = receive_some(input.subspan(taken));
    if (count == 0) break;
    taken += count;
  }
  return taken;
}

std::optional<wire::Gather> LinkStage::take_output() {
  return std::exchange(output_, std::nullopt);
}

std::size_t LinkStage::receive_some(std::span<const std::uint8_t> input) {
  switch (state_) {
    case State::Header: return receive_header(input);
    case State::Message: return receive_message(input);
    case State::Mechanism: return receive_mechanism(input);
    case State::Ticket: return receive_ticket(input);
    case State::Linked:
    case State::Refused: break;
  }
  return 0;
}

std::size_t LinkStage::receive_header(std::span<const std::uint8_t> input) {
  // Whoever speaks something else is told so at the first word.
  if (input.size() >= sizeof wire::kLinkMagic && core::load_le<std::uint32_t>(input.data()) != wire::kLinkMagic) {
    refuse(wire::LinkError::InvalidMagic);
    return 0;
  }
  if (input.size() < wire::kLinkHeaderSize) return 0;
  const auto header = wire::decode<wire::LinkHeader>(input).value_or(wire::LinkHeader{});
  if (header.major_version != wire::kMajorVersion) {
    refuse(wire::LinkError::VersionMismatch);
  } else if (header.size < wire::kLinkMessageSize || header.size > wire::kMaxLinkMessageSize) {
    refuse(wire::LinkError::InvalidData);
  } else {
    message_size_ = header.size;
    state_ = State::Message;
  }
  return wire::kLinkHeaderSize;
}

std::size_t LinkStage::receive_message(std::span<const std::uint8_t> input) {
  if (input.size() < message_size_) return 0;
  auto message = wire::decode<wire::LinkMessage>(input.first(message_size_));
  if (!message) {
    refuse(wire::LinkError::InvalidData);
    return message_size_;
  }
  message_ = std::move(*message);
  reply({.error = wire::LinkError::Ok,
         .public_key = host_.public_key(),
         .common_caps = kCommonCaps.words(),
         .channel_caps = host_.channel_caps({message_.channel_type, message_.channel_id}).words()});
  const bool chooses = wire::Capabilities(message_.common_caps).has(wire::kAuthSelectionCap);
  state_ = chooses ? State::Mechanism : State::Ticket;
  return message_size_;
}

std::size_t LinkStage::receive_mechanism(std::span<const std::uint8_t> input) {
  const auto choice = wire::decode<wire::AuthChoice>(input);
  if (!choice) return 0;
  if (choice->mechanism == wire::AuthMechanism::Spice) {
    state_ = State::Ticket;
  } else {
    refuse(wire::LinkError::InvalidData);  // a second full reply
  }
  return sizeof choice->mechanism;
}

std::size_t LinkStage::receive_ticket(std::span<const std::uint8_t> input) {
  if (input.size() < wire::kTicketSize) return 0;
  error_ =
      host_.accepts_ticket(input.first(wire::kTicketSize)) ? host_.admit(message_) : wire::LinkError::PermissionDenied;
  state_ = error_ == wire::LinkError::Ok ? State::Linked : State::Refused;
  output(wire::encode(wire::LinkResult{error_}));
  return wire::kTicketSize;
}

void LinkStage::refuse(wire::LinkError error) {
  state_ = State::Refused;
  error_ = error;
  wire::LinkReply refusal;
  refusal.error = error;
  reply(refusal);
}

void LinkStage::reply(const wire::LinkReply& reply) {
  auto body = wire::encode(reply);
  const auto header = wire::encode(wire::LinkHeader{.size = static_cast<std::uint32_t>(body.size())}).flatten();
  body.prepend_header(header);
  output(std::move(body));
}

void LinkStage::output(wire::Gather bytes) {
  if (!output_) {
    output_ = std::move(bytes);
  } else {
    output_->append(bytes.flatten());
  }
}

}  // namespace spice::server
