// An encoder of one stream for one client, whatever the codec: makes frames out of pictures and keeps their rate to
// what the client's line takes. It is told everything: times, the client's reports, what happened to its frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "spice/video/client_reports.h"
#include "spice/video/time.h"
#include "spice/wire/payload.h"
#include "spice/wire/stream.h"

namespace spice::video {

enum class PixelLayout : std::uint8_t {
  Rgb16,  // x1r5g5b5, little-endian
  Rgb24,  // B, G, R
  Rgb32,  // B, G, R, unused or alpha
};

// Rows that somebody else owns. `rows` is the first byte of the row that is to be shown on top by the codec, the next
// is `stride` bytes further, which may be negative.
struct Picture {
  PixelLayout layout = PixelLayout::Rgb32;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  const std::uint8_t* rows = nullptr;
  std::ptrdiff_t stride = 0;
};

// What an encoder goes by, as it is now.
struct Conditions {
  Time now{};
  std::uint32_t source_fps = 0;  // of the stream as the guest draws it, at least 1
  std::uint32_t latency_ms = 0;  // to the client, one way
};

class VideoEncoder {
 public:
  virtual ~VideoEncoder() = default;

  // Nothing if the picture is left out for the rate's sake, or cannot be encoded.
  virtual std::optional<wire::Payload> encode(const Picture& picture, MediaTime time, const Conditions& conditions) = 0;
  virtual void report(const ClientReport& report, const Conditions& conditions) = 0;
  // A picture was replaced by the next one before it could be sent.
  virtual void picture_replaced(const Conditions& conditions) = 0;

  virtual std::uint64_t bit_rate() const = 0;  // bit/s
  virtual std::uint32_t required_delay_ms()
      const = 0;  // how long after its time of making a frame is there to be shown
};

// Makes encoders; knows what codecs there are on this host.
class EncoderSource {
 public:
  virtual ~EncoderSource() = default;
  virtual bool has(wire::VideoCodec codec) const = 0;
  // Null if it cannot be made for pictures of this size.
  virtual std::unique_ptr<VideoEncoder> make(wire::VideoCodec codec, std::uint32_t width, std::uint32_t height,
                                             std::uint64_t bit_rate) = 0;
};

}  // namespace spice::video
