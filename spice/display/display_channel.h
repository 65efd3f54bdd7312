// The display channel of one client: tells it what its ClientSurfaces say it lacks, as fast as it takes it. Display
// worker only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/event/loop_timer.h"
#include "spice/channel/channel.h"
#include "spice/display/client_video.h"
#include "spice/display/client_writer.h"
#include "spice/display/display_figures.h"
#include "spice/display/patience.h"
#include "spice/image/client_images.h"
#include "spice/wire/display.h"

namespace spice::display {

class DisplayChannel final : public channel::Channel {
 public:
  // Shared by the clients of one display.
  struct Wiring {
    core::Loop& loop;
    Screen& screen;
    image::ImageEncoder& encoder;
    image::Clients& clients;
    VideoFeed& video;
    AllDisplayFigures& figures;
    std::function<void()> clients_changed;  // one is ready, or goes
    std::function<void()> caught_up;        // one that was waited for
  };
  struct Options {
    image::ImageOptions images{};
    std::chrono::nanoseconds init_timeout{};
  };
  static constexpr std::uint32_t kAckWindow = 20;
  // When nothing has been sent for so long, what a client has got with loss is sent again without.
  static constexpr std::chrono::milliseconds kQuiet{500};

  DisplayChannel(const Wiring& wiring, const Options& options, channel::LinkedConnection linked);

  // What happened to the screen; nothing is sent before pump().
  void primary_made(SurfaceKey key);
  void surface_gone(SurfaceKey key);
  void painted(SurfaceKey key, const canvas::Region& region);
  void drawn(const PlacedDrawingPtr& drawing, const VideoFeed::Picture* picture);
  void stream_ended(video::StreamId id);
  void monitors_changed();
  void drawings_too_many();
  // From the next image on. What the client has asked for, or a Unix socket makes sensible, goes before it.
  void set_images(const image::ImageOptions& options);
  // Sends what the client lacks while it takes it.
  void pump();

  bool is_ready() const { return surfaces_.has_value(); }  // INIT has come
  // Whether the next drawings shall wait for the client to take what is queued for it; see Patience.
  bool is_waited_for(Patience::Time now) { return surfaces_ && patience_.waits(surfaces_->queued(), now); }

 private:
  std::span<const Handler> handlers() const override;
  void on_start() override { init_timer_.arm(options_.init_timeout); }
  void on_writable() override;

  bool init(const wire::DisplayInit& message);
  bool prefer_compression(const wire::DisplayPreferredCompression& message);
  void prefer_video_codec(const wire::DisplayPreferredVideoCodec& message);
  bool stream_report(const wire::DisplayStreamReport& message);
  bool gl_draw_done(const wire::DisplayGlDrawDone&) { return false; }  // we hand out no GL buffers

  void on_closed() override;
  ClientVideo::Line line() const;
  bool send_next();  // one message, if there is any
  void look_ahead();
  bool send_picture();
  void heal();
  void count_queue();

  Wiring wiring_;
  Options options_;
  std::shared_ptr<image::ClientImages> client_;
  std::optional<ClientSurfaces> surfaces_;  // from INIT on
  std::optional<ClientVideo> video_;        // likewise
  std::optional<wire::ImageCompression> preferred_compression_;
  wire::DisplayPreferredVideoCodec preferred_codecs_;
  Patience patience_;
  bool is_pictures_turn_ = false;
  std::size_t looked_ahead_ = 0;  // so many steps
  std::uint32_t told_delay_ms_ = 0;
  ClientWriter writer_;
  std::shared_ptr<DisplayStatistics> statistics_;
  core::LoopTimer init_timer_;
  core::LoopTimer heal_timer_;
};

}  // namespace spice::display
