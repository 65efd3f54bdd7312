// The surfaces of a display and the drawings on them that nobody has needed yet. A drawing is drawn when somebody reads
// pixels that depend on it, or when too many wait; one that others hide is never drawn.
//
// The order of everything is that of the calls, as far as anybody can see: before pixels are read, or others put in
// their place, whatever must come first is drawn, on whichever surfaces.
#pragma once

#include <functional>
#include <unordered_map>

#include "core/ports/display.h"
#include "spice/canvas/surface.h"
#include "spice/canvas/unpacked_images.h"
#include "spice/canvas/work.h"
#include "spice/display/drawing_list.h"

namespace spice::display {

class SurfaceStore final : private canvas::SurfaceTable {
 public:
  struct Limits {
    std::size_t drawings = 1000;                            // that wait
    std::size_t drawing_bytes = std::size_t{64} << 20;      // of drawings that wait or that clients have not got yet
    std::uint64_t surface_bytes = std::uint64_t{2} << 30U;  // of pixels, drawn on or not
    // To draw all that waits: as long as the slowest single drawing may take.
    std::int64_t nanoseconds = canvas::kMostNanoseconds;
  };

  SurfaceStore() : SurfaceStore(Limits{}) {}
  explicit SurfaceStore(const Limits& limits) : limits_(limits) {}
  // Called with a drawing that had been placed and could not be drawn after all: memory was short.
  void set_on_lost(std::function<void(const PlacedDrawing&)> on_lost) { on_lost_ = std::move(on_lost); }

  // A surface with all bits 0; there must be none of this number. False if the shape is impossible, there are too many
  // pixels, or it is A1: clients have no such surfaces.
  bool create(core::SurfaceId id, const core::SurfaceShape& shape);
  void destroy(core::SurfaceId id);
  void load(core::SurfaceId id, const core::Pixels& from);  // none: nothing; other size or format: nothing

  // Null if it changes nothing: it cannot be drawn, or has no pixels.
  PlacedDrawingPtr add(core::DrawingPtr drawing);
  // The same of one that makes the surface no other: it shows all of it already.
  PlacedDrawingPtr add_drawn(core::DrawingPtr drawing);

  // 0: there is none.
  SurfaceKey key_of(core::SurfaceId id) const;
  // Null if there is none (any more). What it shows may be old.
  canvas::Surface* surface(SurfaceKey key);
  const canvas::Surface* surface(SurfaceKey key) const;
  // With `area` up to date. Null if there is none.
  const canvas::Surface* up_to_date(SurfaceKey key, const core::Rect& area);
  // When the surface's pixels were changed last.
  DrawingSerial changed_at(SurfaceKey key) const;
  // Pixels were changed by somebody else.
  DrawingSerial mark_changed(SurfaceKey key);

  std::vector<core::SurfaceId> ids() const;  // in no order

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t drawing_bytes() const { return memory_.total(); }
  const Limits& limits() const { return limits_; }

 private:
  struct Stored {
    SurfaceKey key = 0;
    canvas::Surface surface;
    DrawingSerial changed_at = 0;
  };
  class Slice;

  canvas::Surface* find(core::SurfaceId id) override;
  canvas::UnpackedImages* unpacked_images() override { return &unpacked_images_; }
  Stored* stored(SurfaceKey key);
  const Stored* stored(SurfaceKey key) const;
  PlacedDrawingPtr place(core::DrawingPtr drawing);
  void draw_waiting(Slice slice);
  void draw(const PlacedDrawing& placed);
  bool is_too_much() const;
  void draw_oldest();
  void drop_unseen();
  void forget_pixels(const Stored& of);

  Limits limits_;
  std::function<void(const PlacedDrawing&)> on_lost_ = [](const PlacedDrawing&) {};
  DrawingMemory memory_;
  std::unordered_map<core::SurfaceId, Stored> surfaces_;
  std::uint64_t surface_bytes_ = 0;
  std::uint32_t last_number_ = 0;  // of a surface, for its key
  DrawingSerial last_serial_ = 0;
  DrawingList waiting_;
  canvas::UnpackedImages unpacked_images_;
  std::size_t added_ = 0;  // since unseen ones were dropped
};

}  // namespace spice::display
