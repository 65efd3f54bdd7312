#include "spice/video/rate_control.h"

#include <algorithm>

namespace spice::video {

namespace {

// The first seconds of a stream are no measure of the line.
constexpr Time kWarmUp = std::chrono::seconds(3);
constexpr std::uint64_t kFramesToMeasure = 3;
// How long a rate must have gone well before more is tried, and when the stream already looks good.
constexpr std::int32_t kGoodMs = 2000;
constexpr std::int32_t kGoodMsWhenFine = 3000;
constexpr std::uint32_t kFineFps = 10;

}  // namespace

RateControl::RateControl(std::uint64_t bit_rate)
    : byte_rate_(std::clamp(bit_rate / 8, kLeastByteRate, kMostByteRate)) {}

std::optional<int> RateControl::begin_frame(MediaTime time, const Conditions& conditions) {
  if (!begun_) begun_ = conditions.now;
  if (!search_) pace_.correct(conditions.now, conditions.source_fps);
  const auto last = sent_.last();
  if (last && pace_.too_close(conditions.now - *last)) return std::nullopt;
  settle_quality(conditions);
  // A search for another rate takes frames as they come.
  if (!searches_rate()) sent_.frame_begins(conditions.now, time);
  return kJpegQualities.at(quality());
}

void RateControl::end_frame(std::size_t bytes) {
  last_bytes_ = std::max<std::size_t>(bytes, 1);
  ++drops_.encoded;
  if (!search_) {
    recent_.add(bytes);
    pace_.frame_sent();
  }
  if (!searches_rate()) sent_.frame_ends(bytes);
}

void RateControl::settle_quality(const Conditions& conditions) {
  if (last_bytes_ == 0) return;
  if (search_)
    take_step(last_bytes_, conditions);
  else
    consider_sizes(conditions);
}

// Frames have become smaller or larger than when their quality was chosen: search from there.
void RateControl::consider_sizes(const Conditions& conditions) {
  if (recent_.count == 0 || (recent_.count < RecentFrames::kMost && recent_.count < fps_)) return;
  const auto average = recent_.bytes / recent_.count;
  const auto possible = frames_per_second(byte_rate_, average);
  const QualitySearch::Setting here{quality_, fps_};
  if (possible > fps_ && (fps_ < conditions.source_fps || quality_ < kBestQuality))
    search_ = QualitySearch::upward(QualitySearch::Cause::Size, here);
  else if (possible < fps_ && possible < conditions.source_fps)
    search_ = QualitySearch::downward(QualitySearch::Cause::Size, here);
  else
    return;
  take_step(average, conditions);
}

void RateControl::take_step(std::uint64_t bytes, const Conditions& conditions) {
  const auto found = search_->step(bytes, line(conditions));
  last_bytes_ = 0;  // of another quality than the next frame's
  if (!found) return;
  adopt(*found);
  required_delay_ms_ = delay_needed(conditions);
}

void RateControl::adopt(const QualitySearch::Found& found) {
  if (searches_rate()) drops_ = {};
  search_.reset();
  quality_ = found.setting.quality;
  fps_ = std::clamp(found.setting.fps, kLeastFps, kMostFps);
  pace_.set_fps(fps_);
  base_bytes_ = found.frame_bytes;
  recent_ = {};
}

void RateControl::stop_search() {
  if (search_) adopt({.setting = search_->origin(), .frame_bytes = 0});
}

std::uint32_t RateControl::delay_needed(const Conditions& conditions) const {
  const auto frame_ms = base_bytes_ * 1000 / byte_rate_;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(2 * frame_ms + conditions.latency_ms, kMostDelayMs));
}

void RateControl::report(const ClientReport& report, const Conditions& conditions) {
  if (searches_rate() && search_->direction() == QualitySearch::Direction::Down) return;
  const bool is_best = quality_ == kBestQuality && fps_ >= std::min(conditions.source_fps, kMostFps);
  const auto needed = delay_needed(conditions);
  const bool is_short = static_cast<std::int32_t>(needed) > report.delay_ms && !(is_best && report.delay_ms >= 0);
  if (is_short) required_delay_ms_ = needed;
  switch (reports_.judge(report, is_short)) {
    case ClientReports::Verdict::Bad: return handle_bad(report.end, conditions);
    case ClientReports::Verdict::Good: return handle_good(report.end, conditions);
    case ClientReports::Verdict::Neutral: return;
  }
}

void RateControl::handle_bad(MediaTime report_end, const Conditions& conditions) {
  // A report of the time before the last change says nothing of it; but if that was an increase, it was too much.
  const bool is_older = !sent_.running() || media_time_between(sent_.start_media(), report_end) < 0;
  if (is_older && last_change_ != Change::Increase) return;
  decrease(conditions.now);
}

void RateControl::handle_good(MediaTime report_end, const Conditions& conditions) {
  if (searches_rate() || !sent_.running()) return;
  const bool is_fine = quality_ > kMiddleQuality && (fps_ > kFineFps || fps_ >= conditions.source_fps);
  if (media_time_between(sent_.start_media(), report_end) < (is_fine ? kGoodMsWhenFine : kGoodMs)) return;
  increase();
}

void RateControl::increase() {
  stop_search();
  const auto measured = sent_.byte_rate();
  if (sent_.frames() <= kFramesToMeasure || !measured) return;
  const auto frame = sent_.frame_bytes();
  // Less is sent than might be: no reason to allow more, but perhaps to use it better.
  const bool is_unused = *measured + frame < byte_rate_;
  change_rate(is_unused ? byte_rate_ : std::min(*measured, byte_rate_) + frame, Change::Increase);
}

void RateControl::decrease(Time now) {
  stop_search();
  reports_.forget();
  if (!begun_ || now - *begun_ < kWarmUp) return;
  auto rate = byte_rate_;
  auto frame = byte_rate_ / fps_;
  const auto measured = sent_.byte_rate();
  if (measured && (sent_.frames() > kFramesToMeasure || sent_.frames() > fps_)) {
    rate = std::min(rate, *measured);
    frame = sent_.frame_bytes();
  }
  change_rate(rate > frame ? rate - frame : rate / 2, Change::Decrease);
}

void RateControl::change_rate(std::uint64_t byte_rate, Change change) {
  byte_rate_ = std::clamp(byte_rate, kLeastByteRate, kMostByteRate);
  last_change_ = change;
  sent_.restart();
  const QualitySearch::Setting here{quality_, fps_};
  search_ = change == Change::Increase ? QualitySearch::upward(QualitySearch::Cause::Rate, here)
                                       : QualitySearch::downward(QualitySearch::Cause::Rate, here);
}

void RateControl::picture_replaced(const Conditions& conditions) {
  ++drops_.dropped;
  if (drops_.encoded < std::min(fps_, conditions.source_fps)) return;
  const double share = static_cast<double>(drops_.dropped) / (drops_.dropped + drops_.encoded);
  drops_ = {};
  if (share > ServerDrops::kMostShare) decrease(conditions.now);
}

}  // namespace spice::video
