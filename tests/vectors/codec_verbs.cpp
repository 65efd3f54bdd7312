#include "tests/vectors/codec_verbs.h"

#include <nlohmann/json.hpp>

#include "spice/codec/lz.h"
#include "spice/codec/quic.h"
#include "tests/vectors/picture.h"

namespace vectors {
namespace {

using nlohmann::json;
using namespace spice::codec;

json read_json(const std::string& path) {
  const auto bytes = read_file(path);
  return json::parse(bytes.begin(), bytes.end());
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

QuicType quic_type(const Picture& picture) {
  switch (picture.lz_type()) {
    case LzType::A8: return QuicType::Gray;
    case LzType::Rgb16: return QuicType::Rgb16;
    case LzType::Rgb24: return QuicType::Rgb24;
    case LzType::Rgb32: return QuicType::Rgb32;
    case LzType::Rgba: return QuicType::Rgba;
    default: fail("QUIC has no palette formats");
  }
}

// --- one per codec: payload to pixels as they are compared ---

Bytes decode_quic(const Picture& picture, const Bytes& data) {
  const auto header = quic_read_header(data);
  if (!header || header->width != picture.width || header->height != picture.height) fail("bad QUIC header");
  Bytes out(header->image_bytes());
  QuicScratch scratch;
  if (!quic_decode(data, out, scratch)) fail("bad QUIC stream");
  return out;
}

Bytes decode_lz(const Picture& picture, const Bytes& data) {
  const auto header = lz_read_header(data);
  if (!header || header->width != picture.width || header->height != picture.height ||
      header->type != picture.lz_type() || header->top_down != picture.top_down)
    fail("bad LZ header");
  Bytes out(header->image_bytes());
  if (!lz_decode(data, out)) fail("bad LZ stream");
  return shown(picture, out, header->stride);
}

struct Decoder {
  std::string_view codec;  // and what begins with it and an underscore
  Bytes (*decode)(const Picture& picture, const Bytes& data);
};
constexpr Decoder kDecoders[] = {
    {"quic", decode_quic},
    {"lz", decode_lz},
};

// --- and the other way ---

Bytes encode_quic(const Picture& picture, const Bytes& raw) {
  const std::ptrdiff_t stride = picture.stride;
  const auto* rows = raw.data() + (picture.top_down ? 0 : stride * (std::ptrdiff_t{picture.height} - 1));
  Bytes out(raw.size() * 4 + 4096);
  QuicScratch scratch;
  const auto size = quic_encode({quic_type(picture), picture.width, picture.height, rows,
                                 picture.top_down ? stride : -stride},
                                out, scratch);
  out.resize(size.value_or(0));
  return out;
}

Bytes encode_lz(const Picture& picture, const Bytes& raw) {
  Bytes out(raw.size() * 2 + 4096);
  LzScratch scratch;
  const auto size = lz_encode({picture.lz_type(), picture.width, picture.height, raw.data(),
                               std::ptrdiff_t{picture.stride}, picture.top_down},
                              out, scratch);
  out.resize(size.value_or(0));
  return out;
}

struct Encoder {
  std::string_view codec;
  Bytes (*encode)(const Picture& picture, const Bytes& raw);
};
constexpr Encoder kEncoders[] = {
    {"quic", encode_quic},
    {"lz", encode_lz},
};

template <class Table>
auto* find(const Table& table, const std::string& codec) {
  const auto* found = std::begin(table);
  for (const auto* end = std::end(table); found != end; ++found) {
    if (codec == found->codec || codec.starts_with(std::string(found->codec) + "_q") ||
        codec.starts_with(std::string(found->codec) + "_chunk"))
      return found;
  }
  return static_cast<decltype(found)>(nullptr);
}

}  // namespace

int decode(const Arguments& arguments) {
  const auto meta = read_json(arguments[2]);
  const auto* decoder = find(kDecoders, meta.at("encoding").at("codec"));
  if (decoder == nullptr) return kUnknown;
  write_file(arguments[1], decoder->decode(Picture(meta), read_file(arguments[0])));
  return kDone;
}

int encode(const Arguments& arguments) {
  const auto meta = read_json(arguments[2]);
  const auto* encoder = find(kEncoders, meta.at("encoding").at("codec"));
  if (encoder == nullptr) return kUnknown;
  const auto encoded = encoder->encode(Picture(meta), read_file(arguments[0]));
  if (encoded.empty()) fail("the encoder refused the image");
  write_file(arguments[1], encoded);
  return kDone;
}

int glz_sequence(const Arguments&) { return kUnknown; }

}  // namespace vectors
