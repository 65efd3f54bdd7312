// Which images a client keeps, as the server knows it: the client's cache drops nothing by itself. All display channels
// of a client that name the same cache share it, each from its own thread. [MSG_DISPLAY_INIT; images' CACHE_ME,
// FROM_CACHE; INVAL_LIST, INVAL_ALL_PIXMAPS, WAIT_FOR_CHANNELS]
//
// A client works through its channels independently, so that the order between them is ours to give:
// - An image that was last used by other channels is dropped behind a wait for those messages.
// - An image that another channel has dropped is sent again behind a wait for that.
// - Who has not heard of another channel's reset waits for it first.
// FROM_CACHE needs no wait: the client waits for an image that is still to come.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "spice/wire/common.h"
#include "spice/wire/display.h"

namespace spice::image {

class PixmapCache {
 public:
  static constexpr std::size_t kMostChannels = 4;
  // However small the images are: bounds our memory, some 5 MiB.
  static constexpr std::size_t kMostImages = 32'768;

  // As many pixels as the client says; below 1 nothing is kept.
  explicit PixmapCache(std::int64_t pixels) : room_(pixels) {}

 private:
  friend class PixmapChannel;
  friend class PixmapMessage;

  using Slot = std::size_t;
  static constexpr Slot kNoSlot = kMostChannels;
  static constexpr std::uint64_t kBeingBuilt = ~std::uint64_t{0};  // a serial that is not known yet
  static constexpr std::size_t kMostDropped = 4096;

  struct Item {
    std::uint64_t id = 0;
    std::uint64_t pixels = 0;
    bool is_lossy = false;
    bool was_lossy = false;  // the client may have that one still
    unsigned pins = 0;       // messages being built that use it
    std::array<std::uint64_t, kMostChannels> last_use{};
  };
  using Items = std::list<Item>;  // the least recently used first

  struct Channel {
    std::uint8_t id = 0;
    bool is_open = false;
    bool is_building = false;                               // a message that has touched the cache
    std::uint64_t generation = 0;                           // that it has waited for
    std::uint64_t last_serial = 0;                          // of a message that used the cache
    std::uint64_t last_drop = 0;                            // of one that dropped images
    std::uint64_t drop_floor = 0;                           // of its drops that are not in dropped_
    std::array<std::uint64_t, kMostChannels> waited_for{};  // of the others' drops
  };
  struct Dropped {
    Slot by = 0;
    std::uint64_t serial = kBeingBuilt;
  };

  void await_messages(std::unique_lock<std::mutex>& lock);  // that other threads are in the middle of
  bool remember_drops() const;
  void forget_old_drops();
  void drop_oldest_item(Slot by);

  std::mutex mutex_;
  std::condition_variable built_;  // a message has got its serial
  const std::int64_t room_;
  std::int64_t used_ = 0;
  Items items_;
  std::map<std::uint64_t, Items::iterator> by_id_;
  std::map<std::uint64_t, Dropped> dropped_;
  std::deque<std::uint64_t> dropped_order_;
  std::array<Channel, kMostChannels> channels_;
  std::uint64_t generation_ = 0;
  std::uint8_t reset_by_ = 0;
  std::uint64_t reset_serial_ = 0;
};

// One display channel's part in a cache. Its thread only.
class PixmapChannel {
 public:
  // Without a cache, and as the fifth channel of one, it keeps nothing.
  PixmapChannel(std::shared_ptr<PixmapCache> cache, std::uint8_t channel_id);
  ~PixmapChannel();
  PixmapChannel(const PixmapChannel&) = delete;
  PixmapChannel& operator=(const PixmapChannel&) = delete;

  // The client is to forget everything: the waits of the INVAL_ALL_PIXMAPS that gets this serial and is sent next.
  // Waits for other threads that are in the middle of a message. No message is being built here.
  std::vector<wire::WaitForChannel> reset(std::uint64_t serial);
  // Whether the client has such an image now; it may be gone when it is asked for.
  bool has(std::uint64_t id) const;

 private:
  friend class PixmapMessage;
  bool keeps() const { return slot_ != PixmapCache::kNoSlot; }

  std::shared_ptr<PixmapCache> cache_;
  PixmapCache::Slot slot_ = PixmapCache::kNoSlot;
};

// What one message uses of the cache: first find() and add() for its images, then what must be sent before it, at last
// commit(); the message is sent at once after that.
class PixmapMessage {
 public:
  explicit PixmapMessage(PixmapChannel& channel) : channel_(channel) {}
  ~PixmapMessage();  // without commit(): nothing of it is sent, as the connection has ended
  PixmapMessage(const PixmapMessage&) = delete;
  PixmapMessage& operator=(const PixmapMessage&) = delete;

  struct Found {
    bool is_lossy = false;
    bool was_lossy = false;
  };
  // The image stays until the message is sent.
  std::optional<Found> find(std::uint64_t id);
  // An image that find() did not find, and that the message holds. False: it is not kept.
  bool add(std::uint64_t id, std::uint64_t pixels, bool is_lossy);
  // The message holds, without loss, an image that find() found to be lossy. False: it is not kept.
  bool replace(std::uint64_t id);

  // To be sent before the message, in this order, which the serial given to commit() has counted.
  const std::vector<wire::WaitForChannel>& waits() const { return waits_; }
  const std::vector<wire::InvalidItem>& invalid() const { return invalid_; }
  void commit(std::uint64_t serial);

 private:
  static constexpr std::size_t kMostInvalid = 0xffff;  // one message's

  void enter();
  bool make_room(std::uint64_t pixels);
  bool wait_for_drop(std::uint64_t id);
  void wait_for_uses(const PixmapCache::Item& item);
  void wait_for(std::uint8_t channel_id, std::uint64_t serial);
  void pin(PixmapCache::Items::iterator item);
  PixmapCache& cache() { return *channel_.cache_; }
  PixmapCache::Channel& own() { return cache().channels_[channel_.slot_]; }

  PixmapChannel& channel_;
  std::vector<wire::WaitForChannel> waits_;
  std::vector<wire::InvalidItem> invalid_;
  std::vector<PixmapCache::Items::iterator> pinned_;
};

}  // namespace spice::image
