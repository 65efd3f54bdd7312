#include "spice/display/duplicate.h"

#include "spice/canvas/raster.h"

namespace spice::display {
namespace {

bool is_in_the_same_place(const core::Drawing& a, const core::Drawing& b) {
  return a.surface == b.surface && a.box == b.box && a.clip == b.clip;
}

// A fill with one colour and no mask, which each pixel of the other is, too.
const core::DrawFill* same_plain_fill(const core::Drawing& a, const core::Drawing& b) {
  const auto* const first = std::get_if<core::DrawFill>(&a.operation);
  const auto* const second = std::get_if<core::DrawFill>(&b.operation);
  if (first == nullptr || second == nullptr) return nullptr;
  const auto* const color = std::get_if<core::SolidBrush>(&first->brush);
  const auto* const other_color = std::get_if<core::SolidBrush>(&second->brush);
  const bool same = color != nullptr && other_color != nullptr && color->color == other_color->color &&
                    first->rop == second->rop && first->mask.image == nullptr && second->mask.image == nullptr;
  return same ? first : nullptr;
}

canvas::Rop2 rop_of(const core::DrawFill& fill) {
  return canvas::rop2_of(fill.rop, canvas::RopOperands::BrushDestination);
}

// Whether a pixel that is drawn twice is as before: where the result depends on it at all, it is inverted or kept, and
// by the brush alone.
bool is_exclusive(canvas::Rop2 rop) {
  const auto table = static_cast<unsigned>(rop);
  return table == 0b0110U || table == 0b1001U || table == 0b0101U;
}

bool is_unmasked_inversion(const core::Drawing& drawing) {
  const auto* const invers = std::get_if<core::DrawInvers>(&drawing.operation);
  return invers != nullptr && invers->mask.image == nullptr;
}

}  // namespace

bool reverts(const core::Drawing& second, const core::Drawing& first) {
  if (second.effect != core::Effect::RevertOnDuplicate || !is_in_the_same_place(second, first)) return false;
  if (is_unmasked_inversion(first) && is_unmasked_inversion(second)) return true;
  const auto* const fill = same_plain_fill(first, second);
  return fill != nullptr && is_exclusive(rop_of(*fill));
}

bool repeats(const core::Drawing& second, const core::Drawing& first) {
  if (second.effect != core::Effect::NothingOnDuplicate || !is_in_the_same_place(second, first)) return false;
  const auto* const fill = same_plain_fill(first, second);
  if (fill == nullptr) return false;
  // For either bit of the brush the result is 0, 1 or the pixel's, never its inverse.
  const auto table = static_cast<unsigned>(rop_of(*fill));
  return (table & 0b11U) != 0b01U && (table >> 2 & 0b11U) != 0b01U;
}

}  // namespace spice::display
