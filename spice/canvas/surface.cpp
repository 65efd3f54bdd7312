#include "spice/canvas/surface.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif

#include "core/base/assert.h"

namespace spice::canvas {
namespace {

// Rows begin where pixman's and our own vector loads like it.
constexpr std::size_t kRowAlignment = 4;
constexpr std::size_t kSurfaceAlignment = 16;

std::size_t aligned(std::size_t value, std::size_t to) {
  return (value + to - 1) / to * to;
}

std::size_t row_bytes(std::int64_t width, core::SurfaceFormat format) {
  return aligned((static_cast<std::size_t>(width) * bits_per_pixel(format) + 7) / 8, kRowAlignment);
}

// The bytes between a guard and the pixels are nobody's, either; AddressSanitizer can tell, where there is its header.
void forbid([[maybe_unused]] std::uint8_t* bytes, [[maybe_unused]] std::size_t size) {
#ifdef ASAN_POISON_MEMORY_REGION
  ASAN_POISON_MEMORY_REGION(bytes, size);
#endif
}

void allow([[maybe_unused]] std::uint8_t* bytes, [[maybe_unused]] std::size_t size) {
#ifdef ASAN_UNPOISON_MEMORY_REGION
  ASAN_UNPOISON_MEMORY_REGION(bytes, size);
#endif
}

}  // namespace

void SurfaceUnmap::operator()(std::uint8_t* bytes) const {
  allow(bytes - front, size);  // what is mapped here next knows nothing of it
  ::munmap(bytes - front, size);
}

bool Surface::is_possible(std::int64_t width, std::int64_t height, core::SurfaceFormat format) {
  return bits_per_pixel(format) != 0 && width > 0 && width <= kMaxSide && height > 0 && height <= kMaxSide &&
         row_bytes(width, format) * static_cast<std::size_t>(height) <= kMaxSurfaceBytes;
}

Surface::Surface(std::int32_t width, std::int32_t height, core::SurfaceFormat format)
    : width_(width), height_(height), format_(format) {
  MV_ASSERT(is_possible(width, height, format), "whoever takes a size from a guest checks it first");
  stride_ = static_cast<std::ptrdiff_t>(row_bytes(width, format));
  const std::size_t pixels =
      aligned(static_cast<std::size_t>(stride_) * static_cast<std::size_t>(height), kSurfaceAlignment);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t body = aligned(pixels, page);
  const std::size_t size = body + 2 * page;
  void* const mapping = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  auto* const first = static_cast<std::uint8_t*>(mapping);
  if (::mprotect(first + page, body, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(mapping, size);
    throw std::bad_alloc();
  }
  const std::size_t front = page + body - pixels;
  forbid(first + page, body - pixels);
  bytes_ = std::unique_ptr<std::uint8_t[], SurfaceUnmap>(first + front, SurfaceUnmap{.size = size, .front = front});
}

void Surface::make_resident(std::int32_t top, std::int32_t bottom) {
  if (top >= bottom || (top >= resident_.top && bottom <= resident_.bottom)) return;
  if (resident_.top == resident_.bottom) resident_ = {top, bottom};
  resident_ = {std::min(top, resident_.top), std::max(bottom, resident_.bottom)};
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  auto* const first = row(resident_.top) - reinterpret_cast<std::uintptr_t>(row(resident_.top)) % page;
  // Kernels before 5.14 do not know it: then it is the first writes after all.
  ::madvise(first, aligned(static_cast<std::size_t>(row(resident_.bottom) - first), page), MADV_POPULATE_WRITE);
}

core::Rect clipped(const core::Rect& area, std::int32_t width, std::int32_t height) {
  return {std::clamp(area.left, 0, width), std::clamp(area.top, 0, height), std::clamp(area.right, 0, width),
          std::clamp(area.bottom, 0, height)};
}

void copy_pixels(const Surface& from, const core::Rect& area, core::PixelView to, std::int32_t x, std::int32_t y) {
  const auto bytes = static_cast<std::size_t>(area.width()) * 4;
  for (auto row = area.top; row < area.bottom; ++row)
    std::memcpy(to.row(y + row - area.top).data() + x, from.at(area.left, row), bytes);
}

void pack_pixels(const Surface& from, const core::Rect& area, std::span<std::uint8_t> out) {
  const auto bytes = static_cast<std::size_t>(area.width()) * 4;
  auto* to = out.data();
  for (auto row = area.top; row < area.bottom; ++row, to += bytes)
    std::memcpy(to, from.at(area.left, row), bytes);
}

}  // namespace spice::canvas
