// SASL inside the link handshake, as a state machine over bytes: our list of mechanisms, the client's choice with its
// first data, then data to and fro until one side has enough; numbers are little-endian words before what they count.
//
// Data that is not empty carries a NUL behind it, which counts: no data and empty data differ. The reference server
// takes names of 100 bytes and data of 1 MiB; ours, at most 64 KiB, is room for the largest Kerberos ticket. Where it
// hangs up on a wrong password, we complete and refuse with a reason, for which clients have the same place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spice/server/sasl_exchange.h"

namespace spice::server {

class SaslStage {
 public:
  static constexpr std::uint32_t kMaxName = 100;
  static constexpr std::uint32_t kMaxData = 64 * 1024;

  enum class State : std::uint8_t {
    Name,   // size and name of a mechanism
    Start,  // size and first data
    Step,   // size and data
    Accepted,
    Denied,   // the client was told why
    Invalid,  // what came is no SASL of ours
  };

  explicit SaslStage(std::unique_ptr<SaslExchange> exchange);  // has output at once

  // Takes what it can from the start of `input`; returns how many bytes.
  std::size_t receive(std::span<const std::uint8_t> input);
  std::vector<std::uint8_t> take_output();

  State state() const { return state_; }
  bool finished() const { return state_ >= State::Accepted; }
  std::string user() const { return exchange_->user(); }  // accepted
  std::unique_ptr<net::Layer> take_layer() { return exchange_->take_layer(); }

 private:
  std::size_t receive_some(std::span<const std::uint8_t> input);
  void receive_name(std::string_view name);
  void receive_data(std::string_view data);
  void reply(const SaslExchange::Answer& answer);
  void output_word(std::uint32_t word);
  void output_text(std::string_view text);

  std::unique_ptr<SaslExchange> exchange_;
  State state_ = State::Name;
  std::string mechanism_;
  std::vector<std::uint8_t> output_;
};

}  // namespace spice::server
