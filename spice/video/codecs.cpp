#include "spice/video/codecs.h"

#include <algorithm>
#include <array>

#include "spice/video/mjpeg_encoder.h"
#include "spice/video/vpx_encoder.h"

namespace spice::video {

namespace {

using wire::VideoCodec;

struct CodecRow {
  VideoCodec codec;
  std::string_view name;
  wire::DisplayCap capability;
  bool is_encoded;  // by us
};
constexpr std::array kCodecs{
    CodecRow{VideoCodec::Mjpeg, "mjpeg", wire::kMjpegCap, true}, CodecRow{VideoCodec::Vp8, "vp8", wire::kVp8Cap, true},
    CodecRow{VideoCodec::H264, "h264", wire::kH264Cap, false},   CodecRow{VideoCodec::Vp9, "vp9", wire::kVp9Cap, true},
    CodecRow{VideoCodec::H265, "h265", wire::kH265Cap, false},
};
constexpr std::array<std::string_view, 3> kEncoderNames{"spice", "gstreamer", "libvpx"};

template <class Range, class T>
bool contains(const Range& range, const T& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

const CodecRow* row_of(VideoCodec codec) {
  const auto* row = std::ranges::find(kCodecs, codec, &CodecRow::codec);
  return row == kCodecs.end() ? nullptr : row;
}

core::Result<const CodecRow*> parse_item(std::string_view item) {
  const auto colon = item.find(':');
  const auto encoder = item.substr(0, colon);
  if (colon == std::string_view::npos || !contains(kEncoderNames, encoder))
    return core::fail("'{}' is not ENCODER:CODEC with the encoder spice, gstreamer or libvpx", item);
  const auto name = item.substr(colon + 1);
  const auto* row = std::ranges::find(kCodecs, name, &CodecRow::name);
  if (row == kCodecs.end()) return core::fail("'{}' is not a codec: mjpeg, vp8, vp9, h264 or h265", name);
  if (encoder == "spice" && row->codec != VideoCodec::Mjpeg)
    return core::fail("the encoder spice makes mjpeg only, not {}", name);
  return row;
}

}  // namespace

std::string_view codec_name(VideoCodec codec) {
  const auto* row = row_of(codec);
  return row == nullptr ? std::string_view() : row->name;
}

CodecList default_codecs() {
  return {VideoCodec::Mjpeg, VideoCodec::Vp8, VideoCodec::Vp9};
}

core::Result<CodecList> parse_codecs(std::string_view text) {
  if (text == "auto") return default_codecs();
  CodecList list;
  while (!text.empty()) {
    const auto item = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    if (item.empty()) continue;
    const auto row = parse_item(item);
    if (!row) return std::unexpected(row.error());
    if ((*row)->is_encoded && !contains(list, (*row)->codec)) list.push_back((*row)->codec);
  }
  if (list.empty()) return core::fail("no codec in the list can be encoded: name mjpeg, vp8 or vp9");
  return list;
}

CodecList usable_codecs(std::span<const VideoCodec> allowed, const wire::Capabilities& client,
                        std::span<const std::uint8_t> preferred) {
  CodecList list;
  std::ranges::copy_if(allowed, std::back_inserter(list), [&](VideoCodec codec) {
    const auto* row = row_of(codec);
    if (!client.has(wire::kMultiCodecCap)) return codec == VideoCodec::Mjpeg;
    return row != nullptr && client.has(row->capability);
  });
  const auto rank = [&](VideoCodec codec) {
    return std::ranges::find(preferred, static_cast<std::uint8_t>(codec)) - preferred.begin();
  };
  std::ranges::stable_sort(list, {}, rank);
  return list;
}

Encoders::Encoders(std::span<const VideoCodec> allowed) {
  if (std::ranges::any_of(allowed, [](VideoCodec codec) { return codec != VideoCodec::Mjpeg; }))
    vpx_ = VpxLibrary::load();
}

bool Encoders::has(VideoCodec codec) const {
  return codec == VideoCodec::Mjpeg || ((codec == VideoCodec::Vp8 || codec == VideoCodec::Vp9) && vpx_ != nullptr);
}

std::unique_ptr<VideoEncoder> Encoders::make(VideoCodec codec, std::uint32_t width, std::uint32_t height,
                                             std::uint64_t bit_rate) {
  if (!has(codec)) return nullptr;
  const auto side = std::max(width, height);
  if (codec == VideoCodec::Mjpeg)
    return side > spice::codec::kJpegMaxSide ? nullptr : std::make_unique<MjpegEncoder>(bit_rate);
  return side > VpxEncoder::kMostSide ? nullptr : std::make_unique<VpxEncoder>(vpx_, codec, bit_rate);
}

}  // namespace spice::video
