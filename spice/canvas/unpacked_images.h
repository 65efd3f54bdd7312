// QUIC images that the guest will draw again, kept unpacked: those that were used last, as far as they fit.
//
// Images are found by the guest's name for them, but used only if they were unpacked from the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <unordered_map>

#include "core/ports/drawing.h"
#include "spice/canvas/source.h"

namespace spice::canvas {

using UnpackedImage = std::shared_ptr<const SourcePixels>;

class UnpackedImages {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;  // of pixels and of the streams they are from
  static constexpr std::size_t kMostImages = 1024;

  // Unpacks it, if that was not done or has been given up.
  std::expected<UnpackedImage, DrawError> get(const core::ImagePtr& image, const core::QuicBitmap& quic);

  std::size_t images() const { return images_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    core::ImagePtr image;
    UnpackedImage unpacked;
    std::size_t bytes = 0;
  };
  using Place = std::list<Kept>::iterator;

  void drop(Place kept);

  std::list<Kept> images_;  // used last comes first
  std::unordered_map<std::uint64_t, Place> places_;
  std::size_t bytes_ = 0;
};

}  // namespace spice::canvas
