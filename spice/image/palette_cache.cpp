#include "spice/image/palette_cache.h"

#include <algorithm>

namespace spice::image {

std::optional<std::size_t> PaletteCache::find(std::uint64_t unique) {
  const auto found = std::ranges::find(palettes_, unique, &Known::unique);
  if (found == palettes_.end()) return {};
  palettes_.splice(palettes_.end(), palettes_, found);
  return found->colors;
}

std::optional<std::uint64_t> PaletteCache::add(std::uint64_t unique, std::size_t colors) {
  std::optional<std::uint64_t> dropped;
  if (palettes_.size() == kMostPalettes) {
    dropped = palettes_.front().unique;
    palettes_.pop_front();
  }
  palettes_.push_back({unique, colors});
  return dropped;
}

}  // namespace spice::image
