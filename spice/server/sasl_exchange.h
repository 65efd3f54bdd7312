// What the link stage asks of SASL [RFC 4422], so that it does not know who answers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "spice/net/stream.h"

namespace spice::server {

// What a handshake runs over.
struct Carrier {
  bool encrypted = false;
  net::Endpoint local;
  net::Endpoint remote;
};

// One client's authentication.
class SaslExchange {
 public:
  enum class Verdict : std::uint8_t {
    Continue,
    Accepted,
    Weak,  // authenticated, but what follows would not be protected as the carrier needs it
    Denied,
  };
  struct Answer {
    Verdict verdict = Verdict::Denied;
    std::string data;  // for the client
  };
  // From the client. Nothing differs from nothing in it.
  using Data = std::optional<std::string_view>;

  virtual ~SaslExchange() = default;
  // Those that are good enough for the carrier, as ",A,B,".
  virtual const std::string& mechanisms() const = 0;
  virtual Answer start(const std::string& mechanism, Data data) = 0;
  virtual Answer step(Data data) = 0;
  // Of one that accepted:
  virtual std::string user() const = 0;
  // By which everything behind the handshake is wrapped; null if it is not. Once.
  virtual std::unique_ptr<net::Layer> take_layer() = 0;
};

class SaslService {
 public:
  virtual ~SaslService() = default;
  // Null if it cannot.
  virtual std::unique_ptr<SaslExchange> begin(const Carrier& carrier) = 0;
};

}  // namespace spice::server
