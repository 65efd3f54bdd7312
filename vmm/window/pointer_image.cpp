#include "vmm/window/pointer_image.h"

#include <utility>

namespace vmm::window {

namespace {

// Display servers need not take larger ones.
constexpr std::int32_t kMostPixels = 256;

SDL_Cursor* cursor_of(const SdlLibrary& sdl, const core::PointerPicture& picture) {
  if (picture.width > kMostPixels || picture.height > kMostPixels) return nullptr;
  // SDL only reads the pixels.
  auto* const surface = sdl.surface_from(const_cast<std::uint32_t*>(picture.pixels.data()), picture.width,
                                         picture.height, 32, picture.width * 4, SDL_PIXELFORMAT_ARGB8888);
  if (surface == nullptr) return nullptr;
  auto* const cursor = sdl.create_cursor(surface, picture.hot_spot.x, picture.hot_spot.y);
  sdl.free_surface(surface);
  return cursor;
}

}  // namespace

void PointerImage::show(const std::shared_ptr<const core::PointerPicture>& picture) {
  if (std::exchange(shown_, picture) != picture) {
    auto* const before = std::exchange(cursor_, cursor_of(sdl_, *picture));
    sdl_.set_cursor(cursor_ != nullptr ? cursor_ : sdl_.default_cursor());
    if (before != nullptr) sdl_.free_cursor(before);
  }
  sdl_.show_cursor(SDL_ENABLE);
}

void PointerImage::hide() {
  sdl_.show_cursor(SDL_DISABLE);
}

void PointerImage::show_arrow() {
  shown_.reset();
  sdl_.set_cursor(sdl_.default_cursor());
  sdl_.show_cursor(SDL_ENABLE);
  if (auto* const before = std::exchange(cursor_, nullptr); before != nullptr) sdl_.free_cursor(before);
}

}  // namespace vmm::window
