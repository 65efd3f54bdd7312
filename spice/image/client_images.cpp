#include "spice/image/client_images.h"

#include <algorithm>

namespace spice::image {
namespace {

// What is kept under `number`, or made unless there are `most` already.
template <class T, class Make>
std::shared_ptr<T> numbered(std::map<std::uint8_t, std::shared_ptr<T>>& all, std::uint8_t number, std::size_t most,
                            Make make) {
  const auto known = all.find(number);
  if (known != all.end()) return known->second;
  if (all.size() == most) return nullptr;
  return all.emplace(number, make()).first->second;
}

}  // namespace

std::shared_ptr<PixmapCache> ClientImages::cache(const wire::DisplayInit& init) {
  const std::lock_guard lock(mutex_);
  return numbered(caches_, init.cache_id, kMostCaches,
                  [&] { return std::make_shared<PixmapCache>(init.cache_pixels); });
}

std::shared_ptr<Dictionary> ClientImages::dictionary(const wire::DisplayInit& init) {
  const auto most = static_cast<std::int32_t>(codec::kGlzMaxPixels);
  const auto pixels = std::clamp(init.dictionary_window_pixels, 0, most);
  const std::lock_guard lock(mutex_);
  return numbered(dictionaries_, init.dictionary_id, kMostDictionaries,
                  [&] { return std::make_shared<Dictionary>(static_cast<std::uint32_t>(pixels)); });
}

std::shared_ptr<ClientImages> Clients::of(std::uint32_t session) {
  const std::lock_guard lock(mutex_);
  std::erase_if(clients_, [](const auto& client) { return client.second.expired(); });
  if (auto known = clients_[session].lock()) return known;
  auto made = std::make_shared<ClientImages>();
  clients_[session] = made;
  return made;
}

}  // namespace spice::image
