// The zlib stream around a GLZ image (image type ZLIB_GLZ_RGB): one stream that inflates to exactly the GLZ bytes,
// whose number is sent along. Any thread; the objects here belong to one call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace spice::codec {

constexpr int kZlibGlzLevel = 3;                 // [reference server]
constexpr std::size_t kZlibGlzLeastBytes = 100;  // less is not worth trying [reference server]

class ZlibEncoder {
 public:
  ZlibEncoder();
  ~ZlibEncoder();
  ZlibEncoder(ZlibEncoder&&) noexcept;
  ZlibEncoder& operator=(ZlibEncoder&&) noexcept;

  // Writes the stream to `out` and returns its size; nothing if it does not fit (then send the data as they are).
  std::optional<std::size_t> encode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out);

 private:
  struct State;
  std::unique_ptr<State> state_;  // zlib's tables, made once
};

// Inflates to exactly out.size() bytes; false if the stream holds more or less, or is damaged.
bool zlib_decode(std::span<const std::uint8_t> data, std::span<std::uint8_t> out);

}  // namespace spice::codec
