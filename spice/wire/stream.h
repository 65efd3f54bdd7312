// Messages of video streams on the display channel. A stream shows pictures of a rectangle of the primary surface; a
// client puts each on its screen when its multimedia time has come.
#pragma once

#include <cstdint>
#include <vector>

#include "spice/wire/display.h"
#include "spice/wire/payload.h"

namespace spice::wire {

enum class VideoCodec : std::uint8_t { Mjpeg = 1, Vp8 = 2, H264 = 3, Vp9 = 4, H265 = 5 };

// From the server.

struct DisplayStreamCreate {
  static constexpr std::uint16_t kType = 122;
  static constexpr std::uint8_t kTopDown = 1;  // in flags: otherwise the client turns every picture upside down
  std::uint32_t surface_id = 0;                // always
  std::uint32_t id = 0;                        // below 64
  std::uint8_t flags = 0;
  VideoCodec codec = VideoCodec::Mjpeg;
  std::uint64_t stamp = 0;         // not used
  std::uint32_t stream_width = 0;  // of the pictures
  std::uint32_t stream_height = 0;
  std::uint32_t source_width = 0;
  std::uint32_t source_height = 0;
  Rect dest;
  Clip clip;

  template <class IO>
  void wire(IO& io);
};

struct DisplayStreamData {
  static constexpr std::uint16_t kType = 123;
  std::uint32_t id = 0;
  std::uint32_t multi_media_time = 0;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct DisplayStreamClip {
  static constexpr std::uint16_t kType = 124;
  std::uint32_t id = 0;
  Clip clip;

  template <class IO>
  void wire(IO& io);
};

struct DisplayStreamDestroy {
  static constexpr std::uint16_t kType = 125;
  std::uint32_t id = 0;

  template <class IO>
  void wire(IO& io);
};

// A picture of another size or at another place than the stream's.
struct DisplayStreamDataSized {
  static constexpr std::uint16_t kType = 316;
  std::uint32_t id = 0;
  std::uint32_t multi_media_time = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  Rect dest;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

// Asks for a report after `window` frames or `timeout` milliseconds, whichever is first.
struct DisplayStreamActivateReport {
  static constexpr std::uint16_t kType = 319;
  std::uint32_t id = 0;
  std::uint32_t unique_id = 0;
  std::uint32_t window = 0;
  std::uint32_t timeout = 0;

  template <class IO>
  void wire(IO& io);
};

// From the client.

struct DisplayStreamReport {
  static constexpr std::uint16_t kType = 102;
  static constexpr std::uint32_t kUnsupported = 0xffff'ffff;  // in drops, without frames: it cannot show the codec
  std::uint32_t id = 0;
  std::uint32_t unique_id = 0;
  std::uint32_t start_time = 0;  // multimedia time of the first frame
  std::uint32_t end_time = 0;    // and of the last
  std::uint32_t frames = 0;
  std::uint32_t drops = 0;
  std::int32_t last_frame_delay = 0;  // milliseconds that it came early
  std::uint32_t audio_delay = 0;      // milliseconds of sound that wait to be played

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
