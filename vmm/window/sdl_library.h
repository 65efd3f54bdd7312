// SDL, loaded when a window is wanted: it brings a dozen other libraries, and start-up time is a feature.
#pragma once

#include <SDL2/SDL.h>
#include <memory>

#include "core/base/result.h"

struct SDL_SysWMinfo;

namespace vmm::window {

// The functions that are used of it. They stay valid as long as this lives.
class SdlLibrary {
 public:
  // Before threads are confined.
  static core::Result<std::shared_ptr<const SdlLibrary>> load();

  decltype(&::SDL_Init) init = nullptr;
  decltype(&::SDL_Quit) quit = nullptr;
  decltype(&::SDL_GetError) error = nullptr;
  decltype(&::SDL_SetHint) set_hint = nullptr;
  decltype(&::SDL_GetCurrentVideoDriver) video_driver = nullptr;
  decltype(&::SDL_StopTextInput) stop_text_input = nullptr;
  decltype(&::SDL_PollEvent) poll_event = nullptr;

  decltype(&::SDL_CreateWindow) create_window = nullptr;
  decltype(&::SDL_DestroyWindow) destroy_window = nullptr;
  decltype(&::SDL_GetWindowID) window_id = nullptr;
  decltype(&::SDL_GetWindowFlags) window_flags = nullptr;
  decltype(&::SDL_GetWindowSize) window_size = nullptr;
  decltype(&::SDL_SetWindowSize) set_window_size = nullptr;
  decltype(&::SDL_SetWindowTitle) set_title = nullptr;
  decltype(&::SDL_SetWindowFullscreen) set_full_screen = nullptr;
  decltype(&::SDL_SetWindowGrab) set_grab = nullptr;
  decltype(&::SDL_SetRelativeMouseMode) set_relative_mouse = nullptr;
  SDL_bool (*window_system)(SDL_Window*, SDL_SysWMinfo*) = nullptr;  // SDL_syswm.h, which has X's headers with it

  decltype(&::SDL_GetWindowSurface) window_surface = nullptr;
  decltype(&::SDL_UpdateWindowSurfaceRects) update_window = nullptr;
  decltype(&::SDL_CreateRGBSurfaceWithFormatFrom) surface_from = nullptr;
  decltype(&::SDL_FreeSurface) free_surface = nullptr;
  decltype(&::SDL_FillRect) fill = nullptr;
  decltype(&::SDL_UpperBlit) blit = nullptr;
  decltype(&::SDL_UpperBlitScaled) blit_scaled = nullptr;
  decltype(&::SDL_SoftStretchLinear) stretch = nullptr;

  decltype(&::SDL_CreateColorCursor) create_cursor = nullptr;
  decltype(&::SDL_FreeCursor) free_cursor = nullptr;
  decltype(&::SDL_SetCursor) set_cursor = nullptr;
  decltype(&::SDL_GetDefaultCursor) default_cursor = nullptr;
  decltype(&::SDL_ShowCursor) show_cursor = nullptr;

 private:
  struct Close {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Close> handle_;
};

}  // namespace vmm::window
