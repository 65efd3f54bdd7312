#include "spice/display/display_worker.h"

#include <utility>

#include "core/event/loop_timer.h"
#include "core/event/mailbox.h"
#include "core/event/worker.h"
#include "spice/channel/channel.h"
#include "spice/display/cursor_channel.h"
#include "spice/display/display_channel.h"
#include "spice/display/image_encoder.h"
#include "spice/display/refresh_pace.h"
#include "spice/display/screen.h"

namespace spice::display {

namespace {

// A cell of the largest text mode font; nothing smaller than a cursor's blink needs to be followed at once.
constexpr std::int64_t kCellPixels = 9 * 32;

RefreshPace::Seen seen_in(const Screen::Changes& changes) {
  if (!changes.any()) return RefreshPace::Seen::Nothing;
  const bool is_small = !changes.mode_set && changes.region.area() <= kCellPixels;
  return is_small ? RefreshPace::Seen::Blink : RefreshPace::Seen::Change;
}

}  // namespace

// All on the worker's thread, except the constructor, the destructor and what says otherwise.
class DisplayWorker::Impl {
 public:
  Impl(const Config& config, core::DisplaySource& source)
      : config_(config),
        source_(source),
        worker_(config.name, core::ThreadKind::Display, config.start),
        timer_(worker_.loop(), [this] { timer_fired(); }),
        wake_(worker_.loop(), [this] { refresh(); }),
        poke_(worker_.loop(), [this] { quicken(); }),
        display_provider_(*this),
        cursor_provider_(*this) {
    source_.set_wake([this] { wake_.ring(); });
  }
  ~Impl() { stop(); }  // before the members that its handlers use

  core::Worker& worker() { return worker_; }                                  // any thread
  channel::ChannelProvider& display_provider() { return display_provider_; }  // any thread
  channel::ChannelProvider& cursor_provider() { return cursor_provider_; }    // any thread
  void ring_poke() { poke_.ring(); }                                          // any thread

  void stop() {  // control loop
    worker_.stop();
    displays_.clear();
    cursors_.clear();
  }
  void begin() {
    running_ = true;
    redraw();
  }
  void redraw() {
    full_wanted_ = true;
    refresh();
  }
  Picture picture() {
    refresh();
    const auto& surface = screen_.surface();
    Picture result{surface.width(), surface.height(), {}};
    const auto* first = surface.at(0, 0);
    result.pixels.assign(first, first + static_cast<std::ptrdiff_t>(result.width) * result.height);
    return result;
  }

 private:
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

  bool watched() const { return !displays_.empty(); }

  void add_display(channel::LinkedConnection linked) {
    displays_.add(std::make_unique<DisplayChannel>(DisplayChannel::Wiring{worker_.loop(), screen_, encoder_},
                                                   DisplayChannel::Options{config_.compression, config_.init_timeout},
                                                   std::move(linked)));
    pace_.expect_change();
    refresh();  // the screen may not have been looked at for long
  }

  void add_cursor(channel::LinkedConnection linked) {
    cursors_.add(std::make_unique<CursorChannel>(worker_.loop(), std::move(linked)));
  }

  void refresh() {
    if (!running_) return;
    const auto bounds = screen_.surface().bounds();
    const auto changes = screen_.refresh(source_, std::exchange(full_wanted_, false));
    encoder_.set_clients(displays_.size());
    if (changes.any()) encoder_.surface_changed();
    if (changes.any()) displays_.for_each([&changes](DisplayChannel& display) { display.changed(changes); });
    if (screen_.surface().bounds() != bounds) cursors_.for_each([](CursorChannel& cursor) { cursor.reset(); });
    const auto interval = pace_.after_refresh(seen_in(changes));
    if (watched()) timer_.arm(interval);
  }

  void timer_fired() {
    if (watched()) return refresh();
    encoder_.trim();  // the last client has gone
  }

  void quicken() {
    if (pace_.interval() == RefreshPace::kShortest) return;
    pace_.expect_change();
    if (timer_.armed()) timer_.arm(pace_.interval());
  }

  const Config config_;
  core::DisplaySource& source_;
  Screen screen_;
  ImageEncoder encoder_;
  RefreshPace pace_;
  bool running_ = false;
  bool full_wanted_ = true;
  core::Worker worker_;
  core::LoopTimer timer_;
  core::Signal wake_;
  core::Signal poke_;
  channel::ChannelList<DisplayChannel> displays_;
  channel::ChannelList<CursorChannel> cursors_;
  DisplayProvider display_provider_;
  CursorProvider cursor_provider_;
};

DisplayWorker::DisplayWorker(const Config& config, core::DisplaySource& source)
    : impl_(std::make_unique<Impl>(config, source)) {}
DisplayWorker::~DisplayWorker() = default;

void DisplayWorker::start() {
  impl_->worker().loop().post([this] { impl_->begin(); });
}
void DisplayWorker::pause() {
  impl_->worker().pause();
}
void DisplayWorker::resume() {
  impl_->worker().resume();
}
void DisplayWorker::stop() {
  impl_->stop();
}

Picture DisplayWorker::screenshot() {
  Picture picture;
  impl_->worker().run_and_wait([this, &picture] { picture = impl_->picture(); });
  return picture;
}

void DisplayWorker::expect_change() {
  impl_->ring_poke();
}

void DisplayWorker::redraw() {
  impl_->worker().loop().post([this] { impl_->redraw(); });
}

channel::ChannelProvider& DisplayWorker::display_provider() {
  return impl_->display_provider();
}
channel::ChannelProvider& DisplayWorker::cursor_provider() {
  return impl_->cursor_provider();
}

}  // namespace spice::display
