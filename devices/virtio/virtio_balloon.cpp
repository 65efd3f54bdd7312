#include "devices/virtio/virtio_balloon.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "core/base/endian.h"

namespace devices::virtio {

namespace {

constexpr std::uint16_t kBalloonType = 5;
// [5.5.2] Queues
constexpr unsigned kInflate = 0;
constexpr unsigned kDeflate = 1;
// [5.5.3] The guest may take pages back when it needs them.
constexpr unsigned kDeflateOnOom = 2;
// [5.5.4] Configuration layout: num_pages, actual
constexpr std::uint64_t kActualOffset = 4;
struct BalloonConfig {
  core::le32 wanted;
  core::le32 actual;
};
static_assert(sizeof(BalloonConfig) == 8);

constexpr std::uint64_t kBalloonPage = 4096;  // [5.5.6] whatever the guest's own page size is
// Page numbers of one chain; drivers send 256.
constexpr std::uint64_t kMostPages = 4096;
constexpr unsigned kMostChains = 16;  // in one go
constexpr core::GuestTime kPause = std::chrono::microseconds(20);

}  // namespace

VirtioBalloon::VirtioBalloon(Wiring wiring) : wiring_(std::move(wiring)) {}

std::uint16_t VirtioBalloon::type() const {
  return kBalloonType;
}

std::uint64_t VirtioBalloon::features() const {
  return std::uint64_t{1} << kDeflateOnOom;
}

void VirtioBalloon::set_target(std::uint64_t bytes) {
  const auto kept = std::min(bytes, wiring_.memory.size());
  const auto pages = (wiring_.memory.size() - kept) / kBalloonPage;
  state_.wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, std::numeric_limits<std::uint32_t>::max()));
  host().notify_config_changed();
}

std::uint64_t VirtioBalloon::actual_bytes() const {
  return wiring_.memory.size() - std::min(wiring_.memory.size(), state_.actual * kBalloonPage);
}

std::vector<std::uint8_t> VirtioBalloon::config() const {
  const auto bytes =
      std::bit_cast<std::array<std::uint8_t, sizeof(BalloonConfig)>>(BalloonConfig{state_.wanted, state_.actual});
  return {bytes.begin(), bytes.end()};
}

void VirtioBalloon::write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  if (offset < kActualOffset || offset + bytes.size() > sizeof(BalloonConfig)) return;
  std::array<std::uint8_t, 4> actual{};
  core::store_le(actual.data(), state_.actual);
  std::ranges::copy(bytes, actual.begin() + static_cast<std::ptrdiff_t>(offset - kActualOffset));
  const auto before = std::exchange(state_.actual, core::load_le<std::uint32_t>(actual.data()));
  if (before != state_.actual && wiring_.on_change) wiring_.on_change(actual_bytes());
}

void VirtioBalloon::attached() {
  timer_ = wiring_.clock.create_timer(host().device_lock(), [this] {
    take(kInflate);
    take(kDeflate);
  });
}

void VirtioBalloon::queue_notified(unsigned queue) {
  take(queue);
}

void VirtioBalloon::take(unsigned queue) {
  Chain chain;
  unsigned taken = 0;
  for (; taken < kMostChains && pop(queue, chain); ++taken) {
    // Pages that come back need nothing: they are there as soon as they are touched.
    if (queue == kInflate && !give_up(chain)) return host().need_reset();
    push(queue, chain, 0);
  }
  host().notify_used(queue);
  if (taken == kMostChains) timer_->arm(wiring_.clock.now() + kPause);
}

// [5.5.6] Runs of pages go in one call.
bool VirtioBalloon::give_up(const Chain& chain) {
  const auto count = chain.readable.size() / sizeof(core::le32);
  if (count > kMostPages) return false;
  std::vector<core::le32> pages(count);
  chain.readable.read(0, std::span(reinterpret_cast<std::uint8_t*>(pages.data()), count * sizeof(core::le32)));
  for (std::size_t i = 0; i < count;) {
    const std::uint64_t first = pages[i];
    std::uint64_t length = 1;
    while (i + length < count && pages[i + length] == first + length)
      ++length;
    wiring_.memory.discard(core::Gpa(first * kBalloonPage), length * kBalloonPage);
    i += length;
  }
  return true;
}

void VirtioBalloon::reset() {
  if (timer_) timer_->cancel();
  state_.actual = 0;
}

void VirtioBalloon::visit(core::StateVisitor& visitor) {
  visitor.field("wanted", state_.wanted);
  visitor.field("actual", state_.actual);
}

core::Result<> VirtioBalloon::state_loaded() {
  timer_->arm(wiring_.clock.now() + kPause);
  return {};
}

}  // namespace devices::virtio
