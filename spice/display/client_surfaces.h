// What one client still has to be told about all surfaces: drawings in order that were not sent yet, and per surface
// the pixels it lacks, which are sent as they are when they are sent. Nobody waits for a client: when too much is
// queued, what the drawings would change is lacking instead, and the client goes on with the newest picture.
//
// What holds at any time, for every surface that the client has:
// - What is lacking is changed by no queued drawing.
// - What is lacking was changed by nobody since a queued drawing that reads it was made.
// - Elsewhere, what the client shows after all queued drawings is what the surface shows.
// So lacking pixels may be sent at any time, and must be before a drawing that reads them.
//
// Surfaces other than the primary reach the client when a drawing reads them that it can draw itself. Pixels of theirs
// are sent only when such a drawing needs them.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "spice/display/client_picture.h"
#include "spice/display/drawing_list.h"
#include "spice/display/surface_store.h"

namespace spice::display {

class ClientSurfaces {
 public:
  struct Limits {
    std::size_t drawings = 300;
    std::size_t bytes = std::size_t{32} << 20;
  };
  enum class Kind : std::uint8_t {
    SetUp,    // a step of the primary surface's set-up, or pixels of it
    Create,   // `surface`
    Destroy,  // `surface`, which is gone
    Pixels,   // `area` of `surface`
    Draw,     // `drawing`
  };
  struct Step {
    Kind kind = Kind::SetUp;
    ClientPicture::Step set_up{};
    SurfaceKey surface = 0;
    core::Rect area{};
    PlacedDrawingPtr drawing{};
  };
  // Whether the client could draw this itself, and have such a surface.
  struct Abilities {
    std::function<bool(const core::Drawing&)> draws = [](const core::Drawing&) { return true; };
    bool has_a8 = true;
  };

  // `primary`: 0 if there is none.
  ClientSurfaces(const SurfaceStore& store, SurfaceKey primary, Abilities abilities)
      : ClientSurfaces(store, primary, std::move(abilities), Limits{}) {}
  ClientSurfaces(const SurfaceStore& store, SurfaceKey primary, Abilities abilities, const Limits& limits);

  // What happened, in order, after it did in the store.
  void primary_made(SurfaceKey key);
  void surface_gone(SurfaceKey key);
  void painted(SurfaceKey key, const canvas::Region& region);  // not by a drawing
  void drawn(const PlacedDrawingPtr& drawing);
  // The client sees what it changes by other means: as a picture of a video, on the primary surface.
  void streamed(const PlacedDrawing& drawing);
  void monitors_changed() { picture_.monitors_changed(); }

  // What to send now, with the pixels as they are now; nothing when the client has all it needs.
  std::optional<Step> next();
  // What next() will probably give, of pixels of the primary surface and of drawings: at most so many of each.
  std::vector<Step> upcoming(std::size_t most) const;
  // The drawing that next() gave cannot be sent after all.
  void not_sent(const PlacedDrawing& drawing);
  // Queued drawings become lacking pixels.
  void collapse();

  SurfaceKey primary() const { return primary_; }
  // Whether the client has the primary surface and was offered a whole picture of it.
  bool shows_primary() const { return picture_.is_ready(); }
  std::size_t queued() const { return queue_.size(); }
  std::size_t queued_bytes() const { return queue_.bytes(); }
  // What the client lacks of a surface that it has; null if it has not got it.
  const canvas::Region* lacking(SurfaceKey key) const;

 private:
  struct Known {
    PixelDebt debt;  // of others than the primary
    DrawingSerial lacking_since = 0;
    bool is_created = false;
    core::Rect bounds;
  };

  Known* find(SurfaceKey key);
  Known* find_or_adopt(SurfaceKey key);
  PixelDebt& debt_of(SurfaceKey key, Known& known) { return key == primary_ ? picture_.debt() : known.debt; }
  bool is_ready(SurfaceKey key) const { return key != primary_ || picture_.is_ready(); }
  bool is_drawable(const PlacedDrawing& drawing);
  bool fits(const PlacedDrawing& drawing);
  void queue(const PlacedDrawingPtr& drawing);
  bool give_up_readers(SurfaceKey surface, const canvas::Region& region);
  void owe(SurfaceKey surface, const canvas::Region& region, DrawingSerial since);
  void owe_taken(const std::vector<PlacedDrawingPtr>& taken);
  void add_debt(SurfaceKey surface, const canvas::Region& region, DrawingSerial since);
  void add_debts(const std::vector<PlacedDrawingPtr>& drawings);
  bool conflicts(const PlacedDrawing& drawing);
  std::optional<Step> next_pixels();
  Step next_drawing();
  std::optional<Step> needed_first(SurfaceKey surface, const core::Rect& read);

  const SurfaceStore& store_;
  Abilities abilities_;
  Limits limits_;
  SurfaceKey primary_;
  ClientPicture picture_;  // the primary's
  std::map<SurfaceKey, Known> known_;
  std::vector<SurfaceKey> gone_;  // that the client has
  DrawingList queue_;
  bool is_pixels_turn_ = false;
};

}  // namespace spice::display
