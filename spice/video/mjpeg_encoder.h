// M-JPEG: every frame is a JPEG of its own, so that frames may be left out and sizes may change at will.
#pragma once

#include <vector>

#include "spice/codec/jpeg.h"
#include "spice/video/rate_control.h"
#include "spice/video/video_encoder.h"

namespace spice::video {

class MjpegEncoder final : public VideoEncoder {
 public:
  explicit MjpegEncoder(std::uint64_t bit_rate) : control_(bit_rate) {}

  std::optional<wire::Payload> encode(const Picture& picture, MediaTime time, const Conditions& conditions) override;
  void report(const ClientReport& report, const Conditions& conditions) override {
    control_.report(report, conditions);
  }
  void picture_replaced(const Conditions& conditions) override { control_.picture_replaced(conditions); }
  std::uint64_t bit_rate() const override { return control_.bit_rate(); }
  std::uint32_t required_delay_ms() const override { return control_.required_delay_ms(); }

 private:
  RateControl control_;
  codec::JpegScratch scratch_;
  std::vector<std::uint8_t> room_;  // for a frame whose size is not known yet
};

}  // namespace spice::video
