// A WebSocket's request and frames over hostile bytes, cut into pieces of the size that the first byte says. An odd
// second byte leaves the request out.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "spice/net/websocket_layer.h"
#include "spice/net/websocket_upgrade.h"

namespace {

using spice::net::Bytes;
using spice::net::WebSocketUpgrade;

// Whether a server's frames are what they must be: whole, unmasked, final, without reserved bits.
bool well_formed(std::span<const std::uint8_t> frames) {
  while (!frames.empty()) {
    if (frames.size() < 2 || (frames[0] & 0xf0) != 0x80 || frames[1] > 125) return false;  // all answers are short
    const std::size_t size = 2U + frames[1];
    if (frames.size() < size) return false;
    frames = frames.subspan(size);
  }
  return true;
}

// What lies behind the request; nothing if there is none.
std::span<const std::uint8_t> behind_request(std::span<const std::uint8_t> input, std::size_t piece) {
  WebSocketUpgrade upgrade;
  std::size_t size = 0;
  while (size < input.size() && upgrade.state() == WebSocketUpgrade::State::Reading) {
    size = std::min(size + piece, input.size());
    const auto taken = upgrade.receive(input.first(size));
    if (taken > size || upgrade.answer().size() > 1024) std::abort();
    if (upgrade.state() == WebSocketUpgrade::State::Open) return input.subspan(taken);
    if (upgrade.state() == WebSocketUpgrade::State::Reading && size > WebSocketUpgrade::kMaxRequest) std::abort();
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 2;
  if (size < kHead) return 0;
  std::span<const std::uint8_t> input(data + kHead, size - kHead);
  const std::size_t piece = data[0] == 0 ? std::max<std::size_t>(input.size(), 1) : data[0];
  if ((data[1] & 1) == 0) input = behind_request(input, piece);

  spice::net::WebSocketLayer layer;
  Bytes up;
  Bytes down;
  bool fine = true;
  for (auto rest = input; fine && !rest.empty();) {
    const auto count = std::min(piece, rest.size());
    fine = layer.receive(rest.first(count), up, down);
    rest = rest.subspan(count);
  }
  layer.end(down);
  // Nothing is made up, every answer is a frame, and the last one says that it was the last.
  if (up.size() + down.size() > input.size() + 4 || !well_formed(down)) std::abort();
  if (down.empty() || (down.size() >= 4 && down[down.size() - 4] != 0x88 && down[down.size() - 2] != 0x88))
    std::abort();
  return 0;
}
