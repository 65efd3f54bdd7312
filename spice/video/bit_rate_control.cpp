#include "spice/video/bit_rate_control.h"

#include <algorithm>

namespace spice::video {

namespace {

// As in RateControl: the first seconds say nothing, a rate must go well for some time before more is tried.
constexpr Time kWarmUp = std::chrono::seconds(3);
constexpr std::int32_t kGoodMs = 2000;
constexpr std::uint64_t kFramesToMeasure = 3;
constexpr double kMostReplaced = 0.1;
constexpr double kDown = 0.75;
constexpr double kUp = 1.15;
// A codec uses less than it may where nothing moves. That is no reason to allow ever more.
constexpr double kUsedShare = 0.7;

std::uint64_t scaled(std::uint64_t rate, double factor) {
  return static_cast<std::uint64_t>(static_cast<double>(rate) * factor);
}

}  // namespace

BitRateControl::BitRateControl(std::uint64_t bit_rate)
    : byte_rate_(std::clamp(bit_rate / 8, kLeastByteRate, kMostByteRate)) {}

bool BitRateControl::begin_frame(MediaTime time, const Conditions& conditions) {
  // A source at the limit is uneven; on average it keeps to it.
  constexpr Time kLeastGap = std::chrono::nanoseconds(std::chrono::seconds(1)) / (2 * kMostFps);
  if (!begun_) begun_ = conditions.now;
  if (last_ && conditions.now - *last_ < kLeastGap) return false;
  last_ = conditions.now;
  sent_.frame_begins(conditions.now, time);
  return true;
}

void BitRateControl::end_frame(std::size_t bytes, const Conditions& conditions) {
  sent_.frame_ends(bytes);
  ++encoded_;
  required_delay_ms_ = delay_needed(conditions);
}

std::uint32_t BitRateControl::delay_needed(const Conditions& conditions) const {
  const auto frame_ms = sent_.frame_bytes() * 1000 / byte_rate_;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(2 * frame_ms + conditions.latency_ms, kMostDelayMs));
}

void BitRateControl::report(const ClientReport& report, const Conditions& conditions) {
  const bool is_short = static_cast<std::int32_t>(delay_needed(conditions)) > report.delay_ms;
  const auto verdict = reports_.judge(report, is_short);
  if (!sent_.running()) return;
  const auto since_change = media_time_between(sent_.start_media(), report.end);
  if (verdict == ClientReports::Verdict::Bad && since_change >= 0) decrease(conditions.now);
  if (verdict == ClientReports::Verdict::Good && since_change >= kGoodMs) increase();
}

void BitRateControl::picture_replaced(const Conditions& conditions) {
  ++replaced_;
  if (encoded_ < conditions.source_fps) return;
  const double share = static_cast<double>(replaced_) / (replaced_ + encoded_);
  encoded_ = replaced_ = 0;
  if (share > kMostReplaced) decrease(conditions.now);
}

void BitRateControl::decrease(Time now) {
  reports_.forget();
  if (!begun_ || now - *begun_ < kWarmUp) return;
  auto rate = byte_rate_;
  if (const auto measured = sent_.byte_rate(); measured && sent_.frames() > kFramesToMeasure)
    rate = std::min(rate, *measured);
  change_rate(scaled(rate, kDown));
}

void BitRateControl::increase() {
  const auto measured = sent_.byte_rate();
  if (sent_.frames() <= kFramesToMeasure || !measured || *measured < scaled(byte_rate_, kUsedShare)) return;
  change_rate(scaled(byte_rate_, kUp));
}

void BitRateControl::change_rate(std::uint64_t byte_rate) {
  byte_rate_ = std::clamp(byte_rate, kLeastByteRate, kMostByteRate);
  sent_.restart();
}

}  // namespace spice::video
