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
constexpr unsigned kStatistics = 2;
constexpr unsigned kQueues = 5;
constexpr std::uint16_t kQueueSize = 128;
// [5.5.3] The guest may take pages back when it needs them.
constexpr unsigned kStatisticsQueue = 1;
constexpr unsigned kDeflateOnOom = 2;
constexpr unsigned kReporting = 5;
// [5.5.4] Configuration layout: num_pages, actual
constexpr std::uint64_t kActualOffset = 4;
struct BalloonConfig {
  core::le32 wanted;
  core::le32 actual;
};
static_assert(sizeof(BalloonConfig) == 8);

// [5.5.6.3] struct virtio_balloon_stat
struct Statistic {
  core::le16 tag;
  core::le64 value;
};
static_assert(sizeof(Statistic) == 10);
constexpr std::size_t kMostStatistics = 64;  // of one buffer; there are ten tags

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
  return std::uint64_t{1} << kStatisticsQueue | std::uint64_t{1} << kDeflateOnOom | std::uint64_t{1} << kReporting;
}

std::vector<std::uint16_t> VirtioBalloon::queue_sizes() const {
  return std::vector<std::uint16_t>(kQueues, kQueueSize);
}

// Reports have queue 4 for themselves, but Linux counts only queues whose features it has, and comes to 3 or 2.
VirtioBalloon::Role VirtioBalloon::role(unsigned queue) const {
  if (queue == kInflate) return Role::Inflate;
  if (queue == kDeflate) return Role::Deflate;
  if (queue == kStatistics && host().has_feature(kStatisticsQueue)) return Role::Statistics;
  return host().has_feature(kReporting) ? Role::Reports : Role::None;
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
  timer_ = wiring_.clock.create_timer(host().device_lock(), [this] { take_all(); });
  polling_timer_ = wiring_.clock.create_timer(host().device_lock(), [this] { poll(); });
}

void VirtioBalloon::take_all() {
  for (unsigned queue = 0; queue < kQueues; ++queue)
    take(queue);
}

void VirtioBalloon::queue_notified(unsigned queue) {
  take(queue);
}

void VirtioBalloon::take(unsigned queue) {
  const auto does = role(queue);
  if (does == Role::None) return;
  Chain chain;
  unsigned taken = 0;
  for (; taken < kMostChains && pop(queue, chain); ++taken) {
    if (does == Role::Statistics) {
      note_statistics(chain);
      continue;
    }
    if (does == Role::Inflate && !give_up(chain)) return host().need_reset();
    // [5.5.6.7] The buffers are the unused pages.
    if (does == Role::Reports) chain.writable.discard_pages();
    // Pages that come back need nothing: they are there as soon as they are touched.
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

// ---- statistics [5.5.6.3]: the driver's buffer tells them, and asks for the next ones by being given back

void BalloonStatistics::visit(core::StateVisitor& visitor) {
  auto at = told_at.count();
  visitor.field("values", values);
  visitor.field("told", told);
  visitor.field("told_at", at);
  told_at = core::GuestTime(at);
}

void VirtioBalloon::note_statistics(const Chain& chain) {
  // There is one buffer; a driver with more of them gets them back.
  give_buffer_back();
  state_.has_buffer = true;
  state_.buffer = chain.head;
  const auto count = std::min<std::uint64_t>(chain.readable.size() / sizeof(Statistic), kMostStatistics);
  state_.statistics = {};
  for (std::uint64_t i = 0; i < count; ++i) {
    std::array<std::uint8_t, sizeof(Statistic)> raw{};
    chain.readable.read(i * raw.size(), raw);
    const auto statistic = std::bit_cast<Statistic>(raw);
    if (statistic.tag < BalloonStatistics::kTags) state_.statistics.values[statistic.tag] = statistic.value;
  }
  state_.statistics.told = true;
  state_.statistics.told_at = wiring_.clock.now();
}

void VirtioBalloon::give_buffer_back() {
  if (!std::exchange(state_.has_buffer, false)) return;
  push(kStatistics, Chain{.head = state_.buffer, .readable = {}, .writable = {}}, 0);
}

void VirtioBalloon::set_polling(std::uint32_t seconds) {
  state_.polling_seconds = seconds;
  if (seconds == 0) {
    polling_timer_->cancel();
  } else {
    polling_timer_->arm(wiring_.clock.now());
  }
}

void VirtioBalloon::poll() {
  give_buffer_back();
  host().notify_used(kStatistics);
  polling_timer_->arm(wiring_.clock.now() + std::chrono::seconds(state_.polling_seconds));
}

// ---- reset and state

// What the host wants stays.
void VirtioBalloon::reset() {
  if (timer_) timer_->cancel();
  state_.actual = 0;
  state_.has_buffer = false;
  state_.buffer = 0;
  state_.statistics = {};
}

void VirtioBalloon::visit(core::StateVisitor& visitor) {
  visitor.field("wanted", state_.wanted);
  visitor.field("actual", state_.actual);
  visitor.field("polling_seconds", state_.polling_seconds);
  visitor.field("has_buffer", state_.has_buffer);
  visitor.field("buffer", state_.buffer);
  visitor.field("statistics", state_.statistics);
}

core::Result<> VirtioBalloon::state_loaded() {
  state_.statistics.told_at = std::clamp(state_.statistics.told_at, core::GuestTime::zero(), wiring_.clock.now());
  timer_->arm(wiring_.clock.now() + kPause);
  if (state_.polling_seconds == 0) {
    polling_timer_->cancel();
  } else {
    polling_timer_->arm(wiring_.clock.now() + std::chrono::seconds(state_.polling_seconds));
  }
  return {};
}

}  // namespace devices::virtio
