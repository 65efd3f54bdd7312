// A glyph as recordings have it: with its values beside it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ports/drawing.h"

namespace vmm::replay {

struct RecordedGlyph {
  core::Glyph glyph{};
  std::vector<std::uint8_t> values{};
};

std::vector<RecordedGlyph> recorded_glyphs(const core::DrawText& text);
// Makes them the text's.
void take_glyphs(std::span<const RecordedGlyph> from, core::DrawText& text);

}  // namespace vmm::replay
