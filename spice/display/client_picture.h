// What one client still has to be told to show the screen: a small state, never a queue. However slow the client and
// however busy the guest, it is the set of pixels the client lacks and a handful of flags; what is sent next is decided
// when it can be sent, from the newest pixels.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <vector>

#include "core/ports/display.h"
#include "spice/canvas/region.h"

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

  // A client that has nothing yet: gets the surface, a whole picture, the monitors and the mark, in this order.
  explicit ClientPicture(const core::Rect& bounds);

  void changed(const canvas::Region& region);
  // The surface is a new one. The client gets it with its monitors and the mark, then the picture; if it has one of
  // that size already, the picture only.
  void mode_set(const core::Rect& bounds);

  bool up_to_date() const { return setup_.empty() && plan_.empty() && lacking_.empty(); }
  // What to send now; nothing when up to date. The caller sends it at once, with the pixels as they are now.
  std::optional<Step> next();

 private:
  // A client that lacks more rectangles than this gets some pixels too many instead.
  static constexpr std::size_t kMaxLackingRects = 256;

  void set_up(std::initializer_list<Kind> kinds) { setup_.assign(kinds); }
  void withdraw_plan();
  void make_plan();
  Step next_setup();
  Step next_draw();

  core::Rect bounds_;
  std::deque<Kind> setup_;                   // sent before any drawing
  canvas::Region lacking_;                   // changed since the client got it, without plan_
  std::vector<core::Rect> plan_;             // the next drawings, last one first
  canvas::Region first_picture_;             // of a new client: what must be drawn before the mark
  std::optional<core::Rect> client_bounds_;  // of the surface the client has
  bool mark_owed_ = false;                   // for that surface
  std::int32_t resume_y_ = 0;                // where the last drawing ended: a busy top must not starve the bottom
};

}  // namespace spice::display
