// How far a client's multimedia clock is behind the server's, so that what has a time reaches it before that time.
// Video wants it large enough for its pictures; while sound plays, sound is the clock, and is told to wait instead.
#pragma once

#include <cstdint>

namespace spice::channel {

class LipSync {
 public:
  static constexpr std::uint32_t kBaseMs = 400;

  enum class Tell : std::uint8_t {
    Nothing,
    MediaTime,        // the time less latency_ms(), on the main channel
    PlaybackLatency,  // what video needs, on the playback channel
  };

  // Video has come to need this much.
  Tell video_needs(std::uint32_t delay_ms) {
    if (is_playing_) return Tell::PlaybackLatency;
    if (delay_ms <= latency_ms_) return Tell::Nothing;  // a clock that runs forward would skip pictures
    latency_ms_ = delay_ms;
    return Tell::MediaTime;
  }
  void sound_starts() { is_playing_ = true; }
  Tell sound_stops() {
    is_playing_ = false;
    latency_ms_ = kBaseMs;
    return Tell::MediaTime;
  }

  std::uint32_t latency_ms() const { return latency_ms_; }

 private:
  std::uint32_t latency_ms_ = kBaseMs;
  bool is_playing_ = false;
};

}  // namespace spice::channel
