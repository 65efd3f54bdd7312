#include "spice/display/video_feed.h"

#include <chrono>
#include <cstdlib>

#include "spice/display/drawing_list.h"
#include "spice/display/painted_pictures.h"
#include "spice/image/graduality.h"
#include "spice/image/image_source.h"

namespace spice::display {
namespace {

video::Time now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

video::MediaTime media_time(video::Time time) {
  return static_cast<video::MediaTime>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

// When a picture is to be shown. Guests copy our clock out of the device's ROM, or say nothing; what is far from our
// clock is no time.
video::MediaTime time_of(const core::Drawing& drawing, video::Time time) {
  constexpr std::int64_t kMostOffMs = 1000;
  const auto ours = media_time(time);
  if (drawing.time_ms == 0 || std::abs(std::int64_t{video::media_time_between(ours, drawing.time_ms)}) > kMostOffMs)
    return ours;
  return drawing.time_ms;
}

// Whether a picture may be of a film. Rows with padding are not looked at, as the reference server does not.
bool is_gradual(const core::Drawing& drawing) {
  const auto* copy = std::get_if<core::DrawCopy>(&drawing.operation);
  const auto source = copy == nullptr ? std::nullopt : image::ImageSource::of_bitmap(copy->source.image);
  if (!source || !image::is_color(source->pixels().format)) return false;
  return source->pixels().is_padded || image::graduality(source->pixels()) != image::Graduality::Low;
}

}  // namespace

VideoFeed::VideoFeed(core::Loop& loop, const VideoOptions& options, std::function<void(video::StreamId)> ended)
    : options_(options),
      encoders_(options.codecs),
      detector_(options.mode, is_gradual),
      ended_(std::move(ended)),
      timer_(loop, [this] { time_out(); }) {}

void VideoFeed::set_mode(video::StreamingMode mode) {
  options_.mode = mode;
  detector_.set_mode(mode);
  if (mode != video::StreamingMode::Off) return;
  const auto running = detector_.running();
  detector_.clear();
  for (const auto id : running)
    ended_(id);
}

std::optional<VideoFeed::Picture> VideoFeed::add(const PlacedDrawingPtr& drawing, const core::Rect& bounds) {
  if (options_.mode == video::StreamingMode::Off || !drawing->covers || !holds(bounds, drawing->drawing->box))
    return std::nullopt;
  const auto time = now();
  const auto verdict = detector_.add(*drawing->drawing, time);
  if (!verdict.stream) return std::nullopt;
  if (!timer_.armed()) timer_.arm(video::StreamDetector::kTimeout);
  const auto& stream = *detector_.find(*verdict.stream);
  return Picture{.stream = *verdict.stream,
                 .starts = verdict.started,
                 .shape = stream.shape,
                 // Shares the placed drawing, so that its memory counts as long as a client waits for it.
                 .frame = {.drawing = core::DrawingPtr(drawing, drawing->drawing.get()),
                           .visible = drawing->changed,
                           .time = time_of(*drawing->drawing, time),
                           .sized = verdict.sized,
                           .source_fps = stream.input.fps(),
                           .round = round_}};
}

void VideoFeed::take_pictures(Screen& screen, canvas::Region& painted, const Show& show) {
  if (options_.mode == video::StreamingMode::Off || screen.is_native()) return;
  for (const auto& place : places(painted, screen.bounds())) {
    const auto drawing = screen.painted_picture(place);
    const auto picture = drawing == nullptr ? std::nullopt : add(drawing, screen.bounds());
    if (!picture) continue;
    painted.subtract(place);
    show(drawing, *picture);
  }
}

std::vector<core::Rect> VideoFeed::places(const canvas::Region& painted, const core::Rect& bounds) const {
  std::vector<core::Rect> videos;
  for (const auto id : detector_.running())
    videos.push_back(detector_.find(id)->shape.dest);
  auto all = picture_places(painted, videos, bounds);
  std::erase_if(all, [this](const core::Rect& place) { return !video::is_large_enough(place, options_.mode); });
  return all;
}

std::vector<std::pair<video::StreamId, video::VideoFrame>> VideoFeed::running() const {
  std::vector<std::pair<video::StreamId, video::VideoFrame>> streams;
  for (const auto id : detector_.running())
    streams.emplace_back(id, detector_.find(id)->shape);
  return streams;
}

void VideoFeed::time_out() {
  for (const auto id : detector_.time_out(now()))
    ended_(id);
  const auto next = detector_.next_timeout();
  if (next) timer_.arm(std::max(*next - now(), video::Time{}));
}

}  // namespace spice::display
