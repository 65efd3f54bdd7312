#include "vmm/window/sdl_library.h"

#include <dlfcn.h>

namespace vmm::window {

namespace {

// Of the ABI that the headers are of.
constexpr const char* kName = "libSDL2-2.0.so.0";

}  // namespace

void SdlLibrary::Close::operator()(void* handle) const {
  ::dlclose(handle);
}

core::Result<std::shared_ptr<const SdlLibrary>> SdlLibrary::load() {
  auto sdl = std::make_shared<SdlLibrary>();
  sdl->handle_.reset(::dlopen(kName, RTLD_NOW | RTLD_LOCAL));
  if (sdl->handle_ == nullptr) return core::fail("{} is missing: install Debian's package libsdl2-2.0-0", kName);
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(sdl->handle_.get(), name));
    if (function == nullptr) missing = name;
  };
  find(sdl->init, "SDL_Init");
  find(sdl->quit, "SDL_Quit");
  find(sdl->error, "SDL_GetError");
  find(sdl->set_hint, "SDL_SetHint");
  find(sdl->video_driver, "SDL_GetCurrentVideoDriver");
  find(sdl->stop_text_input, "SDL_StopTextInput");
  find(sdl->poll_event, "SDL_PollEvent");
  find(sdl->create_window, "SDL_CreateWindow");
  find(sdl->destroy_window, "SDL_DestroyWindow");
  find(sdl->window_id, "SDL_GetWindowID");
  find(sdl->window_flags, "SDL_GetWindowFlags");
  find(sdl->window_size, "SDL_GetWindowSize");
  find(sdl->set_window_size, "SDL_SetWindowSize");
  find(sdl->set_title, "SDL_SetWindowTitle");
  find(sdl->set_full_screen, "SDL_SetWindowFullscreen");
  find(sdl->set_grab, "SDL_SetWindowGrab");
  find(sdl->set_relative_mouse, "SDL_SetRelativeMouseMode");
  find(sdl->window_system, "SDL_GetWindowWMInfo");
  find(sdl->window_surface, "SDL_GetWindowSurface");
  find(sdl->update_window, "SDL_UpdateWindowSurfaceRects");
  find(sdl->surface_from, "SDL_CreateRGBSurfaceWithFormatFrom");
  find(sdl->free_surface, "SDL_FreeSurface");
  find(sdl->fill, "SDL_FillRect");
  find(sdl->blit, "SDL_UpperBlit");
  find(sdl->blit_scaled, "SDL_UpperBlitScaled");
  find(sdl->stretch, "SDL_SoftStretchLinear");
  find(sdl->create_cursor, "SDL_CreateColorCursor");
  find(sdl->free_cursor, "SDL_FreeCursor");
  find(sdl->set_cursor, "SDL_SetCursor");
  find(sdl->default_cursor, "SDL_GetDefaultCursor");
  find(sdl->show_cursor, "SDL_ShowCursor");
  if (missing != nullptr) return core::fail("{} is too old: it has no {}", kName, missing);
  return sdl;
}

}  // namespace vmm::window
