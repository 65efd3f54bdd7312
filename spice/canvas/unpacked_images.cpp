#include "spice/canvas/unpacked_images.h"

#include <iterator>
#include <utility>
#include <variant>

namespace spice::canvas {
namespace {

std::size_t bytes_of(const SourcePixels& pixels, const core::QuicBitmap& quic) {
  return static_cast<std::size_t>(pixels.pixels().stride) * static_cast<std::size_t>(pixels.pixels().height) +
         quic.data.size();
}

}  // namespace

std::expected<UnpackedImage, DrawError> UnpackedImages::get(const core::ImagePtr& image, const core::QuicBitmap& quic) {
  if (const auto found = places_.find(image->id); found != places_.end()) {
    const auto kept = found->second;
    if (std::get<core::QuicBitmap>(kept->image->content).data == quic.data) {
      images_.splice(images_.begin(), images_, kept);
      return kept->unpacked;
    }
    drop(kept);
  }
  auto pixels = unpack(quic);
  if (!pixels) return std::unexpected(pixels.error());
  const auto bytes = bytes_of(*pixels, quic);
  auto unpacked = std::make_shared<const SourcePixels>(*std::move(pixels));
  if (bytes > kMostBytes) return unpacked;
  while (bytes_ + bytes > kMostBytes || images_.size() >= kMostImages)
    drop(std::prev(images_.end()));
  images_.push_front({image, unpacked, bytes});
  places_[image->id] = images_.begin();
  bytes_ += bytes;
  return unpacked;
}

void UnpackedImages::drop(Place kept) {
  bytes_ -= kept->bytes;
  places_.erase(kept->image->id);
  images_.erase(kept);
}

}  // namespace spice::canvas
