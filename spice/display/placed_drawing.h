// A drawing that has found its place: on which surface, after which others, and what it does there. Shared by the
// surfaces' store, which draws it when somebody needs the pixels, and the clients' queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/ports/drawing.h"
#include "spice/canvas/region.h"

namespace spice::display {

// A surface's number and, above it, a number of its own: a surface that is made under an old number is another one.
using SurfaceKey = std::uint64_t;

constexpr core::SurfaceId surface_id(SurfaceKey key) {
  return static_cast<core::SurfaceId>(key);
}

// Counts drawings in order, and all else that changes pixels.
using DrawingSerial = std::uint64_t;

// What drawings that somebody still holds cost together.
class DrawingMemory {
 public:
  // A drawing's share; given back when the drawing goes.
  class Share {
   public:
    Share(std::shared_ptr<std::size_t> total, std::size_t bytes) : total_(std::move(total)), bytes_(bytes) {
      *total_ += bytes_;
    }
    Share(Share&& other) noexcept : total_(std::move(other.total_)), bytes_(other.bytes_) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (total_ != nullptr) *total_ -= bytes_;
    }
    std::size_t bytes() const { return bytes_; }

   private:
    std::shared_ptr<std::size_t> total_;
    std::size_t bytes_;
  };

  std::size_t total() const { return *total_; }
  const std::shared_ptr<std::size_t>& counter() const { return total_; }

 private:
  std::shared_ptr<std::size_t> total_ = std::make_shared<std::size_t>(0);
};

struct PlacedDrawing {
  // Beside what it copied out of the guest.
  static constexpr std::size_t kFixedBytes = 1024;
  // More rectangles are not told apart.
  static constexpr std::size_t kMostRects = 256;

  struct Read {
    SurfaceKey surface = 0;
    core::Rect area;  // not empty, on the surface
  };

  DrawingSerial serial = 0;
  core::DrawingPtr drawing;
  SurfaceKey surface = 0;
  canvas::Region changed;  // not more than that
  bool covers = false;     // all of `changed` gets new pixels, whatever was there
  std::vector<Read> reads;
  DrawingMemory::Share memory;
  std::int64_t nanoseconds = 0;  // to draw it, as canvas/work.h has it
};

using PlacedDrawingPtr = std::shared_ptr<const PlacedDrawing>;

}  // namespace spice::display
