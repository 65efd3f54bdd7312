// Where images are written before their size is known. A large one keeps its buffer until it is sent, which then comes
// back; a small one is copied out, so that a few bytes never hold a whole buffer. What is never written to costs no
// memory. Payloads may be destroyed by the thread of the buffers only, or after them.
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

  // `bytes` to write to; take() makes a payload of the first of them. Above kBufferBytes the buffer is used once.
  std::span<std::uint8_t> buffer(std::size_t bytes);
  wire::Payload take(std::size_t bytes);
  // Gives back memory that nobody needs until the next image.
  void trim();

 private:
  using Buffer = std::unique_ptr<std::uint8_t[]>;
  struct Kept {
    std::vector<Buffer> buffers;
  };
  Buffer current_;
  std::size_t current_bytes_ = 0;
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();  // outlives us while payloads are on their way
};

}  // namespace spice::image
