#include "core/bus/address_space.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unistd.h>

#include "core/base/bits.h"

namespace core::inline bus {

Registration::Registration(Registration&& other) noexcept
    : space_(std::exchange(other.space_, nullptr)), id_(other.id_) {}

Registration& Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    reset();
    space_ = std::exchange(other.space_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void Registration::reset() {
  if (space_ != nullptr) std::exchange(space_, nullptr)->remove(id_);
}

Result<Registration> AddressSpace::add(const IoRange& range, IoHandler& handler, DeviceLock& lock,
                                       std::string_view owner) {
  const auto end = checked_add(range.start, range.size);
  if (range.size == 0 || !end || (size_ != 0 && *end > size_)) {
    return fail("{} range {:#x}+{:#x} of {} is not inside the space", name_, range.start, range.size, owner);
  }
  const std::unique_lock guard(mutex_);
  const auto next = std::ranges::lower_bound(regions_, range.start, {}, [](const auto& r) { return r->range.start; });
  const auto overlaps = [&](const std::shared_ptr<Region>& other) {
    return other->range.start < *end && range.start < other->range.start + other->range.size;
  };
  for (const auto& neighbour :
       {next == regions_.begin() ? nullptr : *(next - 1), next == regions_.end() ? nullptr : *next}) {
    if (neighbour && overlaps(neighbour)) {
      return fail("{} range {:#x}+{:#x} of {} overlaps that of {}", name_, range.start, range.size, owner,
                  neighbour->owner);
    }
  }
  const auto id = next_id_++;
  regions_.insert(next, std::make_shared<Region>(Region{range, &handler, &lock, std::string(owner), id}));
  return Registration(*this, id);
}

Registration AddressSpace::add_doorbell(const Doorbell& doorbell) {
  const std::unique_lock guard(mutex_);
  const auto id = next_id_++;
  const auto place = std::ranges::upper_bound(doorbells_, doorbell.address, {}, address_of);
  doorbells_.insert(place, {doorbell, id});
  has_doorbells_ = true;
  if (doorbell_listener_ != nullptr) doorbell_listener_->doorbell_added(doorbell);
  return {*this, id};
}

Registration AddressSpace::add_posted(const PostedRange& range) {
  const std::unique_lock guard(mutex_);
  const auto id = next_id_++;
  posted_.push_back({range, id});
  if (auto* const listener = posted_listener_.load()) listener->posted_added(range);
  return {*this, id};
}

void AddressSpace::settle() {
  if (auto* const listener = posted_listener_.load()) listener->settle();
}

void AddressSpace::remove(std::uint64_t id) {
  std::shared_ptr<Region> region;
  {
    const std::unique_lock guard(mutex_);
    const auto posted = std::ranges::find(posted_, id, &PostedEntry::id);
    if (posted != posted_.end()) {
      if (auto* const listener = posted_listener_.load()) listener->posted_removed(posted->range);
      posted_.erase(posted);
      return;
    }
    const auto bell = std::ranges::find(doorbells_, id, &DoorbellEntry::id);
    if (bell != doorbells_.end()) {
      if (doorbell_listener_ != nullptr) doorbell_listener_->doorbell_removed(bell->doorbell);
      doorbells_.erase(bell);
      has_doorbells_ = !doorbells_.empty();
      return;
    }
    const auto found = std::ranges::find(regions_, id, [](const auto& r) { return r->id; });
    if (found == regions_.end()) return;
    region = *found;
    regions_.erase(found);
  }
  const std::scoped_lock device(*region->lock);
  region->live = false;
}

void AddressSpace::set_doorbell_listener(DoorbellListener* listener) {
  const std::unique_lock guard(mutex_);
  doorbell_listener_ = listener;
  if (listener == nullptr) return;
  for (const auto& entry : doorbells_)
    listener->doorbell_added(entry.doorbell);
}

void AddressSpace::set_posted_listener(PostedListener* listener) {
  const std::unique_lock guard(mutex_);
  posted_listener_ = listener;
  if (listener == nullptr) return;
  for (const auto& entry : posted_)
    listener->posted_added(entry.range);
}

std::vector<AddressSpace::Entry> AddressSpace::entries() const {
  const std::shared_lock guard(mutex_);
  std::vector<Entry> result;
  result.reserve(regions_.size());
  for (const auto& region : regions_)
    result.push_back({region->range.start, region->range.size, region->owner});
  return result;
}

std::shared_ptr<AddressSpace::Region> AddressSpace::find(std::uint64_t address) const {
  const std::shared_lock guard(mutex_);
  auto next = std::ranges::upper_bound(regions_, address, {}, [](const auto& r) { return r->range.start; });
  if (next == regions_.begin()) return nullptr;
  const auto& candidate = *--next;
  return address - candidate->range.start < candidate->range.size ? candidate : nullptr;
}

bool AddressSpace::ring(std::uint64_t address, unsigned width, std::uint64_t value) const {
  if (!has_doorbells_.load(std::memory_order_relaxed)) return false;
  const std::shared_lock guard(mutex_);
  for (const auto& [bell, id] : std::ranges::equal_range(doorbells_, address, {}, address_of)) {
    if (bell.width != 0 && bell.width != width) continue;
    if (bell.match && *bell.match != value) continue;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(bell.eventfd, &one, sizeof one);
    return true;
  }
  return false;
}

// Calls piece(region, address, width, done) for each part that one handler takes whole; `done` is bytes before it.
template <class Piece>
void AddressSpace::split(std::uint64_t address, unsigned width, Piece piece) {
  for (unsigned done = 0; done < width;) {
    const auto region = find(address + done);
    unsigned part = width - done;
    if (region) {
      const auto left = region->range.size - (address + done - region->range.start);
      part = std::min({part, region->range.max_width, static_cast<unsigned>(std::min<std::uint64_t>(left, 8))});
      part = std::bit_floor(part);
    } else {
      part = 1;
      unclaimed_.fetch_add(1, std::memory_order_relaxed);
    }
    piece(region.get(), address + done, part, done);
    done += part;
  }
}

std::uint64_t AddressSpace::read(std::uint64_t address, unsigned width) {
  std::uint64_t value = 0;
  split(address, width, [&](Region* region, std::uint64_t at, unsigned part, unsigned done) {
    auto read = all_ones(part);
    if (region != nullptr) {
      const std::scoped_lock device(*region->lock);
      if (region->live) read &= region->handler->read(at - region->range.start, part);
    }
    value |= read << (8 * done);
  });
  return value;
}

void AddressSpace::write(std::uint64_t address, unsigned width, std::uint64_t value) {
  value &= all_ones(width);
  if (ring(address, width, value)) return;
  split(address, width, [&](Region* region, std::uint64_t at, unsigned part, unsigned done) {
    if (region == nullptr) return;
    {
      const std::scoped_lock device(*region->lock);
      if (!region->live) return;
      region->handler->write(at - region->range.start, part, (value >> (8 * done)) & all_ones(part));
    }
    region->handler->written();
  });
}

void AddressSpace::read_string(std::uint64_t address, unsigned width, std::span<std::uint8_t> data) {
  const auto region = find(address);
  if (region && range_inside<std::uint64_t>(address - region->range.start, width, region->range.size)) {
    const std::scoped_lock device(*region->lock);
    auto* strings = region->live ? region->handler->string_port() : nullptr;
    if (strings != nullptr)
      data = data.subspan(strings->read_string(address - region->range.start, width, data) * width);
  }
  for (; data.size() >= width; data = data.subspan(width)) {
    const auto value = read(address, width);
    for (unsigned i = 0; i < width; ++i)
      data[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

void AddressSpace::write_string(std::uint64_t address, unsigned width, std::span<const std::uint8_t> data) {
  const auto region = find(address);
  if (region && range_inside<std::uint64_t>(address - region->range.start, width, region->range.size)) {
    const std::scoped_lock device(*region->lock);
    auto* strings = region->live ? region->handler->string_port() : nullptr;
    if (strings != nullptr)
      data = data.subspan(strings->write_string(address - region->range.start, width, data) * width);
  }
  for (; data.size() >= width; data = data.subspan(width)) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i)
      value |= std::uint64_t{data[i]} << (8 * i);
    write(address, width, value);
  }
}

}  // namespace core::inline bus
