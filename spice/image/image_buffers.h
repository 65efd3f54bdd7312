// Where images are written before their size is known. One that fills a good part of its buffer keeps it until it is
// sent; others are copied out, so that a few bytes never hold a whole buffer, and the kernel need not clear a new one
// for each. What is never written to costs no memory. Payloads may be destroyed by the thread of the buffers only, or
// after them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "spice/wire/payload.h"

namespace spice::image {

class ImageBuffers {
 public:
  // An update of 128 Ki pixels in any format, with what incompressible pixels grow by.
  static constexpr std::size_t kBufferBytes = std::size_t{576} * 1024;
  static constexpr std::size_t kCopyUpTo = std::size_t{64} * 1024;
  static constexpr std::size_t kMaxKept = 8;  // as many as are shared
  // A screen of 3840x2160. A larger buffer is used once.
  static constexpr std::size_t kLargestKept = std::size_t{36} * 1024 * 1024;
  // Images in large buffers are copied out if they fill no more than this part of them.
  static constexpr std::size_t kSparse = 4;

  // `bytes` to write to; take() makes a payload of the first of them.
  std::span<std::uint8_t> buffer(std::size_t bytes);
  wire::Payload take(std::size_t bytes);
  // Gives back memory that nobody needs until the next image.
  void trim();

 private:
  using Buffer = std::unique_ptr<std::uint8_t[]>;
  struct Kept {
    std::vector<Buffer> buffers;
  };
  wire::Payload take_large(std::size_t bytes);

  bool is_large_ = false;  // what buffer() gave last
  Buffer current_;         // of kBufferBytes
  Buffer large_;
  std::size_t large_bytes_ = 0;
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();  // outlives us while payloads are on their way
};

}  // namespace spice::image
