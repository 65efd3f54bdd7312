#include "devices/qxl/guest_surfaces.h"

#include <algorithm>
#include <limits>
#include <span>

namespace devices::qxl {

namespace {

constexpr std::uint64_t kMaxSurfaceBytes = 0x7fffffff;
constexpr std::uint32_t kMaxSide = 32767;

// 0: there is no such format, or none that a client could show.
std::uint32_t bits_per_pixel(core::SurfaceFormat format) {
  switch (format) {
    case core::SurfaceFormat::A1: return 0;
    case core::SurfaceFormat::A8: return 8;
    case core::SurfaceFormat::Rgb555:
    case core::SurfaceFormat::Rgb565: return 16;
    case core::SurfaceFormat::Xrgb:
    case core::SurfaceFormat::Argb: return 32;
  }
  return 0;
}

std::uint64_t stride_bytes(std::int32_t stride) {
  return static_cast<std::uint64_t>(stride < 0 ? -std::int64_t{stride} : std::int64_t{stride});
}

std::uint64_t row_bytes(const core::SurfaceShape& shape) {
  return static_cast<std::uint64_t>(shape.width) * bits_per_pixel(shape.format) / 8;
}

// [QXL QXLSurfaceCreate] and what no guest may ask for.
std::string_view problem_with(const GuestSurface& surface) {
  const auto& [width, height, format] = surface.shape;
  if (bits_per_pixel(format) == 0) return "a surface has an unknown format";
  if (width < 1 || height < 1 || std::cmp_greater(std::max(width, height), kMaxSide)) {
    return "a surface has an impossible size";
  }
  if (surface.stride == std::numeric_limits<std::int32_t>::min() || surface.stride % 4 != 0 ||
      stride_bytes(surface.stride) < row_bytes(surface.shape)) {
    return "a surface's rows are not multiples of 4 bytes, or shorter than their pixels";
  }
  if (surface.bytes() > kMaxSurfaceBytes) return "a surface is too large";
  return {};
}

// The row's first byte, from the surface's lowest one.
std::uint64_t row_offset(const GuestSurface& surface, std::int32_t y) {
  const auto row = surface.stride < 0 ? surface.shape.height - 1 - y : y;
  return static_cast<std::uint64_t>(row) * stride_bytes(surface.stride);
}

}  // namespace

std::uint64_t GuestSurface::bytes() const {
  return stride_bytes(stride) * static_cast<std::uint64_t>(shape.height);
}

void GuestSurface::visit(core::StateVisitor& visitor) {
  visitor.field("id", id);
  visitor.field("width", shape.width);
  visitor.field("height", shape.height);
  visitor.field("format", shape.format);
  visitor.field("stride", stride);
  visitor.field("pixels", pixels);
  visitor.field("has_release", has_release);
  visitor.field("release", release);
}

std::string_view GuestSurfaces::create(core::SurfaceId id, const SurfaceRequest& request, core::DisplayCanvas& canvas) {
  if (std::max(request.width, request.height) > kMaxSide) return "a surface has an impossible size";
  GuestSurface surface{.id = id,
                       .shape = {.width = static_cast<std::int32_t>(request.width),
                                 .height = static_cast<std::int32_t>(request.height),
                                 .format = static_cast<core::SurfaceFormat>(request.format)},
                       .stride = request.stride};
  if (const auto problem = problem_with(surface); !problem.empty()) return problem;
  const auto place = slots_.locate(request.pixels, surface.bytes());
  if (!place) return "a surface does not lie in a memory slot";
  surface.pixels = *place;
  forget(id);
  if (surface.bytes() > most_bytes_ - bytes_) {
    canvas.destroy_surface(id);
    return "the surfaces are together larger than the device's memory";
  }
  if (!canvas.create_surface(id, surface.shape)) return "a surface has an impossible size";
  bytes_ += surface.bytes();
  surfaces_.emplace(id, surface);
  if (request.keep_data) load(surface, canvas);
  return {};
}

void GuestSurfaces::set_release(core::SurfaceId id, const Release& release) {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return;
  found->second.has_release = true;
  found->second.release = release;
}

void GuestSurfaces::forget(core::SurfaceId id) {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return;
  bytes_ -= found->second.bytes();
  surfaces_.erase(found);
}

std::optional<Release> GuestSurfaces::destroy(core::SurfaceId id, core::DisplayCanvas& canvas) {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return std::nullopt;
  const auto surface = found->second;
  forget(id);
  canvas.destroy_surface(id);
  return surface.has_release ? std::optional(surface.release) : std::nullopt;
}

std::vector<Release> GuestSurfaces::destroy_all(core::DisplayCanvas& canvas) {
  std::vector<Release> releases;
  if (surfaces_.empty()) return releases;
  for (const auto& [id, surface] : surfaces_) {
    if (surface.has_release) releases.push_back(surface.release);
  }
  forget_all();
  canvas.destroy_surfaces();
  return releases;
}

void GuestSurfaces::forget_all() {
  surfaces_.clear();
  bytes_ = 0;
}

void GuestSurfaces::update(core::SurfaceId id, const core::Rect& area, core::DisplayCanvas& canvas) const {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return;
  const auto& surface = found->second;
  const core::Rect inside{std::max(area.left, 0), std::max(area.top, 0), std::min(area.right, surface.shape.width),
                          std::min(area.bottom, surface.shape.height)};
  const auto memory = slots_.at(surface.pixels, surface.bytes());
  if (inside.empty() || !memory) return;
  const auto pixels = canvas.read_surface(id, inside);
  if (pixels.rows == nullptr || pixels.width != surface.shape.width || pixels.height != surface.shape.height) return;
  const auto pixel_bytes = bits_per_pixel(surface.shape.format) / 8;
  const auto first = static_cast<std::uint64_t>(inside.left) * pixel_bytes;
  const auto length = static_cast<std::uint64_t>(inside.width()) * pixel_bytes;
  for (auto y = inside.top; y < inside.bottom; ++y)
    memory->write(row_offset(surface, y) + first, std::span(pixels.row(y) + first, length));
}

void GuestSurfaces::store(core::SurfaceId id, core::DisplayCanvas& canvas) const {
  update(id, {0, 0, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max()}, canvas);
}

void GuestSurfaces::store_all(core::DisplayCanvas& canvas) const {
  for (const auto& [id, surface] : surfaces_)
    store(id, canvas);
}

void GuestSurfaces::load(const GuestSurface& surface, core::DisplayCanvas& canvas) const {
  const auto memory = slots_.at(surface.pixels, surface.bytes());
  if (!memory) return;
  std::vector<std::uint8_t> bytes(surface.bytes());
  memory->read(0, bytes);
  canvas.load_surface(surface.id, {.rows = bytes.data() + row_offset(surface, 0),
                                   .stride = surface.stride,
                                   .width = surface.shape.width,
                                   .height = surface.shape.height,
                                   .format = surface.shape.format});
}

void GuestSurfaces::load_all(core::DisplayCanvas& canvas) const {
  canvas.destroy_surfaces();
  for (const auto& [id, surface] : surfaces_) {
    if (canvas.create_surface(id, surface.shape)) load(surface, canvas);
  }
}

void GuestSurfaces::visit(core::StateVisitor& visitor) {
  std::vector<GuestSurface> list;
  list.reserve(surfaces_.size());
  for (const auto& [id, surface] : surfaces_)
    list.push_back(surface);
  visitor.field("list", list, most_surfaces_);
  surfaces_.clear();
  bytes_ = 0;
  for (const auto& surface : list) {
    if (surfaces_.emplace(surface.id, surface).second) bytes_ += surface.bytes();
  }
}

bool GuestSurfaces::valid() const {
  return bytes_ <= most_bytes_ && std::ranges::all_of(surfaces_, [this](const auto& entry) {
           const auto& surface = entry.second;
           return surface.id < most_surfaces_ && surface.pixels.memory <= QxlMemory::Vram &&
                  surface.release.place.memory <= QxlMemory::Vram && problem_with(surface).empty() &&
                  slots_.at(surface.pixels, surface.bytes());
         });
}

}  // namespace devices::qxl
