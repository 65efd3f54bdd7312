// Films among other drawings, to a client whose codec gets every pixel wrong: whatever it draws itself, moves, or keeps
// when the films have ended is exact all the same.
#include "spice/display/client_video.h"

#include <gmock/gmock.h>
#include <map>
#include <random>

#include "core/event/loop.h"
#include "spice/canvas/draw.h"
#include "spice/display/client_writer.h"
#include "spice/wire/coding.h"
#include "tests/unit/spice/display/model_client.h"

namespace {

using namespace spice;
using canvas::Region;
using display::ClientVideo;

constexpr core::SurfaceShape kScreen{96, 64, core::SurfaceFormat::Xrgb};
constexpr core::Rect kBounds{0, 0, 96, 64};

// A client that keeps the clip of each stream, and shows its pictures there.
class Viewer {
 public:
  void take(std::uint16_t type, const wire::Gather& body) {
    const auto bytes = body.flatten();
    switch (type) {
      case wire::DisplayStreamCreate::kType: return set_clip(*wire::decode<wire::DisplayStreamCreate>(bytes));
      case wire::DisplayStreamClip::kType: return set_clip(*wire::decode<wire::DisplayStreamClip>(bytes));
      case wire::DisplayStreamDestroy::kType: clips_.erase(wire::decode<wire::DisplayStreamDestroy>(bytes)->id); return;
      case wire::DisplayStreamData::kType:
        ++pictures_;
        return model_.show_video(clips_.at(wire::decode<wire::DisplayStreamData>(bytes)->id));
      case wire::DisplayStreamActivateReport::kType: return;
      default: model_.apply(type, bytes);
    }
  }
  display_test::ModelClient& model() { return model_; }
  std::size_t streams() const { return clips_.size(); }
  int pictures() const { return pictures_; }

 private:
  template <class M>
  void set_clip(const M& message) {
    Region clip;
    for (const auto& rect : message.clip.rects)
      clip.add({rect.left, rect.top, rect.right, rect.bottom});
    clips_[message.id] = clip;
  }

  display_test::ModelClient model_;
  std::map<std::uint32_t, Region> clips_;
  int pictures_ = 0;
};

// A screen, its films and one client, who takes what it is given when it is told to.
class World final : public core::DisplaySource, private display::ScreenListener {
 public:
  enum class Mode : std::uint8_t { Native, FrameBuffer };

  explicit World(std::uint32_t seed, Mode mode = Mode::Native) : random_(seed) {
    screen_.set_listener(this);
    step([mode](core::DisplayCanvas& canvas) {
      if (mode == Mode::Native)
        canvas.create_surface(0, kScreen);
      else
        canvas.set_mode(kScreen.width, kScreen.height);
    });
    const wire::Capabilities client{wire::kMonitorsConfigCap, wire::kSizedStreamCap};
    const auto send = [this](std::uint16_t type, const wire::Gather& body) { viewer_.take(type, body); };
    writer_.emplace(screen_, encoder_, image::ImageOptions{.compression = wire::ImageCompression::Off}, client,
                    display::ClientWriter::Line{.send = send, .next_serial = [] { return 1; }});
    surfaces_.emplace(screen_.surfaces(), screen_.primary(), writer_->abilities());
    video_.emplace(feed_, *surfaces_, client, statistics_, send);
    drain();
  }

  void draw(core::Drawing drawing) {
    auto shared = std::make_shared<core::Drawing>(std::move(drawing));
    step([&](core::DisplayCanvas& canvas) { canvas.draw(shared); });
  }
  void film(const core::Rect& place) {
    core::Bitmap bitmap{.width = static_cast<std::uint32_t>(place.width()),
                        .height = static_cast<std::uint32_t>(place.height())};
    bitmap.stride = bitmap.width * 4;
    const auto value = static_cast<std::uint8_t>(random_());
    bitmap.data.assign(std::size_t{bitmap.stride} * bitmap.height, value);
    core::DrawCopy copy;
    copy.source.image = std::make_shared<core::Image>(core::Image{.content = std::move(bitmap)});
    copy.source.area = {0, 0, place.width(), place.height()};
    draw({.box = place, .effect = core::Effect::Opaque, .operation = std::move(copy)});
  }
  // Into the frame buffer.
  void paint(const core::Rect& place) {
    step([&](core::DisplayCanvas& canvas) {
      const auto pixels = canvas.pixels();
      for (auto y = place.top; y < place.bottom; ++y) {
        for (auto x = place.left; x < place.right; ++x)
          pixels.row(y)[static_cast<std::size_t>(x)] = some_color();
      }
      canvas.changed(place);
    });
  }
  void paint_anything() { paint(some_rect()); }
  void anything() {
    const auto box = some_rect();
    switch (random_() % 5) {
      case 0: return draw({.box = box, .operation = core::DrawInvers{}});
      case 1: return draw({.box = box, .operation = core::DrawCopyBits{some_place(box)}});
      case 2: return draw({.box = box, .operation = core::DrawFill{core::SolidBrush{some_color()}, core::kRopXor, {}}});
      case 3: return draw({.box = box, .clip = {{some_rect()}}, .operation = core::DrawBlackness{}});
      default: return draw({.box = box, .operation = core::DrawFill{.brush = core::SolidBrush{some_color()}}});
    }
  }
  // At most so many messages.
  void send(int most) {
    for (int n = 0; n < most && send_next(); ++n) {
    }
  }
  void drain() { send(100'000); }
  void end_films() {
    for (video::StreamId id = 0; id < video::kMostStreams; ++id)
      video_->ended(id);
  }
  bool client_is_exact(const core::Rect& where = kBounds) {
    const auto& shown = screen_.surface();
    const auto* const seen = viewer_.model().surface(0);
    if (seen == nullptr) return false;
    for (auto y = where.top; y < where.bottom; ++y) {
      for (auto x = where.left; x < where.right; ++x) {
        if (((*shown.at(x, y) ^ *seen->at(x, y)) & 0xffffff) != 0) return false;
      }
    }
    return true;
  }
  Viewer& viewer() { return viewer_; }
  std::uint32_t random() { return static_cast<std::uint32_t>(random_()); }

 private:
  Next pull(core::DisplayCanvas& canvas) override {
    action_(canvas);
    return Next::OnWake;
  }
  bool refresh(core::DisplayCanvas&, bool) override { return false; }
  void set_wake(std::function<void()>) override {}

  void primary_made(display::SurfaceKey) override {}
  void surface_gone(display::SurfaceKey) override {}
  void painted(display::SurfaceKey key, const Region& region) override {
    if (!video_) return;
    auto rest = region;
    feed_.take_pictures(screen_, rest,
                        [this](const display::PlacedDrawingPtr& drawing, const display::VideoFeed::Picture& picture) {
                          video_->drawn(drawing, &picture, {});
                        });
    video_->painted(rest);
    surfaces_->painted(key, rest);
  }
  void drawn(const display::PlacedDrawingPtr& drawing) override {
    const auto picture = feed_.add(drawing, kBounds);
    if (video_) video_->drawn(drawing, picture ? &*picture : nullptr, {});
  }
  void monitors_changed() override {}
  void drawings_too_many() override {}

  void step(const std::function<void(core::DisplayCanvas&)>& action) {
    action_ = action;
    auto next = Next::OnWake;
    screen_.pull(*this, next);
    feed_.next_round();
  }
  bool send_next() {
    if (video_->send_control()) return true;
    if (random_() % 2 == 0 && video_->send_picture({})) return true;
    const auto next = surfaces_->next();
    if (!next) return video_->send_picture({});
    if (!writer_->write(*next)) surfaces_->not_sent(*next->drawing);
    return true;
  }

  core::Rect some_rect() {
    const auto left = static_cast<std::int32_t>(random_() % 80), top = static_cast<std::int32_t>(random_() % 50);
    return {left, top, left + 1 + static_cast<std::int32_t>(random_() % 16),
            top + 1 + static_cast<std::int32_t>(random_() % 14)};
  }
  core::Point some_place(const core::Rect& box) {
    return {static_cast<std::int32_t>(random_() % static_cast<std::uint32_t>(kScreen.width - box.width())),
            static_cast<std::int32_t>(random_() % static_cast<std::uint32_t>(kScreen.height - box.height()))};
  }
  std::uint32_t some_color() { return static_cast<std::uint32_t>(random_()) & 0xffffff; }

  std::mt19937 random_;
  std::function<void(core::DisplayCanvas&)> action_;
  core::Loop loop_;
  display::Screen screen_;
  image::ImageEncoder encoder_;
  display::VideoFeed feed_{
      loop_, {.mode = video::StreamingMode::All, .codecs = {wire::VideoCodec::Mjpeg}}, [](video::StreamId) {}};
  Viewer viewer_;
  std::optional<display::ClientWriter> writer_;
  std::optional<display::ClientSurfaces> surfaces_;
  spice::video::VideoStatistics statistics_;
  std::optional<ClientVideo> video_;
};

constexpr core::Rect kFilm{10, 8, 50, 40};
constexpr core::Rect kOther{40, 30, 90, 60};

TEST(ClientVideo, film_is_shown_by_its_codec_and_exact_when_it_ends) {
  World world(1);
  for (int n = 0; n < 25; ++n) {
    world.film(kFilm);
    world.drain();
  }
  EXPECT_GT(world.viewer().pictures(), 0);
  EXPECT_EQ(world.viewer().streams(), 1U);
  EXPECT_FALSE(world.client_is_exact());
  world.end_films();
  world.drain();
  EXPECT_EQ(world.viewer().streams(), 0U);
  EXPECT_TRUE(world.client_is_exact());
}

TEST(ClientVideo, copy_of_a_film_is_exact_at_once) {
  World world(1);
  for (int n = 0; n < 25; ++n) {
    world.film(kFilm);
    world.drain();
  }
  world.draw({.box = {60, 10, 80, 30}, .operation = core::DrawCopyBits{{20, 20}}});
  world.drain();
  EXPECT_TRUE(world.client_is_exact());
}

TEST(ClientVideo, any_drawings_among_films_leave_the_client_exact) {
  int pictures = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    World world(seed);
    for (int n = 0; n < 250; ++n) {
      if (n % 50 < 25) world.film(n % 3 == 0 ? kOther : kFilm);
      if (world.random() % 3 == 0) world.anything();
      if (world.random() % 2 == 0) world.send(static_cast<int>(world.random() % 6));
    }
    world.end_films();
    world.drain();
    ASSERT_EQ(world.viewer().model().complaint(), "") << seed;
    ASSERT_TRUE(world.client_is_exact()) << seed;
    pictures += world.viewer().pictures();
  }
  EXPECT_GT(pictures, 100);
}

TEST(ClientVideo, film_in_a_frame_buffer_is_a_stream_as_well) {
  World world(1, World::Mode::FrameBuffer);
  for (int n = 0; n < 25; ++n) {
    world.paint(kFilm);
    world.drain();
  }
  EXPECT_GT(world.viewer().pictures(), 0);
  EXPECT_EQ(world.viewer().streams(), 1U);
  EXPECT_FALSE(world.client_is_exact());
  world.end_films();
  world.drain();
  EXPECT_TRUE(world.client_is_exact());
}

TEST(ClientVideo, what_is_painted_into_a_film_is_exact_at_once) {
  World world(1, World::Mode::FrameBuffer);
  for (int n = 0; n < 25; ++n) {
    world.paint(kFilm);
    world.drain();
  }
  world.paint({12, 10, 14, 12});
  world.drain();
  EXPECT_TRUE(world.client_is_exact({12, 10, 14, 12}));
  EXPECT_EQ(world.viewer().streams(), 1U);
}

TEST(ClientVideo, anything_painted_among_films_leaves_the_client_exact) {
  int pictures = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    World world(seed, World::Mode::FrameBuffer);
    for (int n = 0; n < 250; ++n) {
      if (n % 50 < 25) world.paint(n % 3 == 0 ? kOther : kFilm);
      if (world.random() % 3 == 0) world.paint_anything();
      if (world.random() % 2 == 0) world.send(static_cast<int>(world.random() % 6));
    }
    world.end_films();
    world.drain();
    ASSERT_EQ(world.viewer().model().complaint(), "") << seed;
    ASSERT_TRUE(world.client_is_exact()) << seed;
    pictures += world.viewer().pictures();
  }
  EXPECT_GT(pictures, 100);
}

}  // namespace
