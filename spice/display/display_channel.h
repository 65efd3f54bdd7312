// The display channel of one client: tells it what its ClientPicture says it lacks, as fast as it takes it. Display
// worker only.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/event/loop_timer.h"
#include "spice/channel/channel.h"
#include "spice/display/client_picture.h"
#include "spice/display/image_encoder.h"
#include "spice/display/screen.h"
#include "spice/wire/display.h"

namespace spice::display {

class DisplayChannel final : public channel::Channel {
 public:
  // Shared by the clients of one display.
  struct Wiring {
    core::Loop& loop;
    const Screen& screen;
    ImageEncoder& encoder;
  };
  struct Options {
    wire::ImageCompression compression = wire::ImageCompression::AutoGlz;
    std::chrono::nanoseconds init_timeout{};
  };
  static constexpr std::uint32_t kAckWindow = 20;

  DisplayChannel(const Wiring& wiring, const Options& options, channel::LinkedConnection linked);

  // The screen was refreshed.
  void changed(const Screen::Changes& changes);

 private:
  std::span<const Handler> handlers() const override;
  void on_start() override { init_timer_.arm(options_.init_timeout); }
  void on_writable() override { pump(); }

  bool init(const wire::DisplayInit& message);
  bool prefer_compression(const wire::DisplayPreferredCompression& message);
  void prefer_video_codec(const wire::DisplayPreferredVideoCodec&) {}  // there are no streams yet
  bool gl_draw_done(const wire::DisplayGlDrawDone&) { return false; }  // we hand out no GL buffers

  void pump();
  void send_step(const ClientPicture::Step& step);
  void send_pixels(const core::Rect& area);
  bool compresses() const { return options_.compression != wire::ImageCompression::Off; }

  Wiring wiring_;
  Options options_;
  std::optional<ClientPicture> picture_;  // from INIT on
  std::uint32_t next_image_ = 1;
  core::LoopTimer init_timer_;
};

}  // namespace spice::display
