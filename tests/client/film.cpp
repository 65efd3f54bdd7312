// A SPICE server over a display that shows a film, for tests with real clients: no guest, no devices. Its threads are
// confined like minivmm's.
//
//   film off|filter|all CODECS [painted]     prints its port, then obeys lines on its standard input, each answered by
//   "done":
//
// `painted`: into a frame buffer, as a guest without a driver does. Then there is nothing but play, stop, video and
// shot.
//
//   play, stop                     the film, 25 pictures a second, over a still background
//   zoom                           the film's pictures are shown larger from here on
//   box                            something opaque is drawn over a part of it
//   copy                           a part of the screen with a piece of the film in it is copied elsewhere
//   video off|filter|all           what is sent as video from here on
//   shot FILE                      the screen as a PPM file
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

#include "tests/client/served_display.h"

namespace {

using namespace std::chrono_literals;

constexpr core::SurfaceShape kScreen{640, 480, core::SurfaceFormat::Xrgb};
constexpr core::Rect kFilm{101, 61, 421, 301};
constexpr core::Rect kZoomed{81, 41, 481, 341};
constexpr core::Rect kBox{200, 100, 260, 140};
constexpr core::Point kCopyFrom{400, 250};
constexpr core::Rect kCopyTo{500, 350, 580, 450};

std::uint32_t film_pixel(std::int32_t x, std::int32_t y, std::uint32_t n) {
  const auto wave = [](std::uint32_t v) { return (v & 0x100) == 0 ? v & 0xff : 0xff - (v & 0xff); };
  const auto column = static_cast<std::uint32_t>(x) + 3 * n;
  const auto row = static_cast<std::uint32_t>(y) + n;
  return wave(column) << 16 | wave(row * 2) << 8 | wave(column + row);
}

core::DrawingPtr film_picture(std::uint32_t n, const core::Rect& place) {
  core::Bitmap bitmap{.width = static_cast<std::uint32_t>(kFilm.width()),
                      .height = static_cast<std::uint32_t>(kFilm.height())};
  bitmap.stride = bitmap.width * 4;
  for (std::int32_t y = 0; y < kFilm.height(); ++y) {
    for (std::int32_t x = 0; x < kFilm.width(); ++x) {
      const auto pixel = film_pixel(x, y, n);
      for (const unsigned shift : {0U, 8U, 16U, 24U})
        bitmap.data.push_back(static_cast<std::uint8_t>(pixel >> shift));
    }
  }
  core::DrawCopy copy;
  copy.source.image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  copy.source.area = {0, 0, kFilm.width(), kFilm.height()};
  return std::make_shared<core::Drawing>(
      core::Drawing{.box = place, .effect = core::Effect::Opaque, .operation = std::move(copy)});
}

core::DrawingPtr fill(const core::Rect& box, std::uint32_t color) {
  return std::make_shared<core::Drawing>(core::Drawing{
      .box = box, .effect = core::Effect::Opaque, .operation = core::DrawFill{.brush = core::SolidBrush{color}}});
}

// Its own thread ticks; the worker pulls.
class Film final : public core::DisplaySource {
 public:
  ~Film() override { ticker_.request_stop(); }

  explicit Film(bool is_painted) : is_painted_(is_painted) {}

  Next pull(core::DisplayCanvas& canvas) override {
    if (is_painted_) return Next::OnWake;
    if (!std::exchange(is_set_up_, true)) {
      canvas.create_surface(0, kScreen);
      canvas.draw(fill({0, 0, kScreen.width, kScreen.height}, 0x204060));
    }
    if (is_due_.exchange(false) && is_playing) canvas.draw(film_picture(picture_++, is_zoomed ? kZoomed : kFilm));
    if (wants_box.exchange(false)) canvas.draw(fill(kBox, 0xff0000));
    if (wants_copy.exchange(false))
      canvas.draw(std::make_shared<core::Drawing>(core::Drawing{
          .box = kCopyTo, .effect = core::Effect::Opaque, .operation = core::DrawCopyBits{.source = kCopyFrom}}));
    return Next::OnWake;
  }
  bool refresh(core::DisplayCanvas& canvas, bool full) override {
    if (!is_painted_) return false;
    if (canvas.pixels().width != kScreen.width) canvas.set_mode(kScreen.width, kScreen.height);
    const auto pixels = canvas.pixels();
    if (full) {
      for (std::int32_t y = 0; y < kScreen.height; ++y)
        std::ranges::fill(pixels.row(y), 0x204060U);
      canvas.changed({0, 0, kScreen.width, kScreen.height});
    }
    if (!is_due_.exchange(false) || !is_playing) return full;
    for (auto y = kFilm.top; y < kFilm.bottom; ++y) {
      for (auto x = kFilm.left; x < kFilm.right; ++x)
        pixels.row(y)[static_cast<std::size_t>(x)] = film_pixel(x - kFilm.left, y - kFilm.top, picture_);
    }
    ++picture_;
    canvas.changed(kFilm);
    return true;
  }
  void set_wake(std::function<void()> wake) override {
    ticker_ = std::jthread([this, wake = std::move(wake)](const std::stop_token& stop) {
      for (auto next = std::chrono::steady_clock::now(); !stop.stop_requested();) {
        std::this_thread::sleep_until(next += 40ms);
        is_due_ = true;
        wake();
      }
    });
  }
  void end() {
    ticker_.request_stop();
    ticker_.join();
  }

  std::atomic<bool> is_playing{false};
  std::atomic<bool> is_zoomed{false};
  std::atomic<bool> wants_box{false};
  std::atomic<bool> wants_copy{false};

 private:
  const bool is_painted_;
  bool is_set_up_ = false;
  std::uint32_t picture_ = 0;
  std::atomic<bool> is_due_{false};
  std::jthread ticker_;
};

spice::video::StreamingMode mode_of(const std::string& name) {
  using spice::video::StreamingMode;
  return name == "all" ? StreamingMode::All : name == "filter" ? StreamingMode::Filter : StreamingMode::Off;
}

void obey(Film& film, client_test::ServedDisplay& served) {
  for (std::string line; std::getline(std::cin, line); std::cout << "done" << std::endl) {
    if (line == "play" || line == "stop") film.is_playing = line == "play";
    if (line == "zoom") film.is_zoomed = true;
    if (line == "box") film.wants_box = true;
    if (line == "copy") film.wants_copy = true;
    if (line.starts_with("video ")) served.display().set_pictures({}, mode_of(line.substr(6)));
    if (line.starts_with("shot ")) served.shoot(line.substr(5));
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3 && count != 4) return 2;
  const auto codecs = spice::video::parse_codecs(arguments[2]);
  if (!codecs) return 2;
  spice::display::DisplayWorker::Config config;
  config.video = {.mode = mode_of(arguments[1]), .codecs = *codecs};
  Film film(count == 4);
  const auto served = client_test::ServedDisplay::create(config, film);
  if (served == nullptr) return 1;
  std::cout << served->port() << std::endl;
  obey(film, *served);
  film.end();
  return 0;
}
