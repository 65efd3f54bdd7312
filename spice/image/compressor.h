// The codecs for single images, with the memory that they keep from one to the next. Thread of its owner only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "spice/codec/quic.h"
#include "spice/image/method.h"
#include "spice/image/stored_pixels.h"

namespace spice::image {

class Compressor {
 public:
  struct Size {
    std::size_t bytes = 0;
    std::uint32_t jpeg_bytes = 0;  // of Jpeg: how much of it is the JPEG, the rest being the alpha plane
  };

  // Not Raw, nor one that goes through a dictionary. Nothing if the method cannot take the pixels, or what it makes of
  // them does not fit into `out`.
  std::optional<Size> compress(const StoredPixels& pixels, Method method, std::span<std::uint8_t> out);
  // Gives back memory that nobody needs until the next image.
  void trim() { scratch_.reset(); }

 private:
  // Made when first used.
  struct Scratch {
    codec::QuicScratch quic;
    codec::LzScratch lz;
    codec::Lz4Scratch lz4;
    codec::JpegScratch jpeg;
  };
  Scratch& scratch();
  std::optional<Size> jpeg(const StoredPixels& pixels, std::span<std::uint8_t> out);

  std::unique_ptr<Scratch> scratch_;
};

// The image as the LZ codecs take it.
codec::LzImage lz_image(const StoredPixels& pixels);

}  // namespace spice::image
