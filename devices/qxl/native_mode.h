// The source half outside VGA mode: takes commands out of the rings, hands what they mean to the display, gives them
// back to the driver, and does what ports ask for.
//
// Everything that a command refers to is copied when it is taken, so that it can be given back at once; only the
// commands that create surfaces stay with us as long as their surfaces do.
//
// Display worker only, save where said.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/ports/display.h"
#include "devices/qxl/command_ring.h"
#include "devices/qxl/guest_pointer.h"
#include "devices/qxl/guest_surfaces.h"
#include "devices/qxl/memory_slots.h"
#include "devices/qxl/qxl_ram_header.h"
#include "devices/qxl/release_ring.h"
#include "devices/qxl/source_events.h"
#include "devices/qxl/source_mailbox.h"

namespace devices::qxl {

// What a driver has done so far, for people.
struct NativeFigures {
  std::uint64_t drawings = 0;
  std::uint64_t cursor_commands = 0;
  std::uint64_t surface_commands = 0;
  std::uint64_t mistakes = 0;  // commands that make no sense
  std::string_view last_mistake{};
  std::array<MemorySlot, MemorySlots::kSlots> slots{};
  std::uint32_t surfaces = 0;
  std::uint64_t surface_bytes = 0;
  std::uint64_t most_surface_bytes = 0;
  std::uint32_t releases_held = 0;
};

class NativeMode {
 public:
  struct Config {
    std::string_view name;            // of the device, for its log
    std::uint64_t surface_bytes = 0;  // of all surfaces together, at most
    std::uint64_t command_bytes = 0;  // copied for one command, at most
    std::uint32_t surfaces = 1024;
    std::uint16_t max_outputs = 0;  // 0: as many as the interface has
    bool command_log = false;
  };
  struct Wiring {
    QxlMemories memories;
    const QxlRamHeader& header;
    SourceEvents& events;
  };
  // What run() does at most.
  struct Slice {
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
    std::size_t steps = std::numeric_limits<std::size_t>::max();  // a command of each ring
  };

  NativeMode(const Config& config, const Wiring& wiring);

  // Takes commands until there are none, or the slice has ended. `is_active`: the driver has just asked for
  // something else, and may go on.
  core::DisplaySource::Next run(core::DisplayCanvas& canvas, const Slice& slice, bool is_active);
  // The driver's allocator has nothing left.
  void make_room(core::DisplayCanvas& canvas);
  // A port's request, all but what changes the mode.
  void serve(const AddSlot& request, core::DisplayCanvas& canvas);
  void serve(const RemoveSlot& request, core::DisplayCanvas& canvas);
  void serve(const CreatePrimary& request, core::DisplayCanvas& canvas);
  void serve(const DestroyPrimary& request, core::DisplayCanvas& canvas);
  void serve(const DestroySurface& request, core::DisplayCanvas& canvas);
  void serve(const DestroyAllSurfaces& request, core::DisplayCanvas& canvas);
  void serve(const UpdateArea& request, core::DisplayCanvas& canvas);
  void serve(const FlushSurfaces& request, core::DisplayCanvas& canvas);
  void serve(const FlushRelease& request, core::DisplayCanvas& canvas);
  void serve(const SetMonitors& request, core::DisplayCanvas& canvas);
  // As in the beginning; the rings are not touched. The second: while the worker stands still, and the display is told
  // later.
  void restart(core::DisplayCanvas& canvas);
  void forget();

  // To a display that knows nothing, from guest memory; and back into it.
  void show(core::DisplayCanvas& canvas) const;
  void store(core::DisplayCanvas& canvas) const { surfaces_.store_all(canvas); }

  // Any thread.
  NativeFigures figures() const;

  void visit(core::StateVisitor& visitor);
  bool valid() const;

 private:
  enum class Ring : std::uint8_t { Command, Cursor };

  bool step(Ring which, core::DisplayCanvas& canvas);
  void drain(core::DisplayCanvas& canvas);
  std::optional<abi::QXLCommand> pop(Ring which);
  void execute(const abi::QXLCommand& command, core::DisplayCanvas& canvas);
  void draw(QxlAddress at, core::DisplayCanvas& canvas);
  void update(QxlAddress at, core::DisplayCanvas& canvas);
  void surface(QxlAddress at, core::DisplayCanvas& canvas);
  void create_surface(const abi::QXLSurfaceCmd& head, const Release& release, core::DisplayCanvas& canvas);
  void cursor(const abi::QXLCommand& command, core::DisplayCanvas& canvas);
  std::optional<Release> release_of(QxlAddress command);
  void give_back(const Release& release);
  void mistake(std::string_view what);
  void publish();
  std::size_t most_heads() const;
  void log_command(std::string_view what) const;

  Config config_;
  QxlRamHeader header_;
  SourceEvents& events_;
  MemorySlots slots_;
  GuestSurfaces surfaces_;
  CommandRing commands_;
  CommandRing cursors_;
  ReleaseRing releases_;
  CommandFlags flags_{};
  GuestPointer pointer_;
  std::optional<core::MonitorLayout> monitors_;
  NativeFigures counted_{};
  mutable std::mutex figures_mutex_;
  NativeFigures figures_{};
};

}  // namespace devices::qxl
