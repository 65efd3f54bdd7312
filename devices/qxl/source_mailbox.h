// What the function half of a QXL device asks of the source half, in order. A vCPU that wrote a synchronous port waits
// until it is done, after the bus has dropped every lock.
//
// Where time is counted, the guest stands still while the source works for it: every port waits for all that was asked
// for, and for the rings to be empty, and the source touches neither rings nor the guest's memory in between. What the
// guest sees then comes at an instruction, however fast the host is.
//
// How many requests wait is bounded by what may ask: one for each vCPU, since it waits; one for the asynchronous port,
// since there is only one at a time; the VGA's and a reset.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <variant>

#include "core/ports/geometry.h"
#include "devices/qxl/guest_surfaces.h"
#include "devices/qxl/image_parser.h"
#include "devices/qxl/memory_slots.h"

namespace devices::qxl {

struct AddSlot {
  std::uint8_t id = 0;
  MemorySlot slot{};
};
struct RemoveSlot {
  std::uint8_t id = 0;
};
struct CreatePrimary {
  SurfaceRequest surface{};
  CommandFlags flags{};
};
struct DestroyPrimary {};
struct DestroySurface {
  std::uint32_t id = 0;
};
struct DestroyAllSurfaces {};
struct UpdateArea {
  std::uint32_t surface = 0;
  core::Rect area{};
};
struct FlushSurfaces {};
struct FlushRelease {};
struct SetMonitors {
  QxlAddress config{};
};
// A driver before revision 5 lets the VGA have its screen back by writing to its registers.
struct EnterVga {};
// All is as in the beginning. The source has ROM and RAM header made anew, once it does not touch them any more.
struct Restart {
  std::optional<std::uint32_t> mode;  // that the ROM is to name
};

// Where time is counted: the guest has put commands into a ring.
struct TakeCommands {};

struct SourceRequest {
  std::variant<AddSlot, RemoveSlot, CreatePrimary, DestroyPrimary, DestroySurface, DestroyAllSurfaces, UpdateArea,
               FlushSurfaces, FlushRelease, SetMonitors, EnterVga, Restart, TakeCommands>
      what{};
  std::uint32_t async = 0;  // the ticket of the asynchronous port that waits for it; 0: none
};

class SourceMailbox {
 public:
  explicit SourceMailbox(bool counted_time = false) : counted_time_(counted_time) {}
  bool has_counted_time() const { return counted_time_; }

  // Display worker, before it starts.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  // With the device's lock held, except take() and finished(), which are the source's.
  void post(const SourceRequest& request);
  void ask_for_memory() { memory_wanted_.store(true); }
  void ring();   // the guest has put commands into a ring
  void clear();  // the source stands still

  // The source says with finished() that it has done what it took.
  std::optional<SourceRequest> take();
  void finished() { done_.fetch_add(1), done_.notify_all(); }
  bool take_memory_wanted() { return memory_wanted_.exchange(false); }

  // A vCPU's thread, no lock held: wakes the source if there is something for it, and waits for what was posted so
  // far by synchronous ports. Without a source that could be woken nothing is waited for.
  void settle();

 private:
  void enqueue(const SourceRequest& request, bool awaited);

  const bool counted_time_;
  std::function<void()> wake_;
  std::atomic<bool> rung_{false};
  std::atomic<bool> memory_wanted_{false};
  std::atomic<std::uint32_t> awaited_{0};  // the number of the last request for which somebody waits
  std::atomic<std::uint32_t> done_{0};     // requests done, in order
  std::mutex mutex_;
  std::deque<SourceRequest> queue_;
  std::uint32_t posted_ = 0;
};

}  // namespace devices::qxl
