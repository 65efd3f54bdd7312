// Which way an image is encoded: the rules of the reference server. Any thread.
#pragma once

#include <cstdint>

#include "spice/image/stored_pixels.h"
#include "spice/wire/display.h"

namespace spice::image {

enum class Method : std::uint8_t { Raw, Quic, Lz, Glz, ZlibGlz, Lz4, Jpeg };
constexpr std::size_t kMethods = 7;
const char* method_name(Method method);

struct Choice {
  wire::ImageCompression compression = wire::ImageCompression::AutoGlz;
  // What drawings show, as opposed to whole surfaces that the client gets before it draws on them. Only the former go
  // through the dictionary.
  bool is_drawing = true;
  bool takes_jpeg = false;       // pixels need not be exact, and the line is slow
  bool takes_lz4 = false;        // the client knows LZ4
  bool takes_dictionary = true;  // the image fits into the client's window
};

// Of ZlibGlz and Glz, Glz: what comes of that is not known before. The result may still turn out too large and be sent
// raw.
Method choose_method(const StoredPixels& pixels, const Choice& choice);

}  // namespace spice::image
