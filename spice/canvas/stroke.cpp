#include "spice/canvas/stroke.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace spice::canvas {
namespace {

constexpr unsigned kMaxDepth = 16;             // of dividing a curve: enough for any that meets a surface
constexpr std::size_t kMaxPieces = 1'000'000;  // of all curves of a path
constexpr std::int64_t kMargin = 16 * 16;      // around the bounds, for rounding, in 1/16 pixel

// To whole pixels; the middle goes down.
std::int64_t rounded(std::int64_t sixteenths) {
  return (sixteenths + 7) >> 4;
}

__extension__ using Wide = __int128;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  const auto quotient = a / b;
  return quotient - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// A solid line along its major axis: at step k of `length` it is at major + k * major_step, minor + minor_step *
// offset(k).
struct Stepper {
  bool x_is_major;
  std::int64_t length;  // steps; the last point is not drawn
  std::int64_t rise;    // of the minor axis over all of them
  std::int64_t bias;    // 1 where exactly between two pixels it goes straight
  std::int64_t x, y;
  std::int64_t x_step, y_step;

  std::int64_t offset(std::int64_t k) const { return floor_divide(2 * k * rise + length - bias, 2 * length); }
  std::int64_t minor_start() const { return x_is_major ? y : x; }
  std::int64_t minor_step() const { return x_is_major ? y_step : x_step; }
  std::int64_t minor(std::int64_t k) const { return minor_start() + minor_step() * offset(k); }
};

Stepper stepper(core::Point from, core::Point to) {
  const auto dx = std::int64_t{to.x} - from.x;
  const auto dy = std::int64_t{to.y} - from.y;
  const bool left = dx < 0, up = dy<0, x_is_major = std::abs(dx)> std::abs(dy);
  // Octants 2 and 3 go up and are steep, 4 goes up and left and is flat, 5 goes down and left and is flat.
  const bool straight = x_is_major ? left : up;
  return {.x_is_major = x_is_major,
          .length = std::max(std::abs(dx), std::abs(dy)),
          .rise = std::min(std::abs(dx), std::abs(dy)),
          .bias = straight ? 1 : 0,
          .x = from.x,
          .y = from.y,
          .x_step = left ? -1 : 1,
          .y_step = up ? -1 : 1};
}

struct Steps {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

// The steps at which a coordinate that starts at `start` and moves by `step` each time lies in low..high.
Steps steps_within(std::int64_t start, std::int64_t step, std::int64_t low, std::int64_t high, std::int64_t length) {
  const auto first = step > 0 ? low - start : start - (high - 1);
  const auto end = step > 0 ? high - start : start - (low - 1);
  return {std::clamp<std::int64_t>(first, 0, length), std::clamp<std::int64_t>(end, 0, length)};
}

// The first of the steps first..end at which the minor axis has moved at least this far.
std::int64_t step_at_offset(const Stepper& line, Steps steps, std::int64_t offset) {
  while (steps.first < steps.end) {
    const auto middle = steps.first + (steps.end - steps.first) / 2;
    if (line.offset(middle) < offset)
      steps.first = middle + 1;
    else
      steps.end = middle;
  }
  return steps.first;
}

Steps visible_steps(const Stepper& line, const core::Rect& bounds) {
  const auto steps = line.x_is_major ? steps_within(line.x, line.x_step, bounds.left, bounds.right, line.length)
                                     : steps_within(line.y, line.y_step, bounds.top, bounds.bottom, line.length);
  const auto low = line.x_is_major ? bounds.top : bounds.left;
  const auto high = line.x_is_major ? bounds.bottom : bounds.right;
  const auto offsets = steps_within(line.minor_start(), line.minor_step(), low, high, INT64_MAX);
  return {step_at_offset(line, steps, offsets.first), step_at_offset(line, steps, offsets.end)};
}

void draw_flat(const Stepper& line, const Steps& steps, RunSink& sink) {
  for (auto k = steps.first; k < steps.end;) {
    const auto offset = line.offset(k);
    // The first step after which 2 * k * rise + length - bias reaches the next multiple of 2 * length.
    const auto to_reach = 2 * line.length * (offset + 1) - line.length + line.bias;
    const auto end = line.rise == 0 ? steps.end : std::min(steps.end, -floor_divide(-to_reach, 2 * line.rise));
    const auto x = line.x_step > 0 ? line.x + k : line.x - (end - 1);
    sink.run(static_cast<std::int32_t>(x), static_cast<std::int32_t>(line.minor(k)),
             static_cast<std::int32_t>(end - k));
    k = end;
  }
}

void draw_steep(const Stepper& line, const Steps& steps, RunSink& sink) {
  if (steps.first >= steps.end) return;
  const auto offset = line.offset(steps.first);
  auto x = line.x + line.x_step * offset;
  auto error = 2 * steps.first * line.rise + line.length - line.bias - 2 * line.length * offset;
  for (auto k = steps.first; k < steps.end; ++k) {
    sink.run(static_cast<std::int32_t>(x), static_cast<std::int32_t>(line.y + k * line.y_step), 1);
    error += 2 * line.rise;
    if (error < 2 * line.length) continue;
    error -= 2 * line.length;
    x += line.x_step;
  }
}

}  // namespace

PathLines::PathLines(const core::Rect& bounds)
    : low_{std::int64_t{bounds.left} * 16 - kMargin, std::int64_t{bounds.top} * 16 - kMargin},
      high_{std::int64_t{bounds.right} * 16 + kMargin, std::int64_t{bounds.bottom} * 16 + kMargin},
      pieces_left_(kMaxPieces) {}

void PathLines::append(const WidePoint& point) {
  line_.push_back({static_cast<std::int32_t>(rounded(point.x)), static_cast<std::int32_t>(rounded(point.y))});
}

void PathLines::append(const core::PathSegment& segment) {
  std::size_t next = 0;
  const auto point = [&](std::size_t i) { return WidePoint{segment.points[i].x, segment.points[i].y}; };
  if (line_.empty() && !segment.points.empty()) append(point(next++));
  if ((segment.flags & core::PathSegment::kBezier) == 0) {
    for (; next < segment.points.size(); ++next)
      append(point(next));
    return;
  }
  for (; next + 3 <= segment.points.size(); next += 3) {
    const WidePoint start{std::int64_t{line_.back().x} * 16, std::int64_t{line_.back().y} * 16};
    append(Curve{start, point(next), point(next + 1), point(next + 2)}, 0);
  }
}

// Whether the control points are nearer to the chord than about half a pixel, counted in the way clients do.
bool PathLines::is_straight(const Curve& curve) const {
  const auto [left, right] = std::minmax({curve[0].x, curve[1].x, curve[2].x, curve[3].x});
  const auto [top, bottom] = std::minmax({curve[0].y, curve[1].y, curve[2].y, curve[3].y});
  if (right < low_.x || left > high_.x || bottom < low_.y || top > high_.y) return true;
  if (right - left < 8 && bottom - top < 8) return true;
  const auto dot = [](const WidePoint& a, const WidePoint& from_a, const WidePoint& b, const WidePoint& from_b) {
    return (Wide{a.x - from_a.x} * (b.x - from_b.x) + Wide{a.y - from_a.y} * (b.y - from_b.y)) >> 4;
  };
  const auto chord = dot(curve[3], curve[0], curve[3], curve[0]);
  const auto first = dot(curve[1], curve[0], curve[1], curve[0]);
  const auto second = dot(curve[2], curve[3], curve[2], curve[3]);
  const auto along_first = dot(curve[1], curve[0], curve[3], curve[0]);
  const auto along_second = dot(curve[2], curve[3], curve[0], curve[3]);
  return (first * chord - along_first * along_first) >> 3 < chord &&
         (second * chord - along_second * along_second) >> 3 < chord;
}

void PathLines::append(const Curve& curve, unsigned depth) {
  if (depth == kMaxDepth || pieces_left_ == 0 || is_straight(curve)) {
    if (pieces_left_ > 0) --pieces_left_;
    append(curve[3]);
    return;
  }
  const auto first = half(curve[0], curve[1]);
  const auto middle = half(curve[1], curve[2]);
  const auto last = half(curve[2], curve[3]);
  const auto before = half(first, middle);
  const auto after = half(middle, last);
  const auto centre = half(before, after);
  append(Curve{curve[0], first, before, centre}, depth + 1);
  append(Curve{centre, after, last, curve[3]}, depth + 1);
}

void draw_solid_line(const Polyline& points, const core::Rect& bounds, RunSink& sink) {
  if (bounds.empty()) return;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto line = stepper(points[i - 1], points[i]);
    if (line.length == 0) continue;
    const auto steps = visible_steps(line, bounds);
    if (!sink.spend(RunSink::kPiecePixels + std::max<std::int64_t>(steps.end - steps.first, 0))) return;
    if (line.x_is_major)
      draw_flat(line, steps, sink);
    else
      draw_steep(line, steps, sink);
  }
}

}  // namespace spice::canvas
