// View seam: somebody at this computer who looks at a display, types and points, as in the local window.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/ports/geometry.h"
#include "core/ports/input.h"

namespace core::inline ports {

// What somebody has of a display: a part of its primary surface, as words 0x00RRGGBB without gaps between rows.
struct ViewedPicture {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::vector<std::uint32_t> pixels{};
  Point origin{};  // on the primary surface, which has this size:
  std::int32_t surface_width = 0;
  std::int32_t surface_height = 0;

  Rect bounds() const { return {0, 0, width, height}; }
};

// The guest's pointer for who shows it himself: words of not premultiplied ARGB. Never changes.
struct PointerPicture {
  std::int32_t width = 0;
  std::int32_t height = 0;
  Point hot_spot{};
  std::vector<std::uint32_t> pixels{};
};

class DisplayView {
 public:
  // Whether the guest's pointer is in the picture, where the guest has it.
  enum class Pointer : std::uint8_t { InPicture, Apart };
  struct Changes {
    bool reshaped = false;  // the picture has another size, or is of another part of the display
    std::vector<Rect> areas{};
    std::shared_ptr<const PointerPicture> pointer{};  // Apart: as it is now; null: the guest shows none
  };

  virtual ~DisplayView() = default;
  // Called on another thread once something has changed since the last look, once; post and return. None: nobody looks
  // any more. One listener.
  virtual void set_listener(std::function<void()> changed) = 0;
  // Brings `picture` up to date, which is as the last look left it. Waits for the display's worker; no device lock
  // held.
  virtual Changes look(ViewedPicture& picture, Pointer pointer) = 0;
};

// What is done there. Any thread; returns at once.
class ViewInput {
 public:
  virtual ~ViewInput() = default;
  virtual void key(KeyCode code, bool down) = 0;
  // Whether the guest has a pointer that is told places; otherwise it is told motion.
  virtual bool takes_places() = 0;
  // On a primary surface of this size; wheel steps and buttons as TabletSink has them.
  virtual void place(Point at, std::int32_t surface_width, std::int32_t surface_height, std::int32_t dz,
                     std::uint8_t buttons) = 0;
  virtual void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) = 0;
  // A monitor of this size instead. False: the guest's driver does not listen.
  virtual bool resize(std::int32_t width, std::int32_t height) = 0;
};

}  // namespace core::inline ports
