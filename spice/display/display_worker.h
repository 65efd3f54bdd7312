// One display: a thread that pulls the picture from a device and brings it to every client.
//
// While a client watches a frame buffer, the source is asked every 30 ms, less often when nothing changes; with no
// client only when the device wakes us or a screenshot is taken, so that an unwatched display costs nothing. In native
// mode the device says when there is something to pull.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/thread_start.h"
#include "core/ports/display.h"
#include "core/ports/view.h"
#include "spice/channel/linked_connection.h"
#include "spice/display/display_figures.h"
#include "spice/display/video_feed.h"
#include "spice/image/client_images.h"
#include "spice/image/image_sender.h"

namespace spice::display {

// A copy of the screen, rows without gaps, as core/ports/display.h has pixels.
struct Picture {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels;
};

// Whether a screenshot has the pointer in it, which a guest in native mode does not draw itself.
enum class Pointer : std::uint8_t { LeftOut, Drawn };

class DisplayWorker {
 public:
  struct Config {
    std::uint8_t id = 0;
    std::string name = "display";  // of the thread
    core::ThreadStart start = {};
    image::ImageOptions images{};                  // at first; a client's own preference goes before it
    std::shared_ptr<image::Clients> clients = {};  // shared by all displays; none: this is the only one
    std::shared_ptr<image::EncoderPool> pool{};    // shared by all displays; none: the worker encodes alone
    std::shared_ptr<AllDisplayFigures> figures{};  // likewise
    VideoOptions video = {};
    // Of drawings that were copied out of the guest and are not drawn, or not sent, yet.
    std::size_t drawing_bytes = std::size_t{64} << 20;
    std::chrono::nanoseconds init_timeout = std::chrono::seconds(30);  // for a client's first message
    // The screen has this size now. On the worker's thread.
    std::function<void(std::int32_t width, std::int32_t height)> on_size = {};
  };

  // The source must outlive the worker, and not wake it afterwards.
  DisplayWorker(const Config& config, core::DisplaySource& source);
  ~DisplayWorker();  // stops
  DisplayWorker(const DisplayWorker&) = delete;
  DisplayWorker& operator=(const DisplayWorker&) = delete;

  // Control loop. Clients may be accepted before start(); the source is not touched until then.
  void start();
  void stop();  // drops the clients; idempotent

  // The source is left alone until release(), while its state is saved or loaded; clients go on. With `stores` it takes
  // all that is queued before, and writes its surfaces to the guest's memory, which stands still. Any thread but the
  // worker's, without a device lock, not stopped.
  void hold(bool stores);
  void release();
  // After a refresh. Any thread but the worker's, without a device lock, not stopped.
  Picture screenshot(Pointer pointer = Pointer::LeftOut);
  // What one monitor of the guest's arrangement shows; nothing if there is no such one.
  std::optional<Picture> screenshot_of_head(std::size_t head, Pointer pointer);
  // Whether clients place the pointer themselves (client mouse mode); then they are not told where it is. Any thread.
  void set_client_mouse(bool client_mouse);
  // How pictures are sent from the next one on, as far as a client has not said otherwise for itself. Without video
  // streams that run end. Any thread.
  void set_pictures(const image::ImageOptions& images, video::StreamingMode video);
  // Somebody typed or moved the mouse: look soon. Any thread, never blocks.
  void expect_change();
  // What the surface shows has nothing to do with the source any more (state was loaded): draw all of it. Any thread.
  void redraw();

  // For one onlooker, who is gone before this is.
  core::DisplayView& view();

  // To be registered with the server for channels (Display, id) and (Cursor, id).
  channel::ChannelProvider& display_provider();
  channel::ChannelProvider& cursor_provider();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace spice::display
