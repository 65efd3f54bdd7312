// What a display shows: its surfaces, brought up to date from its source, and the monitors on them. Display worker
// only.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ports/display.h"
#include "spice/canvas/region.h"
#include "spice/canvas/surface.h"
#include "spice/display/cursor.h"
#include "spice/display/surface_store.h"

namespace spice::display {

// Hears of what happens to the surfaces, in order, after it did in the store.
class ScreenListener {
 public:
  virtual ~ScreenListener() = default;
  virtual void primary_made(SurfaceKey key) = 0;
  virtual void surface_gone(SurfaceKey key) = 0;
  virtual void painted(SurfaceKey key, const canvas::Region& region) = 0;  // not by a drawing
  virtual void drawn(const PlacedDrawingPtr& drawing) = 0;
  virtual void monitors_changed() = 0;
  // Drawings that clients have not got yet hold too much memory.
  virtual void drawings_too_many() = 0;
};

class Screen final : private core::DisplayCanvas {
 public:
  // Before the source sets a mode of its own the screen is black, of this size.
  static constexpr std::int32_t kFirstWidth = 720;
  static constexpr std::int32_t kFirstHeight = 400;

  Screen() : Screen(SurfaceStore::Limits{}) {}
  explicit Screen(const SurfaceStore::Limits& limits);
  void set_listener(ScreenListener* listener) { listener_ = listener; }

  struct Changes {
    canvas::Region region;  // of the frame buffer
    bool mode_set = false;  // the primary surface is a new one, of the same size or another, or gone
    bool drawn = false;     // something on any surface
    bool any() const { return mode_set || drawn || !region.empty(); }
  };
  // Pulls from the source; `full` has it draw everything.
  Changes refresh(core::DisplaySource& source, bool full);
  Changes pull(core::DisplaySource& source, core::DisplaySource::Next& next);
  Changes serve(core::DisplaySource& source);
  void store(core::DisplaySource& source);

  // The primary surface is the source's to draw on by commands, and not a frame buffer.
  bool is_native() const { return is_native_ && primary() != 0; }
  SurfaceKey primary() const { return surfaces_.key_of(0); }  // 0: there is none
  core::Rect bounds() const;                                  // of the primary, or of the last one
  // The primary surface, up to date; a black one of its last size if there is none.
  const canvas::Surface& surface();

  // What the frame buffer shows there now, as a drawing of it with pixels of its own. Null if it is not on the screen.
  PlacedDrawingPtr painted_picture(const core::Rect& place);

  const SurfaceStore& surfaces() const { return surfaces_; }
  SurfaceStore& surfaces() { return surfaces_; }
  Cursor& pointer() { return cursor_; }
  core::MonitorLayout monitors() const;
  // Whether the source has said what they are, and whether it ever did.
  bool has_monitors() const { return monitors_.has_value(); }
  bool source_sets_monitors() const { return source_sets_monitors_; }

 private:
  // A source that reports every pixel by itself costs us time, not memory.
  static constexpr std::size_t kMaxRects = 256;

  core::PixelView pixels() override;
  core::PixelView set_mode(std::int32_t width, std::int32_t height) override;
  void changed(const core::Rect& area) override;
  bool create_surface(core::SurfaceId id, const core::SurfaceShape& shape) override;
  void destroy_surface(core::SurfaceId id) override;
  void destroy_surfaces() override;
  void load_surface(core::SurfaceId id, const core::Pixels& from) override;
  void draw(core::DrawingPtr drawing) override;
  core::Pixels read_surface(core::SurfaceId id, const core::Rect& area) override;
  void set_monitors(const core::MonitorLayout& layout) override;
  core::CursorSink& cursor() override { return cursor_; }

  void make_primary(const core::SurfaceShape& shape);
  Changes take_changes();

  SurfaceStore surfaces_;
  Cursor cursor_;
  ScreenListener* listener_ = nullptr;
  bool is_native_ = false;
  core::Rect last_bounds_;
  canvas::Surface black_;                        // while there is no primary surface
  std::optional<core::MonitorLayout> monitors_;  // otherwise the primary surface is one
  std::uint16_t most_monitors_ = 1;              // as the source has said last
  bool source_sets_monitors_ = false;
  Changes changes_;
};

}  // namespace spice::display
