// Dashed lines: every dash is a rectangle of width 1 around the line, every joint a mitre, and a pixel belongs to them
// if its centre does. All tests are on cross and dot products of whole numbers with half a length, so that they are
// exact wherever a centre can lie on an edge.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <span>

#include "spice/canvas/stroke.h"

namespace spice::canvas {
namespace {

// A mitre longer than this (as the square of twice its length, for lines of width 1) is cut off: an angle of 11
// degrees.
constexpr double kMitreLimit = 108.856472512142;
// Half of what is looked at for a mitre: the limit allows 5.3 pixels.
constexpr std::int64_t kMitreReach = 6;
constexpr std::size_t kMaxDashes = 255;  // drivers count them in a byte

struct Vector {
  double x = 0;
  double y = 0;
};

double cross(const Vector& a, const Vector& b) {
  return a.x * b.y - a.y * b.x;
}

struct Piece {
  core::Point from;
  std::int64_t dx = 0;
  std::int64_t dy = 0;
  double length = 0;
  DashPattern::Position start;

  Vector direction() const { return {static_cast<double>(dx), static_cast<double>(dy)}; }
};

// The pixels of row y, relative to the piece's start, that are nearer than half a pixel to its line, from its first to
// its end.
struct RowRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

RowRange row_range(const Piece& piece, std::int64_t y) {
  if (piece.dy == 0) {
    if (y != 0) return {};
    return piece.dx > 0 ? RowRange{0, piece.dx} : RowRange{piece.dx, 0};
  }
  // x * ey - y * ex in [-half, half), with (ex, ey) pointing down.
  const auto ex = static_cast<double>(piece.dy > 0 ? piece.dx : -piece.dx);
  const auto ey = static_cast<double>(std::abs(piece.dy));
  const double half = piece.length / 2;
  // Divisions round; one pixel more on either side, and the exact test decides.
  auto first = static_cast<std::int64_t>(std::floor((static_cast<double>(y) * ex - half) / ey)) - 1;
  auto end = static_cast<std::int64_t>(std::ceil((static_cast<double>(y) * ex + half) / ey)) + 1;
  const auto inside = [&](std::int64_t x) {
    const double distance = static_cast<double>(x) * ey - static_cast<double>(y) * ex;
    return distance >= -half && distance < half;
  };
  while (first < end && !inside(first))
    ++first;
  while (first < end && !inside(end - 1))
    --end;
  return {first, end};
}

// Whether where the dash begins belongs to it, or where it ends: left and upper edges do.
bool start_is_inside(const Piece& piece) {
  return piece.dx > 0 || (piece.dx == 0 && piece.dy > 0);
}

// How far along the piece the pixel is, or nothing if it is before or behind it.
std::optional<double> distance_along(const Piece& piece, std::int64_t x, std::int64_t y) {
  const auto along = x * piece.dx + y * piece.dy;
  const auto whole = piece.dx * piece.dx + piece.dy * piece.dy;
  const bool inside = start_is_inside(piece) ? along >= 0 && along < whole : along > 0 && along <= whole;
  if (!inside) return {};
  return static_cast<double>(along) / piece.length;
}

void draw_piece(const Piece& piece, const DashPattern& pattern, const core::Rect& bounds, RunSink& sink) {
  const auto top = std::max(bounds.top - std::int64_t{piece.from.y}, std::min<std::int64_t>(piece.dy, 0) - 1);
  const auto bottom = std::min(bounds.bottom - std::int64_t{piece.from.y}, std::max<std::int64_t>(piece.dy, 0) + 2);
  const bool earlier = !start_is_inside(piece);
  for (auto y = top; y < bottom; ++y) {
    const auto range = row_range(piece, y);
    const auto first = std::max(range.first, bounds.left - std::int64_t{piece.from.x});
    const auto end = std::min(range.end, bounds.right - std::int64_t{piece.from.x});
    if (!sink.spend(1 + std::max<std::int64_t>(end - first, 0))) return;
    for (auto x = first; x < end; ++x) {
      const auto distance = distance_along(piece, x, y);
      if (!distance || !pattern.is_on(piece.start, *distance, earlier)) continue;
      sink.run(static_cast<std::int32_t>(piece.from.x + x), static_cast<std::int32_t>(piece.from.y + y), 1);
    }
  }
}

// One side of a convex polygon: points on it have cross(point, slope) == k.
struct Side {
  Vector slope;
  double k = 0;
};

// Whether the centre of a pixel is inside a convex polygon around `middle`, left and upper sides included.
bool is_inside(std::span<const Side> sides, const Vector& middle, const Vector& point) {
  return std::ranges::all_of(sides, [&](const Side& side) {
    const bool down = side.slope.y > 0 || (side.slope.y == 0 && side.slope.x < 0);
    const double sign = down ? 1 : -1;
    // Seen so that it points down, what is to its right has the greater product.
    const double k = sign * side.k, here = sign * cross(point, side.slope);
    return sign * cross(middle, side.slope) > k ? here >= k : here < k;
  });
}

// Where the edges of two pieces that meet at (0, 0) would meet, on the outer side of the turn.
struct Joint {
  std::array<Vector, 4> corners;
  std::array<Side, 4> sides;
  std::size_t count = 4;
};

// The outer edge of a piece: half a pixel to one side of it.
struct Edge {
  Vector slope;
  Vector corner;  // where it starts or ends, at the joint
  double half_length = 0;

  void turn() {
    slope = {-slope.x, -slope.y};
    corner = {-corner.x, -corner.y};
  }
  Vector normal() const { return {-slope.y, slope.x}; }
  // Of the line through `corner`; its size is exact, half the length times a half.
  double k() const { return std::copysign(half_length, cross(corner, slope)); }
};

Edge edge_of(const Piece& piece, double sign) {
  const double scale = sign * 0.5 / piece.length;
  const auto direction = piece.direction();
  return {.slope = {sign * direction.x, sign * direction.y},
          .corner = {scale * direction.y, -scale * direction.x},
          .half_length = piece.length / 2};
}

std::optional<Joint> joint_of(const Piece& before, const Piece& after) {
  auto left = edge_of(after, 1);
  auto right = edge_of(before, -1);
  const double turn = -cross(left.slope, right.slope);
  if (turn == 0) return {};
  if (turn > 0)
    left.turn();
  else
    right.turn();
  // denominator: the sign of the turn as it was before one edge was turned around.
  const double y =
      (left.slope.y * cross(right.corner, right.slope) - right.slope.y * cross(left.corner, left.slope)) / turn;
  const double x = left.slope.y != 0 ? left.corner.x + (y - left.corner.y) * left.slope.x / left.slope.y
                                     : right.corner.x + (y - right.corner.y) * right.slope.x / right.slope.y;
  const Vector left_normal = left.normal(), right_normal = right.normal();
  Joint joint{
      .corners = {right.corner, Vector{}, left.corner, Vector{x, y}},
      .sides = {Side{right_normal, 0}, Side{left_normal, 0}, Side{left.slope, left.k()}, Side{right.slope, right.k()}}};
  if ((x * x + y * y) * 4 > kMitreLimit) {
    const Vector bevel{right.corner.x - left.corner.x, right.corner.y - left.corner.y};
    joint.sides[2] = {bevel, cross(left.corner, bevel)};
    joint.count = 3;
  }
  return joint;
}

void draw_joint(const Piece& before, const Piece& after, bool always, const core::Rect& bounds, RunSink& sink) {
  // One of the pieces has the joint's pixel already.
  if (!always && (start_is_inside(after) || !start_is_inside(before))) return;
  const auto joint = joint_of(before, after);
  if (!joint) return;
  Vector middle;
  for (std::size_t i = 0; i < joint->count; ++i)
    middle = {middle.x + joint->corners[i].x / static_cast<double>(joint->count),
              middle.y + joint->corners[i].y / static_cast<double>(joint->count)};
  const auto sides = std::span(joint->sides).first(joint->count);
  for (std::int64_t y = -kMitreReach; y <= kMitreReach; ++y) {
    for (std::int64_t x = -kMitreReach; x <= kMitreReach; ++x) {
      const auto at_x = after.from.x + x, at_y = after.from.y + y;
      if (at_x < bounds.left || at_x >= bounds.right || at_y < bounds.top || at_y >= bounds.bottom) continue;
      if (is_inside(sides, middle, {static_cast<double>(x), static_cast<double>(y)}))
        sink.run(static_cast<std::int32_t>(at_x), static_cast<std::int32_t>(at_y), 1);
    }
  }
}

}  // namespace

DashPattern::DashPattern(const std::vector<std::int32_t>& dashes, bool starts_with_gap) {
  // Drivers and clients keep lengths in bytes.
  std::vector<std::uint8_t> lengths;
  for (std::size_t i = 0; i < std::min(dashes.size(), kMaxDashes); ++i)
    lengths.push_back(static_cast<std::uint8_t>((std::int64_t{dashes[i]} + 7) >> 4));
  if (starts_with_gap && !lengths.empty()) std::rotate(lengths.begin(), lengths.begin() + 1, lengths.end());
  for (const auto length : lengths)
    ends_.push_back(total_ += length);
  // The gap that comes first has become the last.
  if (starts_with_gap && total_ != 0) start_ = after({}, lengths.front());
}

std::size_t DashPattern::index_of(double place, bool earlier) const {
  const auto found = earlier ? std::lower_bound(ends_.begin(), ends_.end(), place)
                             : std::upper_bound(ends_.begin(), ends_.end(), place);
  return std::min(static_cast<std::size_t>(found - ends_.begin()), ends_.size() - 1);
}

bool DashPattern::is_on(const Position& from, double distance, bool earlier) const {
  const auto before = from.index == 0 ? 0 : ends_[from.index - 1];
  const auto total = static_cast<double>(total_);
  double place = std::fmod(static_cast<double>(before + from.offset) + distance, total);
  if (earlier && place == 0) place = total;
  return index_of(place, earlier) % 2 == 0;
}

DashPattern::Position DashPattern::after(const Position& from, double length) const {
  const auto before = from.index == 0 ? 0 : ends_[from.index - 1];
  const double place = std::fmod(static_cast<double>(before + from.offset) + length, static_cast<double>(total_));
  if (place == 0) return {};
  const auto index = index_of(place, true);
  const auto rest = static_cast<std::int64_t>(static_cast<double>(ends_[index]) - place);
  if (rest == 0) return {(index + 1) % ends_.size(), 0};
  return {index, ends_[index] - (index == 0 ? 0 : ends_[index - 1]) - rest};
}

void draw_dashed_line(const Polyline& line, const DashPattern& pattern, bool touches_once, const core::Rect& bounds,
                      RunSink& sink) {
  std::optional<Piece> first, last;
  bool first_is_on = false, last_is_on = false;
  auto place = pattern.start();
  for (std::size_t i = 1; i < line.size(); ++i) {
    const auto dx = std::int64_t{line[i].x} - line[i - 1].x;
    const auto dy = std::int64_t{line[i].y} - line[i - 1].y;
    if (dx == 0 && dy == 0) continue;
    const Piece piece{line[i - 1], dx, dy, std::hypot(static_cast<double>(dx), static_cast<double>(dy)), place};
    if (!sink.spend(RunSink::kPiecePixels)) return;
    draw_piece(piece, pattern, bounds, sink);
    const bool is_on = place.index % 2 == 0;
    if (last && is_on && last_is_on) draw_joint(*last, piece, touches_once, bounds, sink);
    place = pattern.after(place, piece.length);
    if (!first) {
      first = piece;
      first_is_on = is_on;
    }
    last = piece;
    last_is_on = (place.index % 2 != 0) != (place.offset != 0);
  }
  const bool closed = line.size() > 1 && line.front() == line.back();
  if (closed && first && last && first_is_on && last_is_on) draw_joint(*last, *first, touches_once, bounds, sink);
}

}  // namespace spice::canvas
