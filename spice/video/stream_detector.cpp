#include "spice/video/stream_detector.h"

#include <algorithm>

namespace spice::video {

namespace {

// A player that zooms or moves its picture a little goes on with its stream.
constexpr std::int64_t kMostGrowth = 2;

bool goes_on(const VideoFrame& shape, const VideoFrame& frame) {
  return frame.top_down == shape.top_down && holds(frame.dest, shape.dest) &&
         frame.area() <= kMostGrowth * shape.area();
}

}  // namespace

StreamDetector::Verdict StreamDetector::add(const core::Drawing& drawing, Time now) {
  const auto frame = video_frame(drawing, mode_);
  if (!frame) return {};
  if (const auto verdict = continue_stream(*frame, now)) return *verdict;
  auto* const trace = find_trace(*frame, now);
  if (trace == nullptr) {
    add_trace(*frame, now);
    return {};
  }
  count(*trace, is_gradual(drawing));
  std::optional<StreamId> id;
  if (may_start(*trace)) id = start(*trace, now);
  trace->last = now;
  if (!id) return {};
  traces_.erase(traces_.begin() + (trace - traces_.data()));
  return {.stream = id, .started = true};
}

std::optional<StreamDetector::Verdict> StreamDetector::continue_stream(const VideoFrame& frame, Time now) {
  for (StreamId id = 0; id < kMostStreams; ++id) {
    auto& stream = streams_.at(id);
    if (!stream || now - stream->last >= kTimeout || !goes_on(stream->shape, frame)) continue;
    stream->last = now;
    stream->input.picture(now);
    return Verdict{.stream = id, .started = false, .sized = frame != stream->shape};
  }
  return std::nullopt;
}

StreamDetector::Trace* StreamDetector::find_trace(const VideoFrame& frame, Time now) {
  const auto found = std::ranges::find_if(
      traces_, [&](const Trace& trace) { return trace.shape == frame && now - trace.last < kMostGapBefore; });
  return found == traces_.end() ? nullptr : &*found;
}

// Pictures that nothing has followed make room for newer ones; those that go on stay, as long as they do.
void StreamDetector::add_trace(const VideoFrame& frame, Time now) {
  std::erase_if(traces_, [now](const Trace& trace) { return now - trace.last >= kMostGapBefore; });
  const auto is_single = [](const Trace& trace) { return trace.frames == 0; };
  if (static_cast<std::size_t>(std::ranges::count_if(traces_, is_single)) >= kTraces)
    traces_.erase(std::ranges::find_if(traces_, is_single));
  else if (traces_.size() >= kTraces + kMostStreams)
    traces_.erase(traces_.begin());
  traces_.push_back({.shape = frame, .last = now});
}

void StreamDetector::count(Trace& trace, bool is_gradual) const {
  ++trace.frames;
  if (!is_gradual) return;
  if (trace.frames - trace.last_gradual > kFramesToForget) {
    trace.frames = trace.gradual = 1;
  } else {
    ++trace.gradual;
  }
  trace.last_gradual = trace.frames;
}

bool StreamDetector::may_start(const Trace& trace) {
  return trace.frames >= kFramesToStart && trace.gradual >= kGradualShareToStart * trace.frames;
}

std::optional<StreamId> StreamDetector::start(const Trace& trace, Time now) {
  const auto free = std::ranges::find_if(streams_, [](const auto& stream) { return !stream; });
  if (free == streams_.end()) return std::nullopt;
  free->emplace(Stream{trace.shape, now, InputRate(now, now - trace.last)});
  return static_cast<StreamId>(free - streams_.begin());
}

std::vector<StreamId> StreamDetector::time_out(Time now) {
  std::vector<StreamId> ended;
  for (StreamId id = 0; id < kMostStreams; ++id) {
    auto& stream = streams_.at(id);
    if (!stream || now - stream->last < kTimeout) continue;
    stream.reset();
    ended.push_back(id);
  }
  return ended;
}

std::optional<Time> StreamDetector::next_timeout() const {
  std::optional<Time> next;
  for (const auto& stream : streams_) {
    if (stream && (!next || stream->last + kTimeout < *next)) next = stream->last + kTimeout;
  }
  return next;
}

std::vector<StreamId> StreamDetector::running() const {
  std::vector<StreamId> ids;
  for (StreamId id = 0; id < kMostStreams; ++id) {
    if (streams_.at(id)) ids.push_back(id);
  }
  return ids;
}

void StreamDetector::clear() {
  traces_.clear();
  streams_.fill(std::nullopt);
}

}  // namespace spice::video
