// One stream of one client: which of its pictures is still to be sent, and where the client shows it. Says what is to
// be sent; sends nothing.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "core/ports/drawing.h"
#include "spice/canvas/region.h"
#include "spice/video/stream_detector.h"
#include "spice/video/video_encoder.h"
#include "spice/wire/stream.h"

namespace spice::video {

// A drawing that the detector has taken for a picture of a stream.
struct NewFrame {
  core::DrawingPtr drawing;
  canvas::Region visible;  // of it on the screen, as it has just been drawn
  MediaTime time = 0;
  bool sized = false;            // of another size or place than the stream
  std::uint32_t source_fps = 1;  // of the stream
  std::uint64_t round = 0;       // pictures of one round of the display's work come in one go
};

class ClientStream {
 public:
  explicit ClientStream(const VideoFrame& shape) : shape_(shape) {}

  const VideoFrame& shape() const { return shape_; }
  bool has_encoder() const { return encoder_ != nullptr; }
  wire::VideoCodec codec() const { return codec_; }
  void set_encoder(wire::VideoCodec codec, std::unique_ptr<VideoEncoder> encoder) {
    codec_ = codec;
    encoder_ = std::move(encoder);
  }
  VideoEncoder& encoder() const { return *encoder_; }

  // Takes the place of a picture that has not been sent. What is visible no more is returned: it must be drawn again.
  canvas::Region frame(NewFrame frame, Conditions conditions);
  // Something else is drawn there, opaquely.
  void covered(const canvas::Region& region);
  bool touches(const canvas::Region& region) const;
  bool is_ragged(std::size_t most_rects) const { return visible_.rect_count() > most_rects; }
  // The stream shows nothing until its next picture; where it was is returned, to be drawn again without loss.
  canvas::Region detach();
  // The picture that waits is not sent; what it changed is not exact still.
  void drop_frame() { pending_.reset(); }
  // The client need not be told any more of it, except its end if it is known(). As detach() otherwise.
  canvas::Region end();

  bool known() const { return known_; }  // to the client
  bool wants_create() const { return !known_ && encoder_ && pending_ && !visible_.empty(); }
  bool wants_clip() const { return known_ && !(clip_ == visible_); }
  wire::DisplayStreamCreate create(StreamId id);
  wire::DisplayStreamClip clip(StreamId id);
  bool has_frame() const { return known_ && pending_ && !visible_.empty(); }
  // The pending picture encoded, unless it is left out; there is none pending then.
  std::optional<std::pair<NewFrame, wire::Payload>> take_frame(Conditions conditions);

  std::uint32_t source_fps() const { return source_fps_; }
  // Messages that have named it since CREATE.
  std::uint32_t mentions() const { return mentions_; }
  void mentioned() { ++mentions_; }
  std::uint32_t report_id() const { return report_id_; }
  void set_report_id(std::uint32_t id) { report_id_ = id; }

 private:
  VideoFrame shape_;
  wire::VideoCodec codec_{};
  std::unique_ptr<VideoEncoder> encoder_;
  std::optional<NewFrame> pending_;
  // Where the newest picture is to be seen. The client has it there as the codec leaves it, or an older one, or not
  // yet: nothing of it is exact.
  canvas::Region visible_;
  canvas::Region clip_;  // as the client knows it
  bool known_ = false;
  std::uint32_t source_fps_ = 1;
  std::uint32_t report_id_ = 0;
  std::uint32_t mentions_ = 0;
};

}  // namespace spice::video
