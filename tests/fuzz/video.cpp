// Any course of drawings, frames sent and client's reports on one display with one client, with real M-JPEG rate
// control. A model of the client holds what it is told against the protocol: streams are created before they are used
// and destroyed once, and what no stream shows any more has been healed or covered.
#include <cstdlib>
#include <set>
#include <vector>

#include "spice/video/client_streams.h"
#include "spice/video/rate_control.h"
#include "spice/video/stream_detector.h"
#include "tests/fuzz/input.h"
#include "tests/unit/spice/video/drawings.h"

namespace {

using namespace spice;
using canvas::Region;

// M-JPEG's rate control without the JPEGs: frames have the sizes that the input says.
class SizedEncoder final : public video::VideoEncoder {
 public:
  SizedEncoder(std::uint64_t bit_rate, tests::FuzzInput& input) : control_(bit_rate), input_(input) {}
  std::optional<wire::Payload> encode(const video::Picture&, video::MediaTime time,
                                      const video::Conditions& conditions) override {
    if (!control_.begin_frame(time, conditions)) return std::nullopt;
    control_.end_frame(std::size_t{input_.u16()} * 16);
    return wire::Payload(std::vector<std::uint8_t>{0});
  }
  void report(const video::ClientReport& report, const video::Conditions& conditions) override {
    control_.report(report, conditions);
  }
  void picture_replaced(const video::Conditions& conditions) override { control_.picture_replaced(conditions); }
  std::uint64_t bit_rate() const override { return control_.bit_rate(); }
  std::uint32_t required_delay_ms() const override { return control_.required_delay_ms(); }

 private:
  video::RateControl control_;
  tests::FuzzInput& input_;
};

class Encoders final : public video::EncoderSource {
 public:
  explicit Encoders(tests::FuzzInput& input) : input_(input) {}
  bool has(wire::VideoCodec) const override { return true; }
  std::unique_ptr<video::VideoEncoder> make(wire::VideoCodec, std::uint32_t, std::uint32_t,
                                            std::uint64_t bit_rate) override {
    return std::make_unique<SizedEncoder>(bit_rate, input_);
  }

 private:
  tests::FuzzInput& input_;
};

void require(bool is_so) {
  if (!is_so) std::abort();
}

// What the client makes of it: which pixels may be other than the server's.
class Client {
 public:
  void take(const video::StreamMessage& message) {
    std::visit([this](const auto& body) { take(body); }, message);
  }
  std::uint32_t report_id(std::uint32_t stream) const { return report_ids_[stream % report_ids_.size()]; }
  void draw(const Region& region) { inexact_.subtract(region); }
  // Drawn by the guest and not by us: the client does not have it.
  void lacks(const Region& region) { inexact_.add(region); }
  bool is_exact() const { return inexact_.empty(); }
  bool has_streams() const { return !known_.empty(); }

 private:
  void take(const wire::DisplayStreamCreate& message) {
    require(message.id < video::kMostStreams && known_.insert(message.id).second);
  }
  void take(const wire::DisplayStreamDestroy& message) { require(known_.erase(message.id) == 1); }
  void take(const wire::DisplayStreamClip& message) {
    require(known_.contains(message.id) && message.clip.rects.size() <= video::ClientStreams::kMostClipRects);
  }
  void take(const wire::DisplayStreamActivateReport& message) {
    require(known_.contains(message.id));
    report_ids_[message.id] = message.unique_id;
  }
  void take(const wire::DisplayStreamData& message) { require(known_.contains(message.id)); }
  void take(const wire::DisplayStreamDataSized& message) { require(known_.contains(message.id)); }

  std::set<std::uint32_t> known_;
  std::array<std::uint32_t, video::kMostStreams> report_ids_{};
  Region inexact_;
};

class World {
 public:
  explicit World(tests::FuzzInput& input)
      : input_(input),
        encoders_(input),
        streams_(encoders_, {wire::VideoCodec::Mjpeg, wire::VideoCodec::Vp8},
                 (input.u8() & 1) == 0 ? wire::Capabilities{}
                                       : wire::Capabilities{wire::kSizedStreamCap, wire::kStreamReportCap,
                                                            wire::kMultiCodecCap, wire::kMjpegCap, wire::kVp8Cap},
                 statistics_) {}

  void step() {
    switch (input_.u8() % 8) {
      case 0: return other_drawing();
      case 1: return report();
      case 2: return send();
      case 3: now_ += std::chrono::milliseconds(input_.u16()); return time_out();
      default: return pictures();
    }
  }
  // When all streams have ended and everything is sent, the client has the server's picture.
  void finish() {
    now_ += std::chrono::seconds(10);
    time_out();
    send();
    require(client_.is_exact() && !client_.has_streams());
  }

 private:
  core::Rect place() {
    const auto choice = input_.u8();
    return tests::box(choice % 4 * 6, choice / 4 % 4 * 6, 8 + choice / 16 % 4, 8 + choice / 64);
  }
  video::Conditions conditions() const { return {.now = now_, .source_fps = 25, .latency_ms = 10}; }

  void pictures() {
    const auto where = place();
    const auto drawing = std::make_shared<core::Drawing>(tests::picture(where));
    for (auto count = input_.u8() % 32; count > 0; --count) {
      now_ += std::chrono::milliseconds(input_.u8() % 64);
      ++round_;
      time_out();
      picture(drawing, Region(where));
    }
  }
  void picture(const core::DrawingPtr& drawing, const Region& region) {
    const auto verdict = detector_.add(*drawing, now_);
    if (verdict.started) streams_.start(*verdict.stream, detector_.find(*verdict.stream)->shape);
    video::NewFrame frame{.drawing = drawing,
                          .visible = region,
                          .time = static_cast<video::MediaTime>(now_.count() / 1'000'000),
                          .sized = verdict.sized,
                          .source_fps = verdict.stream ? detector_.find(*verdict.stream)->input.fps() : 1,
                          .round = round_ / 2};
    if (verdict.stream && streams_.frame(*verdict.stream, std::move(frame), conditions())) {
      client_.lacks(region);
    } else {
      streams_.covered(region);
      client_.draw(region);
    }
    heal();
  }
  void other_drawing() {
    const Region region(place());
    if ((input_.u8() & 1) != 0) {
      streams_.covered(region);
      client_.draw(region);
    } else {
      streams_.detach(region);
    }
    heal();
  }
  void heal() { client_.draw(streams_.take_healing()); }
  void time_out() {
    for (const auto id : detector_.time_out(now_))
      streams_.stop(id);
    heal();
  }
  void send() {
    while (const auto message = streams_.next_control())
      client_.take(*message);
    heal();
    while (const auto message = streams_.next_frame(conditions()))
      client_.take(*message);
    require(streams_.required_delay_ms() <= video::RateControl::kMostDelayMs);
  }
  void report() {
    wire::DisplayStreamReport report{.id = input_.u8()};
    const auto kind = input_.u8();
    report.unique_id = (kind & 1) != 0 ? input_.u32() : client_.report_id(report.id);
    report.end_time = (kind & 2) != 0 ? input_.u32() : static_cast<std::uint32_t>(now_.count() / 1'000'000);
    report.frames = input_.u8();
    report.drops = (kind & 4) != 0 ? input_.u32() : 0;
    report.last_frame_delay = static_cast<std::int32_t>((kind & 8) != 0 ? input_.u32() : input_.u16());
    report.audio_delay = (kind & 16) != 0 ? input_.u32() : input_.u16();
    require(streams_.report(report, conditions()) == (report.id < video::kMostStreams));
    heal();
  }

  tests::FuzzInput& input_;
  Encoders encoders_;
  video::StreamDetector detector_{video::StreamingMode::All, [](const core::Drawing&) { return true; }};
  video::VideoStatistics statistics_;
  video::ClientStreams streams_;
  Client client_;
  video::Time now_ = std::chrono::seconds(1);
  std::uint64_t round_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tests::FuzzInput input(std::span(data, size));
  World world(input);
  for (int n = 0; n < 400 && !input.empty(); ++n)
    world.step();
  world.finish();
  return 0;
}
