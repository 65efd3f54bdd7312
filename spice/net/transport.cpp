#include "spice/net/transport.h"

#include <algorithm>

namespace spice::net {

bool Transport::encrypted() const {
  return std::ranges::any_of(layers_, [](const auto& layer) { return layer->encrypts(); });
}

bool Transport::receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) {
  Bytes current(bytes.begin(), bytes.end());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Bytes above;
    Bytes answer;
    const bool fine = layers_[i]->receive(current, above, answer);
    if (!answer.empty()) send_from(i, answer, down);
    if (!fine) return false;
    current = std::move(above);
  }
  up.insert(up.end(), current.begin(), current.end());
  return true;
}

void Transport::send(std::span<const std::uint8_t> bytes, Bytes& down) {
  send_from(layers_.size(), bytes, down);
}

// Through the layers below `layer`, highest first.
void Transport::send_from(std::size_t layer, std::span<const std::uint8_t> bytes, Bytes& down) {
  if (layer == 0) {
    down.insert(down.end(), bytes.begin(), bytes.end());
    return;
  }
  Bytes below;
  layers_[layer - 1]->send(bytes, below);
  send_from(layer - 1, below, down);
}

}  // namespace spice::net
