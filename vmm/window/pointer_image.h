// The guest's pointer as the host's, over the window.
#pragma once

#include <memory>

#include "core/ports/view.h"
#include "vmm/window/sdl_library.h"

namespace vmm::window {

// Main thread.
class PointerImage {
 public:
  explicit PointerImage(const SdlLibrary& sdl) : sdl_(sdl) {}
  ~PointerImage() { show_arrow(); }
  PointerImage(const PointerImage&) = delete;
  PointerImage& operator=(const PointerImage&) = delete;

  void show(const std::shared_ptr<const core::PointerPicture>& picture);
  void hide();
  void show_arrow();  // the host's own

 private:
  const SdlLibrary& sdl_;
  std::shared_ptr<const core::PointerPicture> shown_;
  SDL_Cursor* cursor_ = nullptr;
};

}  // namespace vmm::window
