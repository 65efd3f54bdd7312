#include "spice/canvas/work.h"

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

class Estimate {
 public:
  explicit Estimate(const core::Drawing& drawing) : drawing_(drawing) {}

  std::int64_t operator()(const core::DrawComposite& composite) const {
    // Numbers of the Render extension: 16 and up are disjoint and conjoint, 48 and up blend modes.
    const auto operation = composite.operation >= 48 ? kBlended : composite.operation >= 16 ? kDisjoint : kPlain;
    const bool is_transformed = composite.source.transform || (composite.mask && composite.mask->transform);
    return operation + (is_transformed ? kTransformed : 0);
  }
  template <class Operation>
  std::int64_t operator()(const Operation& operation) const {
    auto cost = kPlain;
    if constexpr (requires { operation.mask.image; }) cost += operation.mask.image != nullptr ? kMasked : 0;
    if constexpr (requires { operation.source.area; })
      cost += is_stretched(drawing_.box, operation.source.area) ? kConverted : 0;
    return cost;
  }

 private:
  const core::Drawing& drawing_;
};

}  // namespace

std::int64_t nanoseconds_to_draw(const core::Drawing& drawing, std::int64_t pixels) {
  return std::visit(Estimate(drawing), drawing.operation) * pixels;
}

}  // namespace spice::canvas
