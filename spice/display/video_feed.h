// The videos among the drawings of one display, as all its clients hear of them. Display worker only, except the
// constructor.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/event/loop_timer.h"
#include "spice/display/placed_drawing.h"
#include "spice/display/screen.h"
#include "spice/video/client_stream.h"
#include "spice/video/codecs.h"
#include "spice/video/stream_detector.h"

namespace spice::display {

struct VideoOptions {
  video::StreamingMode mode = video::StreamingMode::Off;  // at first
  video::CodecList codecs = {wire::VideoCodec::Mjpeg};
};

class VideoFeed {
 public:
  // A drawing that is a picture of a stream.
  struct Picture {
    video::StreamId stream = 0;
    bool starts = false;      // the stream, with this picture
    video::VideoFrame shape;  // of the stream
    video::NewFrame frame;
  };

  // `ended` hears of streams that have had no picture for a second. Loads what the codecs need: before threads are
  // confined.
  VideoFeed(core::Loop& loop, const VideoOptions& options, std::function<void(video::StreamId)> ended);

  const VideoOptions& options() const { return options_; }
  // What is found from now on. Streams that run go on, or end if there are to be none.
  void set_mode(video::StreamingMode mode);
  video::EncoderSource& encoders() { return encoders_; }

  // Nothing if it is no picture of a stream. `bounds` of the primary surface: streams lie on it as a whole.
  std::optional<Picture> add(const PlacedDrawingPtr& drawing, const core::Rect& bounds);
  // Takes out of what was painted into the frame buffer what is pictures of streams; `show` is called with each and a
  // drawing of it.
  using Show = std::function<void(const PlacedDrawingPtr& drawing, const Picture& picture)>;
  void take_pictures(Screen& screen, canvas::Region& painted, const Show& show);
  // Drawings from here on are not in one go with those before.
  void next_round() { ++round_; }
  void primary_changed() { detector_.clear(); }
  // Streams that run, for a client that comes.
  std::vector<std::pair<video::StreamId, video::VideoFrame>> running() const;

 private:
  std::vector<core::Rect> places(const canvas::Region& painted, const core::Rect& bounds) const;
  void time_out();

  VideoOptions options_;
  video::Encoders encoders_;
  video::StreamDetector detector_;
  std::function<void(video::StreamId)> ended_;
  core::LoopTimer timer_;
  std::uint64_t round_ = 0;
};

}  // namespace spice::display
