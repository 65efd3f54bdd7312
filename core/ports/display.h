// Display seam: a device's source half feeds one display worker, which owns the pixels that clients, screenshots and
// the local window see.
//
// A display is in one of two modes. A frame buffer is one surface that the source paints itself (VGA mode). Otherwise
// the source makes surfaces and says what is drawn on them (native mode); the worker draws when somebody needs the
// pixels.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/ports/cursor.h"
#include "core/ports/drawing.h"
#include "core/ports/geometry.h"

namespace core::inline ports {

// A part of a surface that one monitor shows.
struct MonitorHead {
  std::uint32_t id = 0;
  SurfaceId surface = 0;
  Rect area{};
  std::uint32_t flags = 0;
  bool operator==(const MonitorHead&) const = default;
};

// The monitors of one display as the guest has arranged them.
struct MonitorLayout {
  std::uint16_t max_allowed = 1;
  std::vector<MonitorHead> heads{};
  bool operator==(const MonitorLayout&) const = default;
};

// A monitor that a client would like to have; empty: none in this place.
struct ClientMonitor {
  Rect area{};
  std::uint16_t width_mm = 0;  // 0: not known
  std::uint16_t height_mm = 0;
  bool operator==(const ClientMonitor&) const = default;
};

// What the clients of a display can do: bit n of byte n / 8 is capability n of SPICE's display channel, set if every
// client has it. [QXL QXLRom client_capabilities]
struct DisplayClients {
  bool present = false;
  std::array<std::uint8_t, 58> capabilities{};
  bool operator==(const DisplayClients&) const = default;
};

// What the worker offers a source during one call. Valid only inside it.
class DisplayCanvas {
 public:
  virtual ~DisplayCanvas() = default;

  // The frame buffer. A source whose mode has another size calls set_mode first.
  virtual PixelView pixels() = 0;
  // Ends native mode with all its surfaces, or replaces the frame buffer, by a black one of this size (1..8192 each);
  // everything is then changed.
  virtual PixelView set_mode(std::int32_t width, std::int32_t height) = 0;
  // Pixels that the source has changed in pixels().
  virtual void changed(const Rect& area) = 0;

  // A surface with all bits 0, in place of the one that has this id. Surface 0 is what the display shows: making it
  // begins native mode, or changes its size. False, and there is no such surface, if the shape is impossible.
  virtual bool create_surface(SurfaceId id, const SurfaceShape& shape) = 0;
  virtual void destroy_surface(SurfaceId id) = 0;  // none: nothing
  virtual void destroy_surfaces() = 0;             // all of them
  // All pixels of a surface, of its size and format, from elsewhere: what it showed before is forgotten.
  virtual void load_surface(SurfaceId id, const Pixels& from) = 0;
  // In this order. What cannot be drawn changes nothing.
  virtual void draw(DrawingPtr drawing) = 0;
  // The surface, with `area` of it drawn up to date (what lies outside of it may be older); empty if there is none.
  // Valid until the next call.
  virtual Pixels read_surface(SurfaceId id, const Rect& area) = 0;

  // Until the first call after surface 0 was made it is one monitor that shows all of it.
  virtual void set_monitors(const MonitorLayout& layout) = 0;
  virtual CursorSink& cursor() = 0;
};

// The source half of a display device. All methods run on the display worker, except where said.
class DisplaySource {
 public:
  // When to pull again, if nobody wakes the worker before. Soon: a moment later, so that a guest that goes on need not.
  enum class Next : std::uint8_t { OnWake, Soon, AtOnce };

  virtual ~DisplaySource() = default;
  // Takes what the guest has queued, for a moment. Called after a wake, as the last call said, and before each refresh.
  virtual Next pull(DisplayCanvas&) { return Next::OnWake; }
  // Does only what a CPU waits for: what the guest has queued otherwise is left to the next pull.
  virtual void serve(DisplayCanvas&) {}
  // Brings the frame buffer up to date. With `full`, what the canvas has is of another time: all of it is painted, in
  // native mode all surfaces are made again from the guest's memory. Copies registers under the device's lock, touches
  // video memory outside it. True if anything changed.
  virtual bool refresh(DisplayCanvas& canvas, bool full) = 0;
  // Writes all surfaces to the guest's memory, as a snapshot wants them. The guest stands still.
  virtual void store(DisplayCanvas&) {}
  // How to wake the worker between refreshes (command rings); set once before the worker starts. The source calls it
  // from any thread.
  virtual void set_wake(std::function<void()> wake) = 0;
  // An eventfd that is signalled where the guest's own writes wake the worker; -1: none.
  virtual int doorbell() const { return -1; }

  // The clients came, went or are others.
  virtual void clients_changed(const DisplayClients&) {}
  // [QXL QXLRom compression_level] 1: clients are sent QUIC and no video, so that a driver may well use QUIC itself; or
  // 0.
  virtual void set_compression_level(std::uint32_t) {}
  // Whether the guest's driver listens for the monitors that clients want. Any thread, no device lock held.
  virtual bool takes_client_monitors() { return false; }
  // The monitors that a client wants of this display. Any thread, no device lock held.
  virtual void set_client_monitors(std::span<const ClientMonitor>) {}
};

}  // namespace core::inline ports
