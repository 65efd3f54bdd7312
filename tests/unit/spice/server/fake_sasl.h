// SASL as its stage sees it, played by a test: whoever says "open sesame" is let in, after one question if asked so.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spice/server/sasl_exchange.h"

namespace spice::test {

// Flips every byte; a zero from the client is a violation.
class FlipLayer final : public net::Layer {
 public:
  bool receive(std::span<const std::uint8_t> bytes, net::Bytes& up, net::Bytes&) override {
    for (const auto byte : bytes) {
      if (byte == 0) return false;
      up.push_back(byte ^ 0xff);
    }
    return true;
  }
  void send(std::span<const std::uint8_t> bytes, net::Bytes& down) override {
    for (const auto byte : bytes)
      down.push_back(byte ^ 0xff);
  }
};

class FakeSasl final : public server::SaslService {
 public:
  using Exchange = server::SaslExchange;

  std::unique_ptr<Exchange> begin(const server::Carrier& carrier) override {
    carriers.push_back(carrier);
    if (!works) return nullptr;
    return std::make_unique<Fake>(*this);
  }

  bool works = true;
  bool wraps = false;
  bool weak = false;
  std::vector<server::Carrier> carriers;
  std::vector<std::string> seen;  // "MECHANISM:data" and "data"; "-" stands for none

 private:
  class Fake final : public Exchange {
   public:
    explicit Fake(FakeSasl& owner) : owner_(owner) {}
    const std::string& mechanisms() const override { return mechanisms_; }
    Answer start(const std::string& mechanism, Data data) override {
      owner_.seen.push_back(mechanism + ":" + std::string(data.value_or("-")));
      return answer(data);
    }
    Answer step(Data data) override {
      owner_.seen.emplace_back(data.value_or("-"));
      return answer(data);
    }
    std::string user() const override { return "ali"; }
    std::unique_ptr<net::Layer> take_layer() override { return owner_.wraps ? std::make_unique<FlipLayer>() : nullptr; }

   private:
    Answer answer(Data data) const {
      if (!data || data->empty()) return {Verdict::Continue, "say it"};
      if (*data != "open sesame") return {Verdict::Denied, {}};
      return {owner_.weak ? Verdict::Weak : Verdict::Accepted, "come in"};
    }
    FakeSasl& owner_;
    std::string mechanisms_ = ",SESAME,OTHER,";
  };
};

}  // namespace spice::test
