// A display without clients: draws everything at once, into surfaces of its own.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <variant>

#include "core/ports/display.h"
#include "spice/canvas/surface.h"
#include "spice/display/cursor.h"

namespace vmm::replay {

class ImmediateCanvas final : public core::DisplayCanvas, private spice::canvas::SurfaceTable {
 public:
  // What all surfaces together may have; one more is refused.
  static constexpr std::uint64_t kMaxSurfaceBytes = std::uint64_t{2} << 30;
  static constexpr std::size_t kMaxSurfaces = 65'536;

  static constexpr std::size_t kOperations = std::variant_size_v<decltype(core::Drawing::operation)>;

  struct Tally {
    std::uint64_t drawings = 0;
    std::uint64_t refused = 0;  // of them, that could not be drawn
    std::chrono::nanoseconds time{};
  };
  using Tallies = std::array<Tally, kOperations>;  // by the operation's place in core::Drawing

  // What the display shows, or did last if it shows nothing any more; empty if it never did. 32 bits a pixel.
  spice::canvas::Surface shown() const;
  // The part of it that screenshots have.
  core::Rect shown_area() const;
  const spice::display::CursorState& pointer() const { return cursor_.state(); }
  const Tallies& tallies() const { return tallies_; }

  core::PixelView pixels() override;
  core::PixelView set_mode(std::int32_t width, std::int32_t height) override;
  void changed(const core::Rect&) override {}
  bool create_surface(core::SurfaceId id, const core::SurfaceShape& shape) override;
  void destroy_surface(core::SurfaceId id) override;
  void destroy_surfaces() override;
  void load_surface(core::SurfaceId id, const core::Pixels& from) override;
  void draw(core::DrawingPtr drawing) override;
  core::Pixels read_surface(core::SurfaceId id, const core::Rect& area) override;
  void set_monitors(const core::MonitorLayout& layout) override;
  core::CursorSink& cursor() override { return cursor_; }

 private:
  spice::canvas::Surface* find(core::SurfaceId id) override;

  std::unordered_map<core::SurfaceId, spice::canvas::Surface> surfaces_;
  std::uint64_t surface_bytes_ = 0;
  spice::canvas::Surface last_shown_;  // of the primary surface when it was destroyed
  core::MonitorLayout monitors_;       // without heads until they were set for the primary surface
  spice::display::Cursor cursor_;
  Tallies tallies_{};
};

}  // namespace vmm::replay
