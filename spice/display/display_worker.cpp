#include "spice/display/display_worker.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "core/event/loop_event.h"
#include "core/event/loop_timer.h"
#include "core/event/mailbox.h"
#include "core/event/worker.h"
#include "spice/canvas/source.h"
#include "spice/channel/channel.h"
#include "spice/display/cursor_channel.h"
#include "spice/display/cursor_image.h"
#include "spice/display/display_channel.h"
#include "spice/display/local_view.h"
#include "spice/display/monitors.h"
#include "spice/display/refresh_pace.h"
#include "spice/display/screen.h"

namespace spice::display {

namespace {

// A cell of the largest text mode font; nothing smaller than a cursor's blink needs to be followed at once.
constexpr std::int64_t kCellPixels = 9 * 32;

// Rings that have just become empty are often filled again before the guest would have to wake us, which costs its CPU
// more than us; but what it draws meanwhile is seen that much later. In this time a fast driver half fills its ring.
constexpr std::chrono::microseconds kSoon{100};
// Who had to wake us goes on in a moment, as a rule: with the next drawing, or with a port that its CPU waits for. To
// sleep meanwhile would take longer, so for so long we stay awake and look again this often.
constexpr std::chrono::microseconds kAwake{100};
constexpr std::chrono::microseconds kGlance{20};

RefreshPace::Seen seen_in(const Screen::Changes& changes) {
  if (!changes.any()) return RefreshPace::Seen::Nothing;
  const bool is_small = !changes.mode_set && changes.region.area() <= kCellPixels;
  return is_small && !changes.drawn ? RefreshPace::Seen::Blink : RefreshPace::Seen::Change;
}

// Pixels as screenshots have them.
Picture picture_of(const canvas::Surface& surface) {
  const auto wide = canvas::converted(surface.pixels(), surface.bounds(), core::SurfaceFormat::Xrgb);
  Picture picture{surface.width(), surface.height(), {}};
  const auto width = static_cast<std::size_t>(picture.width);
  picture.pixels.resize(width * static_cast<std::size_t>(picture.height));
  for (std::int32_t y = 0; y < picture.height; ++y)
    std::memcpy(picture.pixels.data() + width * static_cast<std::size_t>(y), wide.pixels().row(y), width * 4);
  // Guests keep things in the unused bytes.
  for (auto& pixel : picture.pixels)
    pixel &= 0x00ff'ffff;
  return picture;
}

Picture part_of(const Picture& whole, const core::Rect& area) {
  const auto left = std::clamp(area.left, 0, whole.width), top = std::clamp(area.top, 0, whole.height);
  const core::Rect shown{left, top, std::clamp(area.right, left, whole.width),
                         std::clamp(area.bottom, top, whole.height)};
  Picture part{shown.width(), shown.height(), {}};
  for (auto y = shown.top; y < shown.bottom; ++y) {
    const auto row = whole.pixels.begin() + std::ptrdiff_t{y} * whole.width;
    part.pixels.insert(part.pixels.end(), row + shown.left, row + shown.right);
  }
  return part;
}

core::DisplayClients common_abilities(channel::ChannelList<DisplayChannel>& displays) {
  core::DisplayClients clients;
  displays.for_each([&clients](const DisplayChannel& display) {
    if (!display.is_ready()) return;
    if (!std::exchange(clients.present, true)) clients.capabilities.fill(0xff);
    for (unsigned bit = 0; bit < clients.capabilities.size() * 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
      if (!display.client_caps().has(bit)) clients.capabilities[bit / 8] &= static_cast<std::uint8_t>(~mask);
    }
  });
  return clients;
}

}  // namespace

// All on the worker's thread, except the constructor, the destructor and what says otherwise.
class DisplayWorker::Impl final : private ScreenListener {
 public:
  Impl(const Config& config, core::DisplaySource& source)
      : config_(config),
        source_(source),
        screen_({.drawing_bytes = config.drawing_bytes}),
        worker_(config.name, core::ThreadKind::Display, config.start),
        timer_(worker_.loop(), [this] { timer_fired(); }),
        soon_(worker_.loop(), [this] { look(); }),
        wake_(worker_.loop(), [this] { woken(); }),
        again_(worker_.loop(), [this] { pull(); }),
        awake_(worker_.loop(), [this] { stay_awake(); }),
        clients_(worker_.loop(), [this] { clients_changed(); }),
        poke_(worker_.loop(), [this] { quicken(); }),
        client_mouse_changed_(worker_.loop(), [this] { take_client_mouse(); }),
        video_(worker_.loop(), config.video, [this](video::StreamId id) { stream_ended(id); }),
        display_provider_(*this),
        cursor_provider_(*this),
        onlooker_(*this) {
    screen_.set_listener(this);
    source_.set_wake([this] { wake_.ring(); });
    if (const auto doorbell = source_.doorbell(); doorbell >= 0)
      doorbell_.emplace(worker_.loop(), doorbell, [this] { woken(); });
  }
  ~Impl() override { stop(); }  // before the members that its handlers use

  core::Worker& worker() { return worker_; }                                  // any thread
  channel::ChannelProvider& display_provider() { return display_provider_; }  // any thread
  channel::ChannelProvider& cursor_provider() { return cursor_provider_; }    // any thread
  core::DisplayView& view() { return onlooker_; }                             // any thread
  void ring_poke() { poke_.ring(); }                                          // any thread

  void stop() {  // control loop
    worker_.stop();
    displays_.clear();
    cursors_.clear();
  }
  void begin() {
    running_ = true;
    tell_clients();
    tell_compression();
    redraw();
  }
  void redraw() {
    full_wanted_ = true;
    look();
  }
  void hold(bool stores) {
    if (stores) {
      drain();
      screen_.store(source_);
    }
    send();
    held_ = true;
  }
  void release() {
    held_ = false;
    tell_clients();
    tell_compression();
    look();
  }
  void set_client_mouse(bool client_mouse) {  // any thread
    client_mouse_ = client_mouse;
    client_mouse_changed_.ring();
  }
  void set_pictures(const image::ImageOptions& images, video::StreamingMode video) {
    images_ = images;
    displays_.for_each([&images](DisplayChannel& display) { display.set_images(images); });
    video_.set_mode(video);
    video_mode_ = video;
    tell_compression();
  }
  Picture picture(Pointer pointer) {
    const auto whole = picture_of_surface(pointer);
    return part_of(whole, shown_area(screen_.monitors(), {0, 0, whole.width, whole.height}));
  }
  std::optional<Picture> picture_of_head(std::size_t head, Pointer pointer) {
    const auto whole = picture_of_surface(pointer);
    const auto layout = screen_.monitors();
    if (head >= layout.heads.size()) return std::nullopt;
    return part_of(whole, layout.heads[head].area);
  }

 private:
  using Clock = std::chrono::steady_clock;

  class DisplayProvider final : public channel::ChannelProvider {
   public:
    explicit DisplayProvider(Impl& impl) : impl_(impl) {}
    wire::Capabilities capabilities() const override {
      return {wire::kMonitorsConfigCap, wire::kStreamReportCap, wire::kPreferredCompressionCap,
              wire::kPreferredVideoCodecCap};
    }
    void accept(channel::LinkedConnection connection) override {
      impl_.worker_.loop().post(
          [&impl = impl_, linked = std::move(connection)]() mutable { impl.add_display(std::move(linked)); });
    }

   private:
    Impl& impl_;
  };

  class CursorProvider final : public channel::ChannelProvider {
   public:
    explicit CursorProvider(Impl& impl) : impl_(impl) {}
    wire::Capabilities capabilities() const override { return {}; }
    void accept(channel::LinkedConnection connection) override {
      impl_.worker_.loop().post(
          [&impl = impl_, linked = std::move(connection)]() mutable { impl.add_cursor(std::move(linked)); });
    }

   private:
    Impl& impl_;
  };

  // [core/ports/view.h] on the onlooker's thread.
  class Onlooker final : public core::DisplayView {
   public:
    explicit Onlooker(Impl& impl) : impl_(impl) {}
    void set_listener(std::function<void()> changed) override {
      impl_.worker_.run_and_wait([this, &changed] { impl_.set_onlooker(std::move(changed)); });
    }
    Changes look(core::ViewedPicture& picture, Pointer pointer) override {
      Changes changes;
      impl_.worker_.run_and_wait([&] { changes = impl_.show(picture, pointer); });
      return changes;
    }

   private:
    Impl& impl_;
  };

  void set_onlooker(std::function<void()> changed) {
    local_view_.set_listener(std::move(changed));
    look();
  }
  core::DisplayView::Changes show(core::ViewedPicture& picture, core::DisplayView::Pointer pointer) {
    drain();
    auto changes = local_view_.look(screen_, picture, pointer);
    keep_looking();
    return changes;
  }

  Picture picture_of_surface(Pointer pointer) {
    drain();
    auto result = picture_of(screen_.surface());
    if (pointer == Pointer::Drawn)
      draw_cursor(screen_.pointer().state(), {result.pixels.data(), result.width, result.height, result.width});
    return result;
  }

  bool has_clients() const { return !displays_.empty(); }
  bool watched() const { return has_clients() || local_view_.waits(); }

  void add_display(channel::LinkedConnection linked) {
    displays_.add(std::make_unique<DisplayChannel>(
        DisplayChannel::Wiring{worker_.loop(), screen_, encoder_, *image_clients_, video_, *figures_,
                               [this] { clients_.ring(); }, [this] { again_.ring(); }},
        DisplayChannel::Options{images_, config_.init_timeout}, std::move(linked)));
    pace_.expect_change();
    look();  // the screen may not have been looked at for long
  }

  void add_cursor(channel::LinkedConnection linked) {
    cursors_.add(std::make_unique<CursorChannel>(worker_.loop(), screen_.pointer(), std::move(linked)));
  }

  // Whether the source may be asked for anything.
  bool may_ask() const { return running_ && !held_; }

  void woken() {
    awake_until_ = Clock::now() + kAwake;
    look();
  }
  // Takes what the source has queued, and what it shows if that is a frame buffer.
  void look() {
    if (!may_ask()) return;
    pull();
    if (screen_.is_native() && !full_wanted_) return;
    const auto bounds = screen_.bounds();
    const auto changes = screen_.refresh(source_, std::exchange(full_wanted_, false));
    deliver(changes, bounds);
    pace_.after_refresh(seen_in(changes));
    keep_looking();
  }
  // A frame buffer changes without a word.
  void keep_looking() {
    if (watched() && !screen_.is_native()) timer_.arm(pace_.interval());
  }

  core::DisplaySource::Next take() {
    const auto bounds = screen_.bounds();
    auto next = core::DisplaySource::Next::OnWake;
    note(screen_.pull(source_, next), bounds);
    return next;
  }
  void pull(bool may_send_later = false) {
    wake_.rest();
    if (!may_ask()) return;
    if (waits_for_clients(Clock::now())) return serve();
    using Next = core::DisplaySource::Next;
    const auto next = take();
    unsent_ = may_send_later && next == Next::Soon && Clock::now() < awake_until_;
    if (!unsent_) send();
    if (next == Next::OnWake) return;
    const auto now = Clock::now();
    if (waits_for_clients(now)) {
      pull_later();
    } else if (next == Next::AtOnce) {
      again_.ring();  // the clients have their turn before
    } else if (now < awake_until_) {
      glance_at_ = now + kGlance;
      wake_.listen();
      awake_.ring();
    } else {
      soon_.arm(kSoon);
    }
  }
  // The guest's drawings wait for clients, its CPUs do not.
  void serve() {
    const auto bounds = screen_.bounds();
    deliver(screen_.serve(source_), bounds);
    pull_later();
  }
  // Or when the clients have caught up.
  void pull_later() {
    if (!soon_.armed()) soon_.arm(Patience::kLongest);
  }
  // All else that the loop has to do has its turn in between.
  void stay_awake() {
    if (wake_.heard()) return woken();
    if (Clock::now() < glance_at_) return awake_.ring();
    // What a CPU has just drawn it often waits for next, and that goes before sending.
    pull(!unsent_);
  }
  bool waits_for_clients(Clock::time_point now) {
    bool waits = false;
    displays_.for_each([&](DisplayChannel& display) { waits = display.is_waited_for(now) || waits; });
    return waits;
  }
  // All that the source has queued, within reason.
  void drain() {
    constexpr int kMostPulls = 100;
    for (int i = 0; i < kMostPulls && may_ask() && take() == core::DisplaySource::Next::AtOnce; ++i)
      send();
    send();
    look();
  }

  void deliver(const Screen::Changes& changes, const core::Rect& bounds_before) {
    note(changes, bounds_before);
    send();
  }
  void note(const Screen::Changes& changes, const core::Rect& bounds_before) {
    video_.next_round();
    if (changes.any()) encoder_.shared().surfaces_changed();
    if (screen_.bounds() != bounds_before) cursors_.for_each([](CursorChannel& cursor) { cursor.reset(); });
    if (changes.mode_set) local_view_.reshaped();
  }
  void send() {
    unsent_ = false;
    encoder_.shared().set_clients(displays_.size());
    displays_.for_each([](DisplayChannel& display) { display.pump(); });
    show_cursor();
    local_view_.tell(screen_.pointer().state());
    tell_size();
  }

  void show_cursor() {
    cursors_.for_each([](CursorChannel& cursor) { cursor.changed(); });
  }

  void tell_size() {
    const auto bounds = screen_.bounds();
    if (std::exchange(told_size_, bounds) == bounds || !config_.on_size) return;
    config_.on_size(bounds.width(), bounds.height());
  }

  void timer_fired() {
    if (watched()) look();
  }

  void clients_changed() {
    if (!has_clients()) encoder_.trim();
    tell_clients();
  }

  // Bits that all of them have.
  void tell_clients() {
    if (!may_ask()) return;
    const auto clients = common_abilities(displays_);
    if (clients == told_clients_) return;
    told_clients_ = clients;
    source_.clients_changed(clients);
  }

  void tell_compression() {
    if (!may_ask()) return;
    const bool is_quic =
        images_.compression == wire::ImageCompression::Quic && video_mode_ == video::StreamingMode::Off;
    source_.set_compression_level(is_quic ? 1 : 0);
  }

  void primary_made(SurfaceKey key) override {
    video_.primary_changed();
    displays_.for_each([key](DisplayChannel& display) { display.primary_made(key); });
  }
  void surface_gone(SurfaceKey key) override {
    displays_.for_each([key](DisplayChannel& display) { display.surface_gone(key); });
  }
  void painted(SurfaceKey key, const canvas::Region& region) override {
    auto rest = region;
    if (key == screen_.primary()) local_view_.painted(region);
    if (has_clients() && key == screen_.primary())
      video_.take_pictures(screen_, rest, [this](const PlacedDrawingPtr& drawing, const VideoFeed::Picture& picture) {
        displays_.for_each([&](DisplayChannel& display) { display.drawn(drawing, &picture); });
      });
    if (!rest.empty()) displays_.for_each([key, &rest](DisplayChannel& display) { display.painted(key, rest); });
  }
  void drawn(const PlacedDrawingPtr& drawing) override {
    if (drawing->surface == screen_.primary()) local_view_.painted(drawing->changed);
    const auto picture = video_.add(drawing, screen_.bounds());
    displays_.for_each([&](DisplayChannel& display) { display.drawn(drawing, picture ? &*picture : nullptr); });
  }
  void stream_ended(video::StreamId id) {
    displays_.for_each([id](DisplayChannel& display) { display.stream_ended(id); });
  }
  void monitors_changed() override {
    local_view_.reshaped();
    displays_.for_each([](DisplayChannel& display) { display.monitors_changed(); });
  }
  void drawings_too_many() override {
    displays_.for_each([](DisplayChannel& display) { display.drawings_too_many(); });
  }

  void take_client_mouse() {
    screen_.pointer().set_client_mouse(client_mouse_);
    show_cursor();
  }
  void quicken() {
    if (pace_.interval() == RefreshPace::kShortest) return;
    pace_.expect_change();
    if (timer_.armed()) timer_.arm(pace_.interval());
  }

  const Config config_;
  std::atomic<bool> client_mouse_ = false;
  core::DisplaySource& source_;
  Screen screen_;
  image::ImageEncoder encoder_{config_.pool.get()};
  image::ImageOptions images_ = config_.images;
  video::StreamingMode video_mode_ = config_.video.mode;
  const std::shared_ptr<image::Clients> image_clients_ =
      config_.clients ? config_.clients : std::make_shared<image::Clients>();
  const std::shared_ptr<AllDisplayFigures> figures_ =
      config_.figures ? config_.figures : std::make_shared<AllDisplayFigures>();
  RefreshPace pace_;
  bool running_ = false;
  bool held_ = false;
  bool full_wanted_ = true;
  Clock::time_point awake_until_{};
  Clock::time_point glance_at_{};
  bool unsent_ = false;  // there may be something that clients are not told of yet
  core::DisplayClients told_clients_;
  core::Rect told_size_{};
  core::Worker worker_;
  core::LoopTimer timer_;
  core::LoopTimer soon_;
  core::Signal wake_;
  core::Signal again_;
  core::Signal awake_;
  core::Signal clients_;
  core::Signal poke_;
  core::Signal client_mouse_changed_;
  std::optional<core::LoopEvent> doorbell_;
  VideoFeed video_;
  LocalView local_view_;
  channel::ChannelList<DisplayChannel> displays_;
  channel::ChannelList<CursorChannel> cursors_;
  DisplayProvider display_provider_;
  CursorProvider cursor_provider_;
  Onlooker onlooker_;
};

DisplayWorker::DisplayWorker(const Config& config, core::DisplaySource& source)
    : impl_(std::make_unique<Impl>(config, source)) {}
DisplayWorker::~DisplayWorker() = default;

void DisplayWorker::start() {
  impl_->worker().loop().post([this] { impl_->begin(); });
}
void DisplayWorker::stop() {
  impl_->stop();
}

Picture DisplayWorker::screenshot(Pointer pointer) {
  Picture picture;
  impl_->worker().run_and_wait([this, pointer, &picture] { picture = impl_->picture(pointer); });
  return picture;
}

std::optional<Picture> DisplayWorker::screenshot_of_head(std::size_t head, Pointer pointer) {
  std::optional<Picture> picture;
  impl_->worker().run_and_wait([this, head, pointer, &picture] { picture = impl_->picture_of_head(head, pointer); });
  return picture;
}

void DisplayWorker::hold(bool stores) {
  impl_->worker().run_and_wait([this, stores] { impl_->hold(stores); });
}

void DisplayWorker::release() {
  impl_->worker().run_and_wait([this] { impl_->release(); });
}

void DisplayWorker::expect_change() {
  impl_->ring_poke();
}

void DisplayWorker::set_client_mouse(bool client_mouse) {
  impl_->set_client_mouse(client_mouse);
}

void DisplayWorker::set_pictures(const image::ImageOptions& images, video::StreamingMode video) {
  impl_->worker().loop().post([this, images, video] { impl_->set_pictures(images, video); });
}

void DisplayWorker::redraw() {
  impl_->worker().loop().post([this] { impl_->redraw(); });
}

core::DisplayView& DisplayWorker::view() {
  return impl_->view();
}
channel::ChannelProvider& DisplayWorker::display_provider() {
  return impl_->display_provider();
}
channel::ChannelProvider& DisplayWorker::cursor_provider() {
  return impl_->cursor_provider();
}

}  // namespace spice::display
