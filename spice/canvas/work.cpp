#include "spice/canvas/work.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "spice/canvas/draw_context.h"

namespace spice::canvas {
namespace {

// Of a pixel.
constexpr std::int64_t kPlain = 20;
constexpr std::int64_t kMasked = 120;     // single bits that alternate
constexpr std::int64_t kConverted = 120;  // stretched and of another format
constexpr std::int64_t kTransformed = 100;
constexpr std::int64_t kDisjoint = 120;
constexpr std::int64_t kBlended = 500;
constexpr std::int64_t kOfLine = 300;

// Of a step from point to point; a curve is no longer than the way over its control points.
std::int64_t line_pixels(const core::PathPoint& from, const core::PathPoint& to) {
  const auto dx = std::abs(std::int64_t{to.x} - from.x);
  const auto dy = std::abs(std::int64_t{to.y} - from.y);
  return std::max(dx, dy) / 16 + 1;
}

std::int64_t line_pixels(const core::DrawStroke& stroke) {
  std::int64_t total = 0;
  core::PathPoint first{}, last{};
  for (const auto& segment : stroke.path) {
    bool begins = (segment.flags & core::PathSegment::kBegin) != 0;
    for (const auto& point : segment.points) {
      if (std::exchange(begins, false)) first = last = point;
      total += line_pixels(last, point);
      last = point;
    }
    total += line_pixels(last, first);  // it may be closed
    if (total >= kMostLinePixels) return kMostLinePixels;
  }
  return total;
}

class Estimate {
 public:
  Estimate(const core::Drawing& drawing, std::int64_t pixels) : drawing_(drawing), pixels_(pixels) {}

  // Their clip may hide most of a line, and letters may lie one over the other.
  std::int64_t operator()(const core::DrawStroke& stroke) const { return kOfLine * line_pixels(stroke); }
  std::int64_t operator()(const core::DrawText& text) const {
    const auto values = static_cast<std::int64_t>(text.values.size() * 8 / static_cast<unsigned>(text.depth));
    return kPlain * (pixels_ + values);
  }
  std::int64_t operator()(const core::DrawComposite& composite) const {
    // Numbers of the Render extension: 16 and up are disjoint and conjoint, 48 and up blend modes.
    const auto operation = composite.operation >= 48 ? kBlended : composite.operation >= 16 ? kDisjoint : kPlain;
    const bool is_transformed = composite.source.transform || (composite.mask && composite.mask->transform);
    return (operation + (is_transformed ? kTransformed : 0)) * pixels_;
  }
  template <class Operation>
  std::int64_t operator()(const Operation& operation) const {
    auto cost = kPlain;
    if constexpr (requires { operation.mask.image; }) cost += operation.mask.image != nullptr ? kMasked : 0;
    if constexpr (requires { operation.source.area; })
      cost += is_stretched(drawing_.box, operation.source.area) ? kConverted : 0;
    return cost * pixels_;
  }

 private:
  const core::Drawing& drawing_;
  std::int64_t pixels_;
};

}  // namespace

std::int64_t nanoseconds_to_draw(const core::Drawing& drawing, std::int64_t pixels) {
  return std::visit(Estimate(drawing, pixels), drawing.operation);
}

}  // namespace spice::canvas
