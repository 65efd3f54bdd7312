// Which video codec a stream has: what the user allows, in the user's order, what the client can show and would rather
// have, and what there is on this host.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "spice/video/video_encoder.h"
#include "spice/video/vpx_library.h"
#include "spice/wire/capabilities.h"
#include "spice/wire/stream.h"

namespace spice::video {

using CodecList = std::vector<wire::VideoCodec>;  // best first, none twice

std::string_view codec_name(wire::VideoCodec codec);  // "vp8"; empty for a number without a name

// "spice:mjpeg;gstreamer:vp8;...", as QEMU has it, or "auto". What encodes is ours in any case, but the encoder's name
// must be one that is known. Codecs nobody here encodes are left out; that none remains is an error.
core::Result<CodecList> parse_codecs(std::string_view text);
CodecList default_codecs();

// The codecs of `allowed` that the client can show, those it prefers first, in its order. A client that knows nothing
// of codecs shows M-JPEG.
CodecList usable_codecs(std::span<const wire::VideoCodec> allowed, const wire::Capabilities& client,
                        std::span<const std::uint8_t> preferred);

// M-JPEG, and VP8 and VP9 if libvpx is here. Loads it if the list needs it: before threads are confined.
class Encoders final : public EncoderSource {
 public:
  explicit Encoders(std::span<const wire::VideoCodec> allowed);

  bool has(wire::VideoCodec codec) const override;
  std::unique_ptr<VideoEncoder> make(wire::VideoCodec codec, std::uint32_t width, std::uint32_t height,
                                     std::uint64_t bit_rate) override;

 private:
  std::shared_ptr<const VpxLibrary> vpx_;
};

}  // namespace spice::video
