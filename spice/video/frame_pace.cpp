#include "spice/video/frame_pace.h"

namespace spice::video {

void FramePace::correct(Time now, std::uint32_t source_fps) {
  if (!since_) {
    since_ = now;
    frames_ = 0;
    return;
  }
  const std::chrono::duration<double> passed = now - *since_;
  if (now - *since_ <= kInterval || passed.count() * pace_ <= 1) return;
  const double average = frames_ / passed.count();
  const double wanted = fps_;
  // Without a frame there is no quotient; the limit is what it would be cut to.
  const double corrected = frames_ == 0 ? 2 * wanted : pace_ * wanted / average;
  if (average + 0.5 < wanted && source_fps > average)
    pace_ = std::min(2 * wanted, corrected);
  else if (wanted + 0.5 < average)
    pace_ = std::max(wanted, corrected);
  since_ = now;
  frames_ = 0;
}

}  // namespace spice::video
