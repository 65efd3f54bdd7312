// What lies between a socket and the messages on it, without any I/O: layers that turn bytes into bytes. An empty stack
// is a plain connection and costs nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace spice::net {

using Bytes = std::vector<std::uint8_t>;

// One layer (TLS over memory buffers, WebSocket frames, SASL wrapping).
class Layer {
 public:
  virtual ~Layer() = default;
  // Bytes came from below: appends what is for above to `up` and what the layer itself answers to `down`. False: the
  // peer broke the layer's rules, or ended it; the connection closes.
  virtual bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) = 0;
  // Bytes to send from above: appends what goes below to `down`.
  virtual void send(std::span<const std::uint8_t> bytes, Bytes& down) = 0;
  // Nothing more will be sent: appends the farewell, if the layer has one.
  virtual void end(Bytes&) {}
  virtual bool encrypts() const { return false; }
};

class Transport {
 public:
  bool plain() const { return layers_.empty(); }
  bool encrypted() const;
  // On top of those there are.
  void push(std::unique_ptr<Layer> layer) { layers_.push_back(std::move(layer)); }
  // The same with bytes that came already and are the new layer's; the rest is as for receive().
  bool push(std::unique_ptr<Layer> layer, std::span<const std::uint8_t> unread, Bytes& up, Bytes& down);

  // From the network: appends messages' bytes to `up`, answers for the network to `down`.
  bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down);
  void send(std::span<const std::uint8_t> bytes, Bytes& down);
  void end(Bytes& down);

 private:
  bool receive_from(std::size_t layer, std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down);
  void send_from(std::size_t layer, std::span<const std::uint8_t> bytes, Bytes& down);

  std::vector<std::unique_ptr<Layer>> layers_;  // lowest first
};

}  // namespace spice::net
