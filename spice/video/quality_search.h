// Looks for the JPEG quality that suits a byte rate: one frame a step is encoded, and its size says whether the next is
// to be tried finer or coarser. A search goes up from a setting that was good enough or down from one that was too
// much, and does not leave its bounds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace spice::video {

// The ladder of qualities and what frame rates a stream may have.
constexpr std::array<int, 7> kJpegQualities{20, 30, 40, 50, 60, 70, 80};
constexpr std::size_t kBestQuality = kJpegQualities.size() - 1;
constexpr std::size_t kMiddleQuality = kJpegQualities.size() / 2;
constexpr std::uint32_t kLeastFps = 1;
constexpr std::uint32_t kMostFps = 25;

// How many frames of `bytes` a second fit the rate; the most there may be if the size is not known (0).
std::uint32_t frames_per_second(std::uint64_t byte_rate, std::uint64_t bytes);

class QualitySearch {
 public:
  enum class Cause : std::uint8_t {
    Rate,  // the byte rate is another one
    Size,  // the frames' sizes are others
  };
  enum class Direction : std::uint8_t { Start, Up, Down };
  struct Setting {
    std::size_t quality = 0;  // index into kJpegQualities
    std::uint32_t fps = 0;
  };
  struct Line {
    std::uint64_t byte_rate = 0;
    std::uint32_t source_fps = 0;
  };
  struct Found {
    Setting setting;
    std::uint64_t frame_bytes = 0;  // at that quality
  };

  static QualitySearch start() { return {Cause::Rate, Direction::Start, {kMiddleQuality, kMostFps / 2}}; }
  static QualitySearch upward(Cause cause, Setting from) { return {cause, Direction::Up, from}; }
  static QualitySearch downward(Cause cause, Setting from) { return {cause, Direction::Down, from}; }

  Cause cause() const { return cause_; }
  Direction direction() const { return direction_; }
  std::size_t quality() const { return quality_; }  // that the next frame is to be encoded at
  Setting origin() const { return origin_; }        // what to go back to if the search is given up

  // A frame at quality() has `bytes`. What was found, or nothing: encode the next at the new quality().
  std::optional<Found> step(std::uint64_t bytes, const Line& line);

 private:
  QualitySearch(Cause cause, Direction direction, Setting origin);

  void remember(std::uint32_t fps, const Line& line);
  bool step_finishes(std::uint32_t fps, const Line& line);
  bool step_up_finishes(std::uint32_t fps, const Line& line);
  bool step_down_finishes();
  bool is_measured(std::size_t quality) const { return bytes_[quality] != 0; }

  Cause cause_;
  Direction direction_;
  Setting origin_;
  Setting floor_{0, 0};
  Setting ceiling_{kBestQuality, kMostFps};
  std::size_t quality_;
  Setting best_{0, 0};  // the highest frame rate seen, at the best quality it was seen at
  std::array<std::uint64_t, kJpegQualities.size()> bytes_{};
};

}  // namespace spice::video
