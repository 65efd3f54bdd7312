#include "core/memory/ram_map.h"

#include <algorithm>

#include "core/base/assert.h"

namespace core::inline memory {

namespace {

std::uint64_t end_of(const RamRegion& region) {
  return region.start.value() + region.size;
}

RamRegion part_of(const RamRegion& region, std::uint64_t from, std::uint64_t to) {
  RamRegion part = region;
  part.start = Gpa(from);
  part.size = to - from;
  part.offset = region.offset + (from - region.start.value());
  return part;
}

bool continues(const RamRegion& a, const RamRegion& b) {
  return end_of(a) == b.start.value() && a.block == b.block && a.offset + a.size == b.offset &&
         a.writable == b.writable && a.log_dirty == b.log_dirty;
}

// Cuts the hole of `top` into `flat` and adds `top`.
void overlay(std::vector<RamRegion>& flat, const RamRegion& top) {
  std::vector<RamRegion> result;
  for (const auto& region : flat) {
    if (end_of(region) <= top.start.value() || region.start.value() >= end_of(top)) {
      result.push_back(region);
      continue;
    }
    if (region.start < top.start) result.push_back(part_of(region, region.start.value(), top.start.value()));
    if (end_of(region) > end_of(top)) result.push_back(part_of(region, end_of(top), end_of(region)));
  }
  result.push_back(top);
  flat = std::move(result);
}

}  // namespace

RamMapping& RamMapping::operator=(RamMapping&& other) noexcept {
  if (this != &other) {
    reset();
    map_ = std::exchange(other.map_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void RamMapping::reset() {
  if (map_ != nullptr) std::exchange(map_, nullptr)->unmap(id_);
}

RamMap::Batch::Batch(RamMap& map) : map_(map) {
  const std::scoped_lock lock(map_.mutex_);
  ++map_.batches_;
}

RamMap::Batch::~Batch() {
  const std::scoped_lock lock(map_.mutex_);
  --map_.batches_;
  map_.update_locked();
}

RamMapping RamMap::map(const RamRegion& region, int priority) {
  const auto address_and_size = region.start.value() | region.size | region.offset;
  MV_ASSERT(address_and_size % kPageSize == 0 && region.size > 0, "memory is mapped in whole pages");
  MV_ASSERT(region.start.checked_add(region.size), "a mapping ends below 2^64");
  MV_ASSERT(range_inside(region.offset, region.size, region.block->size()), "a mapping lies in its block");
  const std::scoped_lock lock(mutex_);
  const auto id = next_id_++;
  const auto above = std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.priority > priority; });
  entries_.insert(above, {id, priority, region});
  update_locked();
  return {*this, id};
}

void RamMap::unmap(std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(entries_, [id](const Entry& entry) { return entry.id == id; });
  update_locked();
}

void RamMap::update_locked() {
  if (batches_ > 0) return;
  std::vector<RamRegion> flat;
  for (const auto& entry : entries_)
    overlay(flat, entry.region);
  std::ranges::sort(flat, {}, &RamRegion::start);
  std::vector<RamRegion> merged;
  for (const auto& region : flat) {
    if (!merged.empty() && continues(merged.back(), region)) {
      merged.back().size += region.size;
    } else {
      merged.push_back(region);
    }
  }
  const auto old = std::exchange(flat_, std::move(merged));
  if (listener_ == nullptr) return;
  for (const auto& region : old) {
    if (std::ranges::find(flat_, region) == flat_.end()) listener_->region_removed(region);
  }
  for (const auto& region : flat_) {
    if (std::ranges::find(old, region) == old.end()) listener_->region_added(region);
  }
  if (old != flat_) listener_->regions_changed();
}

void RamMap::set_listener(RamMapListener* listener) {
  const std::scoped_lock lock(mutex_);
  if (listener_ != nullptr) {
    for (const auto& region : flat_)
      listener_->region_removed(region);
    listener_->regions_changed();
  }
  listener_ = listener;
  if (listener_ != nullptr) {
    for (const auto& region : flat_)
      listener_->region_added(region);
    listener_->regions_changed();
  }
}

std::vector<RamRegion> RamMap::regions() const {
  const std::scoped_lock lock(mutex_);
  return flat_;
}

std::optional<RamRegion> RamMap::find(Gpa address) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& region : flat_) {
    if (address >= region.start && address.value() < end_of(region)) return region;
  }
  return std::nullopt;
}

}  // namespace core::inline memory
