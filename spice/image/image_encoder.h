// Turns stored pixels into the bytes of an image by a given method. One per thread: it keeps the codecs' memory, the
// buffers, and what several clients may want alike.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "spice/codec/zlib_stream.h"
#include "spice/image/dictionary.h"
#include "spice/image/encoder_pool.h"
#include "spice/image/image_buffers.h"
#include "spice/image/image_source.h"
#include "spice/image/method.h"
#include "spice/image/shared_images.h"

namespace spice::image {

class ImageEncoder {
 public:
  // The pool, if there is one, outlives it.
  explicit ImageEncoder(EncoderPool* pool = nullptr) : pool_(pool) {}

  // Not Glz. Raw if that method cannot take the image or does not make it smaller. With a key the result is shared.
  Encoded encode(const ImageSource& source, Method method, const std::optional<ImageKey>& key = {});
  // The dictionary takes the image; its lock is held until the result is queued. With `zlib` packed once more where
  // that is smaller.
  Encoded encode(const ImageSource& source, codec::GlzDictionary& dictionary, bool zlib);

  // An image that encode() will probably be asked for, the same way.
  struct Expected {
    ImageSource source;
    Method method = Method::Raw;  // neither that nor Glz
    ImageKey key;
  };
  // How many are worth looking ahead for; 0: there is no pool, and prepare() does nothing.
  std::size_t most_expected() const { return pool_ == nullptr ? 0 : kExpectedOfEach * (pool_->threads() + 1); }
  // Encodes them all at once, on the pool's threads and this one. encode() finds them until surfaces change.
  void prepare(std::span<const Expected> expected);

  SharedImages& shared() { return shared_; }
  // Nobody needs anything of us for now.
  void trim();

 private:
  static constexpr std::size_t kExpectedOfEach = 2;  // threads: none idles while another ends

  Encoded encoded(const ImageSource& source, Method method);
  Encoded raw(const ImageSource& source);

  EncoderPool* pool_;
  Bench own_;
  std::unique_ptr<codec::ZlibEncoder> zlib_;  // made when first used
  ImageBuffers buffers_;
  SharedImages shared_;
};

}  // namespace spice::image
