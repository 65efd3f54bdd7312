// Recordings of displays, of both formats by their first bytes, played on a canvas.
#include <algorithm>

#include "vmm/replay/call_reader.h"
#include "vmm/replay/immediate_canvas.h"
#include "vmm/replay/recording_format.h"

namespace {

class FuzzSource final : public vmm::replay::ByteSource {
 public:
  explicit FuzzSource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  core::Result<std::size_t> read(std::span<std::uint8_t> to) override {
    const auto part = bytes_.first(std::min(to.size(), bytes_.size()));
    std::ranges::copy(part, to.begin());
    bytes_ = bytes_.subspan(part.size());
    return part.size();
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

// Large surfaces are right and slow; they have nothing else to find.
bool is_small(const vmm::replay::Call& call) {
  constexpr std::int32_t kSide = 512;
  if (const auto* mode = std::get_if<vmm::replay::SetMode>(&call)) return mode->width <= kSide && mode->height <= kSide;
  const auto* create = std::get_if<vmm::replay::CreateSurface>(&call);
  return create == nullptr || (create->shape.width <= kSide && create->shape.height <= kSide);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzSource source({data, size});
  vmm::replay::Input input(source);
  auto reader = vmm::replay::open_recording(input);
  if (!reader) return 0;
  vmm::replay::ImmediateCanvas canvas;
  while (true) {
    const auto call = (*reader)->next();
    if (!call || !*call) break;
    // What was read can be written, and read again as the same.
    const auto record = vmm::replay::encode_record(**call);
    vmm::replay::Call again;
    if (!vmm::replay::decode_record(std::span(record).subspan(4), again)) __builtin_trap();
    if (vmm::replay::encode_record(again) != record) __builtin_trap();
    if (is_small(**call)) vmm::replay::perform(**call, canvas);
  }
  (void)canvas.shown();
  return 0;
}
