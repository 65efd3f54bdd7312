// The link handshake with one client as a state machine over bytes, without I/O: header and link message, our reply
// with the public key and capabilities, the choice of authentication, the ticket or SASL, the result.
//
// Refusals before the ticket are full replies, those after it single words.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "spice/server/sasl_stage.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/gather.h"
#include "spice/wire/link.h"

namespace spice::server {

class LinkStage {
 public:
  // What the handshake asks the server.
  class Host {
   public:
    virtual ~Host() = default;
    virtual const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() = 0;
    // What the reply announces for the channel; none for one we do not have.
    virtual wire::Capabilities channel_caps(wire::ChannelKey channel) = 0;
    // Whether the channel may run over such a connection.
    virtual wire::LinkError transport_verdict(wire::ChannelType channel, bool is_encrypted) = 0;
    virtual bool accepts_ticket(std::span<const std::uint8_t> ticket) = 0;
    // If there is one, it takes the place of tickets.
    virtual SaslService* sasl() { return nullptr; }
    // After ticket or SASL: whether this client may have this channel.
    virtual wire::LinkError admit(const wire::LinkMessage& message) = 0;
  };

  enum class State : std::uint8_t { Header, Message, Mechanism, Ticket, Sasl, Layer, Linked, Refused };

  explicit LinkStage(Host& host, Carrier carrier = {}) : host_(host), carrier_(std::move(carrier)) {}

  // Takes what it can from the start of `input`; returns how many bytes. What lies behind the handshake stays.
  std::size_t receive(std::span<const std::uint8_t> input);
  // What to send now, if anything.
  std::optional<wire::Gather> take_output();
  // In State::Layer, after that output: what all that follows is wrapped by, output and input. Then there is more
  // output.
  std::unique_ptr<net::Layer> take_layer();

  State state() const { return state_; }
  bool finished() const { return state_ == State::Linked || state_ == State::Refused; }
  wire::LinkError error() const { return error_; }               // when refused
  const wire::LinkMessage& message() const { return message_; }  // from the ticket on
  const std::string& user() const { return user_; }              // whom SASL found, when linked
  bool mini_header() const { return wire::Capabilities(message_.common_caps).has(wire::kMiniHeaderCap); }

 private:
  std::size_t receive_some(std::span<const std::uint8_t> input);
  std::size_t receive_header(std::span<const std::uint8_t> input);
  std::size_t receive_message(std::span<const std::uint8_t> input);
  std::size_t receive_mechanism(std::span<const std::uint8_t> input);
  std::size_t receive_ticket(std::span<const std::uint8_t> input);
  std::size_t receive_sasl(std::span<const std::uint8_t> input);
  void begin_sasl();
  void accept_sasl();
  void conclude(wire::LinkError verdict);
  void reply(const wire::LinkReply& reply);
  void refuse(wire::LinkError error);
  void output(wire::Gather bytes);
  void output_bytes(std::span<const std::uint8_t> bytes);

  Host& host_;
  Carrier carrier_;
  State state_ = State::Header;
  wire::LinkError error_ = wire::LinkError::Ok;
  std::uint32_t message_size_ = 0;
  wire::LinkMessage message_;
  std::unique_ptr<SaslStage> sasl_;
  std::unique_ptr<net::Layer> layer_;
  std::string user_;
  std::optional<wire::Gather> output_;
};

}  // namespace spice::server
