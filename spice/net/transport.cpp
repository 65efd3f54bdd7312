#include "spice/net/transport.h"

#include <algorithm>

namespace spice::net {

bool Transport::encrypted() const {
  return std::ranges::any_of(layers_, [](const auto& layer) { return layer->encrypts(); });
}

bool Transport::push(std::unique_ptr<Layer> layer, std::span<const std::uint8_t> unread, Bytes& up, Bytes& down) {
  layers_.push_back(std::move(layer));
  return receive_from(layers_.size() - 1, unread, up, down);
}

bool Transport::receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) {
  return receive_from(0, bytes, up, down);
}

// From `layer` up. What came before a layer's end is for above still.
bool Transport::receive_from(std::size_t layer, std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) {
  bool fine = true;
  Bytes current;
  for (std::size_t i = layer; i < layers_.size(); ++i) {
    Bytes above;
    Bytes answer;
    fine = layers_[i]->receive(bytes, above, answer) && fine;
    if (!answer.empty()) send_from(i, answer, down);
    current = std::move(above);
    bytes = current;
  }
  up.insert(up.end(), bytes.begin(), bytes.end());
  return fine;
}

void Transport::send(std::span<const std::uint8_t> bytes, Bytes& down) {
  send_from(layers_.size(), bytes, down);
}

void Transport::end(Bytes& down) {
  for (auto layer = layers_.size(); layer > 0; --layer) {
    Bytes farewell;
    layers_[layer - 1]->end(farewell);
    if (!farewell.empty()) send_from(layer - 1, farewell, down);
  }
}

// Through the layers below `layer`, highest first.
void Transport::send_from(std::size_t layer, std::span<const std::uint8_t> bytes, Bytes& down) {
  if (layer == 0) {
    down.insert(down.end(), bytes.begin(), bytes.end());
    return;
  }
  if (layer == 1) return layers_.front()->send(bytes, down);
  Bytes below;
  layers_[layer - 1]->send(bytes, below);
  send_from(layer - 1, below, down);
}

}  // namespace spice::net
