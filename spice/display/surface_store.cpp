#include "spice/display/surface_store.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "spice/canvas/draw.h"
#include "spice/canvas/effect.h"
#include "spice/display/certain.h"
#include "spice/display/unseen.h"

namespace spice::display {
namespace {

// So many drawings, and some of them may hide others.
constexpr std::size_t kWorthALook = 32;

std::uint64_t bytes_of(const core::SurfaceShape& shape) {
  return (static_cast<std::uint64_t>(shape.width) * canvas::bits_per_pixel(shape.format) + 31) / 32 * 4 *
         static_cast<std::uint64_t>(shape.height);
}

core::SurfaceShape shape_of(const canvas::Surface& surface) {
  return {surface.width(), surface.height(), surface.format()};
}

}  // namespace

// What must be drawn, and what may wait on: of the drawings from the last to the first, those that pixels depend on
// that are wanted, and those that depend on pixels that will be written.
class SurfaceStore::Slice {
 public:
  void want(SurfaceKey surface, const core::Rect& area) { part(surface).wanted.add(area); }
  void write(SurfaceKey surface, const canvas::Region& region) { part(surface).written.add(region); }

  bool needs(const DrawingList::Entry& entry) const {
    if (const auto* on = find(entry.surface); on != nullptr) {
      if (touches(on->wanted, entry) || touches(on->written, entry)) return true;
    }
    if (!entry.reads) return false;
    return std::ranges::any_of(entry.drawing->reads, [this](const PlacedDrawing::Read& read) {
      const auto* from = find(read.surface);
      return from != nullptr && (meet(from->written, read.area) || meet(from->written_wanted, read.area));
    });
  }
  // It is drawn: so must be what it depends on.
  void include(const PlacedDrawing& placed) {
    auto& on = part(placed.surface);
    if (on.wanted.rect_count() == 1 && holds(on.wanted.extents(), placed.changed.extents())) {
      on.written_wanted = around(on.written_wanted, placed.changed.extents());
    } else {
      on.written.add(placed.changed);
      on.written.limit_rects(PlacedDrawing::kMostRects);
    }
    for (const auto& read : placed.reads) {
      auto& wanted = part(read.surface).wanted;
      if (wanted.rect_count() == 1 && holds(wanted.extents(), read.area)) continue;
      wanted.add(read.area);
      wanted.limit_rects(PlacedDrawing::kMostRects);
    }
  }

 private:
  struct Part {
    SurfaceKey surface = 0;
    canvas::Region wanted;
    canvas::Region written;
    core::Rect written_wanted{};  // around what is written of one wanted rectangle
  };

  static bool touches(const canvas::Region& region, const DrawingList::Entry& entry) {
    return meet(region.extents(), entry.extents) && meet(region, entry.drawing->changed);
  }
  const Part* find(SurfaceKey surface) const {
    const auto found = std::ranges::find(parts_, surface, &Part::surface);
    return found == parts_.end() ? nullptr : &*found;
  }
  Part& part(SurfaceKey surface) {
    const auto found = std::ranges::find(parts_, surface, &Part::surface);
    if (found != parts_.end()) return *found;
    return parts_.emplace_back(Part{surface, {}, {}});
  }

  std::vector<Part> parts_;  // few
};

bool SurfaceStore::create(core::SurfaceId id, const core::SurfaceShape& shape) {
  if (surfaces_.contains(id) || shape.format == core::SurfaceFormat::A1 ||
      !canvas::Surface::is_possible(shape.width, shape.height, shape.format))
    return false;
  const auto bytes = bytes_of(shape);
  if (bytes > limits_.surface_bytes - surface_bytes_) return false;
  try {
    canvas::Surface surface(shape.width, shape.height, shape.format);
    const auto key = SurfaceKey{++last_number_} << 32 | id;
    surfaces_.emplace(id, Stored{key, std::move(surface), ++last_serial_});
  } catch (const std::bad_alloc&) {
    return false;
  }
  surface_bytes_ += bytes;
  return true;
}

void SurfaceStore::destroy(core::SurfaceId id) {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return;
  forget_pixels(found->second);
  surface_bytes_ -= bytes_of(shape_of(found->second.surface));
  surfaces_.erase(found);
}

void SurfaceStore::load(core::SurfaceId id, const core::Pixels& from) {
  const auto found = surfaces_.find(id);
  if (found == surfaces_.end()) return;
  auto& surface = found->second.surface;
  if (from.width != surface.width() || from.height != surface.height() || from.format != surface.format()) return;
  forget_pixels(found->second);
  const auto bytes = (static_cast<std::size_t>(from.width) * canvas::bits_per_pixel(from.format) + 7) / 8;
  for (std::int32_t y = 0; y < from.height; ++y)
    std::memcpy(surface.row(y), from.row(y), bytes);
  found->second.changed_at = ++last_serial_;
}

// All pixels of a surface will be others: draws what reads them, drops what draws them.
void SurfaceStore::forget_pixels(const Stored& of) {
  waiting_.drop_unread(of.key, of.surface.bounds());
  Slice slice;
  slice.write(of.key, canvas::Region(of.surface.bounds()));
  draw_waiting(std::move(slice));
}

PlacedDrawingPtr SurfaceStore::add(core::DrawingPtr drawing) {
  if (drawing == nullptr) return nullptr;
  auto placed = place(std::move(drawing));
  if (placed == nullptr) return nullptr;
  if (placed->nanoseconds <= canvas::kMostNanoseconds && certainly_draws(*placed->drawing, *this)) {
    waiting_.push(placed);
    ++added_;
    if (is_too_much()) draw_oldest();
  } else {
    Slice slice;
    slice.include(*placed);
    draw_waiting(std::move(slice));
    if (!canvas::draw(*placed->drawing, *this)) return nullptr;
  }
  stored(placed->surface)->changed_at = placed->serial;
  return placed;
}

PlacedDrawingPtr SurfaceStore::add_drawn(core::DrawingPtr drawing) {
  auto placed = place(std::move(drawing));
  if (placed != nullptr) stored(placed->surface)->changed_at = placed->serial;
  return placed;
}

PlacedDrawingPtr SurfaceStore::place(core::DrawingPtr drawing) {
  auto effect = canvas::drawing_effect(*drawing, *this);
  if (effect.changed.empty()) return nullptr;
  if (effect.changed.rect_count() > PlacedDrawing::kMostRects) {
    effect.changed.limit_rects(PlacedDrawing::kMostRects);
    effect.covers = false;
  }
  std::vector<PlacedDrawing::Read> reads;
  for (const auto& read : effect.reads) {
    // The surface must be there even if no pixel of it counts.
    constexpr core::Rect kSomePixel{0, 0, 1, 1};
    if (const auto key = key_of(read.surface); key != 0)
      reads.push_back({key, read.area.empty() ? kSomePixel : read.area});
  }
  const auto surface = key_of(drawing->surface);
  const auto bytes = PlacedDrawing::kFixedBytes + drawing->memory;
  const auto nanoseconds = canvas::nanoseconds_to_draw(*drawing, effect.changed.area());
  return std::make_shared<const PlacedDrawing>(++last_serial_, std::move(drawing), surface, std::move(effect.changed),
                                               effect.covers, std::move(reads),
                                               DrawingMemory::Share(memory_.counter(), bytes), nanoseconds);
}

void SurfaceStore::draw_waiting(Slice slice) {
  const auto entries = waiting_.entries();
  std::vector<bool> needed(entries.size());
  bool any = false;
  for (auto i = entries.size(); i-- > 0;) {
    if (!slice.needs(entries[i])) continue;
    slice.include(*entries[i].drawing);
    needed[i] = any = true;
  }
  if (!any) return;
  for (const auto& placed : waiting_.take_if([&](const DrawingList::Entry&, std::size_t i) { return needed[i]; }))
    draw(*placed);
}

void SurfaceStore::draw(const PlacedDrawing& placed) {
  if (!canvas::draw(*placed.drawing, *this)) on_lost_(placed);
}

void SurfaceStore::drop_unseen() {
  const auto is_unseen = unseen(waiting_.entries());
  waiting_.take_if([&](const DrawingList::Entry&, std::size_t i) { return is_unseen[i]; });
  added_ = 0;
}

bool SurfaceStore::is_too_much() const {
  return waiting_.size() > limits_.drawings || memory_.total() > limits_.drawing_bytes ||
         waiting_.nanoseconds() > limits_.nanoseconds;
}

// Half of them, so that it is rarely done.
void SurfaceStore::draw_oldest() {
  drop_unseen();
  if (waiting_.size() <= limits_.drawings / 2 && !is_too_much()) return;
  const auto count = waiting_.size() - waiting_.size() / 2;
  for (const auto& placed : waiting_.take_if([count](const DrawingList::Entry&, std::size_t i) { return i < count; }))
    draw(*placed);
}

SurfaceKey SurfaceStore::key_of(core::SurfaceId id) const {
  const auto found = surfaces_.find(id);
  return found == surfaces_.end() ? 0 : found->second.key;
}

SurfaceStore::Stored* SurfaceStore::stored(SurfaceKey key) {
  const auto found = surfaces_.find(surface_id(key));
  return found == surfaces_.end() || found->second.key != key ? nullptr : &found->second;
}

const SurfaceStore::Stored* SurfaceStore::stored(SurfaceKey key) const {
  const auto found = surfaces_.find(surface_id(key));
  return found == surfaces_.end() || found->second.key != key ? nullptr : &found->second;
}

canvas::Surface* SurfaceStore::find(core::SurfaceId id) {
  const auto found = surfaces_.find(id);
  return found == surfaces_.end() ? nullptr : &found->second.surface;
}

canvas::Surface* SurfaceStore::surface(SurfaceKey key) {
  auto* const found = stored(key);
  return found == nullptr ? nullptr : &found->surface;
}

const canvas::Surface* SurfaceStore::surface(SurfaceKey key) const {
  const auto* const found = stored(key);
  return found == nullptr ? nullptr : &found->surface;
}

const canvas::Surface* SurfaceStore::up_to_date(SurfaceKey key, const core::Rect& area) {
  auto* const found = stored(key);
  if (found == nullptr) return nullptr;
  if (added_ >= kWorthALook) drop_unseen();
  const auto wanted = canvas::clipped(area, found->surface.width(), found->surface.height());
  found->surface.make_resident(wanted.top, wanted.bottom);
  if (!waiting_.empty()) {
    Slice slice;
    slice.want(key, wanted);
    draw_waiting(std::move(slice));
  }
  return &found->surface;
}

DrawingSerial SurfaceStore::changed_at(SurfaceKey key) const {
  const auto* const found = stored(key);
  return found == nullptr ? 0 : found->changed_at;
}

DrawingSerial SurfaceStore::mark_changed(SurfaceKey key) {
  auto* const found = stored(key);
  if (found != nullptr) found->changed_at = ++last_serial_;
  return last_serial_;
}

std::vector<core::SurfaceId> SurfaceStore::ids() const {
  std::vector<core::SurfaceId> ids;
  ids.reserve(surfaces_.size());
  for (const auto& [id, stored] : surfaces_)
    ids.push_back(id);
  return ids;
}

}  // namespace spice::display
