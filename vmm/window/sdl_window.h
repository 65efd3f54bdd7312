// One display's window. Main thread, except where said.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <set>

#include "vmm/window/placement.h"
#include "vmm/window/pointer_image.h"
#include "vmm/window/sdl_library.h"
#include "vmm/window/windows.h"

namespace vmm::window {

class SdlWindow {
 public:
  using Clock = std::chrono::steady_clock;

  // `wake` is called on any thread when there is something to show.
  static core::Result<std::unique_ptr<SdlWindow>> create(const SdlLibrary& sdl, const WindowOptions& options,
                                                         const WindowDisplay& display, std::function<void()> wake);
  ~SdlWindow();
  SdlWindow(const SdlWindow&) = delete;
  SdlWindow& operator=(const SdlWindow&) = delete;

  SDL_Window* handle() const { return window_; }
  std::uint32_t id() const { return sdl_.window_id(window_); }
  // Of this window.
  void happened(const SDL_Event& event);
  // Does what is due by now.
  void work(Clock::time_point now);
  // When something will be due; nothing: when something has happened or changed.
  std::optional<Clock::time_point> next() const;

 private:
  SdlWindow(const SdlLibrary& sdl, const WindowOptions& options, const WindowDisplay& display, SDL_Window* window)
      : sdl_(sdl), options_(options), display_(display), window_(window), pointer_(sdl) {}

  void look();
  void show_pointer(const std::shared_ptr<const core::PointerPicture>& picture);
  void reshape();
  // Areas of the picture, and where they came to lie.
  std::vector<SDL_Rect> paint(SDL_Surface* window, const std::vector<core::Rect>& areas);
  void draw(const std::vector<core::Rect>& areas);
  void draw_all();  // and what is beside the picture
  Size size() const;
  Size picture_size() const { return {picture_.width, picture_.height}; }
  core::Rect place() const { return placed(picture_size(), size()); }
  bool is_full_screen() const { return (sdl_.window_flags(window_) & SDL_WINDOW_FULLSCREEN_DESKTOP) != 0; }

  void window_event(const SDL_WindowEvent& event);
  void key(const SDL_KeyboardEvent& event);
  bool command(SDL_Scancode key);
  bool has_modifiers(unsigned held) const;
  void release_keys();
  void motion(const SDL_MouseMotionEvent& event);
  void button(const SDL_MouseButtonEvent& event);
  void wheel(const SDL_MouseWheelEvent& event);
  void point(core::Point at, std::int32_t dx, std::int32_t dy, std::int32_t dz);
  void set_grabbed(bool grabbed);
  void show_title();

  const SdlLibrary& sdl_;
  const WindowOptions options_;
  const WindowDisplay display_;
  SDL_Window* window_;
  PointerImage pointer_;
  core::ViewedPicture picture_;
  SDL_Surface* surface_ = nullptr;  // over the picture's pixels
  std::atomic<bool> changed_{true};
  Clock::time_point next_look_{};
  std::optional<Clock::time_point> resize_at_;  // somebody pulls at the window's edge until then
  bool places_ = false;                         // at the last look
  bool grabbed_ = false;
  std::set<core::KeyCode> held_;
  std::uint8_t buttons_ = 0;
  core::Point mouse_{};
};

}  // namespace vmm::window
