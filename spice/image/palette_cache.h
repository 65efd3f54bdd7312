// Which palettes a display channel's client keeps. Thread of the channel only. [PAL_CACHE_ME, PAL_FROM_CACHE,
// INVAL_PALETTE]
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>

namespace spice::image {

class PaletteCache {
 public:
  static constexpr std::size_t kMostPalettes = 128;

  // If the client has it: with how many colours. It is the last one to be dropped then.
  std::optional<std::size_t> find(std::uint64_t unique);
  // The client, which has it not, gets it now. The palette it has to drop before, if any.
  std::optional<std::uint64_t> add(std::uint64_t unique, std::size_t colors);
  void clear() { palettes_.clear(); }  // behind INVAL_ALL_PALETTES
  bool empty() const { return palettes_.empty(); }

 private:
  struct Known {
    std::uint64_t unique = 0;
    std::size_t colors = 0;
  };
  std::list<Known> palettes_;  // the least recently used first
};

}  // namespace spice::image
