#include "tests/vectors/codec_verbs.h"

#include <nlohmann/json.hpp>

#include "spice/codec/glz.h"
#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "spice/codec/quic.h"
#include "spice/codec/zlib_stream.h"
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

const std::uint8_t* top_row(const Picture& picture, const Bytes& raw) {
  return raw.data() + (picture.top_down ? 0 : std::size_t{picture.stride} * (picture.height - 1));
}

std::ptrdiff_t downward(const Picture& picture) {
  return picture.top_down ? std::ptrdiff_t{picture.stride} : -std::ptrdiff_t{picture.stride};
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

struct Encoded {
  Picture picture;
  json encoding;  // what META says of it
  Bytes data;
};

Bytes decode_quic(const Encoded& image) {
  const auto header = quic_read_header(image.data);
  if (!header || header->width != image.picture.width || header->height != image.picture.height)
    fail("bad QUIC header");
  Bytes out(header->image_bytes());
  QuicScratch scratch;
  if (!quic_decode(image.data, out, scratch)) fail("bad QUIC stream");
  return out;
}

Bytes decode_lz(const Encoded& image) {
  const auto header = lz_read_header(image.data);
  if (!header || header->width != image.picture.width || header->height != image.picture.height ||
      header->type != image.picture.lz_type() || header->top_down != image.picture.top_down)
    fail("bad LZ header");
  Bytes out(header->image_bytes());
  if (!lz_decode(image.data, out)) fail("bad LZ stream");
  return shown(image.picture, out, header->stride);
}

Bytes decode_lz4(const Encoded& image) {
  Bytes out(image.picture.row_bytes() * image.picture.height);
  const auto header = lz4_decode(image.data, image.picture.width, image.picture.height, out);
  if (!header || header->top_down != image.picture.top_down) fail("bad LZ4 image");
  return shown(image.picture, out, image.picture.row_bytes());
}

Bytes decode_jpeg(const Encoded& image) {
  Bytes out(std::size_t{image.picture.width} * image.picture.height * 4);
  JpegScratch scratch;
  const auto header = jpeg_decode(image.data, out, scratch);
  if (!header || header->width != image.picture.width || header->height != image.picture.height) fail("bad JPEG");
  return out;
}

Bytes decode_jpeg_alpha(const Encoded& image) {
  Bytes out(std::size_t{image.picture.width} * image.picture.height * 4);
  JpegScratch scratch;
  const auto header = jpeg_alpha_decode(image.data, image.encoding.at("params").at("jpeg_size"), out, scratch);
  if (!header || header->width != image.picture.width || header->height != image.picture.height) fail("bad JPEG_ALPHA");
  return out;
}

struct Decoder {
  std::string_view codec;
  Bytes (*decode)(const Encoded& image);
};
constexpr Decoder kDecoders[] = {
    {"quic", decode_quic}, {"lz", decode_lz}, {"lz4", decode_lz4}, {"jpeg_alpha", decode_jpeg_alpha},
    {"jpeg", decode_jpeg},
};

// --- and the other way ---

struct Job {
  Picture picture;
  json encoding;
  Bytes raw;
  Bytes out = Bytes(raw.size() * 4 + 65536);
};

std::optional<std::size_t> encode_quic(Job& job) {
  QuicScratch scratch;
  return quic_encode({quic_type(job.picture), job.picture.width, job.picture.height, top_row(job.picture, job.raw),
                      downward(job.picture)},
                     job.out, scratch);
}

LzImage lz_image(const Picture& picture, const Bytes& raw) {
  return {picture.lz_type(), picture.width, picture.height, raw.data(), std::ptrdiff_t{picture.stride},
          picture.top_down};
}

std::optional<std::size_t> encode_lz(Job& job) {
  LzScratch scratch;
  return lz_encode(lz_image(job.picture, job.raw), job.out, scratch);
}

std::optional<std::size_t> encode_lz4(Job& job) {
  Lz4Scratch scratch;
  const auto format = static_cast<Lz4Format>(job.picture.lz_type());  // the four that both have, have the same numbers
  return lz4_encode({format, job.picture.width, job.picture.height, job.raw.data(), std::ptrdiff_t{job.picture.stride},
                     job.picture.top_down},
                    job.out, scratch);
}

JpegImage jpeg_image(const Job& job) {
  auto format = JpegFormat::Rgb32;
  if (job.picture.lz_type() == LzType::Rgb16) format = JpegFormat::Rgb16;
  if (job.picture.lz_type() == LzType::Rgb24) format = JpegFormat::Rgb24;
  return {format, job.picture.width, job.picture.height, top_row(job.picture, job.raw), downward(job.picture)};
}

std::optional<std::size_t> encode_jpeg(Job& job) {
  JpegScratch scratch;
  return jpeg_encode(jpeg_image(job), job.encoding.at("params").at("quality"), job.out, scratch);
}

struct Encoder {
  std::string_view codec;
  std::optional<std::size_t> (*encode)(Job& job);
};
constexpr Encoder kEncoders[] = {
    {"quic", encode_quic},
    {"lz", encode_lz},
    {"lz4", encode_lz4},
    {"jpeg", encode_jpeg},
};

// The row of a codec or of a variant of it: jpeg_q85, lz_chunk16.
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
  const auto& encoding = meta.at("encoding");
  const auto* decoder = find(kDecoders, encoding.at("codec"));
  if (decoder == nullptr) return kUnknown;
  write_file(arguments[1], decoder->decode({Picture(meta), encoding, read_file(arguments[0])}));
  return kDone;
}

int encode(const Arguments& arguments) {
  const auto meta = read_json(arguments[2]);
  const auto& encoding = meta.at("encoding");
  const auto* encoder = find(kEncoders, encoding.at("codec"));
  if (encoder == nullptr) return kUnknown;
  Job job{Picture(meta), encoding, read_file(arguments[0])};
  const auto size = encoder->encode(job);
  if (!size) fail("the encoder refused the image");
  write_file(arguments[1], std::span(job.out).first(*size));
  return kDone;
}

int glz_sequence(const Arguments& arguments) {
  const auto payloads = read_file(arguments[0]);
  const auto meta = read_json(arguments[2]);
  // What follows an image may have been sent before it is dropped.
  GlzWindow window(2 * meta.at("window_pixels").get<std::uint64_t>());
  for (const auto& description : meta.at("images")) {
    const Picture picture(description);
    auto data = std::span(payloads).subspan(description.at("payload_offset"), description.at("size"));
    Bytes inflated;
    if (description.contains("glz_data_size")) {
      inflated.resize(description["glz_data_size"]);
      if (!zlib_decode(data, inflated)) fail("bad zlib stream");
      data = inflated;
    }
    const auto header = window.decode(data);
    if (!header || header->type != picture.lz_type() || header->width != picture.width ||
        header->height != picture.height || header->top_down != picture.top_down)
      fail("bad GLZ image");
    write_file(arguments[1] + "/" + std::to_string(description.at("seq").get<int>()) + ".raw",
               shown(picture, window.pixels(header->id)));
  }
  return kDone;
}

}  // namespace vectors
