// What ports ask of native mode, and its state.
#include <algorithm>

#include "devices/qxl/native_mode.h"
#include "devices/qxl/qxl_command_abi.h"

namespace devices::qxl {

using namespace abi;

namespace {

core::Rect area_of(const QXLHead& head) {
  const auto edge = [](std::uint32_t from, std::uint32_t length) {
    constexpr std::uint32_t kMost = 0x7fffffff;
    return static_cast<std::int32_t>(std::min<std::uint64_t>(std::uint64_t{from} + length, kMost));
  };
  return {edge(head.x, 0), edge(head.y, 0), edge(head.x, head.width), edge(head.y, head.height)};
}

struct SavedHead {
  core::MonitorHead head;

  void visit(core::StateVisitor& visitor) {
    visitor.field("id", head.id);
    visitor.field("surface", head.surface);
    visitor.field("left", head.area.left);
    visitor.field("top", head.area.top);
    visitor.field("right", head.area.right);
    visitor.field("bottom", head.area.bottom);
    visitor.field("flags", head.flags);
  }
};

}  // namespace

void NativeMode::serve(const AddSlot& request, core::DisplayCanvas&) {
  slots_.add(request.id, request.slot);
  publish();
}

void NativeMode::serve(const RemoveSlot& request, core::DisplayCanvas&) {
  slots_.remove(request.id);
  publish();
}

void NativeMode::serve(const CreatePrimary& request, core::DisplayCanvas& canvas) {
  flags_ = request.flags;
  monitors_.reset();
  surfaces_.destroy(0, canvas);
  const auto problem = surfaces_.create(0, request.surface, canvas);
  if (!problem.empty()) mistake(problem);
  publish();
}

// What was drawn stays in guest memory, where it may be made into a surface again.
void NativeMode::serve(const DestroyPrimary&, core::DisplayCanvas& canvas) {
  drain(canvas);
  surfaces_.store(0, canvas);
  surfaces_.destroy(0, canvas);
  pointer_.reset(canvas.cursor());
  publish();
}

void NativeMode::serve(const DestroySurface& request, core::DisplayCanvas& canvas) {
  if (request.id == 0) drain(canvas);
  surfaces_.store(request.id, canvas);
  if (const auto created = surfaces_.destroy(request.id, canvas)) give_back(*created);
  publish();
}

void NativeMode::serve(const DestroyAllSurfaces&, core::DisplayCanvas& canvas) {
  drain(canvas);
  surfaces_.store_all(canvas);
  for (const auto& created : surfaces_.destroy_all(canvas))
    give_back(created);
  pointer_.reset(canvas.cursor());
  publish();
}

void NativeMode::serve(const UpdateArea& request, core::DisplayCanvas& canvas) {
  drain(canvas);
  surfaces_.update(request.surface, request.area, canvas);
  publish();
}

void NativeMode::serve(const FlushSurfaces&, core::DisplayCanvas& canvas) {
  drain(canvas);
  surfaces_.store_all(canvas);
  publish();
}

void NativeMode::serve(const FlushRelease&, core::DisplayCanvas&) {
  if (releases_.flush()) events_.raise(kInterruptDisplay);
  publish();
}

std::size_t NativeMode::most_heads() const {
  return config_.max_outputs == 0 ? kMaxHeads : std::min<std::size_t>(config_.max_outputs, kMaxHeads);
}

void NativeMode::serve(const SetMonitors& request, core::DisplayCanvas& canvas) {
  CommandReader in(slots_, config_.command_bytes);
  const auto head = in.read<QXLMonitorsConfig>(request.config);
  if (!in.ok()) return mistake("MONITORS_CONFIG lies in no memory slot");
  if (head.count == 0 || (head.max_allowed != 0 && head.count > head.max_allowed)) return;
  const auto most = most_heads();
  core::MonitorLayout layout;
  layout.max_allowed =
      static_cast<std::uint16_t>(head.max_allowed == 0 ? most : std::min<std::size_t>(head.max_allowed, most));
  const auto count = std::min<std::size_t>(head.count, most);
  for (std::size_t i = 0; i < count; ++i) {
    const auto from = in.read<QXLHead>(request.config + sizeof head + i * sizeof(QXLHead));
    if (!in.ok()) return mistake("MONITORS_CONFIG lies in no memory slot");
    if (from.width == 0 || from.height == 0) continue;  // switched off
    layout.heads.push_back({.id = from.id, .surface = from.surface_id, .area = area_of(from), .flags = from.flags});
  }
  monitors_ = layout;
  canvas.set_monitors(layout);
}

void NativeMode::restart(core::DisplayCanvas& canvas) {
  surfaces_.destroy_all(canvas);
  pointer_.reset(canvas.cursor());
  forget();
}

void NativeMode::forget() {
  surfaces_.forget_all();
  pointer_ = {};
  slots_.clear();
  releases_.clear();
  flags_ = {};
  monitors_.reset();
  publish();
}

void NativeMode::show(core::DisplayCanvas& canvas) const {
  surfaces_.load_all(canvas);
  if (monitors_) canvas.set_monitors(*monitors_);
  pointer_.show(canvas.cursor());
}

void NativeMode::visit(core::StateVisitor& visitor) {
  visitor.field("slots", slots_);
  visitor.field("surfaces", surfaces_);
  visitor.field("releases", releases_);
  visitor.field("compat", flags_.compat);
  visitor.field("colors_15bit", flags_.colors_15bit);
  visitor.field("pointer", pointer_);
  bool has_monitors = monitors_.has_value();
  visitor.field("has_monitors", has_monitors);
  auto layout = monitors_.value_or(core::MonitorLayout{});
  std::vector<SavedHead> heads;
  heads.reserve(layout.heads.size());
  for (const auto& head : layout.heads)
    heads.push_back({head});
  visitor.field("max_allowed", layout.max_allowed);
  visitor.field("heads", heads, kMaxHeads);
  layout.heads.clear();
  for (const auto& saved : heads)
    layout.heads.push_back(saved.head);
  monitors_ = has_monitors ? std::optional(std::move(layout)) : std::nullopt;
  publish();
}

bool NativeMode::valid() const {
  return slots_.valid() && surfaces_.valid() && releases_.valid() && pointer_.valid();
}

}  // namespace devices::qxl
