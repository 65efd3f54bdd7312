// Linear addresses to host memory: a software TLB in front of the page walk. [SDM 3A 4]
//
// A hit is a compare and an add. Everything else goes the slow way: TLB misses, accesses that cross a page, MMIO,
// stores to pages that somebody watches or that hold decoded code. All functions answer false after recording a fault
// in the Cpu, and then have changed nothing.
#pragma once

#include <array>
#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>

#include "vmm/cpu/soft/guest_ram.h"
#include "vmm/cpu/soft/physical_map.h"

namespace vmm::cpu::soft {

struct Cpu;
struct PageFrame;

enum class Access : std::uint8_t { Read, Write, Fetch };

struct TlbEntry {
  static constexpr std::uint64_t kNone = 1;  // no page's address
  // The page's linear address where that access may go the quick way, else kNone.
  std::uint64_t read = kNone, write = kNone;
  std::uintptr_t host = 0;     // host address less linear address
  std::uint64_t physical = 0;  // the page's, | the bits below
  std::uint8_t* at(std::uint64_t linear) const { return std::bit_cast<std::uint8_t*>(host + linear); }
  static constexpr std::uint64_t kGlobal = 1, kLarge = 2, kHuge = 4;  // as PageFrame has them
};

// Where code was found to be executable, for fetch_page().
struct FetchEntry {
  std::uint64_t linear = TlbEntry::kNone;  // | the table
  std::uint64_t physical = 0;              // as in TlbEntry
};

class Mmu {
 public:
  static constexpr std::uint64_t kPageMask = ~std::uint64_t{0xfff};
  static constexpr unsigned kPhysicalBits = 40;  // MAXPHYADDR, what CPUID leaf 8000_0008 says

  explicit Mmu(Cpu& cpu) : cpu_(cpu) { flush_all(); }
  Mmu(const Mmu&) = delete;
  Mmu& operator=(const Mmu&) = delete;

  // At the present privilege.
  template <class T>
  bool read(std::uint64_t linear, T& value) {
    const TlbEntry& entry = table_[index(linear)];
    if (entry.read == ((linear + (sizeof(T) - 1)) & kPageMask)) [[likely]] {
      value = load_ram<T>(entry.at(linear));
      return true;
    }
    return read_slow(linear, &value, sizeof value, Access::Read);
  }
  template <class T>
  bool write(std::uint64_t linear, T value) {
    const TlbEntry& entry = table_[index(linear)];
    if (entry.write == ((linear + (sizeof(T) - 1)) & kPageMask)) [[likely]] {
      store_ram(entry.at(linear), value);
      return true;
    }
    return write_slow(linear, &value, sizeof value);
  }
  // The first half of a read-modify-write: faults as the store would. The write() of the same bytes that follows,
  // before anything else happens, cannot fault.
  template <class T>
  bool read_for_write(std::uint64_t linear, T& value) {
    const TlbEntry& entry = table_[index(linear)];
    if (entry.write == ((linear + (sizeof(T) - 1)) & kPageMask)) [[likely]] {
      value = load_ram<T>(entry.at(linear));
      return true;
    }
    return read_slow(linear, &value, sizeof value, Access::Write);
  }
  // Where the bytes are in host memory, if such an access may go the quick way; else nullptr, and read() or write()
  // will do. For functions that leave the slow way to another one, so that they need no stack.
  template <class T>
  const std::uint8_t* quick_read(std::uint64_t linear) const {
    const TlbEntry& entry = table_[index(linear)];
    if (entry.read != ((linear + (sizeof(T) - 1)) & kPageMask)) [[unlikely]]
      return nullptr;
    return entry.at(linear);
  }
  template <class T>
  std::uint8_t* quick_write(std::uint64_t linear) const {
    const TlbEntry& entry = table_[index(linear)];
    if (entry.write != ((linear + (sizeof(T) - 1)) & kPageMask)) [[unlikely]]
      return nullptr;
    return entry.at(linear);
  }
  // Any length up to a page; all or nothing. For structures: alignment is not checked.
  bool read_bytes(std::uint64_t linear, void* bytes, unsigned size) {
    return read_run(linear, bytes, size, Access::Read);
  }
  bool write_bytes(std::uint64_t linear, const void* bytes, unsigned size);
  // Would such an access fault? Records the fault if so; sets accessed and dirty bits as the access would.
  bool probe(std::uint64_t linear, unsigned size, Access access);
  // A run of host memory for repeated strings: how many bytes from `linear` on, at most `wanted` and within the page,
  // may be accessed the quick way, and where. 0: go element by element. Never faults.
  unsigned direct(std::uint64_t linear, unsigned wanted, Access access, std::uint8_t*& host);

  // With supervisor privilege whatever the CPL, for descriptor tables and task states. [SDM 3A 4.6.1]
  template <class T>
  bool read_system(std::uint64_t linear, T& value) {
    return read_system_bytes(linear, &value, sizeof value);
  }
  template <class T>
  bool write_system(std::uint64_t linear, T value) {
    return write_system_bytes(linear, &value, sizeof value);
  }
  bool read_system_bytes(std::uint64_t linear, void* bytes, unsigned size);
  bool write_system_bytes(std::uint64_t linear, const void* bytes, unsigned size);

  // For the decoder: the physical page behind `linear`, if code may be fetched there.
  bool fetch_page(std::uint64_t linear, std::uint64_t& physical_page);

  // Whether an address can be used for data at all: always outside long mode.
  bool is_canonical(std::uint64_t linear) const;
  // PAE paging's four registers, on MOV CR3 and the like, and when a state is loaded. False: #GP is recorded.
  bool load_page_directory_pointers(std::uint64_t cr3);

  // After a change of CPL, EFLAGS.AC, CR0, CR4, EFER or DR7: which table and which rules hold.
  void privilege_changed();
  void flush_all();         // every translation
  void flush_non_global();  // MOV CR3
  void flush_page(std::uint64_t linear);
  // No quick stores to this host page from now on, in whatever table: it holds code, or a watcher looks again.
  void drop_writes(const std::uint8_t* host_page);
  void drop_all_writes();
  // Another one after every flush that may concern code: what fetch_page() was asked for before is void. Supervisor and
  // user have one together.
  std::uint64_t generation() const { return generation_; }

 private:
  static constexpr unsigned kEntries = 1024;
  static constexpr unsigned kFetchEntries = 256;
  // Supervisor; supervisor while SMAP forbids user data; user; and one that stays empty, for when every access must be
  // looked at: alignment checks, data breakpoints.
  enum Table : std::uint8_t { kSupervisor, kSupervisorSmap, kUser, kTables, kNoTable = kTables };
  // A part of an access within one page.
  struct Piece {
    HostPage page;
    std::uint64_t physical = 0;  // after the A20 gate
    std::uint64_t linear = 0;
    unsigned size = 0;
    TlbEntry* entry = nullptr;  // where stores may become quick
  };
  // One access of at most a page: one piece or two.
  struct Pieces {
    std::array<Piece, 2> piece;
    unsigned count = 0;
  };
  // Pages that fetch_page() was asked for in this generation; one that was not may be taken for one that was.
  static constexpr unsigned kFetchedBits = 4096;

  static unsigned index(std::uint64_t linear) { return static_cast<unsigned>(linear >> 12) % kEntries; }

  bool read_slow(std::uint64_t linear, void* bytes, unsigned size, Access access);
  bool write_slow(std::uint64_t linear, const void* bytes, unsigned size);
  bool read_run(std::uint64_t linear, void* bytes, unsigned size, Access access);
  bool check_canonical(std::uint64_t linear, unsigned size);
  bool check_alignment(std::uint64_t linear, unsigned size);
  bool locate(std::uint64_t linear, unsigned size, Access access, Table table, Pieces& pieces);
  bool locate_piece(std::uint64_t linear, Access access, Table table, Piece& piece);
  TlbEntry& install(Table table, std::uint64_t page, const HostPage& host, std::uint64_t physical,
                    const PageFrame& frame);
  void allow_writes(const Piece& piece);
  void read_pieces(const Pieces& pieces, void* bytes);
  void write_pieces(const Pieces& pieces, const void* bytes);
  void begin_generation();
  void note_fetch(const FetchEntry& entry);
  bool was_fetched(std::uint64_t linear) const;
  void meet_breakpoints(std::uint64_t linear, unsigned size, Access access);
  Table system_table() const;

  Cpu& cpu_;
  TlbEntry* table_ = nullptr;
  std::uint64_t generation_ = 0;
  Table active_ = kSupervisor;  // for the present privilege
  bool checks_alignment_ = false;
  bool has_breakpoints_ = false;
  std::array<bool, kTables> has_entries_{};  // others need not be emptied
  bool has_fetches_ = false;
  std::uint64_t large_regions_ = 0;  // bit n: entries of larger pages in the GiB n modulo 64
  std::array<std::array<TlbEntry, kEntries>, kTables + 1> tables_;
  std::array<FetchEntry, kFetchEntries> fetches_;
  std::bitset<kFetchedBits> fetched_;
};

}  // namespace vmm::cpu::soft
