#include "spice/image/shared_images.h"

#include <algorithm>
#include <utility>

namespace spice::image {

void SharedImages::set_clients(std::size_t count) {
  if (std::exchange(shares_, count > 1) && !shares_) clear();
}

bool SharedImages::has(const ImageKey& key, Method method) const {
  return std::ranges::any_of(kept_, [&](const Kept& kept) { return kept.method == method && kept.key == key; });
}

std::optional<Encoded> SharedImages::find(const ImageKey& key, Method method) {
  const auto found =
      std::ranges::find_if(kept_, [&](const Kept& kept) { return kept.method == method && kept.key == key; });
  if (found == kept_.end()) return {};
  auto encoded = found->encoded;
  found->encoded.took = {};  // is counted once
  found->is_unclaimed = false;
  if (!shares_) {
    bytes_ -= encoded.data.size();
    kept_.erase(found);
  }
  return encoded;
}

void SharedImages::add(const ImageKey& key, Method method, const Encoded& encoded) {
  if (shares_) keep({key, method, encoded});
}

void SharedImages::add_prepared(const ImageKey& key, Method method, const Encoded& encoded) {
  make_room(encoded.data.size());
  keep({key, method, encoded, true});
}

void SharedImages::drop_unclaimed() {
  std::erase_if(kept_, [this](const Kept& kept) {
    if (kept.is_unclaimed) bytes_ -= kept.encoded.data.size();
    return kept.is_unclaimed;
  });
}

// What somebody has had goes first, the oldest before others.
void SharedImages::make_room(std::size_t bytes) {
  while (bytes_ + bytes > kMostBytes) {
    const auto had = std::ranges::find(kept_, false, &Kept::is_unclaimed);
    if (had == kept_.end()) return;
    bytes_ -= had->encoded.data.size();
    kept_.erase(had);
  }
}

void SharedImages::keep(Kept kept) {
  if (bytes_ + kept.encoded.data.size() > kMostBytes) return;
  if (kept_.size() == kMostImages) clear();
  bytes_ += kept.encoded.data.size();
  kept_.push_back(std::move(kept));
}

void SharedImages::surfaces_changed() {
  std::erase_if(kept_, [this](const Kept& kept) {
    if (kept.key.image != nullptr) return false;
    bytes_ -= kept.encoded.data.size();
    return true;
  });
}

void SharedImages::clear() {
  kept_.clear();
  bytes_ = 0;
}

}  // namespace spice::image
