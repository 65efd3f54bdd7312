#include "spice/image/shared_images.h"

#include <algorithm>

namespace spice::image {

void SharedImages::set_clients(std::size_t count) {
  shares_ = count > 1;
  if (!shares_) clear();
}

std::optional<Encoded> SharedImages::find(const ImageKey& key, Method method) const {
  const auto found =
      std::ranges::find_if(kept_, [&](const Kept& kept) { return kept.method == method && kept.key == key; });
  if (found == kept_.end()) return {};
  return found->encoded;
}

void SharedImages::add(const ImageKey& key, Method method, const Encoded& encoded) {
  if (!shares_ || bytes_ + encoded.data.size() > kMostBytes) return;
  if (kept_.size() == kMostImages) clear();
  bytes_ += encoded.data.size();
  kept_.push_back({key, method, encoded});
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
