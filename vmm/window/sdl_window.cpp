#include "vmm/window/sdl_window.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "vmm/window/key_map.h"

namespace vmm::window {

namespace {

using namespace std::chrono_literals;

constexpr auto kFrame = 16ms;        // between two looks
constexpr auto kStillAfter = 300ms;  // nobody pulls at the window's edge any more
constexpr Size kLeastMonitor{320, 200};

SDL_Rect sdl_rect(const core::Rect& rect) {
  return {rect.left, rect.top, rect.width(), rect.height()};
}

const char* modifier_names(ModifierKeys keys) {
  switch (keys) {
    case ModifierKeys::CtrlAlt: return "Ctrl+Alt";
    case ModifierKeys::ShiftCtrlAlt: return "Shift+Ctrl+Alt";
    case ModifierKeys::RightCtrl: return "right Ctrl";
  }
  return "";
}

std::uint8_t button_bit(std::uint8_t button) {
  switch (button) {
    case SDL_BUTTON_LEFT: return core::kLeftButton;
    case SDL_BUTTON_MIDDLE: return core::kMiddleButton;
    case SDL_BUTTON_RIGHT: return core::kRightButton;
    case SDL_BUTTON_X1: return core::kSideButton;
    case SDL_BUTTON_X2: return core::kExtraButton;
    default: return 0;
  }
}

}  // namespace

core::Result<std::unique_ptr<SdlWindow>> SdlWindow::create(const SdlLibrary& sdl, const WindowOptions& options,
                                                           const WindowDisplay& display, std::function<void()> wake) {
  core::ViewedPicture first;
  display.view->look(first, core::DisplayView::Pointer::Apart);
  std::uint32_t flags = SDL_WINDOW_RESIZABLE;
  if (options.full_screen) flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
  auto* const handle = sdl.create_window(display.title.c_str(), SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                         first.width, first.height, flags);
  if (handle == nullptr) return core::fail("cannot open a window: {}", sdl.error());
  std::unique_ptr<SdlWindow> window(new SdlWindow(sdl, options, display, handle));
  if (sdl.window_surface(handle) == nullptr) return core::fail("cannot draw in a window: {}", sdl.error());
  window->show_title();
  display.view->set_listener([&changed = window->changed_, wake = std::move(wake)] {
    changed = true;
    wake();
  });
  return window;
}

SdlWindow::~SdlWindow() {
  display_.view->set_listener({});
  release_keys();
  if (surface_ != nullptr) sdl_.free_surface(surface_);
  sdl_.destroy_window(window_);
}

void SdlWindow::work(Clock::time_point now) {
  if (resize_at_ && now >= *resize_at_) {
    resize_at_.reset();
    const auto wanted = size();
    display_.input->resize(std::max(wanted.width, kLeastMonitor.width), std::max(wanted.height, kLeastMonitor.height));
  }
  if (now >= next_look_ && changed_.exchange(false)) {
    look();
    next_look_ = now + kFrame;
  }
}

std::optional<SdlWindow::Clock::time_point> SdlWindow::next() const {
  auto next = resize_at_;
  if (changed_ && (!next || next_look_ < *next)) next = next_look_;
  return next;
}

void SdlWindow::look() {
  places_ = display_.input->takes_places();
  const auto changes = display_.view->look(
      picture_, places_ ? core::DisplayView::Pointer::Apart : core::DisplayView::Pointer::InPicture);
  show_pointer(changes.pointer);
  if (changes.reshaped) {
    reshape();
    draw_all();
  } else if (!changes.areas.empty()) {
    draw(changes.areas);
  }
}

// Where the guest has the host's pointer follow it, it looks like the guest's.
void SdlWindow::show_pointer(const std::shared_ptr<const core::PointerPicture>& picture) {
  if (!places_ || options_.shows_arrow) return pointer_.show_arrow();
  if (picture == nullptr) return pointer_.hide();
  pointer_.show(picture);
}

void SdlWindow::reshape() {
  if (surface_ != nullptr) sdl_.free_surface(surface_);
  surface_ = sdl_.surface_from(picture_.pixels.data(), picture_.width, picture_.height, 32, picture_.width * 4,
                               SDL_PIXELFORMAT_RGB888);
  const bool is_free = !is_full_screen() && (sdl_.window_flags(window_) & SDL_WINDOW_MAXIMIZED) == 0;
  if (is_free && size() != picture_size()) sdl_.set_window_size(window_, picture_.width, picture_.height);
}

Size SdlWindow::size() const {
  Size size;
  sdl_.window_size(window_, &size.width, &size.height);
  return size;
}

// A picture that is scaled is drawn whole: the pixels at an area's edge are mixed with those beside it.
std::vector<SDL_Rect> SdlWindow::paint(SDL_Surface* window, const std::vector<core::Rect>& areas) {
  const auto place = placed(picture_size(), {window->w, window->h});
  std::vector<SDL_Rect> drawn;
  if (place.width() == picture_.width && place.height() == picture_.height) {
    for (const auto& area : areas) {
      auto from = sdl_rect(area);
      auto to = drawn.emplace_back(sdl_rect(scaled(area, picture_size(), place)));
      sdl_.blit(surface_, &from, window, &to);
    }
  } else {
    auto to = drawn.emplace_back(sdl_rect(place));
    if (sdl_.stretch(surface_, nullptr, window, &to) != 0) sdl_.blit_scaled(surface_, nullptr, window, &to);
  }
  return drawn;
}

void SdlWindow::draw(const std::vector<core::Rect>& areas) {
  auto* const window = sdl_.window_surface(window_);
  if (window == nullptr || surface_ == nullptr) return;  // the window is just being resized
  const auto drawn = paint(window, areas);
  sdl_.update_window(window_, drawn.data(), static_cast<int>(drawn.size()));
}

void SdlWindow::draw_all() {
  auto* const window = sdl_.window_surface(window_);
  if (window == nullptr || surface_ == nullptr) return;
  sdl_.fill(window, nullptr, 0);
  paint(window, {picture_.bounds()});
  const SDL_Rect whole{0, 0, window->w, window->h};
  sdl_.update_window(window_, &whole, 1);
}

void SdlWindow::happened(const SDL_Event& event) {
  switch (event.type) {
    case SDL_WINDOWEVENT: return window_event(event.window);
    case SDL_KEYDOWN:
    case SDL_KEYUP: return key(event.key);
    case SDL_MOUSEMOTION: return motion(event.motion);
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: return button(event.button);
    case SDL_MOUSEWHEEL: return wheel(event.wheel);
    default: return;
  }
}

void SdlWindow::window_event(const SDL_WindowEvent& event) {
  switch (event.event) {
    case SDL_WINDOWEVENT_RESIZED: resize_at_ = Clock::now() + kStillAfter; return;
    case SDL_WINDOWEVENT_SIZE_CHANGED:
    case SDL_WINDOWEVENT_EXPOSED: return draw_all();
    case SDL_WINDOWEVENT_FOCUS_LOST: release_keys(); return set_grabbed(false);
    default: return;
  }
}

bool SdlWindow::has_modifiers(unsigned held) const {
  const auto all = [held](unsigned keys) { return (held & keys) == keys; };
  switch (options_.modifiers) {
    case ModifierKeys::CtrlAlt: return all(KMOD_LCTRL | KMOD_LALT);
    case ModifierKeys::ShiftCtrlAlt: return all(KMOD_LSHIFT | KMOD_LCTRL | KMOD_LALT);
    case ModifierKeys::RightCtrl: return all(KMOD_RCTRL);
  }
  return false;
}

// With the modifiers held. False: it is the guest's.
bool SdlWindow::command(SDL_Scancode key) {
  switch (key) {
    case SDL_SCANCODE_F: sdl_.set_full_screen(window_, is_full_screen() ? 0 : SDL_WINDOW_FULLSCREEN_DESKTOP); break;
    case SDL_SCANCODE_G: set_grabbed(!grabbed_); break;
    case SDL_SCANCODE_S: display_.save_picture(); break;
    case SDL_SCANCODE_U: sdl_.set_window_size(window_, picture_.width, picture_.height); break;
    default: return false;
  }
  release_keys();
  return true;
}

void SdlWindow::key(const SDL_KeyboardEvent& event) {
  const auto code = key_code(event.keysym.scancode);
  const bool down = event.type == SDL_KEYDOWN;
  if (down && has_modifiers(event.keysym.mod) && (event.repeat != 0 || command(event.keysym.scancode))) return;
  if (!code) return;
  if (down) {
    held_.insert(*code);
  } else if (held_.erase(*code) == 0) {
    return;  // it was released before, or was the window's
  }
  display_.input->key(*code, down);
}

void SdlWindow::release_keys() {
  for (const auto code : std::exchange(held_, {}))
    display_.input->key(code, false);
}

void SdlWindow::motion(const SDL_MouseMotionEvent& event) {
  point({event.x, event.y}, event.xrel, event.yrel, 0);
}

void SdlWindow::button(const SDL_MouseButtonEvent& event) {
  const bool down = event.type == SDL_MOUSEBUTTONDOWN;
  if (down && !grabbed_ && !display_.input->takes_places()) return set_grabbed(true);
  const auto bit = button_bit(event.button);
  buttons_ = static_cast<std::uint8_t>(down ? buttons_ | bit : buttons_ & ~bit);
  point({event.x, event.y}, 0, 0, 0);
}

void SdlWindow::wheel(const SDL_MouseWheelEvent& event) {
  const auto away = event.direction == SDL_MOUSEWHEEL_FLIPPED ? -event.y : event.y;
  point(mouse_, 0, 0, -away);
}

void SdlWindow::point(core::Point at, std::int32_t dx, std::int32_t dy, std::int32_t dz) {
  mouse_ = at;
  const bool places = display_.input->takes_places();
  if (places != places_) changed_ = true;  // its picture is another one
  if (!places) {
    if (grabbed_) display_.input->move(dx, dy, dz, buttons_);
    return;
  }
  if (picture_.pixels.empty()) return;
  const auto pixel = picture_point(at, picture_size(), place());
  display_.input->place({picture_.origin.x + pixel.x, picture_.origin.y + pixel.y}, picture_.surface_width,
                        picture_.surface_height, dz, buttons_);
}

void SdlWindow::set_grabbed(bool grabbed) {
  if (std::exchange(grabbed_, grabbed) == grabbed) return;
  sdl_.set_relative_mouse(grabbed && !display_.input->takes_places() ? SDL_TRUE : SDL_FALSE);
  sdl_.set_grab(window_, grabbed ? SDL_TRUE : SDL_FALSE);
  if (!grabbed && buttons_ != 0) {
    buttons_ = 0;
    point(mouse_, 0, 0, 0);
  }
  show_title();
}

void SdlWindow::show_title() {
  const auto title =
      grabbed_ ? fmt::format("{} - {}+G frees keyboard and mouse", display_.title, modifier_names(options_.modifiers))
               : display_.title;
  sdl_.set_title(window_, title.c_str());
}

}  // namespace vmm::window
