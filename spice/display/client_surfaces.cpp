#include "spice/display/client_surfaces.h"

#include <algorithm>
#include <utility>

namespace spice::display {
namespace {

core::Rect bounds_of(const SurfaceStore& store, SurfaceKey key) {
  const auto* const surface = store.surface(key);
  return surface == nullptr ? core::Rect{} : surface->bounds();
}

core::SurfaceFormat format_of(const SurfaceStore& store, SurfaceKey key) {
  const auto* const surface = store.surface(key);
  return surface == nullptr ? core::SurfaceFormat::Xrgb : surface->format();
}

}  // namespace

ClientSurfaces::ClientSurfaces(const SurfaceStore& store, SurfaceKey primary, Abilities abilities, const Limits& limits)
    : store_(store),
      abilities_(std::move(abilities)),
      limits_(limits),
      primary_(primary),
      picture_(bounds_of(store, primary), format_of(store, primary)) {
  if (primary != 0) known_[primary] = {.debt = {}, .is_created = true, .bounds = bounds_of(store, primary)};
}

void ClientSurfaces::primary_made(SurfaceKey key) {
  primary_ = key;
  const auto bounds = bounds_of(store_, key);
  known_[key] = {.debt = {}, .is_created = true, .bounds = bounds};
  picture_.mode_set(bounds, format_of(store_, key));
}

void ClientSurfaces::surface_gone(SurfaceKey key) {
  const auto found = known_.find(key);
  if (found == known_.end()) return;
  queue_.take_if([key](const DrawingList::Entry& entry, std::size_t) { return entry.surface == key; });
  give_up_readers(key, canvas::Region(found->second.bounds));
  if (key == primary_) {
    primary_ = 0;
    picture_.surface_gone();
  } else if (found->second.is_created) {
    gone_.push_back(key);
  }
  known_.erase(key);
}

void ClientSurfaces::painted(SurfaceKey key, const canvas::Region& region) {
  owe(key, region, store_.changed_at(key));
}

void ClientSurfaces::drawn(const PlacedDrawingPtr& drawing) {
  auto* const target = find(drawing->surface);
  if (target == nullptr) return;  // it will get the pixels if it needs them
  if (is_drawable(*drawing)) {
    // It may take the place of pixels that are lacking: then nobody gets those that were there before.
    const auto& lacking = debt_of(drawing->surface, *target).region();
    for (auto covered = lacking; drawing->covers; covered = lacking) {
      covered.intersect(drawing->changed);
      if (covered.empty() || !give_up_readers(drawing->surface, covered)) break;
    }
    if (fits(*drawing)) return queue(drawing);
  }
  owe(drawing->surface, drawing->changed, drawing->serial);
}

// Nobody may count on the pixels that were there before, nor put others over the pictures afterwards: as if they were
// lacking, but they are not.
void ClientSurfaces::streamed(const PlacedDrawing& drawing) {
  owe(primary_, drawing.changed, drawing.serial);
  picture_.debt().remove(drawing.changed);
}

// Whether the client has, or may have, what the drawing needs.
bool ClientSurfaces::is_drawable(const PlacedDrawing& drawing) {
  if (!is_ready(drawing.surface) || format_of(store_, drawing.surface) == core::SurfaceFormat::Rgb565) return false;
  // Clients need not be told what lies beyond.
  if (!holds(bounds_of(store_, drawing.surface), drawing.drawing->box)) return false;
  if (!abilities_.draws(*drawing.drawing)) return false;
  return std::ranges::all_of(drawing.reads, [this](const PlacedDrawing::Read& read) {
    return is_ready(read.surface) && find_or_adopt(read.surface) != nullptr;
  });
}

// Whether it can be queued beside what is lacking.
bool ClientSurfaces::fits(const PlacedDrawing& drawing) {
  const auto& lacking = debt_of(drawing.surface, *find(drawing.surface)).region();
  if (!meet(lacking, drawing.changed)) return true;
  if (!drawing.covers) return false;
  return std::ranges::none_of(drawing.reads, [&](const PlacedDrawing::Read& read) {
    return read.surface == drawing.surface && meet(lacking, read.area);
  });
}

void ClientSurfaces::queue(const PlacedDrawingPtr& drawing) {
  auto& debt = debt_of(drawing->surface, *find(drawing->surface));
  if (meet(debt.region(), drawing->changed)) debt.remove(drawing->changed);
  queue_.push(drawing);
  if (debt.region().rect_count() > PixelDebt::kMostRects) owe(drawing->surface, {}, drawing->serial);
  if (queue_.size() > limits_.drawings || queue_.bytes() > limits_.bytes) collapse();
}

// Pixels that queued drawings read can be sent no more: what these would draw is lacking. False if none does.
bool ClientSurfaces::give_up_readers(SurfaceKey surface, const canvas::Region& region) {
  const auto readers = queue_.take_if([&](const DrawingList::Entry& entry, std::size_t) {
    return entry.reads && std::ranges::any_of(entry.drawing->reads, [&](const PlacedDrawing::Read& read) {
             return read.surface == surface && meet(region, read.area);
           });
  });
  owe_taken(readers);
  return !readers.empty();
}

void ClientSurfaces::owe(SurfaceKey surface, const canvas::Region& region, DrawingSerial since) {
  if (find(surface) == nullptr) return;
  add_debt(surface, region, since);
  owe_taken({});
}

// What the drawings would change is lacking, and what other queued drawings make of that.
void ClientSurfaces::owe_taken(const std::vector<PlacedDrawingPtr>& taken) {
  constexpr int kMostRounds = 8;
  auto fallen = taken;
  for (int round = 0; round < kMostRounds; ++round) {
    add_debts(fallen);
    fallen = queue_.take_if([this](const DrawingList::Entry& entry, std::size_t) { return conflicts(*entry.drawing); });
    if (fallen.empty()) return;
  }
  add_debts(fallen);
  collapse();
}

void ClientSurfaces::add_debt(SurfaceKey surface, const canvas::Region& region, DrawingSerial since) {
  auto* const known = find(surface);
  if (known == nullptr) return;
  debt_of(surface, *known).add(region, known->bounds);
  known->lacking_since = std::max(known->lacking_since, since);
}

void ClientSurfaces::add_debts(const std::vector<PlacedDrawingPtr>& drawings) {
  struct Sum {
    canvas::RegionSum changed;
    DrawingSerial since = 0;
  };
  std::map<SurfaceKey, Sum> sums;
  for (const auto& drawing : drawings) {
    auto& sum = sums[drawing->surface];
    sum.changed.add(drawing->changed);
    sum.since = std::max(sum.since, drawing->serial);
  }
  for (const auto& [surface, sum] : sums)
    add_debt(surface, sum.changed.total(), sum.since);
}

bool ClientSurfaces::conflicts(const PlacedDrawing& drawing) {
  if (meet(debt_of(drawing.surface, *find(drawing.surface)).region(), drawing.changed)) return true;
  return std::ranges::any_of(drawing.reads, [&](const PlacedDrawing::Read& read) {
    auto* const from = find(read.surface);
    return from == nullptr ||
           (from->lacking_since > drawing.serial && meet(debt_of(read.surface, *from).region(), read.area));
  });
}

void ClientSurfaces::not_sent(const PlacedDrawing& drawing) {
  owe(drawing.surface, drawing.changed, drawing.serial);
}

void ClientSurfaces::collapse() {
  add_debts(queue_.take_if([](const DrawingList::Entry&, std::size_t) { return true; }));
}

const canvas::Region* ClientSurfaces::lacking(SurfaceKey key) const {
  const auto found = known_.find(key);
  if (found == known_.end() || !found->second.is_created) return nullptr;
  return key == primary_ ? &picture_.debt().region() : &found->second.debt.region();
}

ClientSurfaces::Known* ClientSurfaces::find(SurfaceKey key) {
  const auto found = known_.find(key);
  return found == known_.end() ? nullptr : &found->second;
}

ClientSurfaces::Known* ClientSurfaces::find_or_adopt(SurfaceKey key) {
  if (auto* const known = find(key)) return known;
  const auto* const surface = store_.surface(key);
  if (surface == nullptr || (surface->format() == core::SurfaceFormat::A8 && !abilities_.has_a8)) return nullptr;
  auto& known = known_[key];
  known.bounds = surface->bounds();
  known.debt.restart(known.bounds);
  known.lacking_since = store_.changed_at(key);
  return &known;
}

std::optional<ClientSurfaces::Step> ClientSurfaces::next() {
  if (!gone_.empty()) {
    const auto key = gone_.back();
    gone_.pop_back();
    return Step{.kind = Kind::Destroy, .surface = key};
  }
  if (picture_.is_setting_up()) {
    if (auto set_up = picture_.next()) return Step{.kind = Kind::SetUp, .set_up = *std::move(set_up)};
  }
  is_pixels_turn_ = !is_pixels_turn_;
  if (is_pixels_turn_ || queue_.empty()) {
    if (auto pixels = next_pixels()) return pixels;
  }
  if (queue_.empty()) return std::nullopt;
  return next_drawing();
}

std::vector<ClientSurfaces::Step> ClientSurfaces::upcoming(std::size_t most) const {
  std::vector<Step> steps;
  for (const auto& area : picture_.debt().upcoming(most))
    steps.push_back({.kind = Kind::Pixels, .surface = primary_, .area = area});
  for (const auto& entry : queue_.entries().first(std::min(most, queue_.size())))
    steps.push_back({.kind = Kind::Draw, .drawing = entry.drawing});
  return steps;
}

std::optional<ClientSurfaces::Step> ClientSurfaces::next_pixels() {
  const auto pixels = picture_.next();
  if (!pixels) return std::nullopt;
  if (!queue_.empty()) {
    // Among them may be some that are not lacking, which queued drawings count on.
    owe(primary_, canvas::Region(pixels->area), store_.changed_at(primary_));
    picture_.debt().remove(canvas::Region(pixels->area));
  }
  return Step{.kind = Kind::SetUp, .set_up = *pixels};
}

ClientSurfaces::Step ClientSurfaces::next_drawing() {
  const auto& drawing = *queue_.front();
  if (auto first = needed_first(drawing.surface, {})) return *first;
  for (const auto& read : drawing.reads) {
    if (auto first = needed_first(read.surface, read.area)) return *first;
  }
  return {.kind = Kind::Draw, .drawing = queue_.pop_front()};
}

std::optional<ClientSurfaces::Step> ClientSurfaces::needed_first(SurfaceKey surface, const core::Rect& read) {
  auto& known = *find(surface);
  if (!std::exchange(known.is_created, true)) return Step{.kind = Kind::Create, .surface = surface};
  const auto area = debt_of(surface, known).next_within(read);
  if (!area) return std::nullopt;
  return Step{.kind = Kind::Pixels, .surface = surface, .area = *area};
}

}  // namespace spice::display
