// The bit rate of a stream whose codec keeps to a bit rate by itself: the client's reports and pictures that pile up on
// our side move it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "spice/video/client_reports.h"
#include "spice/video/rate_meter.h"
#include "spice/video/video_encoder.h"

namespace spice::video {

class BitRateControl {
 public:
  static constexpr std::uint64_t kLeastByteRate = 8'000;
  static constexpr std::uint64_t kMostByteRate = 12'500'000;  // a picture gains nothing beyond
  static constexpr std::uint32_t kMostDelayMs = 5000;
  static constexpr std::uint32_t kMostFps = 30;

  explicit BitRateControl(std::uint64_t bit_rate);

  // Whether the next picture is to be encoded: not if it follows the last one too closely.
  bool begin_frame(MediaTime time, const Conditions& conditions);
  void end_frame(std::size_t bytes, const Conditions& conditions);
  void report(const ClientReport& report, const Conditions& conditions);
  void picture_replaced(const Conditions& conditions);

  std::uint64_t bit_rate() const { return byte_rate_ * 8; }
  std::uint32_t required_delay_ms() const { return required_delay_ms_; }

 private:
  void decrease(Time now);
  void increase();
  void change_rate(std::uint64_t byte_rate);
  std::uint32_t delay_needed(const Conditions& conditions) const;

  std::uint64_t byte_rate_;
  RateMeter sent_;
  ClientReports reports_;
  std::optional<Time> begun_;
  std::optional<Time> last_;
  std::uint32_t encoded_ = 0;
  std::uint32_t replaced_ = 0;
  std::uint32_t required_delay_ms_ = 0;
};

}  // namespace spice::video
