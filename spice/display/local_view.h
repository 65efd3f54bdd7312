// Somebody in this process who looks at the display. Worker only, except where said.
#pragma once

#include <functional>
#include <memory>

#include "core/ports/view.h"
#include "spice/canvas/region.h"
#include "spice/display/screen.h"

namespace spice::display {

class LocalView {
 public:
  void set_listener(std::function<void()> changed);

  // The primary surface is another one, or has other pixels there.
  void reshaped() { all_ = true; }
  void painted(const canvas::Region& region);
  // After each round of changes: tells the listener if there is anything to see, once for each look.
  void tell(const CursorState& pointer);
  // Whether it is worth while to look at what changes: somebody listens who has not been told yet.
  bool waits() const { return listener_ != nullptr && !told_; }

  core::DisplayView::Changes look(Screen& screen, core::ViewedPicture& picture, core::DisplayView::Pointer pointer);

 private:
  // What of the pointer can be seen.
  struct Sprite {
    core::CursorShapePtr shape{};  // null: hidden
    core::Point position{};
    core::Rect area() const;
    bool operator==(const Sprite&) const = default;
  };
  static Sprite sprite_of(const CursorState& pointer);
  bool add_pointer(const Sprite& now);

  std::function<void()> listener_;
  bool told_ = false;
  bool all_ = true;
  canvas::Region unseen_;
  Sprite seen_;   // at the last look
  Sprite drawn_;  // in the picture
  core::CursorShapePtr pictured_;
  std::shared_ptr<const core::PointerPicture> picture_of_pointer_;
};

}  // namespace spice::display
