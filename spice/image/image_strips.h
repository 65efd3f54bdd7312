// A guest's large image that is sent as several, its strips from top to bottom: they have the same effect, several
// threads can encode them, and the client decodes the first while the next is made. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "spice/image/image_source.h"
#include "spice/image/method.h"

namespace spice::image {

class ImageStrips {
 public:
  // Of less a cut costs more than a few hundredths of the bytes, as every codec learns anew.
  static constexpr std::uint64_t kLeastPixels = std::uint64_t{256} * 1024;

  // Nothing if the image, which is to be encoded so, is better sent as one: it is too small for two strips, the codec
  // would find too little of what it repeats, or only one thread at a time could work at it.
  static std::optional<ImageStrips> cut(const ImageSource& source, Method method);

  std::size_t count() const { return count_; }
  core::Rect area(std::size_t strip) const;  // within the image
  ImageSource source(std::size_t strip) const;
  Method method() const { return method_; }

 private:
  ImageStrips(ImageSource whole, Method method, std::uint32_t rows);

  ImageSource whole_;
  Method method_;
  std::uint32_t rows_;  // of each strip but the last, which may have more
  std::size_t count_;
};

}  // namespace spice::image
