// The port or MMIO space: ranges of handlers. Resolves an access to its range, locks that device, calls it.
//
// A device sees offsets only. Accesses wider than the range allows, and accesses that cross a range's end, are split
// into smaller ones in ascending order. Unclaimed reads are all ones, unclaimed writes vanish; both are counted.
//
// Locks: the table lock is a leaf and is never held while a device is called. Removing a range waits until no handler
// of it is running, by taking the device's lock: never remove a device's range with that device's lock held.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "core/base/device_lock.h"
#include "core/base/fd.h"
#include "core/base/result.h"

namespace core::inline bus {

// Whole strings of one port at once (rep ins/outs), for devices where a call per element is too slow.
class StringPort {
 public:
  virtual ~StringPort() = default;
  // Moves as many elements of `width` bytes as it can at `offset`, device lock held; returns how many. The rest goes
  // element by element.
  virtual std::size_t read_string(std::uint64_t offset, unsigned width, std::span<std::uint8_t> out) = 0;
  virtual std::size_t write_string(std::uint64_t offset, unsigned width, std::span<const std::uint8_t> bytes) = 0;
};

// A range of registers. width is 1, 2, 4 or 8 and offset + width lies inside the range.
class IoHandler {
 public:
  virtual ~IoHandler() = default;
  virtual std::uint64_t read(std::uint64_t offset, unsigned width) = 0;               // device lock held
  virtual void write(std::uint64_t offset, unsigned width, std::uint64_t value) = 0;  // device lock held
  // After each write, on the same vCPU thread, no lock held: where a device waits for what another thread does for it.
  virtual void written() {}
  virtual StringPort* string_port() { return nullptr; }
};

// Binds two member functions of a device as a handler, for devices with several ranges.
template <class Owner>
class Handler final : public IoHandler {
 public:
  using Read = std::uint64_t (Owner::*)(std::uint64_t offset, unsigned width);
  using Write = void (Owner::*)(std::uint64_t offset, unsigned width, std::uint64_t value);

  Handler(Owner& owner, Read on_read, Write on_write) : owner_(owner), read_(on_read), write_(on_write) {}
  std::uint64_t read(std::uint64_t offset, unsigned width) override { return (owner_.*read_)(offset, width); }
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override {
    (owner_.*write_)(offset, width, value);
  }

 private:
  Owner& owner_;
  Read read_;
  Write write_;
};

struct IoRange {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  unsigned max_width = 8;  // wider accesses are split into this
};

// A write that only wakes somebody: an eventfd instead of a call. width 0 matches any width; without `match`, any
// value.
struct Doorbell {
  std::uint64_t address = 0;
  unsigned width = 0;
  std::optional<std::uint64_t> match;
  int eventfd = -1;

  bool operator==(const Doorbell&) const = default;
};

// The accelerator, which may ring doorbells in the kernel.
class DoorbellListener {
 public:
  virtual ~DoorbellListener() = default;
  virtual void doorbell_added(const Doorbell& doorbell) = 0;
  virtual void doorbell_removed(const Doorbell& doorbell) = 0;
};

// Writes of which nobody needs to hear at once. They come to their handler some time later, in order, but before
// anything else that the CPU does to a device outside of such ranges.
struct PostedRange {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
};

// The accelerator, which may keep such writes for a while.
class PostedListener {
 public:
  virtual ~PostedListener() = default;
  virtual void posted_added(const PostedRange& range) = 0;
  virtual void posted_removed(const PostedRange& range) = 0;
  virtual void settle() = 0;  // delivers what it keeps
};

class AddressSpace;

// Takes the range out of its space when it goes out of scope.
class Registration {
 public:
  Registration() = default;
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() { reset(); }
  void reset();
  explicit operator bool() const { return space_ != nullptr; }

 private:
  friend class AddressSpace;
  Registration(AddressSpace& space, std::uint64_t id) : space_(&space), id_(id) {}
  AddressSpace* space_ = nullptr;
  std::uint64_t id_ = 0;
};

class AddressSpace {
 public:
  // `size` is one past the highest address (0 means 2^64).
  AddressSpace(std::string name, std::uint64_t size) : name_(std::move(name)), size_(size) {}
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  // Claims a range. Overlap with another range, an empty range or one past the end is an error: a guest that moves a
  // BAR over something else finds the BAR unclaimed.
  [[nodiscard]] Result<Registration> add(const IoRange& range, IoHandler& handler, DeviceLock& lock,
                                         std::string_view owner);
  [[nodiscard]] Registration add_doorbell(const Doorbell& doorbell);
  // Its handler is registered beside it.
  [[nodiscard]] Registration add_posted(const PostedRange& range);
  // Every posted write of now has come to its handler when this returns. Any thread, no device lock held.
  void settle();

  std::uint64_t read(std::uint64_t address, unsigned width);
  void write(std::uint64_t address, unsigned width, std::uint64_t value);
  // rep ins/outs at one port: `data` holds whole elements of `width` bytes.
  void read_string(std::uint64_t address, unsigned width, std::span<std::uint8_t> data);
  void write_string(std::uint64_t address, unsigned width, std::span<const std::uint8_t> data);

  void set_doorbell_listener(DoorbellListener* listener);
  void set_posted_listener(PostedListener* listener);
  std::uint64_t unclaimed_accesses() const { return unclaimed_.load(std::memory_order_relaxed); }
  const std::string& name() const { return name_; }

  struct Entry {
    std::uint64_t start = 0;
    std::uint64_t size = 0;
    std::string owner;
  };
  // For `info mtree`: what is claimed, by address.
  std::vector<Entry> entries() const;

 private:
  friend class Registration;
  struct Region {
    IoRange range;
    IoHandler* handler = nullptr;
    DeviceLock* lock = nullptr;
    std::string owner;
    std::uint64_t id = 0;
    bool live = true;  // guarded by *lock
  };
  struct DoorbellEntry {
    Doorbell doorbell;
    std::uint64_t id = 0;
  };
  struct PostedEntry {
    PostedRange range;
    std::uint64_t id = 0;
  };
  static std::uint64_t address_of(const DoorbellEntry& entry) { return entry.doorbell.address; }

  void remove(std::uint64_t id);
  std::shared_ptr<Region> find(std::uint64_t address) const;
  bool ring(std::uint64_t address, unsigned width, std::uint64_t value) const;
  template <class Piece>
  void split(std::uint64_t address, unsigned width, Piece piece);

  std::string name_;
  std::uint64_t size_;
  mutable std::shared_mutex mutex_;
  std::vector<std::shared_ptr<Region>> regions_;  // by start
  std::vector<DoorbellEntry> doorbells_;          // by address
  DoorbellListener* doorbell_listener_ = nullptr;
  std::vector<PostedEntry> posted_;
  std::atomic<PostedListener*> posted_listener_ = nullptr;
  std::uint64_t next_id_ = 1;
  std::atomic<std::uint64_t> unclaimed_{0};
  std::atomic<bool> has_doorbells_{false};
};

}  // namespace core::inline bus
