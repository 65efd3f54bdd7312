#include "spice/video/quality_search.h"

#include <algorithm>
#include <limits>

namespace spice::video {

namespace {

// Frame rates below which quality is given up for speed, in the upper half of the ladder and anywhere.
constexpr std::uint32_t kStrictFps = 10;
constexpr std::uint32_t kPermissiveFps = 5;
// Going up may cost that much of the frame rate there was.
constexpr double kKeptShareOfFps = 0.66;

}  // namespace

std::uint32_t frames_per_second(std::uint64_t byte_rate, std::uint64_t bytes) {
  if (bytes == 0) return kMostFps;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(byte_rate / bytes, std::numeric_limits<std::uint32_t>::max()));
}

QualitySearch::QualitySearch(Cause cause, Direction direction, Setting origin)
    : cause_(cause), direction_(direction), origin_(origin), quality_(origin.quality) {
  if (direction == Direction::Up) floor_ = origin;
  if (direction == Direction::Down) ceiling_ = origin;
}

std::optional<QualitySearch::Found> QualitySearch::step(std::uint64_t bytes, const Line& line) {
  bytes_[quality_] = std::max<std::uint64_t>(bytes, 1);
  const auto fps = frames_per_second(line.byte_rate, bytes_[quality_]);
  remember(fps, line);
  if (!step_finishes(fps, line)) return std::nullopt;

  quality_ = std::max(quality_, best_.quality);
  Found found{.setting = {quality_, frames_per_second(line.byte_rate, bytes_[quality_])},
              .frame_bytes = bytes_[quality_]};
  if (quality_ == floor_.quality) found.setting.fps = std::max(found.setting.fps, floor_.fps);
  if (quality_ == ceiling_.quality) found.setting.fps = std::min(found.setting.fps, ceiling_.fps);
  found.setting.fps = std::clamp(found.setting.fps, kLeastFps, kMostFps);
  return found;
}

void QualitySearch::remember(std::uint32_t fps, const Line& line) {
  const bool is_as_good = fps == best_.fps || fps >= line.source_fps;
  if (fps > best_.fps || (is_as_good && quality_ > best_.quality)) best_ = {quality_, fps};
}

// Moves quality_, or says that there is nothing more to try.
bool QualitySearch::step_finishes(std::uint32_t fps, const Line& line) {
  const bool is_full = fps >= line.source_fps;
  if (quality_ > kMiddleQuality && fps < kStrictFps && !is_full) {
    --quality_;
    return is_measured(quality_);
  }
  if ((fps > kPermissiveFps && fps >= kKeptShareOfFps * floor_.fps) || is_full) return step_up_finishes(fps, line);
  return step_down_finishes();
}

bool QualitySearch::step_up_finishes(std::uint32_t fps, const Line& line) {
  const bool is_slow = fps < kStrictFps && fps < line.source_fps;
  if (quality_ == kBestQuality || quality_ >= ceiling_.quality || is_measured(quality_ + 1) ||
      (quality_ == kMiddleQuality && is_slow))
    return true;
  ++quality_;
  return false;
}

bool QualitySearch::step_down_finishes() {
  if (quality_ == 0 || quality_ <= floor_.quality) return true;
  --quality_;
  return is_measured(quality_);
}

}  // namespace spice::video
