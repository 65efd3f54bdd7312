// The pixels of one surface that a client lacks, and which of them to send next, from the newest.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/ports/display.h"
#include "spice/canvas/region.h"

namespace spice::display {

class PixelDebt {
 public:
  // A client that lacks more rectangles than this gets some pixels too many instead.
  static constexpr std::size_t kMostRects = 256;

  void add(const canvas::Region& region, const core::Rect& bounds);
  void remove(const canvas::Region& region);
  // All of a new surface, and nothing of an old one.
  void restart(const core::Rect& bounds);

  bool empty() const { return lacking_.empty(); }
  const canvas::Region& region() const { return lacking_; }

  // What to send next, which is not lacking then; nothing when nothing is. It may hold pixels that are not lacking.
  std::optional<core::Rect> next();
  // What next() will probably give, in order, as far as that is planned.
  std::vector<core::Rect> upcoming(std::size_t most) const;
  // The same of `area` only, and no other pixels.
  std::optional<core::Rect> next_within(const core::Rect& area);
  // All of the surface at once.
  core::Rect whole(const core::Rect& bounds);

 private:
  void make_plan();

  canvas::Region lacking_;
  std::vector<core::Rect> plan_;  // for lacking_ as it is; the next drawings, last one first
  std::int32_t resume_y_ = 0;     // where the last drawing ended: a busy top must not starve the bottom
};

}  // namespace spice::display
