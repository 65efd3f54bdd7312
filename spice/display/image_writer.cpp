#include "spice/display/image_writer.h"

#include <utility>

#include "core/base/assert.h"

namespace spice::display {

bool ImageWriter::can_write(const core::ImagePtr& image, ImageRole role) const {
  if (image == nullptr) return false;
  if (const auto* surface = std::get_if<core::SurfacePixels>(&image->content))
    return store_.key_of(surface->surface) != 0;
  return role == ImageRole::Mask ? image::ImageMessage::makes_mask(image) : image::ImageMessage::makes(image);
}

wire::Image ImageWriter::image(const core::ImagePtr& image, Exactness exactness) {
  if (const auto* from = std::get_if<core::SurfacePixels>(&image->content)) return surface(from->surface);
  return taken(message_.of_image(image, exactness));
}

wire::Image ImageWriter::mask(const core::ImagePtr& image) {
  if (const auto* from = std::get_if<core::SurfacePixels>(&image->content)) return surface(from->surface);
  return taken(message_.of_mask(image));
}

wire::Image ImageWriter::pixels(SurfaceKey key, const core::Rect& area, bool is_whole) {
  return taken(message_.of_surface(
      {.surface = surface_id(key), .pixels = store_.surface(key)->pixels(), .area = area, .is_whole = is_whole},
      Exactness::Exact));
}

wire::Image ImageWriter::surface(core::SurfaceId id) const {
  auto image = image::ImageMessage::surface(id);
  const auto& from = *store_.surface(store_.key_of(id));
  image.width = static_cast<std::uint32_t>(from.width());
  image.height = static_cast<std::uint32_t>(from.height());
  return image;
}

wire::Image ImageWriter::taken(std::optional<image::ImageMessage::Made> made) {
  MV_ASSERT(made.has_value(), "somebody asked whether it can be written, and no surface has a format without images");
  is_lossy_ = is_lossy_ || made->is_lossy;
  return std::move(made->image);
}

}  // namespace spice::display
