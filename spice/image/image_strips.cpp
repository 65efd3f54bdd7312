#include "spice/image/image_strips.h"

#include <algorithm>

namespace spice::image {
namespace {

// JPEG's blocks of two by two with halved colours: where strips end between them they are those of the whole image.
constexpr std::uint32_t kRowsUnit = 16;

// LZ looks far back: desktops would be 4 to 9 % larger. The dictionary knows one image after the other.
bool bears_cuts(Method method) {
  return method == Method::Quic || method == Method::Jpeg || method == Method::Lz4;
}

}  // namespace

std::optional<ImageStrips> ImageStrips::cut(const ImageSource& source, Method method) {
  const auto& pixels = source.pixels();
  if (!bears_cuts(method) || pixels.pixels() < 2 * kLeastPixels) return {};
  const auto least_rows = (kLeastPixels + pixels.width - 1) / pixels.width;
  const auto rows = static_cast<std::uint32_t>((least_rows + kRowsUnit - 1) / kRowsUnit * kRowsUnit);
  if (pixels.height < 2 * rows) return {};
  return ImageStrips(source, method, rows);
}

ImageStrips::ImageStrips(ImageSource whole, Method method, std::uint32_t rows)
    : whole_(std::move(whole)), method_(method), rows_(rows), count_(whole_.pixels().height / rows) {}

core::Rect ImageStrips::area(std::size_t strip) const {
  const auto& pixels = whole_.pixels();
  const auto top = static_cast<std::int32_t>(strip * rows_);
  const auto bottom = strip + 1 == count_ ? pixels.height : static_cast<std::uint32_t>((strip + 1) * rows_);
  return {0, top, static_cast<std::int32_t>(pixels.width), static_cast<std::int32_t>(bottom)};
}

ImageSource ImageStrips::source(std::size_t strip) const {
  const auto rows = area(strip);
  return whole_.rows(static_cast<std::uint32_t>(rows.top), static_cast<std::uint32_t>(rows.bottom));
}

}  // namespace spice::image
