// What a drawing does, without drawing it: for whoever keeps drawings in order, drops those that later ones cover, and
// draws surfaces before others read them.
//
//   operation                changed                    covers                                       reads
//   nothing                  -                          -                                            -
//   fill                     area                       result independent of the old pixels         pattern
//   copy, blend              area within the source     the same                                     source
//   opaque                   area                       the same, or the source is everywhere        source, pattern
//   rop3                     area within the source     the same (within: if it needs the source)    source, pattern
//   copy bits                area within the source     yes                                          own surface
//   blackness, whiteness     area                       yes                                          -
//   invers                   area                       no                                           -
//   stroke, text             area                       no                                           patterns
//   transparent, alpha       area within the source     no                                           source
//   composite                area                       clear or source, without mask or transform   source, mask image
//
// Area: the box on the surface, through the clip. A mask makes that an upper bound and nothing covers. "Within the
// source" is left out for stretched sources, which cover if their area is within the image (and pixman surely draws: no
// coordinate above 16383). What would change nothing
// (alpha 0, an operation that keeps the old pixels) has no area.
#pragma once

#include <vector>

#include "core/ports/drawing.h"
#include "spice/canvas/region.h"
#include "spice/canvas/surface.h"

namespace spice::canvas {

struct SurfaceRead {
  core::SurfaceId surface = 0;  // perhaps the one that is drawn on
  core::Rect area;              // on that surface; a little more where the source is stretched
  bool operator==(const SurfaceRead&) const = default;
};

struct DrawingEffect {
  // All other pixels of the surface stay as they are. Empty if the drawing cannot be drawn at all.
  Region changed;
  // Every changed pixel gets a value that does not depend on what it was, only on what `reads` names. Then the drawings
  // before that changed nothing else, and that nobody reads in between, need not be drawn.
  bool covers = false;
  // Pixels that must be up to date first, beside the changed ones if it does not cover.
  std::vector<SurfaceRead> reads;
};

DrawingEffect drawing_effect(const core::Drawing& drawing, SurfaceTable& surfaces);

}  // namespace spice::canvas
