// Turns a rectangle of the surface into the bytes of an image, read from the surface where it lies. Display worker
// only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/ports/display.h"
#include "spice/canvas/surface.h"
#include "spice/codec/lz.h"
#include "spice/display/update_plan.h"
#include "spice/wire/payload.h"

namespace spice::display {

// Where images are written before their size is known. A large one keeps its buffer until it is sent, which then comes
// back; a small one is copied out, so that a few bytes never hold a whole buffer. What is never written to costs no
// memory.
class ImageBuffers {
 public:
  static constexpr std::size_t kBufferBytes = static_cast<std::size_t>(kMaxUpdatePixels) * 4;
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

class ImageEncoder {
 public:
  struct Image {
    bool is_lz = false;  // otherwise rows of 32-bit pixels without gaps
    wire::Payload data;
  };

  // `area` lies on the surface. LZ if that is wanted and smaller.
  Image encode(const canvas::Surface& surface, const core::Rect& area, bool lz_wanted);
  // Clients at the same pace want the same images: with more than one client what was encoded last is kept for the
  // others, until the surface changes.
  void set_clients(std::size_t count);
  void surface_changed();
  void trim();

 private:
  // [reference server: images of less are not worth trying]
  static constexpr std::size_t kLeastForLz = 54;

  static constexpr std::size_t kMostSharedBytes = std::size_t{4} * 1024 * 1024;

  struct Shared {
    core::Rect area;
    bool lz_wanted = false;
    Image image;
  };
  Image encode_new(const canvas::Surface& surface, const core::Rect& area, bool lz_wanted);

  ImageBuffers buffers_;
  bool shares_ = false;
  std::vector<Shared> shared_;  // of the surface as it is
  std::size_t shared_bytes_ = 0;
  std::unique_ptr<codec::LzScratch> scratch_;
};

}  // namespace spice::display
