// A SPICE server over a display that plays a recording, for tests with real clients.
//
//   player COMPRESSION JPEG ZLIB        prints its port, then obeys lines on its standard input:
//   play FILE [CALLS]                   begins to draw it, or so many calls of it
//   left                                answers how many of them are left
//   photo                               one large photo, at first on a new screen
//   shot FILE                           the screen as a PPM file
//   methods                             answers how clients' images were encoded; all else is answered by "done"
#include <chrono>
#include <iostream>
#include <limits>
#include <mutex>
#include <set>
#include <sstream>
#include <utility>

#include "tests/client/served_display.h"
#include "vmm/replay/call.h"
#include "vmm/replay/call_reader.h"
#include "vmm/replay/gzip_file.h"
#include "vmm/replay/input.h"

namespace {

using spice::image::OnSlowLines;
using spice::wire::ImageCompression;

// Slopes with some grain, as photographs have them.
void show_photo(core::DisplayCanvas& canvas, bool on_new_screen) {
  constexpr std::int32_t kWidth = 1024, kHeight = 768;
  core::Bitmap bitmap{.width = kWidth, .height = kHeight, .stride = kWidth * 4};
  for (std::uint32_t y = 0; y < bitmap.height; ++y) {
    for (std::uint32_t x = 0; x < bitmap.width; ++x) {
      const auto grain = (x * 7919 + y * 104'729) % 5;
      for (const auto value : {x / 8 + grain, y / 4 + grain, (x + y) / 16, 0U})
        bitmap.data.push_back(static_cast<std::uint8_t>(value));
    }
  }
  const auto image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
  if (on_new_screen) canvas.create_surface(0, {kWidth, kHeight});
  canvas.draw(std::make_shared<core::Drawing>(
      core::Drawing{.box = {0, 0, kWidth, kHeight},
                    .effect = core::Effect::Opaque,
                    .operation = core::DrawCopy{.source = {.image = image, .area = {0, 0, kWidth, kHeight}}}}));
}

// A call a millisecond, so that clients get drawings and not only what has become of them.
class Player final : public core::DisplaySource {
 public:
  Next pull(core::DisplayCanvas& canvas) override {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const bool is_time = now >= next_;
    if (is_time) next_ = now + std::chrono::milliseconds(1);
    if (is_time && left_ > 0) {
      const auto next = recording_->reader->next();
      const bool is_call = next && *next;
      if (is_call) vmm::replay::perform(**next, canvas);
      left_ = is_call ? left_ - 1 : 0;
    }
    if (std::exchange(wants_photo_, false)) show_photo(canvas, !std::exchange(has_photo_, true));
    return left_ > 0 ? Next::Soon : Next::OnWake;
  }
  bool refresh(core::DisplayCanvas&, bool) override { return false; }
  void set_wake(std::function<void()> wake) override { wake_ = std::move(wake); }

  // False: there is no such recording.
  bool play(const std::string& path, std::uint64_t calls) {
    auto file = vmm::replay::GzipFile::open(path);
    if (!file) return false;
    auto recording = std::make_unique<Recording>(std::move(*file));
    auto reader = vmm::replay::open_recording(recording->input);
    if (!reader) return false;
    recording->reader = std::move(*reader);
    const std::scoped_lock lock(mutex_);
    recording_ = std::move(recording);
    has_photo_ = false;
    left_ = calls;
    wake_();
    return true;
  }
  std::uint64_t left() {
    const std::scoped_lock lock(mutex_);
    return left_;
  }
  void photo() {
    const std::scoped_lock lock(mutex_);
    wants_photo_ = true;
    wake_();
  }

 private:
  struct Recording {
    explicit Recording(std::unique_ptr<vmm::replay::GzipFile> from) : file(std::move(from)) {}
    std::unique_ptr<vmm::replay::GzipFile> file;
    vmm::replay::Input input{*file};
    std::unique_ptr<vmm::replay::CallReader> reader;
  };

  std::mutex mutex_;
  std::unique_ptr<Recording> recording_;
  std::uint64_t left_ = 0;
  std::chrono::steady_clock::time_point next_;  // when calls are drawn again
  bool wants_photo_ = false;
  bool has_photo_ = false;  // on its screen
  std::function<void()> wake_;
};

std::optional<ImageCompression> compression_of(const std::string& name) {
  constexpr std::pair<const char*, ImageCompression> kNames[] = {
      {"off", ImageCompression::Off},   {"auto_glz", ImageCompression::AutoGlz}, {"auto_lz", ImageCompression::AutoLz},
      {"quic", ImageCompression::Quic}, {"glz", ImageCompression::Glz},          {"lz", ImageCompression::Lz},
      {"lz4", ImageCompression::Lz4}};
  for (const auto& [known, compression] : kNames) {
    if (name == known) return compression;
  }
  return {};
}

OnSlowLines when(const std::string& name) {
  return name == "always" ? OnSlowLines::Always : OnSlowLines::Never;
}

std::string methods(spice::display::AllDisplayFigures& figures) {
  std::set<std::string> used;
  for (const auto& client : figures.list()) {
    for (std::size_t method = 0; method < spice::image::kMethods; ++method) {
      if (client.images.methods[method].images > 0)
        used.insert(spice::image::method_name(static_cast<spice::image::Method>(method)));
    }
  }
  std::string names;
  for (const auto& name : used)
    names += name + ' ';
  return names;
}

void obey(Player& player, client_test::ServedDisplay& served, spice::display::AllDisplayFigures& figures) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, path;
    auto calls = std::numeric_limits<std::uint64_t>::max();
    words >> verb >> path >> calls;
    if (words.fail()) calls = std::numeric_limits<std::uint64_t>::max();
    std::string answer = "done";
    if (verb == "play" && !player.play(path, calls)) answer = "no such recording";
    if (verb == "left") answer = std::to_string(player.left());
    if (verb == "photo") player.photo();
    if (verb == "shot") served.shoot(path);
    if (verb == "methods") answer = methods(figures);
    std::cout << answer << std::endl;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  const auto compression = compression_of(arguments[1]);
  if (!compression) return 2;
  spice::display::DisplayWorker::Config config;
  config.images = {.compression = *compression, .jpeg = when(arguments[2]), .zlib_glz = when(arguments[3])};
  config.figures = std::make_shared<spice::display::AllDisplayFigures>();
  Player player;
  const auto served = client_test::ServedDisplay::create(config, player);
  if (served == nullptr) return 1;
  std::cout << served->port() << std::endl;
  obey(player, *served, *config.figures);
  return 0;
}
