#include "spice/video/client_reports.h"

namespace spice::video {

ClientReports::Verdict ClientReports::judge(const ClientReport& report, bool short_of_time) {
  most_video_ms_ = std::max(most_video_ms_, report.delay_ms);
  if (report.audio_delay_ms != ClientReport::kNoAudio) most_audio_ms_ = std::max(most_audio_ms_, report.audio_delay_ms);
  if (is_bad(report, short_of_time)) return Verdict::Bad;
  return report.drops == 0 ? Verdict::Good : Verdict::Neutral;
}

bool ClientReports::is_bad(const ClientReport& report, bool short_of_time) const {
  const double video = report.delay_ms;
  const double audio = report.audio_delay_ms;
  if (video > 0 && audio < kAudioShare * most_audio_ms_ && video > kVideoToAudio * audio) return true;
  if (report.delay_ms < kLateMs) return true;
  return (video < kMediumShare * most_video_ms_ && short_of_time) || video < kMajorShare * most_video_ms_;
}

}  // namespace spice::video
