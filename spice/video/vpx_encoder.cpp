#include "spice/video/vpx_encoder.h"

#include <algorithm>

namespace spice::video {

namespace {

constexpr int kSpeed = 9;  // the quickest that libvpx has for VP9 in real time; VP8 gains nothing beyond it
constexpr unsigned kBestQuantizer = 4;
constexpr unsigned kWorstQuantizer = 56;
// Milliseconds of the rate that one frame may borrow.
constexpr unsigned kBufferMs = 1000;
constexpr unsigned kFirstBufferMs = 500;
constexpr unsigned kGoodBufferMs = 600;

// A longer pause is no reason for one huge frame.
constexpr std::int32_t kLongestFrameMs = 200;

unsigned kilobits(std::uint64_t bit_rate) {
  return static_cast<unsigned>(std::max<std::uint64_t>(bit_rate / 1000, 1));
}

}  // namespace

bool VpxEncoder::open(std::uint32_t width, std::uint32_t height) {
  close();
  auto* const interface = codec_ == wire::VideoCodec::Vp9 ? library_->vp9() : library_->vp8();
  if (library_->config_default(interface, &config_, 0) != VPX_CODEC_OK) return false;
  config_.g_w = width;
  config_.g_h = height;
  config_.g_timebase = {1, 1000};  // of multimedia time
  config_.g_threads = 1;           // the display worker's
  config_.g_lag_in_frames = 0;
  config_.g_error_resilient = 0;  // a client gets every frame
  config_.g_pass = VPX_RC_ONE_PASS;
  config_.rc_end_usage = VPX_CBR;
  config_.rc_target_bitrate = kilobits(control_.bit_rate());
  config_.rc_min_quantizer = kBestQuantizer;
  config_.rc_max_quantizer = kWorstQuantizer;
  config_.rc_buf_sz = kBufferMs;
  config_.rc_buf_initial_sz = kFirstBufferMs;
  config_.rc_buf_optimal_sz = kGoodBufferMs;
  config_.rc_dropframe_thresh = 30;
  config_.kf_mode = VPX_KF_DISABLED;  // the first frame only
  is_open_ = library_->init(&context_, interface, &config_, 0, VPX_ENCODER_ABI_VERSION) == VPX_CODEC_OK;
  if (is_open_) tune();
  return is_open_;
}

void VpxEncoder::tune() {
  library_->control(&context_, VP8E_SET_CPUUSED, kSpeed);
  if (codec_ == wire::VideoCodec::Vp8) library_->control(&context_, VP8E_SET_STATIC_THRESHOLD, 1U);
}

void VpxEncoder::close() {
  if (is_open_) library_->destroy(&context_);
  is_open_ = false;
}

bool VpxEncoder::prepare(const Picture& picture) {
  if (picture.width == 0 || picture.height == 0 || picture.width > kMostSide || picture.height > kMostSide)
    return false;
  if (!is_open_ || config_.g_w != picture.width || config_.g_h != picture.height)
    return open(picture.width, picture.height);
  const auto rate = kilobits(control_.bit_rate());
  if (rate == config_.rc_target_bitrate) return true;
  config_.rc_target_bitrate = rate;
  return library_->config_set(&context_, &config_) == VPX_CODEC_OK;
}

std::optional<wire::Payload> VpxEncoder::encode(const Picture& picture, MediaTime time, const Conditions& conditions) {
  if (!control_.begin_frame(time, conditions) || !prepare(picture)) return std::nullopt;
  planes_.convert(picture);
  vpx_image_t image{};
  image.fmt = VPX_IMG_FMT_I420;
  image.w = image.d_w = picture.width;
  image.h = image.d_h = picture.height;
  image.x_chroma_shift = image.y_chroma_shift = 1;
  image.bps = 12;
  image.bit_depth = 8;
  image.planes[VPX_PLANE_Y] = planes_.luma();
  image.planes[VPX_PLANE_U] = planes_.blue();
  image.planes[VPX_PLANE_V] = planes_.red();
  image.stride[VPX_PLANE_Y] = static_cast<int>(picture.width);
  image.stride[VPX_PLANE_U] = image.stride[VPX_PLANE_V] = static_cast<int>(planes_.chroma_width());
  if (library_->encode(&context_, &image, advance_to(time), frame_ms_, 0, VPX_DL_REALTIME) != VPX_CODEC_OK) {
    close();
    return std::nullopt;
  }
  auto frame = take_packets();
  if (frame) control_.end_frame(frame->size(), conditions);
  return frame;
}

// The codec shares its bits out by these times: they must grow, and a picture lasts about as long as the last one did.
vpx_codec_pts_t VpxEncoder::advance_to(MediaTime time) {
  if (last_time_) {
    const auto gap = std::clamp(media_time_between(*last_time_, time), 1, kLongestFrameMs);
    shown_at_ += gap;
    frame_ms_ = static_cast<unsigned long>(gap);
  }
  last_time_ = time;
  return shown_at_;
}

// One frame in, at most one frame out: none if the codec left it out for the rate's sake.
std::optional<wire::Payload> VpxEncoder::take_packets() {
  std::vector<std::uint8_t> bytes;
  vpx_codec_iter_t iterator = nullptr;
  while (const auto* packet = library_->packet(&context_, &iterator)) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    const auto* const data = static_cast<const std::uint8_t*>(packet->data.frame.buf);
    bytes.insert(bytes.end(), data, data + packet->data.frame.sz);
  }
  if (bytes.empty()) return std::nullopt;
  return wire::Payload(std::move(bytes));
}

}  // namespace spice::video
