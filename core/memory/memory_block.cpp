#include "core/memory/memory_block.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "core/base/fd.h"

namespace core::inline memory {

namespace {

constexpr std::uint8_t kAllWatchers = 0xff;
constexpr std::size_t kMaxPieces = 64;  // pieces handed to one preadv call; longer vectors take several

#if defined(__SANITIZE_THREAD__)
// The sanitizer would report every guest race; a plain loop it does not watch.
__attribute__((no_sanitize("thread"))) void copy_bytes(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) {
    *const_cast<volatile std::uint8_t*>(to + i) = *const_cast<const volatile std::uint8_t*>(from + i);
  }
}
#else
void copy_bytes(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  std::memcpy(to, from, length);
}
#endif

template <class T>
bool aligned(const std::uint8_t* at) {
  return reinterpret_cast<std::uintptr_t>(at) % sizeof(T) == 0;
}

// Guests race with these copies by nature; what is copied is validated afterwards. Where the guest's side is an aligned
// scalar it is accessed once, so that ring indices never tear; our own side may lie anywhere.
template <class T>
void copy_scalar(std::uint8_t* to, const std::uint8_t* from) {
  T value{};
  if (aligned<T>(from)) {
    value = __atomic_load_n(reinterpret_cast<const T*>(from), __ATOMIC_RELAXED);
  } else {
    copy_bytes(reinterpret_cast<std::uint8_t*>(&value), from, sizeof value);
  }
  if (aligned<T>(to)) {
    __atomic_store_n(reinterpret_cast<T*>(to), value, __ATOMIC_RELAXED);
  } else {
    copy_bytes(to, reinterpret_cast<const std::uint8_t*>(&value), sizeof value);
  }
}

void copy(std::uint8_t* to, const std::uint8_t* from, std::size_t length) {
  switch (length) {
    case 0: return;
    case 1: return copy_scalar<std::uint8_t>(to, from);
    case 2: return copy_scalar<std::uint16_t>(to, from);
    case 4: return copy_scalar<std::uint32_t>(to, from);
    case 8: return copy_scalar<std::uint64_t>(to, from);
    default: return copy_bytes(to, from, length);
  }
}

}  // namespace

bool MemorySlice::read(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (!range_inside<std::uint64_t>(offset, out.size(), size_)) return false;
  if (!out.empty()) copy(out.data(), block_->host_ + start_ + offset, out.size());
  return true;
}

bool MemorySlice::write(std::uint64_t offset, std::span<const std::uint8_t> bytes) const {
  if (!range_inside<std::uint64_t>(offset, bytes.size(), size_)) return false;
  if (bytes.empty()) return true;
  copy(block_->host_ + start_ + offset, bytes.data(), bytes.size());
  block_->mark_dirty(start_ + offset, bytes.size());
  return true;
}

bool MemorySlice::fill(std::uint64_t offset, std::uint64_t length, std::uint8_t value) const {
  if (!range_inside(offset, length, size_)) return false;
  if (length == 0) return true;
  std::memset(block_->host_ + start_ + offset, value, length);
  block_->mark_dirty(start_ + offset, length);
  return true;
}

std::optional<std::uint32_t> MemorySlice::fetch_or(std::uint64_t offset, std::uint32_t bits) const {
  const auto at = start_ + offset;
  if (!range_inside<std::uint64_t>(offset, sizeof bits, size_) || at % sizeof bits != 0) return std::nullopt;
  const auto old = __atomic_fetch_or(reinterpret_cast<std::uint32_t*>(block_->host_ + at), bits, __ATOMIC_SEQ_CST);
  block_->mark_dirty(at, sizeof bits);
  return old;
}

std::optional<MemorySlice> MemorySlice::slice(std::uint64_t offset, std::uint64_t length) const {
  if (!range_inside(offset, length, size_)) return std::nullopt;
  MemorySlice part = *this;
  part.start_ += offset;
  part.size_ = length;
  return part;
}

Result<std::unique_ptr<MemoryBlock>> MemoryBlock::create(std::string name, std::uint64_t size) {
  if (size == 0 || size > std::numeric_limits<std::int64_t>::max() - kPageSize) {
    return fail("memory block {} cannot have {} bytes", name, size);
  }
  const auto rounded = align_up(size, kPageSize);
  void* host = ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (host == MAP_FAILED) return fail("cannot get {} MiB for {}: {}", rounded >> 20, name, errno_text());
  // Fewer page faults, and fewer TLB misses; where the host has no huge pages, nothing is lost.
  ::madvise(host, rounded, MADV_HUGEPAGE);
  return std::unique_ptr<MemoryBlock>(new MemoryBlock(std::move(name), static_cast<std::uint8_t*>(host), rounded));
}

MemoryBlock::MemoryBlock(std::string name, std::uint8_t* host, std::uint64_t size)
    : name_(std::move(name)), host_(host), size_(size), flags_(new std::atomic<std::uint8_t>[size / kPageSize]) {
  for (std::uint64_t page = 0; page < pages(); ++page)
    flags_[page].store(kAllWatchers, std::memory_order_relaxed);
}

MemoryBlock::~MemoryBlock() {
  ::munmap(host_, size_);
}

void MemoryBlock::mark_dirty(std::uint64_t offset, std::uint64_t length) {
  MV_ASSERT(range_inside(offset, length, size_) && length > 0, "callers check the range against the block");
  const auto last = (offset + length - 1) / kPageSize;
  for (auto page = offset / kPageSize; page <= last; ++page) {
    // Never a load that finds the flag set and lets it be: that load may overtake the store of the data, and then a
    // watcher that clears the flag in between sees neither.
    flags_[page].store(kAllWatchers, std::memory_order_release);
  }
}

void MemoryBlock::collect_dirty(Watcher watcher, std::uint64_t first_page, std::uint64_t count,
                                std::vector<std::uint64_t>& pages_out) {
  MV_ASSERT(range_inside(first_page, count, pages()), "watchers ask for pages of the block");
  auto* source = dirty_source_.load();
  if (source != nullptr) source->sync(*this);
  const auto mask = static_cast<std::uint8_t>(watcher);
  for (auto page = first_page; page < first_page + count; ++page) {
    if ((flags_[page].load(std::memory_order_relaxed) & mask) == 0) continue;
    flags_[page].fetch_and(static_cast<std::uint8_t>(~mask), std::memory_order_acq_rel);
    pages_out.push_back(page);
  }
  if (source != nullptr && !pages_out.empty()) source->cleared(*this, first_page, count);
}

// [Linux, Documentation/admin-guide/mm/pagemap.rst] A word for each page: bit 63 is set if it is in memory, 62 if it is
// in swap.
std::vector<bool> MemoryBlock::touched_pages(std::uint64_t first_page, std::uint64_t count) const {
  constexpr std::uint64_t kSomewhere = std::uint64_t{3} << 62;
  const Fd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  std::vector<std::uint64_t> words(count);
  const auto at = (reinterpret_cast<std::uintptr_t>(host_) / kPageSize + first_page) * sizeof(std::uint64_t);
  const auto bytes = ::pread(pagemap.get(), words.data(), count * sizeof(std::uint64_t), static_cast<off_t>(at));
  std::vector<bool> touched(count, true);
  if (bytes != static_cast<ssize_t>(count * sizeof(std::uint64_t))) return touched;
  for (std::uint64_t i = 0; i < count; ++i)
    touched[i] = (words[i] & kSomewhere) != 0;
  return touched;
}

std::vector<bool> MemoryBlock::copy_nonzero_pages(std::uint64_t first_page, std::uint64_t count,
                                                  std::vector<std::uint8_t>& out) const {
  MV_ASSERT(range_inside(first_page, count, pages()), "callers go by the block's pages");
  auto wanted = touched_pages(first_page, count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto* page = host_ + (first_page + i) * kPageSize;
    wanted[i] = wanted[i] && (page[0] != 0 || std::memcmp(page, page + 1, kPageSize - 1) != 0);
    if (wanted[i]) out.insert(out.end(), page, page + kPageSize);
  }
  return wanted;
}

void MemoryBlock::discard(std::uint64_t offset, std::uint64_t length) {
  MV_ASSERT(range_inside(offset, length, size_), "callers check the range against the block");
  ::madvise(host_ + offset, length, MADV_DONTNEED);
  mark_dirty(offset, length);
}

void GuestIoVector::discard_pages() const {
  for (const auto& slice : slices_) {
    const auto first = align_up(slice.start_, kPageSize);
    const auto end = align_down(slice.start_ + slice.size_, kPageSize);
    if (first < end) slice.block_->discard(first, end - first);
  }
}

void GuestIoVector::clear() {
  slices_.clear();
  size_ = 0;
}

void GuestIoVector::append(const GuestIoVector& other) {
  for (const auto& slice : other.slices_)
    append(slice);
}

void GuestIoVector::append(const MemorySlice& slice) {
  if (slice.size() == 0) return;
  size_ += slice.size();
  if (!slices_.empty()) {
    auto& last = slices_.back();
    if (last.block_ == slice.block_ && last.start_ + last.size_ == slice.start_) {
      last.size_ += slice.size_;
      return;
    }
  }
  slices_.push_back(slice);
}

std::optional<GuestIoVector> GuestIoVector::part(std::uint64_t skip, std::uint64_t length) const {
  if (!range_inside(skip, length, size_)) return std::nullopt;
  GuestIoVector result;
  for (const auto& slice : slices_) {
    if (length == 0) break;
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    const auto bytes = std::min(slice.size() - skip, length);
    result.append({*slice.block_, slice.start_ + skip, bytes});
    length -= bytes;
    skip = 0;
  }
  return result;
}

bool GuestIoVector::write(std::uint64_t skip, std::span<const std::uint8_t> bytes) const {
  if (!range_inside<std::uint64_t>(skip, bytes.size(), size_)) return false;
  for (const auto& slice : slices_) {
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    const auto part = std::min<std::uint64_t>(slice.size() - skip, bytes.size());
    slice.write(skip, bytes.first(part));
    bytes = bytes.subspan(part);
    skip = 0;
    if (bytes.empty()) break;
  }
  return true;
}

bool GuestIoVector::read(std::uint64_t skip, std::span<std::uint8_t> bytes) const {
  if (!range_inside<std::uint64_t>(skip, bytes.size(), size_)) return false;
  for (const auto& slice : slices_) {
    if (skip >= slice.size()) {
      skip -= slice.size();
      continue;
    }
    const auto part = std::min<std::uint64_t>(slice.size() - skip, bytes.size());
    slice.read(skip, bytes.first(part));
    bytes = bytes.subspan(part);
    skip = 0;
    if (bytes.empty()) break;
  }
  return true;
}

namespace {

// Moves `pieces` by repeated preadv/pwritev calls until none is left or the file ends; what was not moved stays in it.
template <class Move>
Result<> move_all(std::span<iovec>& pieces, std::uint64_t offset, Move move) {
  while (!pieces.empty()) {
    const auto moved = move(pieces.data(), static_cast<int>(std::min(pieces.size(), kMaxPieces)), offset);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return fail("{}", errno_text());
    if (moved == 0) return {};
    offset += static_cast<std::uint64_t>(moved);
    auto left = static_cast<std::size_t>(moved);
    while (!pieces.empty() && left >= pieces.front().iov_len) {
      left -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (left > 0) {
      pieces.front().iov_base = static_cast<std::uint8_t*>(pieces.front().iov_base) + left;
      pieces.front().iov_len -= left;
    }
  }
  return {};
}

}  // namespace

std::vector<iovec> GuestIoVector::host_pieces() const {
  std::vector<iovec> pieces;
  pieces.reserve(slices_.size());
  for (const auto& slice : slices_)
    pieces.push_back({slice.block_->host() + slice.start_, slice.size_});
  return pieces;
}

void GuestIoVector::mark_dirty() const {
  for (const auto& slice : slices_)
    slice.block_->mark_dirty(slice.start_, slice.size_);
}

Result<> GuestIoVector::read_file(int fd, std::uint64_t offset) const {
  auto pieces = host_pieces();
  std::span<iovec> rest(pieces);
  const auto done = move_all(rest, offset, [fd](iovec* vector, int count, std::uint64_t at) {
    return ::preadv(fd, vector, count, static_cast<off_t>(at));
  });
  for (const auto& piece : rest)
    std::memset(piece.iov_base, 0, piece.iov_len);
  mark_dirty();
  return done;
}

bool GuestIoVector::read_cached_file(int fd, std::uint64_t offset) const {
  const auto pieces = host_pieces();
  if (pieces.size() > kMaxPieces) return false;
  const auto moved =
      ::preadv2(fd, pieces.data(), static_cast<int>(pieces.size()), static_cast<off_t>(offset), RWF_NOWAIT);
  if (moved > 0) mark_dirty();
  return moved >= 0 && static_cast<std::uint64_t>(moved) == size_;
}

Result<> GuestIoVector::write_file(int fd, std::uint64_t offset) const {
  auto pieces = host_pieces();
  std::span<iovec> rest(pieces);
  auto done = move_all(rest, offset, [fd](iovec* vector, int count, std::uint64_t at) {
    return ::pwritev(fd, vector, count, static_cast<off_t>(at));
  });
  if (done && !rest.empty()) return fail("the file took no more data");
  return done;
}

}  // namespace core::inline memory
