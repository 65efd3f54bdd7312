#include "spice/codec/zlib_stream.h"

#include <limits>
#include <zlib.h>

namespace spice::codec {
namespace {

bool is_countable(std::size_t bytes) {
  return bytes <= std::numeric_limits<uInt>::max();
}

// zlib wants a pointer without const, but only reads there.
Bytef* source(std::span<const std::uint8_t> data) {
  return const_cast<Bytef*>(data.data());
}

}  // namespace

struct ZlibEncoder::State {
  z_stream stream{};
  bool ready = deflateInit(&stream, kZlibGlzLevel) == Z_OK;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { deflateEnd(&stream); }
};

ZlibEncoder::ZlibEncoder() : state_(std::make_unique<State>()) {}
ZlibEncoder::~ZlibEncoder() = default;
ZlibEncoder::ZlibEncoder(ZlibEncoder&&) noexcept = default;
ZlibEncoder& ZlibEncoder::operator=(ZlibEncoder&&) noexcept = default;

std::optional<std::size_t> ZlibEncoder::encode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out) {
  auto& stream = state_->stream;
  if (!state_->ready || !is_countable(data.size()) || !is_countable(out.size())) return std::nullopt;
  if (deflateReset(&stream) != Z_OK) return std::nullopt;
  stream.next_in = source(data);
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return std::nullopt;
  return out.size() - stream.avail_out;
}

bool zlib_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out) {
  if (!is_countable(data.size()) || !is_countable(out.size())) return false;
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  stream.next_in = source(data);
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const auto result = inflate(&stream, Z_FINISH);
  const bool exact = result == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  inflateEnd(&stream);
  return exact;
}

}  // namespace spice::codec
