// The streams of one client beside its drawings: takes pictures of streams out of the way of its ClientSurfaces, and
// gives back to them what no stream shows any more. Display worker only.
//
// Where a stream is shown the client's pixels are not those of the surface, though they do not count as lacking. So a
// drawing that needs what is there ends the stream's view of it first: the pixels are lacking then, and are sent before
// that drawing.
#pragma once

#include <cstdint>
#include <functional>

#include "spice/display/client_surfaces.h"
#include "spice/display/video_feed.h"
#include "spice/video/client_streams.h"
#include "spice/wire/gather.h"

namespace spice::display {

class ClientVideo {
 public:
  using Send = std::function<void(std::uint16_t type, wire::Gather body)>;
  struct Line {
    video::LineRate rate;
    std::uint32_t latency_ms = 0;  // one way
  };

  ClientVideo(VideoFeed& feed, ClientSurfaces& surfaces, const wire::Capabilities& client,
              video::VideoStatistics& statistics, Send send);

  // What happened to the screen, as the surfaces have to hear of it. `picture`: null if the drawing is none.
  void drawn(const PlacedDrawingPtr& drawing, const VideoFeed::Picture* picture, const Line& line);
  // Pixels of the primary surface that are no picture of a stream, and are sent as they are.
  void painted(const canvas::Region& region);
  void primary_changed() { streams_.stop_all(); }
  void ended(video::StreamId id);
  void drawings_too_many() { streams_.drop_frames(); }

  void prefer(const wire::DisplayPreferredVideoCodec& message);
  // False: the client lies.
  bool report(const wire::DisplayStreamReport& report, const Line& line);

  // Sends one message, if there is any: what must come before drawings, a picture.
  bool send_control();
  bool send_picture(const Line& line);

  std::uint32_t required_delay_ms() const { return streams_.required_delay_ms(); }

 private:
  bool sent(const std::optional<video::StreamMessage>& message);
  void heal();

  ClientSurfaces& surfaces_;
  video::ClientStreams streams_;
  Send send_;
};

}  // namespace spice::display
