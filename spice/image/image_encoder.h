// Turns stored pixels into the bytes of an image by a given method. One per thread: it keeps the codecs' memory, the
// buffers, and what several clients may want alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "spice/codec/jpeg.h"
#include "spice/codec/lz.h"
#include "spice/codec/lz4.h"
#include "spice/codec/quic.h"
#include "spice/codec/zlib_stream.h"
#include "spice/image/dictionary.h"
#include "spice/image/image_buffers.h"
#include "spice/image/image_source.h"
#include "spice/image/method.h"
#include "spice/image/shared_images.h"

namespace spice::image {

class ImageEncoder {
 public:
  // Not Glz. Raw if that method cannot take the image or does not make it smaller. With a key the result is shared.
  Encoded encode(const ImageSource& source, Method method, const std::optional<ImageKey>& key = {});
  // The dictionary takes the image; its lock is held until the result is queued. With `zlib` packed once more where
  // that is smaller.
  Encoded encode(const ImageSource& source, codec::GlzDictionary& dictionary, bool zlib);

  SharedImages& shared() { return shared_; }
  // Nobody needs anything of us for now.
  void trim();

 private:
  Encoded raw(const ImageSource& source);
  std::optional<Encoded> compressed(const StoredPixels& pixels, Method method, std::span<std::uint8_t> out);
  std::optional<std::size_t> quic(const StoredPixels& pixels, std::span<std::uint8_t> out);
  std::optional<std::size_t> lz(const StoredPixels& pixels, std::span<std::uint8_t> out);
  std::optional<std::size_t> lz4(const StoredPixels& pixels, std::span<std::uint8_t> out);
  std::optional<codec::JpegAlphaSize> jpeg(const StoredPixels& pixels, std::span<std::uint8_t> out);

  // Memory of the codecs, each made when first used.
  struct Scratch {
    codec::QuicScratch quic;
    codec::LzScratch lz;
    codec::Lz4Scratch lz4;
    codec::JpegScratch jpeg;
    codec::ZlibEncoder zlib;
  };
  Scratch& scratch();

  ImageBuffers buffers_;
  SharedImages shared_;
  std::unique_ptr<Scratch> scratch_;
};

// The image as the LZ codecs take it.
codec::LzImage lz_image(const StoredPixels& pixels);

}  // namespace spice::image
