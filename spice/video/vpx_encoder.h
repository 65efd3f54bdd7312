// VP8 and VP9 by libvpx, in real time on the caller's thread, at a constant bit rate.
#pragma once

#include <memory>

#include "spice/video/bit_rate_control.h"
#include "spice/video/i420.h"
#include "spice/video/video_encoder.h"
#include "spice/video/vpx_library.h"

namespace spice::video {

class VpxEncoder final : public VideoEncoder {
 public:
  // A side of a picture.
  static constexpr std::uint32_t kMostSide = 16383;

  // `codec` is VP8 or VP9.
  VpxEncoder(std::shared_ptr<const VpxLibrary> library, wire::VideoCodec codec, std::uint64_t bit_rate)
      : library_(std::move(library)), codec_(codec), control_(bit_rate) {}
  ~VpxEncoder() override { close(); }
  VpxEncoder(const VpxEncoder&) = delete;
  VpxEncoder& operator=(const VpxEncoder&) = delete;

  std::optional<wire::Payload> encode(const Picture& picture, MediaTime time, const Conditions& conditions) override;
  void report(const ClientReport& report, const Conditions& conditions) override {
    control_.report(report, conditions);
  }
  void picture_replaced(const Conditions& conditions) override { control_.picture_replaced(conditions); }
  std::uint64_t bit_rate() const override { return control_.bit_rate(); }
  std::uint32_t required_delay_ms() const override { return control_.required_delay_ms(); }

 private:
  bool open(std::uint32_t width, std::uint32_t height);
  void close();
  void tune();
  // Brings the codec to the picture's size and the rate that is wanted now.
  bool prepare(const Picture& picture);
  vpx_codec_pts_t advance_to(MediaTime time);
  std::optional<wire::Payload> take_packets();

  std::shared_ptr<const VpxLibrary> library_;
  wire::VideoCodec codec_;
  BitRateControl control_;
  I420 planes_;
  bool is_open_ = false;
  vpx_codec_ctx_t context_{};
  vpx_codec_enc_cfg_t config_{};
  std::optional<MediaTime> last_time_;
  vpx_codec_pts_t shown_at_ = 0;  // ms
  unsigned long frame_ms_ = 1000 / BitRateControl::kMostFps;
};

}  // namespace spice::video
