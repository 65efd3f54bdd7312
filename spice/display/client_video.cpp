#include "spice/display/client_video.h"

#include <chrono>
#include <utility>

#include "spice/wire/coding.h"

namespace spice::display {
namespace {

video::Conditions conditions(const ClientVideo::Line& line) {
  return {.now = std::chrono::steady_clock::now().time_since_epoch(), .source_fps = 1, .latency_ms = line.latency_ms};
}

}  // namespace

ClientVideo::ClientVideo(VideoFeed& feed, ClientSurfaces& surfaces, const wire::Capabilities& client,
                         video::VideoStatistics& statistics, Send send)
    : surfaces_(surfaces),
      streams_(feed.encoders(), feed.options().codecs, client, statistics),
      send_(std::move(send)) {
  for (const auto& [id, shape] : feed.running())
    streams_.start(id, shape);
}

void ClientVideo::prefer(const wire::DisplayPreferredVideoCodec& message) {
  streams_.prefer(message.codecs);
  heal();
}

void ClientVideo::drawn(const PlacedDrawingPtr& drawing, const VideoFeed::Picture* picture, const Line& line) {
  if (picture != nullptr) {
    streams_.set_line(line.rate);
    if (picture->starts) streams_.start(picture->stream, picture->shape);
    if (surfaces_.shows_primary() && streams_.frame(picture->stream, picture->frame, conditions(line))) {
      heal();
      return surfaces_.streamed(*drawing);
    }
  }
  const bool is_on_primary = drawing->surface == surfaces_.primary();
  for (const auto& read : drawing->reads) {
    if (read.surface == surfaces_.primary()) streams_.detach(canvas::Region(read.area));
  }
  if (is_on_primary && drawing->covers)
    streams_.covered(drawing->changed);
  else if (is_on_primary)
    streams_.detach(drawing->changed);
  heal();
  surfaces_.drawn(drawing);
}

void ClientVideo::painted(const canvas::Region& region) {
  streams_.covered(region);
  heal();
}

void ClientVideo::ended(video::StreamId id) {
  streams_.stop(id);
  heal();
}

bool ClientVideo::report(const wire::DisplayStreamReport& report, const Line& line) {
  const bool is_sound = streams_.report(report, conditions(line));
  heal();
  return is_sound;
}

bool ClientVideo::send_control() {
  return sent(streams_.next_control());
}

bool ClientVideo::send_picture(const Line& line) {
  return sent(streams_.next_frame(conditions(line)));
}

bool ClientVideo::sent(const std::optional<video::StreamMessage>& message) {
  if (!message) return false;
  std::visit([this](const auto& body) { send_(std::remove_cvref_t<decltype(body)>::kType, wire::encode(body)); },
             *message);
  return true;
}

void ClientVideo::heal() {
  const auto region = streams_.take_healing();
  if (!region.empty()) surfaces_.painted(surfaces_.primary(), region);
}

}  // namespace spice::display
