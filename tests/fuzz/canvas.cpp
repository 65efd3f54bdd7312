// Drawings with any numbers, one after the other, on small surfaces of every format. What a drawing says it changes is
// held against what it changed, and what it says it covers against the same drawing on other pixels.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "spice/canvas/draw.h"
#include "spice/canvas/effect.h"
#include "tests/fuzz/drawing_maker.h"

namespace {

using namespace spice::canvas;

constexpr std::int32_t kWidth = 45, kHeight = 23;
constexpr std::array kFormats = {core::SurfaceFormat::Xrgb,   core::SurfaceFormat::Argb, core::SurfaceFormat::Rgb555,
                                 core::SurfaceFormat::Rgb565, core::SurfaceFormat::A8,   core::SurfaceFormat::A1};

class Table final : public SurfaceTable {
 public:
  Table() {
    for (std::size_t i = 0; i < kFormats.size(); ++i)
      surfaces_[i] = Surface(kWidth, kHeight, kFormats[i]);
  }
  Surface* find(core::SurfaceId id) override { return id < surfaces_.size() ? &surfaces_[id] : nullptr; }

 private:
  std::array<Surface, kFormats.size()> surfaces_;
};

std::vector<std::uint8_t> bytes_of(const Surface& surface) {
  return {surface.row(0), surface.row(0) + surface.stride_bytes() * surface.height()};
}

// Everything outside of what changes must be as it was.
void check_unchanged(const Surface& surface, const std::vector<std::uint8_t>& before, const Region& changed) {
  Region rest(surface.bounds());
  rest.subtract(changed);
  const auto bits = bits_per_pixel(surface.format());
  for (const auto& rect : rest.rects()) {
    for (auto y = rect.top; y < rect.bottom; ++y) {
      const auto row = static_cast<std::size_t>(y * surface.stride_bytes());
      for (auto x = rect.left; x < rect.right; ++x) {
        const auto bit = static_cast<std::size_t>(x) * bits;
        const unsigned mask = bits < 8 ? 1U << bit % 8 : 0xffU;
        for (std::size_t at = bit / 8; at <= (bit + bits - 1) / 8; ++at) {
          if (((surface.row(0)[row + at] ^ before[row + at]) & mask) != 0) std::abort();
        }
      }
    }
  }
}

// A drawing that covers, and reads nothing of its own surface, makes the same pixels of others.
void check_covered(const core::Drawing& drawing, Table& table, const DrawingEffect& effect) {
  auto& surface = *table.find(drawing.surface);
  if (bits_per_pixel(surface.format()) < 8) return;
  if (std::ranges::any_of(effect.reads, [&](const SurfaceRead& read) { return read.surface == drawing.surface; }))
    return;
  const auto drawn = bytes_of(surface);
  std::memset(surface.row(0), 0x5a, drawn.size());
  if (!draw(drawing, table)) std::abort();
  const std::size_t bytes = bits_per_pixel(surface.format()) / 8;
  for (const auto& rect : effect.changed.rects()) {
    for (auto y = rect.top; y < rect.bottom; ++y) {
      const auto at =
          static_cast<std::size_t>(y * surface.stride_bytes()) + static_cast<std::size_t>(rect.left) * bytes;
      if (std::memcmp(surface.row(0) + at, drawn.data() + at, static_cast<std::size_t>(rect.width()) * bytes) != 0)
        std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tests::FuzzInput input(std::span(data, size));
  Table table;
  tests::DrawingMaker maker(input);
  for (int n = 0; n < 32 && !input.empty(); ++n) {
    const auto drawing = maker.drawing();
    auto* const surface = table.find(drawing.surface);
    const auto before = surface == nullptr ? std::vector<std::uint8_t>{} : bytes_of(*surface);
    const auto effect = drawing_effect(drawing, table);
    const bool drawn = draw(drawing, table).has_value();
    if (surface == nullptr) continue;
    if (!drawn && bytes_of(*surface) != before) std::abort();
    check_unchanged(*surface, before, effect.changed);
    if (drawn && effect.covers) check_covered(drawing, table, effect);
  }
  return 0;
}
