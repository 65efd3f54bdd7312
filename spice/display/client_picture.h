// What one client still has to be told to show the screen: a small state, never a queue. However slow the client and
// however busy the guest, it is the set of pixels of the primary surface that the client lacks and a handful of flags;
// what is sent next is decided when it can be sent, from the newest pixels.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>

#include "spice/display/pixel_debt.h"

namespace spice::display {

class ClientPicture {
 public:
  enum class Kind : std::uint8_t {
    InvalidatePalettes,
    DestroySurface,
    DestroyStreams,
    CreateSurface,  // of the size of `area`
    MonitorsConfig,
    Mark,  // from here on the client shows what it has
    Draw,  // the pixels of `area`
  };
  struct Step {
    Kind kind = Kind::Draw;
    core::Rect area;
    bool operator==(const Step&) const = default;
  };
  using Format = core::SurfaceFormat;

  // A client that has nothing yet: gets the surface, a whole picture, the monitors and the mark, in this order. Empty
  // bounds: there is no surface yet.
  explicit ClientPicture(const core::Rect& bounds, Format format = Format::Xrgb);

  void changed(const canvas::Region& region);
  // The surface is a new one. The client gets it with its monitors and the mark, then the picture; if it has one of
  // that shape already, the picture only.
  void mode_set(const core::Rect& bounds, Format format = Format::Xrgb);
  // There is no surface any more.
  void surface_gone();
  // The client learns of its monitors, if not anyway.
  void monitors_changed();

  bool is_setting_up() const { return !setup_.empty(); }
  // Whether the client has the surface and has had a whole picture of it offered, so that drawings may follow.
  bool is_ready() const;
  PixelDebt& debt() { return debt_; }
  const PixelDebt& debt() const { return debt_; }
  // What to send now; nothing when up to date. The caller sends it at once, with the pixels as they are now.
  std::optional<Step> next();

 private:
  struct Shape {
    core::Rect bounds;
    Format format = Format::Xrgb;
    bool operator==(const Shape&) const = default;
  };

  void set_up(std::initializer_list<Kind> kinds) { setup_.assign(kinds); }
  Step next_setup();
  std::optional<Step> next_draw();

  Shape shape_;
  std::deque<Kind> setup_;  // sent before any drawing
  PixelDebt debt_;
  canvas::Region first_picture_;       // of a new client: what must be drawn before the mark
  std::optional<Shape> client_shape_;  // of the surface the client has
  bool mark_owed_ = false;             // for that surface
};

}  // namespace spice::display
