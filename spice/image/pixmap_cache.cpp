#include "spice/image/pixmap_cache.h"

#include <algorithm>
#include <utility>

namespace spice::image {

// With one channel everything is in order by itself.
bool PixmapCache::remember_drops() const {
  return std::ranges::count_if(channels_, &Channel::is_open) > 1;
}

void PixmapCache::await_messages(std::unique_lock<std::mutex>& lock) {
  built_.wait(lock, [this] { return std::ranges::none_of(channels_, &Channel::is_building); });
}

void PixmapCache::forget_old_drops() {
  while (dropped_order_.size() > kMostDropped) {
    const auto oldest = dropped_.find(dropped_order_.front());
    if (oldest != dropped_.end()) {
      if (oldest->second.serial == kBeingBuilt) return;
      auto& by = channels_[oldest->second.by];
      by.drop_floor = std::max(by.drop_floor, oldest->second.serial);
      dropped_.erase(oldest);
    }
    dropped_order_.pop_front();
  }
}

void PixmapCache::drop_oldest_item(Slot by) {
  const auto& item = items_.front();
  used_ -= static_cast<std::int64_t>(item.pixels);
  if (remember_drops()) {
    // An id that is in the list already keeps its place there.
    if (dropped_.insert_or_assign(item.id, Dropped{by}).second) dropped_order_.push_back(item.id);
  }
  by_id_.erase(item.id);
  items_.pop_front();
}

PixmapChannel::PixmapChannel(std::shared_ptr<PixmapCache> cache, std::uint8_t channel_id) : cache_(std::move(cache)) {
  if (cache_ == nullptr) return;
  std::unique_lock lock(cache_->mutex_);
  cache_->await_messages(lock);  // what they drop has no serial yet, and may not be remembered
  const auto free = std::ranges::find(cache_->channels_, false, &PixmapCache::Channel::is_open);
  if (free == cache_->channels_.end()) return;
  slot_ = static_cast<PixmapCache::Slot>(free - cache_->channels_.begin());
  *free = {.id = channel_id, .is_open = true};
  // What the others dropped while nobody remembered it.
  for (auto& channel : cache_->channels_)
    channel.drop_floor = std::max(channel.drop_floor, channel.last_drop);
}

PixmapChannel::~PixmapChannel() {
  if (!keeps()) return;
  const std::lock_guard lock(cache_->mutex_);
  // Nobody can wait for a channel that is gone.
  for (auto& item : cache_->items_)
    item.last_use[slot_] = 0;
  std::erase_if(cache_->dropped_, [this](const auto& dropped) { return dropped.second.by == slot_; });
  for (auto& channel : cache_->channels_)
    channel.waited_for[slot_] = 0;
  auto& own = cache_->channels_[slot_];
  if (cache_->reset_by_ == own.id) cache_->reset_serial_ = 0;
  own = {};
}

std::vector<wire::WaitForChannel> PixmapChannel::reset(std::uint64_t serial) {
  if (!keeps()) return {};
  std::unique_lock lock(cache_->mutex_);
  auto& channels = cache_->channels_;
  cache_->await_messages(lock);
  std::vector<wire::WaitForChannel> waits;
  for (PixmapCache::Slot slot = 0; slot < channels.size(); ++slot) {
    if (slot != slot_ && channels[slot].is_open && channels[slot].last_serial != 0)
      waits.push_back({wire::ChannelType::Display, channels[slot].id, channels[slot].last_serial});
  }
  cache_->items_.clear();
  cache_->by_id_.clear();
  cache_->dropped_.clear();
  cache_->dropped_order_.clear();
  cache_->used_ = 0;
  for (auto& channel : channels)
    channel.drop_floor = 0;  // all that was dropped is behind the waits, and the others wait for those
  ++cache_->generation_;
  cache_->reset_by_ = channels[slot_].id;
  cache_->reset_serial_ = serial;
  channels[slot_].generation = cache_->generation_;
  channels[slot_].last_serial = serial;
  return waits;
}

bool PixmapChannel::has(std::uint64_t id) const {
  if (!keeps()) return false;
  const std::lock_guard lock(cache_->mutex_);
  return cache_->by_id_.contains(id);
}

PixmapMessage::~PixmapMessage() {
  commit(0);
}

// With the lock held.
void PixmapMessage::enter() {
  auto& channel = own();
  channel.is_building = true;
  if (channel.generation != cache().generation_) {
    channel.generation = cache().generation_;
    if (cache().reset_serial_ != 0) wait_for(cache().reset_by_, cache().reset_serial_);
  }
}

std::optional<PixmapMessage::Found> PixmapMessage::find(std::uint64_t id) {
  if (!channel_.keeps()) return {};
  const std::lock_guard lock(cache().mutex_);
  enter();
  const auto found = cache().by_id_.find(id);
  if (found == cache().by_id_.end()) return {};
  pin(found->second);
  return Found{found->second->is_lossy, found->second->was_lossy};
}

void PixmapMessage::pin(PixmapCache::Items::iterator item) {
  ++item->pins;
  pinned_.push_back(item);
  cache().items_.splice(cache().items_.end(), cache().items_, item);  // the most recently used
}

bool PixmapMessage::add(std::uint64_t id, std::uint64_t pixels, bool is_lossy) {
  if (!channel_.keeps()) return false;
  const std::lock_guard lock(cache().mutex_);
  enter();
  // Another channel may have brought it meanwhile, or this message may have dropped it, which the client hears of
  // before.
  if (cache().by_id_.contains(id) || std::ranges::count(invalid_, id, &wire::InvalidItem::id) != 0) return false;
  if (!make_room(pixels) || !wait_for_drop(id)) return false;
  cache().used_ += static_cast<std::int64_t>(pixels);
  const auto item = cache().items_.insert(cache().items_.end(),
                                          {.id = id, .pixels = pixels, .is_lossy = is_lossy, .was_lossy = is_lossy});
  cache().by_id_.emplace(id, item);
  cache().dropped_.erase(id);
  pin(item);
  return true;
}

// What was dropped stays so, whatever comes of the new image.
bool PixmapMessage::make_room(std::uint64_t pixels) {
  auto& cache = this->cache();
  if (cache.room_ < 0 || pixels > static_cast<std::uint64_t>(cache.room_)) return false;
  const auto most = cache.room_ - static_cast<std::int64_t>(pixels);
  while (cache.used_ > most || cache.items_.size() >= PixmapCache::kMostImages) {
    const auto& oldest = cache.items_.front();
    if (oldest.pins != 0 || invalid_.size() == kMostInvalid) return false;
    wait_for_uses(oldest);
    invalid_.push_back({.id = oldest.id});
    cache.drop_oldest_item(channel_.slot_);
  }
  cache.forget_old_drops();
  return true;
}

// False if that cannot be waited for yet.
bool PixmapMessage::wait_for_drop(std::uint64_t id) {
  auto& cache = this->cache();
  const auto dropped = cache.dropped_.find(id);
  if (dropped != cache.dropped_.end() && dropped->second.by != channel_.slot_ &&
      dropped->second.serial == PixmapCache::kBeingBuilt)
    return false;
  auto& waited = own().waited_for;
  for (PixmapCache::Slot slot = 0; slot < cache.channels_.size(); ++slot) {
    if (slot == channel_.slot_) continue;
    auto serial = cache.channels_[slot].drop_floor;
    if (dropped != cache.dropped_.end() && dropped->second.by == slot)
      serial = std::max(serial, dropped->second.serial);
    if (serial <= waited[slot]) continue;
    waited[slot] = serial;
    wait_for(cache.channels_[slot].id, serial);
  }
  return true;
}

bool PixmapMessage::replace(std::uint64_t id) {
  if (!channel_.keeps()) return false;
  const std::lock_guard lock(cache().mutex_);
  const auto found = cache().by_id_.find(id);
  if (found == cache().by_id_.end() || found->second->pins != 1) return false;
  wait_for_uses(*found->second);
  found->second->is_lossy = false;
  return true;
}

void PixmapMessage::wait_for_uses(const PixmapCache::Item& item) {
  for (PixmapCache::Slot slot = 0; slot < item.last_use.size(); ++slot) {
    if (slot != channel_.slot_ && item.last_use[slot] != 0) wait_for(cache().channels_[slot].id, item.last_use[slot]);
  }
}

void PixmapMessage::wait_for(std::uint8_t channel_id, std::uint64_t serial) {
  const auto known = std::ranges::find(waits_, channel_id, &wire::WaitForChannel::id);
  if (known == waits_.end())
    waits_.push_back({wire::ChannelType::Display, channel_id, serial});
  else
    known->serial = std::max(known->serial, serial);
}

void PixmapMessage::commit(std::uint64_t serial) {
  if (!channel_.keeps()) return;
  const std::lock_guard lock(cache().mutex_);
  auto& channel = own();
  if (!channel.is_building) return;
  channel.is_building = false;
  channel.last_serial = std::max(channel.last_serial, serial);
  for (const auto& item : pinned_) {
    --item->pins;
    item->last_use[channel_.slot_] = serial;
  }
  pinned_.clear();
  for (const auto& item : invalid_) {
    const auto dropped = cache().dropped_.find(item.id);
    if (dropped != cache().dropped_.end() && dropped->second.by == channel_.slot_) dropped->second.serial = serial;
  }
  if (!invalid_.empty()) channel.last_drop = serial;
  cache().built_.notify_all();
}

}  // namespace spice::image
