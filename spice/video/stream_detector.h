// Finds videos among the drawings of a display: pictures drawn at one place, quickly one after the other, for a while.
// Once that is so they are a stream, until they have stopped for a second. One for each display; what a client is sent
// is the affair of its ClientStreams.
//
// Pure: it is told the time with every drawing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/video/input_rate.h"
#include "spice/video/time.h"
#include "spice/video/video_frame.h"

namespace spice::video {

using StreamId = std::uint32_t;
constexpr StreamId kMostStreams = 50;  // of 64 that clients must know

class StreamDetector {
 public:
  // Whether a drawing's pixels change gradually, as photographs do, at least in part.
  using Graduality = std::function<bool(const core::Drawing&)>;

  static constexpr std::uint32_t kFramesToStart = 20;  // after the first picture
  static constexpr double kGradualShareToStart = 0.2;
  static constexpr std::uint32_t kFramesToForget = 100;  // without a gradual one: counting starts again
  static constexpr Time kMostGapBefore = std::chrono::milliseconds(200);
  static constexpr Time kTimeout = std::chrono::seconds(1);
  // Pictures that are remembered before another follows them. The reference server has 8, and what lies on the screen.
  static constexpr std::size_t kTraces = 64;

  StreamDetector(StreamingMode mode, Graduality graduality) : mode_(mode), graduality_(std::move(graduality)) {}

  void set_mode(StreamingMode mode) { mode_ = mode; }

  struct Verdict {
    std::optional<StreamId> stream;  // that the drawing is a picture of
    bool started = false;            // with this one
    bool sized = false;              // it is of another size, or at another place, than the stream's pictures
  };
  Verdict add(const core::Drawing& drawing, Time now);

  // Streams that have ended by now.
  std::vector<StreamId> time_out(Time now);
  std::optional<Time> next_timeout() const;  // when to call time_out; nothing while there is no stream
  void clear();                              // the surface is another one

  struct Stream {
    VideoFrame shape;
    Time last{};
    InputRate input;
  };
  // Null if there is none.
  const Stream* find(StreamId id) const {
    if (id >= streams_.size()) return nullptr;
    const auto& stream = streams_.at(id);
    return stream ? &*stream : nullptr;
  }
  std::vector<StreamId> running() const;

 private:
  // Pictures at one place that are no stream yet.
  struct Trace {
    VideoFrame shape;
    Time last{};
    std::uint32_t frames = 0;  // that followed the first
    std::uint32_t gradual = 0;
    std::uint32_t last_gradual = 0;  // the value of `frames` then
  };

  std::optional<Verdict> continue_stream(const VideoFrame& frame, Time now);
  Trace* find_trace(const VideoFrame& frame, Time now);
  void add_trace(const VideoFrame& frame, Time now);
  void count(Trace& trace, bool is_gradual) const;
  static bool may_start(const Trace& trace);
  std::optional<StreamId> start(const Trace& trace, Time now);
  bool is_gradual(const core::Drawing& drawing) const { return mode_ == StreamingMode::All || graduality_(drawing); }

  StreamingMode mode_;
  Graduality graduality_;
  std::vector<Trace> traces_;
  std::array<std::optional<Stream>, kMostStreams> streams_;
};

}  // namespace spice::video
