#include "spice/video/client_streams.h"

#include <algorithm>
#include <chrono>

namespace spice::video {

namespace {

constexpr std::uint64_t kMebibit = std::uint64_t{1} << 20;
constexpr std::uint64_t kDefaultBitRate = 10 * kMebibit;
constexpr std::uint64_t kDefaultLowBitRate = kMebibit * 5 / 2;
constexpr double kShareOfLine = 0.8;  // the rest is for everything else

}  // namespace

std::uint64_t first_bit_rate(const LineRate& line, std::uint64_t earlier, std::int64_t area, std::int64_t all_areas) {
  auto rate = std::max(earlier, line.measured);
  if (rate == 0) rate = line.is_low ? kDefaultLowBitRate : kDefaultBitRate;
  const auto share = all_areas > area ? static_cast<double>(area) / static_cast<double>(all_areas) : 1.0;
  return static_cast<std::uint64_t>(static_cast<double>(rate) * kShareOfLine * share);
}

void ClientStreams::start(StreamId id, const VideoFrame& shape) {
  stop(id);
  streams_.emplace(id, ClientStream(shape));
}

void ClientStreams::end(StreamId id, ClientStream& stream) {
  if (stream.has_encoder()) best_bit_rate_ = std::max(best_bit_rate_, stream.encoder().bit_rate());
  if (stream.known()) ended_.push_back(id);
  if (report_wish_ && report_wish_->id == id) report_wish_.reset();
  healing_.add(stream.end());
}

void ClientStreams::stop(StreamId id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  end(id, found->second);
  streams_.erase(found);
}

bool ClientStreams::frame(StreamId id, NewFrame frame, const Conditions& conditions) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return false;
  auto& stream = found->second;
  if (!can_be_sent(frame) || (!stream.has_encoder() && (frame.sized || !choose_encoder(stream)))) {
    // It is drawn, and older pictures of the video must not come back over it.
    healing_.add(stream.detach());
    return false;
  }
  cover(frame.visible, &stream);
  if (stream.has_frame()) statistics_.frame_replaced();
  healing_.add(stream.frame(std::move(frame), conditions));
  return true;
}

bool ClientStreams::can_be_sent(const NewFrame& frame) const {
  if (frame.sized && (!client_.has(wire::kSizedStreamCap) || !video_frame(*frame.drawing, StreamingMode::All)))
    return false;
  return picture_of(*frame.drawing) && frame.visible.rect_count() <= kMostClipRects;
}

CodecList ClientStreams::codecs() const {
  auto usable = usable_codecs(allowed_, client_, preferred_);
  std::erase_if(usable, [this](auto codec) { return std::ranges::find(refused_, codec) != refused_.end(); });
  return usable;
}

void ClientStreams::prefer(std::span<const std::uint8_t> codecs) {
  preferred_.assign(codecs.begin(), codecs.end());
  const auto usable = this->codecs();
  for (auto& [id, stream] : streams_) {
    if (stream.has_encoder() && !usable.empty() && stream.codec() != usable.front()) end(id, stream);
  }
}

bool ClientStreams::choose_encoder(ClientStream& stream) {
  const auto& shape = stream.shape();
  std::int64_t all_areas = 0;
  for (const auto& [id, other] : streams_)
    all_areas += other.shape().area();
  const auto bit_rate = first_bit_rate(line_, best_bit_rate_, shape.area(), all_areas);
  for (const auto codec : codecs()) {
    auto encoder = encoders_.make(codec, static_cast<std::uint32_t>(shape.source_width),
                                  static_cast<std::uint32_t>(shape.source_height), bit_rate);
    if (!encoder) continue;
    stream.set_encoder(codec, std::move(encoder));
    return true;
  }
  return false;
}

void ClientStreams::cover(const canvas::Region& region, const ClientStream* except) {
  for (auto& [id, stream] : streams_) {
    if (&stream == except || !stream.touches(region)) continue;
    stream.covered(region);
    if (stream.is_ragged(kMostClipRects)) healing_.add(stream.detach());
  }
  healing_.subtract(region);
}

void ClientStreams::detach(const canvas::Region& region) {
  for (auto& [id, stream] : streams_) {
    if (stream.touches(region)) healing_.add(stream.detach());
  }
}

void ClientStreams::stop_all() {
  for (auto& [id, stream] : streams_)
    end(id, stream);
  streams_.clear();
  healing_.clear();
}

void ClientStreams::drop_frames() {
  for (auto& [id, stream] : streams_)
    stream.drop_frame();
}

bool ClientStreams::report(const wire::DisplayStreamReport& report, Conditions conditions) {
  if (report.id >= kMostStreams) return false;
  const bool refuses = report.frames == 0 && report.drops == wire::DisplayStreamReport::kUnsupported;
  if (refuses && report.unique_id == 0 && is_echo(report.id)) return true;
  const auto found = streams_.find(report.id);
  if (found == streams_.end()) return true;
  auto& stream = found->second;
  if (refuses) {
    if (report.unique_id == 0 || report.unique_id == stream.report_id()) refuse(report.id, stream);
    return true;
  }
  if (!stream.has_encoder() || stream.report_id() != report.unique_id) return true;
  conditions.source_fps = stream.source_fps();
  stream.encoder().report({.start = report.start_time,
                           .end = report.end_time,
                           .frames = report.frames,
                           .drops = report.drops,
                           .delay_ms = report.last_frame_delay,
                           .audio_delay_ms = report.audio_delay},
                          conditions);
  return true;
}

// spice-gtk does not say of which stream with this number. It answers so to CREATE, or a picture that they cannot
// decode, and then to every message about the stream that they have not got.
void ClientStreams::refuse(StreamId id, ClientStream& stream) {
  if (!stream.known()) return;
  refused_.push_back(stream.codec());
  echoes_[id] = stream.mentions();
  end(id, stream);
}

bool ClientStreams::is_echo(StreamId id) {
  const auto expected = echoes_.find(id);
  if (expected == echoes_.end() || expected->second == 0) return false;
  --expected->second;
  return true;
}

std::optional<StreamMessage> ClientStreams::next_control() {
  if (auto wish = std::exchange(report_wish_, std::nullopt)) {
    if (const auto found = streams_.find(wish->id); found != streams_.end()) found->second.mentioned();
    return *std::move(wish);
  }
  if (!ended_.empty()) {
    const auto id = ended_.back();
    ended_.pop_back();
    return wire::DisplayStreamDestroy{.id = id};
  }
  for (auto& [id, stream] : streams_) {
    if (stream.wants_clip()) return stream.clip(id);
    if (stream.wants_create()) return begin(id, stream);
  }
  return std::nullopt;
}

StreamMessage ClientStreams::begin(StreamId id, ClientStream& stream) {
  statistics_.stream_begun();
  stream.set_report_id(++last_report_id_);
  if (client_.has(wire::kStreamReportCap))
    report_wish_ = {.id = id, .unique_id = last_report_id_, .window = kReportWindow, .timeout = kReportTimeoutMs};
  return stream.create(id);
}

std::optional<std::pair<NewFrame, wire::Payload>> ClientStreams::encoded_frame(ClientStream& stream,
                                                                               const Conditions& conditions) {
  const auto begin = std::chrono::steady_clock::now();
  auto encoded = stream.take_frame(conditions);
  statistics_.encoder_worked(std::chrono::steady_clock::now() - begin);
  if (encoded)
    statistics_.frame_sent(encoded->second.size());
  else
    statistics_.frame_left_out();
  return encoded;
}

// In turns: no stream waits for another that is always ready.
std::optional<StreamMessage> ClientStreams::next_frame(const Conditions& conditions) {
  for (std::size_t tried = 0; tried < streams_.size(); ++tried) {
    auto place = streams_.lower_bound(next_);
    if (place == streams_.end()) place = streams_.begin();
    auto& [id, stream] = *place;
    next_ = id + 1;
    if (!stream.has_frame()) continue;
    auto sent = encoded_frame(stream, conditions);
    if (!sent) continue;
    auto& [frame, data] = *sent;
    if (!frame.sized) return wire::DisplayStreamData{.id = id, .multi_media_time = frame.time, .data = std::move(data)};
    const auto picture = video_frame(*frame.drawing, StreamingMode::All);
    if (!picture) continue;
    const auto& dest = picture->dest;
    return wire::DisplayStreamDataSized{
        .id = id,
        .multi_media_time = frame.time,
        .width = static_cast<std::uint32_t>(picture->source_width),
        .height = static_cast<std::uint32_t>(picture->source_height),
        .dest = {.top = dest.top, .left = dest.left, .bottom = dest.bottom, .right = dest.right},
        .data = std::move(data)};
  }
  return std::nullopt;
}

std::uint32_t ClientStreams::required_delay_ms() const {
  std::uint32_t delay = 0;
  for (const auto& [id, stream] : streams_) {
    if (stream.has_encoder()) delay = std::max(delay, stream.encoder().required_delay_ms());
  }
  return delay;
}

}  // namespace spice::video
