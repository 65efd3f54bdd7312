// What the CPUs see as memory at which guest physical address: RAM, shadowed and plain ROM, video memory in BARs and in
// the VGA window. Everything not in the map is MMIO (core/bus). Mappings may overlap: the higher priority wins, the
// later one among equals. Every change is flattened and told to the accelerator as removed and added regions.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "core/memory/gpa.h"
#include "core/memory/memory_block.h"

namespace core::inline memory {

// A flat, page-aligned piece as an accelerator maps it. Stores to a read-only piece go to MMIO, where nothing answers.
struct RamRegion {
  Gpa start;
  std::uint64_t size = 0;
  MemoryBlock* block = nullptr;
  std::uint64_t offset = 0;
  bool writable = true;
  bool log_dirty = false;  // a watcher wants to know of the guest's stores

  bool operator==(const RamRegion&) const = default;
};

// The accelerator. Called with the map's own lock held and possibly with device locks held, from any thread; must not
// call back into the map.
class RamMapListener {
 public:
  virtual ~RamMapListener() = default;
  virtual void region_removed(const RamRegion& region) = 0;
  virtual void region_added(const RamRegion& region) = 0;
  // After the last call of one change. Until then a listener may keep what was removed, so that parts which come back
  // unchanged never vanish from under a running CPU.
  virtual void regions_changed() {}
};

class RamMap;

// Unmaps when it goes out of scope.
class RamMapping {
 public:
  RamMapping() = default;
  RamMapping(RamMapping&& other) noexcept : map_(std::exchange(other.map_, nullptr)), id_(other.id_) {}
  RamMapping& operator=(RamMapping&& other) noexcept;
  RamMapping(const RamMapping&) = delete;
  RamMapping& operator=(const RamMapping&) = delete;
  ~RamMapping() { reset(); }
  void reset();
  explicit operator bool() const { return map_ != nullptr; }

 private:
  friend class RamMap;
  RamMapping(RamMap& map, std::uint64_t id) : map_(&map), id_(id) {}
  RamMap* map_ = nullptr;
  std::uint64_t id_ = 0;
};

class RamMap {
 public:
  RamMap() = default;
  RamMap(const RamMap&) = delete;
  RamMap& operator=(const RamMap&) = delete;

  // `region` must be page-aligned, not wrap around, and lie in its block: BARs and PAM ranges do by construction.
  [[nodiscard]] RamMapping map(const RamRegion& region, int priority = 0);
  // Several changes seen by the accelerator as one step, without a gap for what stays the same.
  class Batch {
   public:
    explicit Batch(RamMap& map);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

   private:
    RamMap& map_;
  };

  // Replays the present regions to the listener; nullptr detaches.
  void set_listener(RamMapListener* listener);
  std::vector<RamRegion> regions() const;
  std::optional<RamRegion> find(Gpa address) const;

 private:
  friend class RamMapping;
  struct Entry {
    std::uint64_t id = 0;
    int priority = 0;
    RamRegion region;
  };
  void unmap(std::uint64_t id);
  void update_locked();

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // lowest precedence first
  std::vector<RamRegion> flat_;
  RamMapListener* listener_ = nullptr;
  std::uint64_t next_id_ = 1;
  unsigned batches_ = 0;
};

}  // namespace core::inline memory
