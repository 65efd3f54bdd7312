#include "spice/image/shared_images.h"

#include <algorithm>
#include <utility>

namespace spice::image {

SharedImages::Kept::Kept(const ImageKey& key, Method method_asked, Encoded made)
    : image(key.image),
      is_of_surface(key.image == nullptr),
      surface(key.surface),
      area(key.area),
      method(method_asked),
      encoded(std::move(made)) {}

bool SharedImages::Kept::is(const ImageKey& key, Method method_asked) const {
  return method == method_asked && area == key.area && surface == key.surface &&
         is_of_surface == (key.image == nullptr) && !image.owner_before(key.image) && !key.image.owner_before(image);
}

void SharedImages::set_clients(std::size_t count) {
  if (std::exchange(shares_, count > 1) && !shares_) clear();
}

bool SharedImages::has(const ImageKey& key, Method method) const {
  return std::ranges::any_of(kept_, [&](const Kept& kept) { return kept.is(key, method); });
}

std::optional<Encoded> SharedImages::find(const ImageKey& key, Method method) {
  const auto found = std::ranges::find_if(kept_, [&](const Kept& kept) { return kept.is(key, method); });
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
  Kept prepared(key, method, encoded);
  prepared.is_unclaimed = true;
  keep(std::move(prepared));
}

void SharedImages::drop_if(const std::function<bool(const Kept&)>& goes) {
  std::erase_if(kept_, [&](const Kept& kept) {
    if (!goes(kept)) return false;
    bytes_ -= kept.encoded.data.size();
    return true;
  });
}

void SharedImages::drop_unclaimed() {
  drop_if([](const Kept& kept) { return kept.is_unclaimed; });
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
  if (kept_.size() == kMostImages) drop_if([](const Kept& one) { return !one.is_of_surface && one.image.expired(); });
  if (kept_.size() == kMostImages) clear();
  bytes_ += kept.encoded.data.size();
  kept_.push_back(std::move(kept));
}

void SharedImages::surfaces_changed() {
  drop_if([](const Kept& kept) { return kept.is_of_surface; });
}

void SharedImages::clear() {
  kept_.clear();
  bytes_ = 0;
}

}  // namespace spice::image
