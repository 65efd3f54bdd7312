#include "vmm/window/windows.h"

#include <SDL2/SDL_syswm.h>
#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "vmm/window/sdl_library.h"
#include "vmm/window/sdl_window.h"

namespace vmm::window {

namespace {

using std::chrono::milliseconds;

// Where the connection to the screen cannot be waited for it is looked at this often.
constexpr milliseconds kGlance{10};

// The descriptor that tells of events, where it is known.
std::optional<int> connection_of(const SdlLibrary& sdl, SDL_Window* window) {
  SDL_SysWMinfo info{};
  SDL_VERSION(&info.version);
  if (sdl.window_system(window, &info) != SDL_TRUE || info.subsystem != SDL_SYSWM_X11) return std::nullopt;
  return ConnectionNumber(info.info.x11.display);
}

// SDL as this process wants it: signals are ours, the host's screen saver is the host's, and pictures are drawn by the
// CPU, without a graphics driver in the process.
core::Result<> start(const SdlLibrary& sdl) {
  sdl.set_hint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
  sdl.set_hint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
  sdl.set_hint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
  sdl.set_hint(SDL_HINT_GRAB_KEYBOARD, "1");
  if (sdl.init(SDL_INIT_VIDEO) != 0) return core::fail("cannot show a window: {}", sdl.error());
  sdl.stop_text_input();
  return {};
}

// Where SDL finds no screen it draws for nobody, which is nothing to be had by accident.
core::Result<> check_screen(const SdlLibrary& sdl) {
  const auto* const driver = sdl.video_driver();
  if (driver != nullptr && driver != std::string_view("offscreen")) return {};
  if (std::getenv("SDL_VIDEODRIVER") != nullptr) return {};
  return core::fail("there is no screen to show a window on: is DISPLAY set?");
}

struct Quit {
  std::shared_ptr<const SdlLibrary> sdl;
  explicit Quit(std::shared_ptr<const SdlLibrary> library) : sdl(std::move(library)) {}
  ~Quit() { sdl->quit(); }
  Quit(const Quit&) = delete;
  Quit& operator=(const Quit&) = delete;
};

}  // namespace

struct Windows::Impl {
  Impl(std::shared_ptr<const SdlLibrary> library, core::EventFd event, const WindowOptions& wanted,
       std::function<void()> on_close)
      : sdl(*library), options(wanted), closed(std::move(on_close)), wake(std::move(event)), quit(std::move(library)) {}

  void handle(const SDL_Event& event) {
    const bool is_close = event.type == SDL_WINDOWEVENT && event.window.event == SDL_WINDOWEVENT_CLOSE;
    if (is_close && options.close_ends) closed();
    const auto found =
        std::ranges::find(windows, event.window.windowID, [](const auto& window) { return window->id(); });
    if (found != windows.end()) (*found)->happened(event);
  }

  const SdlLibrary& sdl;
  const WindowOptions options;
  const std::function<void()> closed;
  core::EventFd wake;
  Quit quit;  // after the windows
  std::vector<std::unique_ptr<SdlWindow>> windows;
  std::optional<int> connection;
};

core::Result<std::unique_ptr<Windows>> Windows::create(const WindowOptions& options,
                                                       const std::vector<WindowDisplay>& displays,
                                                       std::function<void()> closed) {
  auto sdl = SdlLibrary::load();
  if (!sdl) return std::unexpected(sdl.error());
  auto wake = core::EventFd::create();
  if (!wake) return std::unexpected(wake.error());
  const auto library = std::move(*sdl);
  if (auto started = start(*library); !started) return std::unexpected(started.error());
  auto impl = std::make_unique<Impl>(library, std::move(*wake), options, std::move(closed));
  if (auto checked = check_screen(*library); !checked) return std::unexpected(checked.error());
  for (const auto& display : displays) {
    auto window = SdlWindow::create(impl->sdl, options, display, [&event = impl->wake] { event.signal(); });
    if (!window) return std::unexpected(window.error());
    impl->windows.push_back(std::move(*window));
  }
  if (!impl->windows.empty()) impl->connection = connection_of(impl->sdl, impl->windows.front()->handle());
  return std::unique_ptr<Windows>(new Windows(std::move(impl)));
}

Windows::Windows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Windows::~Windows() = default;

std::vector<int> Windows::descriptors() const {
  std::vector<int> all{impl_->wake.get()};
  if (const auto& connection = impl_->connection) all.push_back(*connection);
  return all;
}

// Events come last: SDL has then read all that the connection had for it, and nothing waits where poll() cannot see it.
std::optional<milliseconds> Windows::run() {
  impl_->wake.drain();
  for (const auto& window : impl_->windows)
    window->work(SdlWindow::Clock::now());
  SDL_Event event{};
  while (impl_->sdl.poll_event(&event) != 0)
    impl_->handle(event);
  std::optional<milliseconds> wait;
  if (!impl_->connection) wait = kGlance;
  const auto now = SdlWindow::Clock::now();
  for (const auto& window : impl_->windows) {
    const auto next = window->next();
    if (!next) continue;
    const auto rest = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*next - now));
    wait = wait ? std::min(*wait, rest) : rest;
  }
  return wait;
}

}  // namespace vmm::window
