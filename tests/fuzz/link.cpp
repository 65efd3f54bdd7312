// The link stage over hostile bytes, cut into pieces of the size that the first byte says.
#include <cstdlib>
#include <vector>

#include "spice/server/link_stage.h"

namespace {

class Host final : public spice::server::LinkStage::Host {
 public:
  const std::array<std::uint8_t, spice::wire::kPublicKeySize>& public_key() override { return key_; }
  spice::wire::Capabilities channel_caps(spice::wire::ChannelKey) override { return {1, 4}; }
  spice::wire::LinkError transport_verdict(spice::wire::ChannelType channel, bool) override {
    return channel == spice::wire::ChannelType::Webdav ? spice::wire::LinkError::NeedSecured
                                                       : spice::wire::LinkError::Ok;
  }
  bool accepts_ticket(std::span<const std::uint8_t> ticket) override { return ticket[0] != 0; }
  spice::wire::LinkError admit(const spice::wire::LinkMessage& message) override {
    return message.connection_id == 0 ? spice::wire::LinkError::Ok : spice::wire::LinkError::BadConnectionId;
  }

 private:
  std::array<std::uint8_t, spice::wire::kPublicKeySize> key_{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = data[0] == 0 ? size : data[0];
  std::span<const std::uint8_t> input(data + 1, size - 1);
  Host host;
  spice::server::LinkStage stage(host);
  std::vector<std::uint8_t> pending;
  std::size_t answered = 0;
  while (!input.empty() && !stage.finished()) {
    const auto count = std::min(piece, input.size());
    pending.insert(pending.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
    input = input.subspan(count);
    const auto taken = stage.receive(pending);
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(taken));
    if (const auto output = stage.take_output()) answered += output->flatten().size();
  }
  // Two full replies with all capabilities and a word at most; never more than a link message in memory.
  constexpr std::size_t kMostAnswer = 512;
  if (answered > kMostAnswer) std::abort();
  if (!stage.finished() && pending.size() > spice::wire::kMaxLinkMessageSize + piece) std::abort();
  return 0;
}
