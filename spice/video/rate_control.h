// The rate of one M-JPEG stream to one client: which pictures are encoded and how well. Without feedback it keeps
// frames within a byte rate; the client's reports and pictures that pile up on our side move that rate.
//
// Pure: it is told the time, the sizes of frames and the reports. Frames are asked for and told in this order:
//
//   if (const auto quality = control.begin_frame(time, conditions)) control.end_frame(encode(*quality).size());
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "spice/video/client_reports.h"
#include "spice/video/frame_pace.h"
#include "spice/video/quality_search.h"
#include "spice/video/rate_meter.h"
#include "spice/video/video_encoder.h"

namespace spice::video {

class RateControl {
 public:
  static constexpr std::uint32_t kMostDelayMs = 5000;
  // Keeps rates positive and their products small.
  static constexpr std::uint64_t kLeastByteRate = 1000;
  static constexpr std::uint64_t kMostByteRate = std::uint64_t{1} << 40;

  explicit RateControl(std::uint64_t bit_rate);

  // The JPEG quality to encode the next picture with, or nothing: leave it out.
  std::optional<int> begin_frame(MediaTime time, const Conditions& conditions);
  void end_frame(std::size_t bytes);

  void report(const ClientReport& report, const Conditions& conditions);
  // A picture was replaced by the next one before it could be sent.
  void picture_replaced(const Conditions& conditions);

  std::uint64_t bit_rate() const { return byte_rate_ * 8; }
  std::uint32_t required_delay_ms() const { return required_delay_ms_; }
  std::uint32_t fps() const { return fps_; }
  std::size_t quality() const { return search_ ? search_->quality() : quality_; }  // index into kJpegQualities
  bool searching() const { return search_.has_value(); }

 private:
  enum class Change : std::uint8_t { None, Increase, Decrease };

  // The last frames at this setting.
  struct RecentFrames {
    static constexpr std::uint32_t kMost = 3;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
    void add(std::size_t frame_bytes) {
      if (count >= kMost) *this = {};
      ++count;
      bytes += frame_bytes;
    }
  };
  struct ServerDrops {
    static constexpr double kMostShare = 0.1;
    std::uint32_t encoded = 0;
    std::uint32_t dropped = 0;
  };

  bool searches_rate() const { return search_ && search_->cause() == QualitySearch::Cause::Rate; }
  QualitySearch::Line line(const Conditions& conditions) const { return {byte_rate_, conditions.source_fps}; }
  std::uint32_t delay_needed(const Conditions& conditions) const;

  void settle_quality(const Conditions& conditions);
  void consider_sizes(const Conditions& conditions);
  void take_step(std::uint64_t bytes, const Conditions& conditions);
  void adopt(const QualitySearch::Found& found);
  void stop_search();

  void handle_bad(MediaTime report_end, const Conditions& conditions);
  void handle_good(MediaTime report_end, const Conditions& conditions);
  void increase();
  void decrease(Time now);
  void change_rate(std::uint64_t byte_rate, Change change);

  std::uint64_t byte_rate_;
  std::uint32_t fps_ = 5;
  std::size_t quality_ = kMiddleQuality;
  FramePace pace_{5};
  std::optional<QualitySearch> search_ = QualitySearch::start();
  std::uint64_t base_bytes_ = 0;  // of a frame when this quality was chosen
  std::uint64_t last_bytes_ = 0;  // of the last frame, if it has this quality
  RecentFrames recent_;
  RateMeter sent_;
  Change last_change_ = Change::None;
  ClientReports reports_;
  ServerDrops drops_;
  std::optional<Time> begun_;  // when the first picture came
  std::uint32_t required_delay_ms_ = 0;
};

}  // namespace spice::video
