#include "spice/server/link_stage.h"

#include <utility>

#include "core/base/endian.h"
#include "spice/wire/coding.h"

namespace spice::server {

namespace {
const wire::Capabilities kTicketCaps{wire::kAuthSelectionCap, wire::kAuthSpiceCap, wire::kMiniHeaderCap};
const wire::Capabilities kSaslCaps{wire::kAuthSelectionCap, wire::kAuthSaslCap, wire::kMiniHeaderCap};
}  // namespace

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
    case State::Sasl: return receive_sasl(input);
    case State::Layer:
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
  if (const auto verdict = host_.transport_verdict(message_.channel_type, carrier_.encrypted);
      verdict != wire::LinkError::Ok) {
    refuse(verdict);
    return message_size_;
  }
  reply({.error = wire::LinkError::Ok,
         .public_key = host_.public_key(),
         .common_caps = (host_.sasl() != nullptr ? kSaslCaps : kTicketCaps).words(),
         .channel_caps = host_.channel_caps({message_.channel_type, message_.channel_id}).words()});
  const bool chooses = wire::Capabilities(message_.common_caps).has(wire::kAuthSelectionCap);
  state_ = chooses ? State::Mechanism : State::Ticket;
  if (!chooses && host_.sasl() != nullptr) refuse(wire::LinkError::VersionMismatch);  // a second full reply
  return message_size_;
}

std::size_t LinkStage::receive_mechanism(std::span<const std::uint8_t> input) {
  const auto choice = wire::decode<wire::AuthChoice>(input);
  if (!choice) return 0;
  const auto wanted = host_.sasl() != nullptr ? wire::AuthMechanism::Sasl : wire::AuthMechanism::Spice;
  if (choice->mechanism != wanted) {
    refuse(wire::LinkError::InvalidData);  // a second full reply
  } else if (wanted == wire::AuthMechanism::Sasl) {
    begin_sasl();
  } else {
    state_ = State::Ticket;
  }
  return sizeof choice->mechanism;
}

void LinkStage::begin_sasl() {
  auto exchange = host_.sasl()->begin(carrier_);
  if (!exchange) return refuse(wire::LinkError::Error);
  sasl_ = std::make_unique<SaslStage>(std::move(exchange));
  output_bytes(sasl_->take_output());
  state_ = State::Sasl;
}

std::size_t LinkStage::receive_sasl(std::span<const std::uint8_t> input) {
  const auto taken = sasl_->receive(input);
  output_bytes(sasl_->take_output());
  switch (sasl_->state()) {
    case SaslStage::State::Accepted: accept_sasl(); break;
    case SaslStage::State::Invalid: refuse(wire::LinkError::InvalidData); break;
    case SaslStage::State::Denied:
      state_ = State::Refused;
      error_ = wire::LinkError::PermissionDenied;
      break;
    default: break;
  }
  return taken;
}

void LinkStage::accept_sasl() {
  user_ = sasl_->user();
  layer_ = sasl_->take_layer();
  if (layer_) {
    state_ = State::Layer;
  } else {
    conclude(host_.admit(message_));
  }
}

std::unique_ptr<net::Layer> LinkStage::take_layer() {
  if (layer_) conclude(host_.admit(message_));
  return std::exchange(layer_, nullptr);
}

std::size_t LinkStage::receive_ticket(std::span<const std::uint8_t> input) {
  if (input.size() < wire::kTicketSize) return 0;
  conclude(host_.accepts_ticket(input.first(wire::kTicketSize)) ? host_.admit(message_)
                                                                : wire::LinkError::PermissionDenied);
  return wire::kTicketSize;
}

void LinkStage::conclude(wire::LinkError verdict) {
  error_ = verdict;
  state_ = verdict == wire::LinkError::Ok ? State::Linked : State::Refused;
  output(wire::encode(wire::LinkResult{verdict}));
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

void LinkStage::output_bytes(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  wire::Gather gather;
  gather.append(bytes);
  output(std::move(gather));
}

}  // namespace spice::server
