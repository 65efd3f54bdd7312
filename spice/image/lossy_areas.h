// Where a client's surfaces are not exact, because images were sent with loss. Thread of the client's channel only.
//
// - What is drawn with loss is lossy; so is what is copied from there.
// - What is drawn without loss, whatever was there before, is exact.
// - Before a drawing that mixes with what is there, or with another surface, these pixels are sent again without loss:
//   needed_by() says which. They are exact then, and so is what comes of them.
// - When nothing else is to be sent, the rest can be healed the same way: of() has it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/ports/geometry.h"
#include "spice/canvas/region.h"

namespace spice::image {

class LossyAreas {
 public:
  using Surface = std::uint64_t;  // as whoever has the surfaces tells them apart
  struct Area {
    Surface surface = 0;
    core::Rect area;
    bool operator==(const Area&) const = default;
  };
  // What a drawing does, as canvas::DrawingEffect has it.
  struct Effect {
    const canvas::Region& changed;
    bool covers = false;
    std::vector<Area> reads{};
  };

  bool is_lossy(Surface surface, const core::Rect& area) const;

  // What must be exact before a drawing on `surface` with this effect. Rectangles do not overlap.
  std::vector<Area> needed_by(Surface surface, const Effect& effect) const;
  // It was sent. `image_is_lossy`: so is an image in it.
  void drawn(Surface surface, const Effect& effect, bool image_is_lossy);
  // These pixels were sent as they are.
  void healed(Surface surface, const core::Rect& area);
  // The surface is another one, or gone.
  void forget(Surface surface) { surfaces_.erase(surface); }

  // Null if the surface is exact; of at most kMostRects.
  const canvas::Region* of(Surface surface) const;

 private:
  static constexpr std::size_t kMostRects = 64;  // of a surface; more are taken for larger ones

  canvas::Region within(Surface surface, const canvas::Region& region) const;

  std::map<Surface, canvas::Region> surfaces_;  // none of them is empty
};

}  // namespace spice::image
