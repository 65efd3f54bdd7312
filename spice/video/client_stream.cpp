#include "spice/video/client_stream.h"

namespace spice::video {

namespace {

wire::Clip wire_clip(const canvas::Region& region) {
  wire::Clip clip{.kind = wire::Clip::Kind::Rects, .rects = {}};
  for (const auto& rect : region.rects())
    clip.rects.push_back({.top = rect.top, .left = rect.left, .bottom = rect.bottom, .right = rect.right});
  return clip;
}

}  // namespace

canvas::Region ClientStream::frame(NewFrame frame, Conditions conditions) {
  source_fps_ = conditions.source_fps = frame.source_fps;
  if (pending_ && pending_->round != frame.round && encoder_) encoder_->picture_replaced(conditions);
  auto exposed = std::exchange(visible_, frame.visible);
  exposed.subtract(visible_);
  pending_ = std::move(frame);
  return exposed;
}

void ClientStream::covered(const canvas::Region& region) {
  visible_.subtract(region);
}

bool ClientStream::touches(const canvas::Region& region) const {
  auto common = region;
  common.intersect(visible_);
  return !common.empty();
}

canvas::Region ClientStream::detach() {
  pending_.reset();
  return visible_.take();
}

canvas::Region ClientStream::end() {
  encoder_.reset();
  known_ = false;
  return detach();
}

wire::DisplayStreamCreate ClientStream::create(StreamId id) {
  known_ = true;
  mentions_ = 0;
  clip_ = visible_;
  const auto width = static_cast<std::uint32_t>(shape_.source_width);
  const auto height = static_cast<std::uint32_t>(shape_.source_height);
  const auto& dest = shape_.dest;
  return {.id = id,
          .flags = wire::DisplayStreamCreate::kTopDown,
          .codec = codec_,
          .stream_width = width,
          .stream_height = height,
          .source_width = width,
          .source_height = height,
          .dest = {.top = dest.top, .left = dest.left, .bottom = dest.bottom, .right = dest.right},
          .clip = wire_clip(clip_)};
}

wire::DisplayStreamClip ClientStream::clip(StreamId id) {
  clip_ = visible_;
  mentioned();
  return {.id = id, .clip = wire_clip(clip_)};
}

std::optional<std::pair<NewFrame, wire::Payload>> ClientStream::take_frame(Conditions conditions) {
  auto frame = std::exchange(pending_, std::nullopt);
  if (!frame) return std::nullopt;
  conditions.source_fps = source_fps_;
  const auto picture = picture_of(*frame->drawing);
  if (!picture) return std::nullopt;
  auto data = encoder_->encode(*picture, frame->time, conditions);
  if (!data) return std::nullopt;
  mentioned();
  return std::pair(*std::move(frame), std::move(*data));
}

}  // namespace spice::video
