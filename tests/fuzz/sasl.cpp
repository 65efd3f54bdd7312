// SASL in the handshake over hostile bytes, cut into pieces of the size that the first byte says; what the mechanism
// answers comes from the second byte.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "spice/server/sasl_stage.h"

namespace {

using spice::server::SaslExchange;
using spice::server::SaslStage;

class Exchange final : public SaslExchange {
 public:
  explicit Exchange(std::uint8_t script) : script_(script) {}
  const std::string& mechanisms() const override { return mechanisms_; }
  Answer start(const std::string& mechanism, Data data) override {
    if (mechanism != "A" && mechanism != "DIGEST-MD5") std::abort();
    return step(data);
  }
  Answer step(Data data) override {
    const auto verdict = static_cast<Verdict>(script_ & 3);
    const bool says_it = (script_ & 4) != 0;
    script_ = static_cast<std::uint8_t>(script_ >> 3);
    if (data && data->size() >= SaslStage::kMaxData) std::abort();
    return {verdict, says_it && data ? std::string(*data) : std::string()};
  }
  std::string user() const override { return "a"; }
  std::unique_ptr<spice::net::Layer> take_layer() override { return nullptr; }

 private:
  std::uint8_t script_;
  std::string mechanisms_ = ",A,DIGEST-MD5,";
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHead = 2;
  if (size < kHead) return 0;
  std::span<const std::uint8_t> input(data + kHead, size - kHead);
  const std::size_t piece = data[0] == 0 ? std::max<std::size_t>(input.size(), 1) : data[0];
  SaslStage stage(std::make_unique<Exchange>(data[1]));
  std::vector<std::uint8_t> pending;
  while (!input.empty() && !stage.finished()) {
    const auto count = std::min(piece, input.size());
    pending.insert(pending.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
    input = input.subspan(count);
    const auto taken = stage.receive(pending);
    if (taken > pending.size()) std::abort();
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(taken));
    stage.take_output();
  }
  // Never more than one message in memory.
  if (!stage.finished() && pending.size() > 4 + SaslStage::kMaxData + piece) std::abort();
  return 0;
}
