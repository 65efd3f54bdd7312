// Lines of one pixel's width as runs of pixels. Which pixels a line has is a matter of agreement between the guest, us
// and every client: these are those of the X server's sample implementation, which SPICE clients draw with.
//
// Solid lines: Bresenham without the last point; exactly between two pixels, octants 2 to 5 (counted from east over
// north) step straight. Dashed lines: the pixels whose centres lie in the rectangle of width 1 around each dash, left
// and upper edges included; where a line to the right is followed by one to the left, the mitre between them is filled.
//
// All numbers may have any value. Work is bounded by what lies within `bounds`: lines are cut there before they are
// stepped along, and curves whose control points are outside are not divided.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/canvas/raster.h"

namespace spice::canvas {

// Takes the pixels of lines, `length` of them to the right from (x, y), all within the bounds.
class RunSink {
 public:
  // `most_pixels`: lines that go over everything again and again end there.
  explicit RunSink(std::int64_t most_pixels) : pixels_left_(most_pixels) {}
  virtual ~RunSink() = default;
  virtual void run(std::int32_t x, std::int32_t y, std::int32_t length) = 0;
  // What a piece of a line costs by itself, and where two meet.
  static constexpr std::int64_t kPiecePixels = 8;

  // Before so many pixels are looked at. False: do not, it is enough.
  [[nodiscard]] bool spend(std::int64_t pixels) {
    pixels_left_ -= pixels;
    return pixels_left_ >= 0;
  }

 private:
  std::int64_t pixels_left_;
};

// A line through whole pixels.
using Polyline = std::vector<core::Point>;

// Calls `draw(const Polyline&)` with the lines of a path, curves divided into straight pieces.
class PathLines {
 public:
  explicit PathLines(const core::Rect& bounds);

  template <class Draw>
  void for_each(const std::vector<core::PathSegment>& path, const Draw& draw) {
    for (const auto& segment : path) {
      if ((segment.flags & core::PathSegment::kBegin) != 0) flush(draw);
      append(segment);
      if ((segment.flags & core::PathSegment::kEnd) == 0) continue;
      if ((segment.flags & core::PathSegment::kClose) != 0 && !line_.empty()) line_.push_back(line_.front());
      flush(draw);
    }
    flush(draw);
  }

 private:
  template <class Draw>
  void flush(const Draw& draw) {
    if (!line_.empty()) draw(static_cast<const Polyline&>(line_));
    line_.clear();
  }
  struct WidePoint {  // 1/16 pixel
    std::int64_t x = 0;
    std::int64_t y = 0;
  };
  using Curve = std::array<WidePoint, 4>;
  static WidePoint half(const WidePoint& a, const WidePoint& b) { return {(a.x + b.x) / 2, (a.y + b.y) / 2}; }

  void append(const core::PathSegment& segment);
  void append(const WidePoint& point);
  void append(const Curve& curve, unsigned depth);
  bool is_straight(const Curve& curve) const;

  Curve::value_type low_, high_;  // corners of the bounds and some pixels more
  std::size_t pieces_left_;
  Polyline line_;
};

void draw_solid_line(const Polyline& line, const core::Rect& bounds, RunSink& sink);

// Lengths in pixels, on first; those of even index are drawn.
class DashPattern {
 public:
  // As a driver gives them. Empty, or nothing but zeros: no pattern.
  DashPattern(const std::vector<std::int32_t>& dashes, bool starts_with_gap);

  bool empty() const { return total_ == 0; }
  struct Position {
    std::size_t index = 0;  // of the dash
    std::int64_t offset = 0;
    bool operator==(const Position&) const = default;
  };
  Position start() const { return start_; }
  // After a piece of this length. What is left of a dash is cut down to whole pixels.
  Position after(const Position& from, double length) const;
  // Whether it is on at this distance from a position; exactly between two dashes, the earlier counts if `earlier`.
  bool is_on(const Position& from, double distance, bool earlier) const;

 private:
  std::size_t index_of(double place, bool earlier) const;

  std::vector<std::int64_t> ends_;  // of each dash, from the pattern's start
  std::int64_t total_ = 0;
  Position start_;
};

// `touches_once`: a pixel may be reported twice but must be drawn once, and mitres are filled between all pieces.
void draw_dashed_line(const Polyline& line, const DashPattern& pattern, bool touches_once, const core::Rect& bounds,
                      RunSink& sink);

}  // namespace spice::canvas
