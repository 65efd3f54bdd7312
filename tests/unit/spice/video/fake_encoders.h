// Encoders whose frames are one byte, and which do what a test tells them.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "spice/video/video_encoder.h"

namespace tests {

class FakeEncoders final : public spice::video::EncoderSource {
 public:
  // Of all encoders together.
  struct Log {
    int encoded = 0;
    int reports = 0;
    int replaced = 0;
    bool leaves_out = false;
    std::uint64_t bit_rate = 1'000'000;
    std::uint32_t delay_ms = 0;
  };
  std::shared_ptr<Log> log = std::make_shared<Log>();
  std::vector<spice::wire::VideoCodec> missing;
  spice::wire::VideoCodec last_codec{};
  std::uint64_t last_bit_rate = 0;

  bool has(spice::wire::VideoCodec codec) const override { return std::ranges::find(missing, codec) == missing.end(); }
  std::unique_ptr<spice::video::VideoEncoder> make(spice::wire::VideoCodec codec, std::uint32_t, std::uint32_t,
                                                   std::uint64_t bit_rate) override {
    if (!has(codec)) return nullptr;
    last_codec = codec;
    last_bit_rate = bit_rate;
    return std::make_unique<Encoder>(log);
  }

 private:
  class Encoder final : public spice::video::VideoEncoder {
   public:
    explicit Encoder(std::shared_ptr<Log> log) : log_(std::move(log)) {}
    std::optional<spice::wire::Payload> encode(const spice::video::Picture&, spice::video::MediaTime,
                                               const spice::video::Conditions&) override {
      if (log_->leaves_out) return std::nullopt;
      ++log_->encoded;
      return spice::wire::Payload(std::vector<std::uint8_t>{0});
    }
    void report(const spice::video::ClientReport&, const spice::video::Conditions&) override { ++log_->reports; }
    void picture_replaced(const spice::video::Conditions&) override { ++log_->replaced; }
    std::uint64_t bit_rate() const override { return log_->bit_rate; }
    std::uint32_t required_delay_ms() const override { return log_->delay_ms; }

   private:
    std::shared_ptr<Log> log_;
  };
};

}  // namespace tests
