// What the display channels of one client share: caches and dictionaries, each under the number that the client's
// display INIT gives it. And the clients, by the number of their session. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "spice/image/dictionary.h"
#include "spice/image/pixmap_cache.h"
#include "spice/wire/display.h"

namespace spice::image {

class ClientImages {
 public:
  // A cache and a dictionary have the size that the first INIT says which names them, within what we allow: a
  // dictionary takes up to four bytes a pixel of codec::kGlzMaxPixels.
  static constexpr std::size_t kMostDictionaries = 2;
  static constexpr std::size_t kMostCaches = 2;

  // Null for a further one: nothing is kept there.
  std::shared_ptr<PixmapCache> cache(const wire::DisplayInit& init);
  std::shared_ptr<Dictionary> dictionary(const wire::DisplayInit& init);

 private:
  std::mutex mutex_;
  std::map<std::uint8_t, std::shared_ptr<PixmapCache>> caches_;
  std::map<std::uint8_t, std::shared_ptr<Dictionary>> dictionaries_;
};

class Clients {
 public:
  // Of a client's session, as long as somebody holds it.
  std::shared_ptr<ClientImages> of(std::uint32_t session);

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::weak_ptr<ClientImages>> clients_;
};

}  // namespace spice::image
