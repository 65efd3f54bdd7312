#include "vmm/replay/recorded_glyph.h"

namespace vmm::replay {

std::vector<RecordedGlyph> recorded_glyphs(const core::DrawText& text) {
  std::vector<RecordedGlyph> glyphs;
  glyphs.reserve(text.glyphs.size());
  for (const auto& glyph : text.glyphs) {
    const auto values = core::values_of(glyph, text);
    glyphs.push_back({glyph, {values.begin(), values.end()}});
  }
  return glyphs;
}

void take_glyphs(std::span<const RecordedGlyph> from, core::DrawText& text) {
  text.glyphs.clear();
  text.values.clear();
  for (const auto& [glyph, values] : from) {
    text.glyphs.push_back(glyph);
    text.glyphs.back().start = static_cast<std::uint32_t>(text.values.size());
    text.values.insert(text.values.end(), values.begin(), values.end());
  }
}

}  // namespace vmm::replay
