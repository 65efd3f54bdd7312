#include "spice/display/local_view.h"

#include <algorithm>
#include <utility>

#include "spice/canvas/source.h"
#include "spice/display/cursor_image.h"
#include "spice/display/monitors.h"

namespace spice::display {

namespace {

// More rectangles are not told apart.
constexpr std::size_t kMostRects = 64;

core::Rect moved(const core::Rect& rect, std::int32_t dx, std::int32_t dy) {
  return {rect.left + dx, rect.top + dy, rect.right + dx, rect.bottom + dy};
}

// What the picture is of. True if that is something else than before.
bool reshape(core::ViewedPicture& picture, const core::Rect& shown, const core::Rect& surface) {
  const core::Point origin{shown.left, shown.top};
  if (picture.width == shown.width() && picture.height == shown.height() && picture.origin == origin &&
      picture.surface_width == surface.width() && picture.surface_height == surface.height())
    return false;
  picture = {.width = shown.width(),
             .height = shown.height(),
             .pixels = {},
             .origin = origin,
             .surface_width = surface.width(),
             .surface_height = surface.height()};
  picture.pixels.resize(static_cast<std::size_t>(shown.width()) * static_cast<std::size_t>(shown.height()));
  return true;
}

// `area` is of the surface, and within the picture's part of it.
void copy_area(const canvas::Surface& surface, const core::Rect& area, core::ViewedPicture& picture) {
  constexpr std::uint32_t kColors = 0x00ff'ffff;  // guests keep things in the unused byte
  const auto wide = canvas::converted(surface.pixels(), area, core::SurfaceFormat::Xrgb);
  for (std::int32_t y = 0; y < area.height(); ++y) {
    const auto* from = reinterpret_cast<const std::uint32_t*>(wide.pixels().row(y));
    auto* to = picture.pixels.data() + std::ptrdiff_t{area.top - picture.origin.y + y} * picture.width +
               (area.left - picture.origin.x);
    std::transform(from, from + area.width(), to, [](std::uint32_t pixel) { return pixel & kColors; });
  }
}

}  // namespace

core::Rect LocalView::Sprite::area() const {
  if (shape == nullptr) return {};
  const auto left = std::int64_t{position.x} - shape->hot_spot.x, top = std::int64_t{position.y} - shape->hot_spot.y;
  const auto on_screen = [](std::int64_t at) {
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(at, 0, canvas::kMaxScreenSide));
  };
  return {on_screen(left), on_screen(top), on_screen(left + shape->width), on_screen(top + shape->height)};
}

LocalView::Sprite LocalView::sprite_of(const CursorState& pointer) {
  if (!pointer.visible || pointer.shape == nullptr) return {};
  return {pointer.shape, pointer.position};
}

void LocalView::set_listener(std::function<void()> changed) {
  listener_ = std::move(changed);
  told_ = false;
  all_ = true;
}

void LocalView::painted(const canvas::Region& region) {
  if (listener_ == nullptr || all_) return;
  unseen_.add(region);
  unseen_.limit_rects(kMostRects);
}

void LocalView::tell(const CursorState& pointer) {
  if (!waits() || (!all_ && unseen_.empty() && sprite_of(pointer) == seen_)) return;
  told_ = true;
  listener_();
}

// The pointer was drawn over pixels that have to be there again, and is drawn anew wherever any others come. False if
// it stays as it is: what it mixed with the pixels below must not be mixed with them again.
bool LocalView::add_pointer(const Sprite& now) {
  if (now != drawn_) {
    unseen_.add(drawn_.area());
    unseen_.add(now.area());
  }
  canvas::Region under(now.area());
  under.intersect(unseen_);
  if (under.empty()) return false;
  unseen_.add(now.area());
  return true;
}

core::DisplayView::Changes LocalView::look(Screen& screen, core::ViewedPicture& picture,
                                           core::DisplayView::Pointer pointer) {
  const auto& surface = screen.surface();
  auto shown = shown_area(screen.monitors(), surface.bounds());
  shown = canvas::clipped(shown, surface.width(), surface.height());
  core::DisplayView::Changes changes;
  changes.reshaped = reshape(picture, shown, surface.bounds());
  if (std::exchange(all_, false) || changes.reshaped) unseen_ = canvas::Region(shown);
  seen_ = sprite_of(screen.pointer().state());
  const auto drawn = pointer == core::DisplayView::Pointer::InPicture ? seen_ : Sprite{};
  const bool draws_pointer = add_pointer(drawn);
  unseen_.intersect(shown);
  for (const auto& area : unseen_.rects()) {
    copy_area(surface, area, picture);
    changes.areas.push_back(moved(area, -shown.left, -shown.top));
  }
  unseen_.clear();
  drawn_ = drawn;
  if (drawn.shape != nullptr) {
    auto state = screen.pointer().state();
    state.position = {state.position.x - shown.left, state.position.y - shown.top};
    if (draws_pointer) draw_cursor(state, {picture.pixels.data(), picture.width, picture.height, picture.width});
  } else if (seen_.shape != nullptr) {
    if (std::exchange(pictured_, seen_.shape) != seen_.shape)
      picture_of_pointer_ = std::make_shared<const core::PointerPicture>(cursor_picture(*seen_.shape));
    changes.pointer = picture_of_pointer_;
  }
  told_ = false;
  return changes;
}

}  // namespace spice::display
