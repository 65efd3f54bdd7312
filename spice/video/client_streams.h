// All streams of one client: turns what happens on its display into messages that it must get and regions that it must
// be drawn again. Nothing is queued: of each stream there is the newest picture and a few regions.
//
// In which order a channel sends things:
//
//   1. next_control() until there is none: ends, clips and beginnings of streams, as clips of videos must be known
//      before what lies on top of them is drawn;
//   2. drawings, with what take_healing() returns added to what the client lacks, from the surface and without loss;
//   3. next_frame(), when there is room for pictures.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "spice/canvas/region.h"
#include "spice/video/client_stream.h"
#include "spice/video/codecs.h"
#include "spice/video/statistics.h"
#include "spice/video/stream_detector.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/stream.h"

namespace spice::video {

using StreamMessage =
    std::variant<wire::DisplayStreamDestroy, wire::DisplayStreamClip, wire::DisplayStreamCreate,
                 wire::DisplayStreamActivateReport, wire::DisplayStreamData, wire::DisplayStreamDataSized>;

// What is known of a client's line before it has got a picture, bit/s.
struct LineRate {
  std::uint64_t measured = 0;  // 0: not known, or too fast to measure
  bool is_low = false;         // less than 10 Mibit/s
};

// For a stream of `area` pixels, where all of the client's streams have `all_areas`. `earlier`: what its streams have
// come to before; 0: there were none.
std::uint64_t first_bit_rate(const LineRate& line, std::uint64_t earlier, std::int64_t area, std::int64_t all_areas);

class ClientStreams {
 public:
  static constexpr std::uint32_t kReportWindow = 5;        // frames
  static constexpr std::uint32_t kReportTimeoutMs = 1000;  // at the latest
  // A video that shows through more holes than this is drawn.
  static constexpr std::size_t kMostClipRects = 512;

  // `encoders` and `statistics` must outlive it.
  ClientStreams(EncoderSource& encoders, CodecList allowed, wire::Capabilities client, VideoStatistics& statistics)
      : encoders_(encoders), allowed_(std::move(allowed)), client_(std::move(client)), statistics_(statistics) {}

  void set_line(const LineRate& line) { line_ = line; }
  // PREFERRED_VIDEO_CODEC. Streams that run with another one begin anew with their next pictures.
  void prefer(std::span<const std::uint8_t> codecs);

  // From the detector. A client that comes later is told the streams that run.
  void start(StreamId id, const VideoFrame& shape);
  void stop(StreamId id);
  // False: this client gets it as a drawing.
  bool frame(StreamId id, NewFrame frame, const Conditions& conditions);
  // Something that is no picture of a stream was drawn and covers all of the region.
  void covered(const canvas::Region& region) { cover(region, nullptr); }
  // Something was drawn that depends on what was there before, or that read it.
  void detach(const canvas::Region& region);
  // The surface is gone, and there is nothing to heal.
  void stop_all();
  // Pictures that wait hold too much memory: the next ones are sent.
  void drop_frames();

  // False: the client lies, drop it.
  bool report(const wire::DisplayStreamReport& report, Conditions conditions);

  std::optional<StreamMessage> next_control();
  canvas::Region take_healing() { return healing_.take(); }
  std::optional<StreamMessage> next_frame(const Conditions& conditions);

  // How far the client's multimedia clock must be behind ours for all streams.
  std::uint32_t required_delay_ms() const;

 private:
  bool can_be_sent(const NewFrame& frame) const;
  CodecList codecs() const;  // that this client takes, best first
  bool choose_encoder(ClientStream& stream);
  void cover(const canvas::Region& region, const ClientStream* except);
  void end(StreamId id, ClientStream& stream);
  void refuse(StreamId id, ClientStream& stream);
  bool is_echo(StreamId id);
  StreamMessage begin(StreamId id, ClientStream& stream);
  // Nothing if it was left out.
  std::optional<std::pair<NewFrame, wire::Payload>> encoded_frame(ClientStream& stream, const Conditions& conditions);

  EncoderSource& encoders_;
  CodecList allowed_;
  wire::Capabilities client_;
  VideoStatistics& statistics_;
  std::vector<std::uint8_t> preferred_;
  std::vector<wire::VideoCodec> refused_;     // by the client, whatever it has promised
  std::map<StreamId, std::uint32_t> echoes_;  // of a refusal that are still to come, at most
  LineRate line_;
  std::map<StreamId, ClientStream> streams_;
  std::vector<StreamId> ended_;                                   // the client must be told
  std::optional<wire::DisplayStreamActivateReport> report_wish_;  // for the stream that was just begun
  canvas::Region healing_;
  StreamId next_ = 0;  // whose picture is sent next, if it has one
  std::uint32_t last_report_id_ = 0;
  std::uint64_t best_bit_rate_ = 0;  // of streams that have ended
};

}  // namespace spice::video
