// A block of host memory that guests see: RAM, video memory or a ROM image.
//
// Each 4 KiB page has an atomic byte of flags, one bit a Watcher: set means "written since this watcher looked last".
// Every writer sets them: the accelerator for the guest's own stores, write() and committed slices for ours. A watcher
// collects its bits and clears them; a software TLB must drop its write entries for a page whose bit is cleared
// (DirtySource::cleared), and a hardware one is asked for its log first (DirtySource::sync).
//
// Guests change memory while we read it. Copies are therefore taken once and then validated; scalars are read with one
// access of their width when aligned.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <sys/uio.h>
#include <type_traits>
#include <vector>

#include "core/base/endian.h"
#include "core/base/result.h"

namespace core::inline memory {

constexpr std::uint64_t kPageSize = 4096;

enum class Watcher : std::uint8_t { Scanout = 1, Migration = 2, Code = 4 };

class MemoryBlock;

// The accelerator's side of dirty tracking; both are called on the watcher's thread.
class DirtySource {
 public:
  virtual ~DirtySource() = default;
  // Merges what the guest has written (KVM's dirty log) into the block's flags.
  virtual void sync(MemoryBlock& block) = 0;
  // Pages [first, first+count) have a watcher again: the next store to them must be seen.
  virtual void cleared(MemoryBlock& block, std::uint64_t first_page, std::uint64_t count) = 0;
};

// A type that can be read from and written to guest memory bytewise.
template <class T>
concept GuestPod = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> &&
                   (std::has_unique_object_representations_v<T> || std::unsigned_integral<T>);

// A bounds-checked view of one block. Only copies; sub-slices can only shrink. Out of range reads and writes answer
// false and touch nothing.
class MemorySlice {
 public:
  MemorySlice() = default;

  std::uint64_t size() const { return size_; }
  bool read(std::uint64_t offset, std::span<std::uint8_t> out) const;
  bool write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const;
  bool fill(std::uint64_t offset, std::uint64_t length, std::uint8_t value) const;
  std::optional<MemorySlice> slice(std::uint64_t offset, std::uint64_t length) const;
  // Sets bits of an aligned little-endian word in one step, against a guest that clears some meanwhile; the old value.
  std::optional<std::uint32_t> fetch_or(std::uint64_t offset, std::uint32_t bits) const;

  template <GuestPod T>
  std::optional<T> read(std::uint64_t offset) const;
  template <GuestPod T>
  bool write(std::uint64_t offset, const T& value) const;

 private:
  friend class MemoryBlock;
  friend class GuestIoVector;
  MemorySlice(MemoryBlock& block, std::uint64_t start, std::uint64_t size)
      : block_(&block), start_(start), size_(size) {}

  MemoryBlock* block_ = nullptr;
  std::uint64_t start_ = 0;
  std::uint64_t size_ = 0;
};

class MemoryBlock {
 public:
  // Zeroed memory of `size` bytes, rounded up to whole pages; nothing is committed until it is touched.
  static Result<std::unique_ptr<MemoryBlock>> create(std::string name, std::uint64_t size);
  ~MemoryBlock();
  MemoryBlock(const MemoryBlock&) = delete;
  MemoryBlock& operator=(const MemoryBlock&) = delete;

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t pages() const { return size_ / kPageSize; }

  MemorySlice all() { return {*this, 0, size_}; }
  std::optional<MemorySlice> slice(std::uint64_t offset, std::uint64_t length) { return all().slice(offset, length); }

  // Marks a range written, for every watcher. Any thread.
  void mark_dirty(std::uint64_t offset, std::uint64_t length);
  // Appends to `pages` the pages of [first, first+count) written since the watcher's last call, and forgets them.
  // One thread a watcher.
  void collect_dirty(Watcher watcher, std::uint64_t first_page, std::uint64_t count, std::vector<std::uint64_t>& pages);
  void set_dirty_source(DirtySource* source) { dirty_source_.store(source); }

  // Appends those of the pages that hold something else than zeros to `out`, and says which they are. Those that were
  // never touched are not looked at. Any thread, while nobody writes to them.
  std::vector<bool> copy_nonzero_pages(std::uint64_t first_page, std::uint64_t count,
                                       std::vector<std::uint8_t>& out) const;
  // Gives the pages of a range back to the host; they read as zeros. Whoever uses them
  // meanwhile, guest or host, finds the old or the new contents.
  void discard(std::uint64_t offset, std::uint64_t length);

  // For accelerators only (see README.md): the mapping itself.
  std::uint8_t* host() { return host_; }
  std::atomic<std::uint8_t>* page_flags() { return flags_.get(); }

 private:
  friend class MemorySlice;
  std::vector<bool> touched_pages(std::uint64_t first_page, std::uint64_t count) const;
  MemoryBlock(std::string name, std::uint8_t* host, std::uint64_t size);

  std::string name_;
  std::uint8_t* host_ = nullptr;
  std::uint64_t size_ = 0;
  std::unique_ptr<std::atomic<std::uint8_t>[]> flags_;
  std::atomic<DirtySource*> dirty_source_{nullptr};
};

// Memory of guests in several pieces, for one vectored read or write of a file: data goes between file and guest
// without a copy of ours.
class GuestIoVector {
 public:
  void clear();
  void append(const MemorySlice& slice);
  void append(const GuestIoVector& other);
  std::uint64_t size() const { return size_; }
  // The `length` bytes that start `skip` bytes in; nullopt if they run past the end.
  std::optional<GuestIoVector> part(std::uint64_t skip, std::uint64_t length) const;
  // Copies from or to the pieces starting `skip` bytes in; false if that runs past the end.
  bool write(std::uint64_t skip, std::span<const std::uint8_t> bytes) const;
  bool read(std::uint64_t skip, std::span<std::uint8_t> bytes) const;
  // Gives the pages that lie in it wholly back to the host; see MemoryBlock.
  void discard_pages() const;
  // File to guest (marks pages dirty) and guest to file at `offset`, the whole vector; the error is errno's text. A
  // file shorter than asked reads as zeros.
  Result<> read_file(int fd, std::uint64_t offset) const;
  Result<> write_file(int fd, std::uint64_t offset) const;
  // As read_file(), if all of it is in the host's page cache; false: not all of it was read.
  bool read_cached_file(int fd, std::uint64_t offset) const;

 private:
  std::vector<iovec> host_pieces() const;
  void mark_dirty() const;
  std::vector<MemorySlice> slices_;
  std::uint64_t size_ = 0;
};

template <GuestPod T>
std::optional<T> MemorySlice::read(std::uint64_t offset) const {
  T value{};
  if (!read(offset, std::span(reinterpret_cast<std::uint8_t*>(&value), sizeof value))) return std::nullopt;
  return value;
}

template <GuestPod T>
bool MemorySlice::write(std::uint64_t offset, const T& value) const {
  return write(offset, std::span(reinterpret_cast<const std::uint8_t*>(&value), sizeof value));
}

}  // namespace core::inline memory
