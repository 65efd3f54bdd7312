#include "devices/qxl/qxl_source.h"

#include <chrono>
#include <mutex>

namespace devices::qxl {

namespace {
// After this long, or so many commands, the worker looks at its clients, however much the guest draws. A client takes
// at most two windows of messages before it has its next turn, and gets pixels instead of drawings when it is too late.
constexpr std::chrono::microseconds kSlice{250};
constexpr std::size_t kSliceSteps = 32;
}  // namespace

QxlSource::QxlSource(const Wiring& wiring) : wiring_(wiring), renderer_(wiring.ram), vga_mode_(wiring.vga != nullptr) {}

// Requests come before commands: a driver that waits for a port puts nothing into the rings that depends on it.
bool QxlSource::take_requests(core::DisplayCanvas& canvas) {
  if (canvas_stale_.exchange(false)) {
    canvas.destroy_surfaces();
    canvas.cursor().reset();
  }
  bool any = false;
  while (const auto request = wiring_.mailbox.take()) {
    any = true;
    std::visit([&](const auto& what) { execute(what, canvas); }, request->what);
    // The results are visible before the driver hears of them.
    if (request->async != 0) wiring_.events.async_done(request->async);
    wiring_.mailbox.finished();
  }
  return any;
}

core::DisplaySource::Next QxlSource::pull(core::DisplayCanvas& canvas) {
  const NativeMode::Slice slice{std::chrono::steady_clock::now() + kSlice, kSliceSteps};
  const bool served = take_requests(canvas);
  if (wiring_.mailbox.has_counted_time()) return Next::OnWake;
  make_room(canvas);
  if (vga_mode_) return Next::OnWake;
  return wiring_.native.run(canvas, slice, served);
}

void QxlSource::serve(core::DisplayCanvas& canvas) {
  take_requests(canvas);
  if (!wiring_.mailbox.has_counted_time()) make_room(canvas);
}

// If the driver has said that it has no memory left.
void QxlSource::make_room(core::DisplayCanvas& canvas) {
  if (wiring_.mailbox.take_memory_wanted() && !vga_mode_) wiring_.native.make_room(canvas);
}

bool QxlSource::refresh(core::DisplayCanvas& canvas, bool full) {
  take_requests(canvas);
  if (!vga_mode_) {
    if (!full) return false;
    renderer_.forget();
    wiring_.native.show(canvas);
    return true;
  }
  if (full) canvas.cursor().reset();
  wiring_.vga->settle();
  VgaSnapshot registers;
  {
    const std::scoped_lock device(wiring_.lock);
    registers = wiring_.vga->snapshot();
  }
  return renderer_.refresh(registers, wiring_.clock.now(), canvas, full);
}

void QxlSource::store(core::DisplayCanvas& canvas) {
  take_requests(canvas);
  if (!vga_mode_) wiring_.native.store(canvas);
}

void QxlSource::execute(const CreatePrimary& request, core::DisplayCanvas& canvas) {
  vga_mode_ = false;
  renderer_.forget();
  wiring_.native.serve(request, canvas);
}

void QxlSource::execute(const EnterVga&, core::DisplayCanvas& canvas) {
  wiring_.native.serve(DestroyPrimary{}, canvas);
  vga_mode_ = true;
}

// Until there are none and the driver would notify us of the next: it stands still, so that there is an end.
void QxlSource::execute(const TakeCommands&, core::DisplayCanvas& canvas) {
  make_room(canvas);
  if (vga_mode_) return;
  while (wiring_.native.run(canvas, {}, false) != Next::OnWake) {
  }
}

void QxlSource::execute(const Restart& request, core::DisplayCanvas& canvas) {
  wiring_.native.restart(canvas);
  vga_mode_ = wiring_.vga != nullptr;
  wiring_.events.restart_memory(request.mode);
}

void QxlSource::reset() {
  wiring_.mailbox.clear();
  wiring_.native.forget();
  if (!vga_mode_) canvas_stale_ = true;
  vga_mode_ = wiring_.vga != nullptr;
}

void QxlSource::visit(core::StateVisitor& visitor) {
  bool vga_mode = vga_mode_;
  visitor.field("vga_mode", vga_mode);
  vga_mode_ = vga_mode;
  visitor.field("native", wiring_.native);
}

core::Result<> QxlSource::state_loaded() {
  wiring_.mailbox.clear();
  if (vga_mode_ && wiring_.vga == nullptr) return core::fail("a second display is not in VGA mode");
  if (!wiring_.native.valid()) return core::fail("slots, surfaces or the pointer make no sense");
  return {};
}

}  // namespace devices::qxl
