#include "vmm/cpu/soft/mmu.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "vmm/cpu/soft/page_walk.h"
#include "vmm/cpu/soft/physical_access.h"
#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint64_t kOffsetMask = ~Mmu::kPageMask;

std::uint64_t region_bit(std::uint64_t linear) {
  return std::uint64_t{1} << (linear >> 30 & 63);
}

std::uint64_t entry_bits(const PageFrame& frame) {
  return (frame.global ? TlbEntry::kGlobal : 0) | (frame.large ? TlbEntry::kLarge : 0) |
         (frame.huge ? TlbEntry::kHuge : 0);
}
// By an entry's bits: what its whole page has in common. Those of 2 MiB are taken for twice as large.
constexpr unsigned kSmallShift = 12, kLargeShift = 22, kHugeShift = 30;
unsigned page_shift(std::uint64_t bits) {
  return (bits & TlbEntry::kHuge) != 0 ? kHugeShift : (bits & TlbEntry::kLarge) != 0 ? kLargeShift : kSmallShift;
}
unsigned fetched_bit(std::uint64_t linear, unsigned shift) {
  return static_cast<unsigned>((linear >> shift) + shift);
}

}  // namespace

bool Mmu::is_canonical(std::uint64_t linear) const {
  if (!cpu_.long_mode()) return true;
  const unsigned unused = (cpu_.cr4 & kCr4La57) != 0 ? 64 - 57 : 64 - 48;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(linear << unused) >> unused) == linear;
}

bool Mmu::check_canonical(std::uint64_t linear, unsigned size) {
  if (is_canonical(linear) && is_canonical(linear + size - 1)) return true;
  cpu_.raise(Vector::GeneralProtection, 0, linear);
  return false;
}

// [SDM 3A 6.15 "Alignment Check"]
bool Mmu::check_alignment(std::uint64_t linear, unsigned size) {
  const std::uint64_t alignment = size == 10 ? 8 : size;  // an x87 extended value
  if (!checks_alignment_ || size > 16 || !std::has_single_bit(alignment) || (linear & (alignment - 1)) == 0)
    return true;
  cpu_.raise(Vector::AlignmentCheck, 0);
  return false;
}

// [SDM 3B 17.2.4, 17.2.5] R/W is 01 for stores and 11 for all data; LEN 2 means eight bytes.
void Mmu::meet_breakpoints(std::uint64_t linear, unsigned size, Access access) {
  for (unsigned i = 0; i < 4; ++i) {
    const auto kind = cpu_.dr7 >> (16 + 4 * i) & 3;
    if ((cpu_.dr7 >> (2 * i) & 3) == 0 || (kind & 1) == 0 || (kind == 1 && access == Access::Read)) continue;
    static constexpr std::array<std::uint64_t, 4> kLengths{1, 2, 8, 4};
    const std::uint64_t length = kLengths[cpu_.dr7 >> (18 + 4 * i) & 3];
    const std::uint64_t start = cpu_.debug_address[i] & ~(length - 1);
    if (linear - start < length || start - linear < size) cpu_.debug_hits |= std::uint64_t{1} << i;
  }
}

Mmu::Table Mmu::system_table() const {
  return (cpu_.cr4 & kCr4Smap) != 0 ? kSupervisorSmap : kSupervisor;
}

TlbEntry& Mmu::install(Table table, std::uint64_t page, const HostPage& host, std::uint64_t physical,
                       const PageFrame& frame) {
  has_entries_[table] = true;
  TlbEntry& entry = tables_[table][index(page)];
  if (entry.read != page || (entry.physical & kPageMask) != physical) entry.write = TlbEntry::kNone;
  entry.read = page;
  entry.host = reinterpret_cast<std::uintptr_t>(host.bytes) - page;
  entry.physical = physical | entry_bits(frame);
  if (frame.large || frame.huge) large_regions_ |= region_bit(page);
  return entry;
}

bool Mmu::locate_piece(std::uint64_t linear, Access access, Table table, Piece& piece) {
  if (!cpu_.long_mode()) linear &= 0xffffffff;
  const PageRequest request{linear, access == Access::Write, access == Access::Fetch, table == kUser,
                            table == kSupervisorSmap};
  PageFrame frame;
  if (!walk_pages(cpu_, request, frame)) return false;
  const std::uint64_t page = cpu_.platform->physical().mask_a20(frame.physical);
  piece.physical = page | (linear & kOffsetMask);
  piece.linear = linear;
  piece.page = physical_page(cpu_, page);
  piece.entry = nullptr;
  // What may be fetched need not be readable: supervisor code in user pages under SMAP.
  if (piece.page.bytes != nullptr && access != Access::Fetch)
    piece.entry = &install(table, linear & kPageMask, piece.page, page, frame);
  return true;
}

bool Mmu::locate(std::uint64_t linear, unsigned size, Access access, Table table, Pieces& pieces) {
  const unsigned first = std::min(size, static_cast<unsigned>(core::kPageSize - (linear & kOffsetMask)));
  pieces.piece[0].size = first;
  pieces.piece[1].size = size - first;
  pieces.count = first < size ? 2 : 1;
  if (!locate_piece(linear, access, table, pieces.piece[0])) return false;
  return first == size || locate_piece(linear + first, access, table, pieces.piece[1]);
}

void Mmu::allow_writes(const Piece& piece) {
  // The other piece of the access may have displaced the entry.
  if (piece.entry->read == (piece.linear & kPageMask)) piece.entry->write = piece.entry->read;
}

void Mmu::read_pieces(const Pieces& pieces, void* bytes) {
  auto* out = static_cast<std::uint8_t*>(bytes);
  for (unsigned i = 0; i < pieces.count; ++i) {
    const Piece& piece = pieces.piece[i];
    read_page(cpu_, piece.page, piece.physical, out, piece.size);
    out += piece.size;
  }
}

void Mmu::write_pieces(const Pieces& pieces, const void* bytes) {
  const auto* in = static_cast<const std::uint8_t*>(bytes);
  for (unsigned i = 0; i < pieces.count; ++i) {
    const Piece& piece = pieces.piece[i];
    if (write_page(cpu_, piece.page, piece.physical, in, piece.size) && piece.entry != nullptr) allow_writes(piece);
    in += piece.size;
  }
}

bool Mmu::read_slow(std::uint64_t linear, void* bytes, unsigned size, Access access) {
  return check_alignment(linear, size) && read_run(linear, bytes, size, access);
}

bool Mmu::write_slow(std::uint64_t linear, const void* bytes, unsigned size) {
  return check_alignment(linear, size) && write_bytes(linear, bytes, size);
}

bool Mmu::read_run(std::uint64_t linear, void* bytes, unsigned size, Access access) {
  Pieces pieces;
  if (!check_canonical(linear, size) || !locate(linear, size, access, active_, pieces)) return false;
  if (has_breakpoints_) meet_breakpoints(linear, size, access);
  read_pieces(pieces, bytes);
  return true;
}

bool Mmu::write_bytes(std::uint64_t linear, const void* bytes, unsigned size) {
  Pieces pieces;
  if (!check_canonical(linear, size) || !locate(linear, size, Access::Write, active_, pieces)) return false;
  if (has_breakpoints_) meet_breakpoints(linear, size, Access::Write);
  write_pieces(pieces, bytes);
  return true;
}

bool Mmu::probe(std::uint64_t linear, unsigned size, Access access) {
  const TlbEntry& entry = table_[index(linear)];
  const std::uint64_t last_page = (linear + size - 1) & kPageMask;
  if (access == Access::Write ? entry.write == last_page : access == Access::Read && entry.read == last_page)
    return true;
  Pieces pieces;
  return check_canonical(linear, size) && locate(linear, size, access, active_, pieces);
}

unsigned Mmu::direct(std::uint64_t linear, unsigned wanted, Access access, std::uint8_t*& host) {
  const TlbEntry& entry = table_[index(linear)];
  const std::uint64_t page = access == Access::Write ? entry.write : entry.read;
  if (page != (linear & kPageMask)) return 0;
  host = entry.at(linear);
  return std::min(wanted, static_cast<unsigned>(core::kPageSize - (linear & kOffsetMask)));
}

bool Mmu::read_system_bytes(std::uint64_t linear, void* bytes, unsigned size) {
  const Table table = system_table();
  const TlbEntry& entry = tables_[table][index(linear)];
  if (entry.read == (linear & kPageMask) && entry.read == ((linear + size - 1) & kPageMask)) {
    std::memcpy(bytes, entry.at(linear), size);
    return true;
  }
  Pieces pieces;
  if (!check_canonical(linear, size) || !locate(linear, size, Access::Read, table, pieces)) return false;
  read_pieces(pieces, bytes);
  return true;
}

bool Mmu::write_system_bytes(std::uint64_t linear, const void* bytes, unsigned size) {
  Pieces pieces;
  if (!check_canonical(linear, size) || !locate(linear, size, Access::Write, system_table(), pieces)) return false;
  write_pieces(pieces, bytes);
  return true;
}

bool Mmu::fetch_page(std::uint64_t linear, std::uint64_t& physical_page) {
  if (!cpu_.long_mode()) linear &= 0xffffffff;
  const Table table = cpu_.cpl == 3 ? kUser : kSupervisor;
  const std::uint64_t key = (linear & kPageMask) | table;
  FetchEntry& entry = fetches_[static_cast<unsigned>(linear >> 12) % kFetchEntries];
  if (entry.linear == key) {
    note_fetch(entry);
    physical_page = entry.physical & kPageMask;
    return true;
  }
  if (!check_canonical(linear, 1)) return false;
  PageFrame frame;
  if (!walk_pages(cpu_, {.linear = linear, .fetch = true, .user = table == kUser}, frame)) return false;
  physical_page = cpu_.platform->physical().mask_a20(frame.physical);
  has_fetches_ = true;
  entry.linear = key;
  entry.physical = physical_page | entry_bits(frame);
  if (frame.large || frame.huge) large_regions_ |= region_bit(linear);
  note_fetch(entry);
  return true;
}

void Mmu::privilege_changed() {
  const bool user = cpu_.cpl == 3;
  const bool guarded = (cpu_.cr4 & kCr4Smap) != 0 && (cpu_.other_flags & kAc) == 0;
  active_ = user ? kUser : guarded ? kSupervisorSmap : kSupervisor;
  checks_alignment_ = user && (cpu_.cr0 & kCr0Am) != 0 && (cpu_.other_flags & kAc) != 0;
  has_breakpoints_ = (cpu_.dr7 & 0xff) != 0 && (cpu_.dr7 & 0x11110000) != 0;
  table_ = tables_[checks_alignment_ || has_breakpoints_ ? kNoTable : active_].data();
}

void Mmu::flush_all() {
  for (unsigned table = 0; table < kTables; ++table) {
    if (std::exchange(has_entries_[table], false)) tables_[table].fill({});
  }
  if (std::exchange(has_fetches_, false)) fetches_.fill({});
  large_regions_ = 0;
  if (table_ == nullptr) table_ = tables_[active_].data();
  begin_generation();
}

void Mmu::begin_generation() {
  ++generation_;
  fetched_.reset();
}

void Mmu::note_fetch(const FetchEntry& entry) {
  fetched_.set(fetched_bit(entry.linear, page_shift(entry.physical)) % kFetchedBits);
}

bool Mmu::was_fetched(std::uint64_t linear) const {
  return std::ranges::any_of(std::array{kSmallShift, kLargeShift, kHugeShift},
                             [&](unsigned shift) { return fetched_.test(fetched_bit(linear, shift) % kFetchedBits); });
}

void Mmu::flush_non_global() {
  for (unsigned table = 0; table < kTables; ++table) {
    for (TlbEntry& entry : tables_[table]) {
      if ((entry.physical & TlbEntry::kGlobal) == 0) entry.read = entry.write = TlbEntry::kNone;
    }
  }
  for (FetchEntry& entry : fetches_) {
    if ((entry.physical & TlbEntry::kGlobal) == 0) entry.linear = TlbEntry::kNone;
  }
  begin_generation();
}

// [SDM 3A 4.10.4.1] INVLPG drops a large page as a whole, wherever in it the address lies; dropping more than was asked
// for is always allowed. Kernels flush pages that they map for a moment all the time: that makes nobody look for code
// again.
void Mmu::flush_page(std::uint64_t linear) {
  if (!cpu_.long_mode()) linear &= 0xffffffff;
  const bool parts = (large_regions_ & region_bit(linear)) != 0;
  const auto meant = [&](std::uint64_t page, std::uint64_t physical) {
    const unsigned shift = page_shift(physical);
    return page != TlbEntry::kNone && (page >> shift) == (linear >> shift);
  };
  for (unsigned table = 0; table < kTables; ++table) {
    const auto look = [&](TlbEntry& entry) {
      if (meant(entry.read, entry.physical)) entry.read = entry.write = TlbEntry::kNone;
    };
    if (parts) {
      std::ranges::for_each(tables_[table], look);
    } else {
      look(tables_[table][index(linear)]);
    }
  }
  for (FetchEntry& entry : fetches_) {
    if (meant(entry.linear, entry.physical)) entry.linear = TlbEntry::kNone;
  }
  if (was_fetched(linear)) begin_generation();
}

void Mmu::drop_writes(const std::uint8_t* host_page) {
  const auto host = reinterpret_cast<std::uintptr_t>(host_page);
  for (unsigned table = 0; table < kTables; ++table) {
    for (TlbEntry& entry : tables_[table]) {
      if (entry.write != TlbEntry::kNone && entry.host + entry.write == host) entry.write = TlbEntry::kNone;
    }
  }
}

void Mmu::drop_all_writes() {
  for (unsigned table = 0; table < kTables; ++table) {
    for (TlbEntry& entry : tables_[table]) {
      if (entry.write == TlbEntry::kNone) continue;
      entry.write = TlbEntry::kNone;
      // A store may have come after the watcher looked and before this: one look too many is better than a lost store.
      const HostPage page = cpu_.platform->physical().find(entry.physical & kPageMask);
      if (page.bytes != nullptr) announce_store(cpu_, page);
    }
  }
}

}  // namespace vmm::cpu::soft
