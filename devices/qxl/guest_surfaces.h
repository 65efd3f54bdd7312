// The surfaces of a driver in native mode: their shapes, where they lie in guest memory, and the way of their pixels
// between there and the display. The display has the pixels; guest memory gets them when the driver asks for them.
//
// Display worker only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/ports/display.h"
#include "devices/qxl/memory_slots.h"
#include "devices/qxl/release_ring.h"

namespace devices::qxl {

// A surface as a driver describes it. [QXL QXLSurfaceCreate, QXLSurface]
struct SurfaceRequest {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint32_t format = 0;
  std::int32_t stride = 0;  // negative: the lowest row comes first
  QxlAddress pixels{};      // their lowest address
  bool keep_data = false;   // the surface begins with what lies there
};

struct GuestSurface {
  core::SurfaceId id = 0;
  core::SurfaceShape shape{};
  std::int32_t stride = 0;
  GuestPlace pixels{};
  bool has_release = false;
  Release release{};  // of the command that created it, given back when the surface is gone

  std::uint64_t bytes() const;
  void visit(core::StateVisitor& visitor);
};

class GuestSurfaces {
 public:
  // Surfaces may lie over each other in guest memory, but have pixels of their own with us: all together have
  // `most_bytes`. Their ids are below `most_surfaces`.
  GuestSurfaces(const MemorySlots& slots, std::uint64_t most_bytes, std::uint32_t most_surfaces)
      : slots_(slots), most_bytes_(most_bytes), most_surfaces_(most_surfaces) {}

  // Answers what is wrong, or nothing: the surface is there, in place of the one of this id.
  std::string_view create(core::SurfaceId id, const SurfaceRequest& request, core::DisplayCanvas& canvas);
  void set_release(core::SurfaceId id, const Release& release);
  // The command to be given back, if there is one.
  std::optional<Release> destroy(core::SurfaceId id, core::DisplayCanvas& canvas);
  std::vector<Release> destroy_all(core::DisplayCanvas& canvas);
  void forget_all();  // the display is told by somebody else

  // From the display to guest memory: the part of `area` that lies in the surface; one surface; all.
  void update(core::SurfaceId id, const core::Rect& area, core::DisplayCanvas& canvas) const;
  void store(core::SurfaceId id, core::DisplayCanvas& canvas) const;
  void store_all(core::DisplayCanvas& canvas) const;
  // All of them made again from guest memory, on a display that knows nothing of them.
  void load_all(core::DisplayCanvas& canvas) const;

  bool has(core::SurfaceId id) const { return surfaces_.contains(id); }
  const std::map<core::SurfaceId, GuestSurface>& all() const { return surfaces_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint32_t most_surfaces() const { return most_surfaces_; }

  void visit(core::StateVisitor& visitor);
  // After a load: whether this makes sense.
  bool valid() const;

 private:
  void load(const GuestSurface& surface, core::DisplayCanvas& canvas) const;
  void forget(core::SurfaceId id);

  const MemorySlots& slots_;
  std::uint64_t most_bytes_;
  std::uint32_t most_surfaces_;
  std::map<core::SurfaceId, GuestSurface> surfaces_;
  std::uint64_t bytes_ = 0;
};

}  // namespace devices::qxl
