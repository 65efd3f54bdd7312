// What a client's reports of a stream say about its line: pictures that come ever less early, or later than sound, mean
// that more is sent than gets through.
#pragma once

#include <algorithm>
#include <cstdint>

#include "spice/video/time.h"

namespace spice::video {

struct ClientReport {
  MediaTime start = 0;  // of the first frame
  MediaTime end = 0;    // and of the last
  std::uint32_t frames = 0;
  std::uint32_t drops = 0;           // that came too late to be shown
  std::int32_t delay_ms = 0;         // that the last one came early
  std::uint32_t audio_delay_ms = 0;  // of sound that waits to be played
  static constexpr std::uint32_t kNoAudio = 0xffff'ffff;
};

class ClientReports {
 public:
  enum class Verdict : std::uint8_t { Neutral, Good, Bad };

  // `short_of_time`: the client waits less long than pictures need on their way.
  Verdict judge(const ClientReport& report, bool short_of_time);
  // The rate is another one: what delays there were says nothing any more.
  void forget() { *this = {}; }

 private:
  // [reference server]
  static constexpr std::int32_t kLateMs = -15;
  static constexpr double kAudioShare = 0.5;
  static constexpr double kVideoToAudio = 1.25;
  static constexpr double kMediumShare = 0.5;
  static constexpr double kMajorShare = 0.25;

  bool is_bad(const ClientReport& report, bool short_of_time) const;

  std::int32_t most_video_ms_ = 0;
  std::uint32_t most_audio_ms_ = 0;
};

}  // namespace spice::video
