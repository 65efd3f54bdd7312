#include "tests/unit/vmm/cpu/soft/system/machine.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint64_t kPresent = 1, kWrite = 2, kUser = 4, kAccessed = 0x20, kDirty = 0x40, kLarge = 0x80,
                        kGlobal = 0x100, kNx = std::uint64_t{1} << 63;

class Paging : public MachineTest {
 protected:
  static constexpr std::uint64_t kPageTable = kTables + 0x4000, kPage = 0x100000, kOther = 0x101000;
  // Linear 4 MiB on is mapped by the page table; `flags` of its first entry, which is kPage.
  static constexpr std::uint64_t kLinear = 0x400000;

  void page_32(std::uint32_t flags, std::uint32_t directory_flags = 7) {
    enter_protected_mode();
    poke<std::uint32_t>(kTables, 0 | 7);
    poke<std::uint32_t>(kTables + 4, static_cast<std::uint32_t>(kPageTable) | directory_flags);
    poke<std::uint32_t>(kPageTable, static_cast<std::uint32_t>(kPage) | flags);
    cpu.cr3 = kTables;
    cpu.cr0 |= kCr0Pg;
    refresh();
  }
  void page_64(std::uint64_t flags) {
    enter_long_mode();
    poke<std::uint64_t>(kTables + 0x2000 + 16, kPageTable | 7);
    poke<std::uint64_t>(kPageTable, kPage | flags);
    refresh();
  }
  void refresh() {
    cpu.mmu.flush_all();
    cpu.mmu.privilege_changed();
  }
  bool read(std::uint64_t linear) {
    std::uint32_t value = 0;
    return cpu.mmu.read(linear, value);
  }
  bool write(std::uint64_t linear) { return cpu.mmu.write<std::uint32_t>(linear, 0x12345678); }
  bool fetch(std::uint64_t linear) {
    std::uint64_t page = 0;
    return cpu.mmu.fetch_page(linear, page);
  }
  void set_ring(std::uint8_t ring) { set_cpl(cpu, ring); }
};

TEST_F(Paging, not_present_tells_access_and_privilege) {
  page_32(0);
  EXPECT_FALSE(read(kLinear + 8));
  EXPECT_TRUE(faulted(Vector::PageFault, 0));
  EXPECT_EQ(cpu.fault.address, kLinear + 8);
  EXPECT_FALSE(write(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 2));
  set_ring(3);
  EXPECT_FALSE(read(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 4));
  EXPECT_FALSE(write(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 6));
  EXPECT_FALSE(fetch(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 4)) << "no I/D bit without NX and SMEP";
}

TEST_F(Paging, accessed_and_dirty_bits_follow_the_access) {
  page_32(kPresent | kWrite);
  EXPECT_TRUE(read(kLinear));
  EXPECT_EQ(peek<std::uint32_t>(kPageTable) & (kAccessed | kDirty), kAccessed);
  EXPECT_EQ(peek<std::uint32_t>(kTables + 4) & (kAccessed | kDirty), kAccessed);
  EXPECT_TRUE(write(kLinear));
  EXPECT_EQ(peek<std::uint32_t>(kPageTable) & (kAccessed | kDirty), kAccessed | kDirty);
  EXPECT_EQ(peek<std::uint32_t>(kPage), 0x12345678u);
}

TEST_F(Paging, a_refused_access_leaves_no_marks) {
  page_32(kPresent);
  set_ring(3);
  EXPECT_FALSE(read(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 5));
  EXPECT_EQ(peek<std::uint32_t>(kPageTable) & kAccessed, 0u);
}

TEST_F(Paging, supervisor_writes_obey_wp_only) {
  page_32(kPresent);
  EXPECT_TRUE(write(kLinear));
  cpu.cr0 |= kCr0Wp;
  refresh();
  EXPECT_FALSE(write(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 3));
  EXPECT_TRUE(read(kLinear));
}

TEST_F(Paging, rights_are_those_of_all_levels) {
  page_32(kPresent | kWrite | kUser, kPresent | kUser);
  set_ring(3);
  EXPECT_TRUE(read(kLinear));
  EXPECT_FALSE(write(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 7));
}

TEST_F(Paging, large_pages_need_pse_and_reach_above_4_gib) {
  page_32(0);
  poke<std::uint32_t>(kTables + 8, 0x400000 | kLarge | kPresent | kWrite);
  EXPECT_FALSE(read(0x800000)) << "a page table at 4 MiB, which is empty";
  cpu.cr4 |= kCr4Pse;
  refresh();
  poke<std::uint32_t>(0x400000 + 0x123000, 77);
  std::uint32_t value = 0;
  EXPECT_TRUE(cpu.mmu.read(0x800000 + 0x123000, value));
  EXPECT_EQ(value, 77u);
  poke<std::uint32_t>(kTables + 8, 0x400000 | kLarge | kPresent | 1u << 21);
  refresh();
  EXPECT_FALSE(read(0x800000));
  EXPECT_TRUE(faulted(Vector::PageFault, 9));
  poke<std::uint32_t>(kTables + 8, 0x400000 | kLarge | kPresent | 1u << 13);
  refresh();
  EXPECT_TRUE(cpu.mmu.read(0x800000, value));
  EXPECT_EQ(value, 0xffffffffu) << "4 GiB up there is nothing";
}

TEST_F(Paging, pae_registers_are_loaded_at_once_and_checked) {
  enter_protected_mode();
  cpu.cr4 |= kCr4Pae;
  poke<std::uint64_t>(kTables, (kTables + 0x1000) | kPresent);
  poke<std::uint64_t>(kTables + 0x1000, kLarge | kPresent | kWrite);
  poke<std::uint64_t>(kTables + 8, kTables | kPresent | kWrite);
  EXPECT_FALSE(cpu.mmu.load_page_directory_pointers(kTables));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0)) << "bit 1 of a PDPTE is reserved";
  poke<std::uint64_t>(kTables + 8, kTables | kWrite);
  EXPECT_TRUE(cpu.mmu.load_page_directory_pointers(kTables)) << "but not where it is not present";
  cpu.cr0 |= kCr0Pg;
  refresh();
  EXPECT_TRUE(read(0x1000));
  EXPECT_FALSE(read(0x40000000));
  EXPECT_TRUE(faulted(Vector::PageFault, 0));
  poke<std::uint64_t>(kTables, 0);
  refresh();
  EXPECT_TRUE(read(0x1000)) << "memory is looked at when CR3 is written";
  poke<std::uint64_t>(kTables + 0x1000, kLarge | kPresent | std::uint64_t{1} << 52);
  refresh();
  EXPECT_FALSE(read(0x1000));
  EXPECT_TRUE(faulted(Vector::PageFault, 9)) << "PAE paging reserves bits 62-52";
}

TEST_F(Paging, no_execute_is_reserved_without_nxe) {
  page_64(kPresent | kWrite | kUser | kNx);
  EXPECT_TRUE(read(kLinear));
  EXPECT_FALSE(fetch(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 0x11));
  cpu.efer &= ~kEferNxe;
  refresh();
  EXPECT_FALSE(read(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 9));
}

TEST_F(Paging, ignored_bits_of_long_mode_are_not_reserved) {
  page_64(kPresent | kWrite | std::uint64_t{0x7ff} << 52);
  EXPECT_TRUE(read(kLinear));
  poke<std::uint64_t>(kPageTable, kPage | kPresent | std::uint64_t{1} << 40);
  refresh();
  EXPECT_FALSE(read(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 9));
}

TEST_F(Paging, large_bits_of_the_top_level_are_reserved) {
  page_64(kPresent);
  poke<std::uint64_t>(kTables + 8, kTables | kLarge | kPresent);
  EXPECT_FALSE(read(std::uint64_t{1} << 39));
  EXPECT_TRUE(faulted(Vector::PageFault, 9));
}

TEST_F(Paging, a_gigabyte_page_maps_all_of_it) {
  page_64(kPresent);
  poke<std::uint64_t>(kTables + 0x1000 + 8, kLarge | kPresent | kWrite);
  poke<std::uint32_t>(0x654320, 99);
  std::uint32_t value = 0;
  EXPECT_TRUE(cpu.mmu.read(0x40654320, value));
  EXPECT_EQ(value, 99u);
}

TEST_F(Paging, smep_and_smap_keep_the_kernel_from_user_pages) {
  page_64(kPresent | kWrite | kUser);
  cpu.cr4 |= kCr4Smep | kCr4Smap;
  refresh();
  EXPECT_FALSE(fetch(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 0x11));
  EXPECT_FALSE(read(kLinear));
  EXPECT_TRUE(faulted(Vector::PageFault, 1));
  cpu.other_flags |= kAc;
  cpu.mmu.privilege_changed();
  EXPECT_TRUE(read(kLinear));
  std::uint32_t value = 0;
  EXPECT_FALSE(cpu.mmu.read_system(kLinear, value)) << "AC is for explicit accesses";
  cpu.other_flags &= ~kAc;
  cpu.mmu.privilege_changed();
  EXPECT_FALSE(read(kLinear)) << "the quick table of AC is not used without it";
  set_ring(3);
  EXPECT_TRUE(read(kLinear));
}

TEST_F(Paging, addresses_must_be_canonical) {
  page_64(kPresent | kWrite);
  EXPECT_FALSE(read(0x800000000000));
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(cpu.fault.address, 0x800000000000u);
  EXPECT_FALSE(read(0x7ffffffffffe)) << "the last byte counts";
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_FALSE(read(0xffff800000000000));
  EXPECT_TRUE(faulted(Vector::PageFault, 0));
  cpu.cr4 |= kCr4La57;
  refresh();
  EXPECT_FALSE(read(0x800000000000));
  EXPECT_EQ(cpu.fault.vector, Vector::PageFault);
}

TEST_F(Paging, five_levels_walk_one_more) {
  page_64(kPresent | kWrite);
  poke<std::uint64_t>(kTables + 0x8000, kTables | 7);
  cpu.cr3 = kTables + 0x8000;
  cpu.cr4 |= kCr4La57;
  refresh();
  EXPECT_TRUE(write(kLinear));
  EXPECT_EQ(peek<std::uint32_t>(kPage), 0x12345678u);
}

TEST_F(Paging, accesses_across_pages_are_all_or_nothing) {
  page_32(kPresent | kWrite);
  poke<std::uint32_t>(kPage + 0xffc, 0);
  EXPECT_FALSE(write(kLinear + 0xffe));
  EXPECT_TRUE(faulted(Vector::PageFault, 2));
  EXPECT_EQ(cpu.fault.address, kLinear + 0x1000);
  EXPECT_EQ(peek<std::uint32_t>(kPage + 0xffc), 0u);
  poke<std::uint32_t>(kPageTable + 4, 0x180000 | 3);
  EXPECT_TRUE(write(kLinear + 0xffe));
  EXPECT_EQ(peek<std::uint16_t>(kPage + 0xffe), 0x5678u);
  EXPECT_EQ(peek<std::uint16_t>(0x180000), 0x1234u);
  std::uint32_t value = 0;
  EXPECT_TRUE(cpu.mmu.read(kLinear + 0xffe, value));
  EXPECT_EQ(value, 0x12345678u);
}

TEST_F(Paging, a_read_for_write_faults_as_the_store_would) {
  page_32(kPresent | kUser);
  set_ring(3);
  std::uint32_t value = 0;
  EXPECT_FALSE(cpu.mmu.read_for_write(kLinear, value));
  EXPECT_TRUE(faulted(Vector::PageFault, 7));
  EXPECT_FALSE(cpu.mmu.probe(kLinear, 4, Access::Write));
  EXPECT_TRUE(cpu.mmu.probe(kLinear, 4, Access::Read));
}

TEST_F(Paging, translations_stay_until_they_are_flushed) {
  page_32(kPresent | kWrite | kGlobal);
  cpu.cr4 |= kCr4Pge;
  refresh();
  EXPECT_TRUE(write(kLinear));
  poke<std::uint32_t>(kPageTable, 0);
  EXPECT_TRUE(write(kLinear));
  cpu.mmu.flush_non_global();
  EXPECT_TRUE(write(kLinear)) << "the page is global";
  cpu.mmu.flush_page(kLinear + 0x123);
  EXPECT_FALSE(write(kLinear));
}

TEST_F(Paging, flushing_an_address_drops_the_whole_large_page) {
  enter_long_mode();
  EXPECT_TRUE(read(0x200000));
  EXPECT_TRUE(read(0x3ff000));
  poke<std::uint64_t>(kTables + 0x2000 + 8, 0);
  EXPECT_TRUE(read(0x3ff000));
  cpu.mmu.flush_page(0x201000);
  EXPECT_FALSE(read(0x3ff000));
  EXPECT_FALSE(read(0x200000));
}

TEST_F(Paging, flushing_an_address_drops_the_whole_page_of_1_gib) {
  enter_long_mode();
  poke<std::uint64_t>(kTables + 0x1000 + 8, 0x87);
  EXPECT_TRUE(read(0x40000000));
  EXPECT_TRUE(read(0x40600000));
  EXPECT_TRUE(fetch(0x40601000));
  poke<std::uint64_t>(kTables + 0x1000 + 8, 0);
  const auto before = cpu.mmu.generation();
  cpu.mmu.flush_page(0x40201000);
  EXPECT_GT(cpu.mmu.generation(), before);
  EXPECT_FALSE(read(0x40000000));
  EXPECT_FALSE(read(0x40600000));
  EXPECT_FALSE(fetch(0x40601000));
}

TEST_F(Paging, flushing_an_address_begins_a_generation_where_code_was_fetched) {
  enter_long_mode();
  const auto begins = [this](std::uint64_t linear) {
    const auto before = cpu.mmu.generation();
    cpu.mmu.flush_page(linear);
    return cpu.mmu.generation() != before;
  };
  EXPECT_TRUE(fetch(0x201000));
  EXPECT_TRUE(read(0x601000));
  EXPECT_FALSE(begins(0x601000)) << "data";
  EXPECT_TRUE(begins(0x3ff000)) << "code in the same large page";
  EXPECT_FALSE(begins(0x201000)) << "nothing was fetched since";
  EXPECT_TRUE(fetch(0x201000));
  EXPECT_TRUE(fetch(0x201000));
  EXPECT_TRUE(begins(0x201000));
  page_64(kPresent | kUser);
  EXPECT_TRUE(fetch(kLinear));
  EXPECT_FALSE(begins(kLinear + 0x1000));
  EXPECT_TRUE(begins(kLinear + 0x123));
}

TEST_F(Paging, fetches_are_remembered_and_forgotten) {
  page_64(kPresent | kUser);
  EXPECT_TRUE(fetch(kLinear));
  poke<std::uint64_t>(kPageTable, 0);
  EXPECT_TRUE(fetch(kLinear));
  set_ring(3);
  EXPECT_FALSE(fetch(kLinear)) << "another ring has its own";
  set_ring(0);
  cpu.mmu.flush_non_global();
  EXPECT_FALSE(fetch(kLinear));
}

TEST_F(Paging, linear_addresses_wrap_at_4_gib_outside_long_mode) {
  page_32(kPresent | kWrite);
  poke<std::uint32_t>(kTables + 4 * 1023, static_cast<std::uint32_t>(kPageTable) | 7);
  poke<std::uint32_t>(kPageTable + 4 * 1023, static_cast<std::uint32_t>(kOther) | 7);
  poke<std::uint32_t>(kTables, static_cast<std::uint32_t>(kPageTable) | 7);
  refresh();
  EXPECT_TRUE(write(0xfffffffe));
  EXPECT_EQ(peek<std::uint16_t>(kOther + 0xffe), 0x5678u);
  EXPECT_EQ(peek<std::uint16_t>(kPage), 0x1234u);
}

TEST_F(Paging, alignment_is_checked_in_ring_3_with_both_switches) {
  page_64(kPresent | kWrite | kUser);
  cpu.cr0 |= kCr0Am;
  cpu.other_flags |= kAc;
  set_ring(0);
  EXPECT_TRUE(read(kLinear + 1));
  set_ring(3);
  EXPECT_TRUE(read(kLinear + 4));
  EXPECT_FALSE(read(kLinear + 1));
  EXPECT_TRUE(faulted(Vector::AlignmentCheck, 0));
  EXPECT_FALSE(write(kLinear + 2));
  std::uint8_t byte = 0;
  EXPECT_TRUE(cpu.mmu.read(kLinear + 1, byte));
  cpu.other_flags &= ~kAc;
  cpu.mmu.privilege_changed();
  EXPECT_TRUE(read(kLinear + 1));
}

TEST_F(Paging, data_breakpoints_are_met_by_the_right_accesses) {
  page_64(kPresent | kWrite);
  cpu.debug_address[1] = kLinear + 0x10;
  cpu.dr7 |= 0x8 | 0x00d00000;  // G1; stores of four bytes
  cpu.mmu.privilege_changed();
  EXPECT_TRUE(read(kLinear + 0x10));
  EXPECT_EQ(cpu.debug_hits, 0u);
  EXPECT_TRUE(write(kLinear + 0x14));
  EXPECT_EQ(cpu.debug_hits, 0u);
  EXPECT_TRUE(write(kLinear + 0xd));
  EXPECT_EQ(cpu.debug_hits, 2u);
}

// --- What is behind the translation. ---

class Device final : public core::IoHandler {
 public:
  std::uint64_t read(std::uint64_t offset, unsigned width) override {
    accesses.push_back({offset, width, 0});
    return 0x1122334455667788;
  }
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override {
    accesses.push_back({offset, width, value});
  }
  struct Access {
    std::uint64_t offset;
    unsigned width;
    std::uint64_t value;
    bool operator==(const Access&) const = default;
  };
  std::vector<Access> accesses;
};

TEST_F(Paging, wide_accesses_reach_devices_in_pieces) {
  Device device;
  core::DeviceLock lock;
  const auto registration = platform_.mmio().add({0x1000000, 0x1000, 8}, device, lock, "test").value();
  std::array<std::uint8_t, 16> bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  EXPECT_TRUE(cpu.mmu.write_bytes(0x1000010, bytes.data(), 16));
  ASSERT_EQ(device.accesses.size(), 2u);
  EXPECT_EQ(device.accesses[0], (Device::Access{0x10, 8, 0x0807060504030201}));
  EXPECT_EQ(device.accesses[1], (Device::Access{0x18, 8, 0x100f0e0d0c0b0a09}));
  device.accesses.clear();
  EXPECT_TRUE(cpu.mmu.read_bytes(0x1000000, bytes.data(), 10));
  ASSERT_EQ(device.accesses.size(), 2u);
  EXPECT_EQ(device.accesses[1].width, 2u);
  std::uint8_t byte = 0;
  EXPECT_TRUE(cpu.mmu.read(0x1000003, byte));
  EXPECT_EQ(byte, 0x88);
  EXPECT_EQ(device.accesses.back(), (Device::Access{3, 1, 0}));
}

TEST_F(Paging, stores_to_rom_vanish) {
  auto rom = core::MemoryBlock::create("rom", 0x1000).value();
  ASSERT_TRUE(rom->all().write<std::uint32_t>(0, 42));
  const auto mapping = map_.map({core::Gpa(0xc0000), 0x1000, rom.get(), 0, false, false}, 1);
  EXPECT_TRUE(platform_.physical().stale());
  platform_.physical().refresh();
  EXPECT_FALSE(platform_.physical().stale());
  refresh();
  EXPECT_TRUE(write(0xc0000));
  std::uint32_t value = 0;
  EXPECT_TRUE(cpu.mmu.read(0xc0000, value));
  EXPECT_EQ(value, 42u);
  std::uint8_t* host = nullptr;
  EXPECT_EQ(cpu.mmu.direct(0xc0000, 64, Access::Read, host), 64u);
  EXPECT_EQ(cpu.mmu.direct(0xc0000, 64, Access::Write, host), 0u);
}

TEST_F(Paging, the_a20_gate_folds_addresses) {
  poke<std::uint32_t>(0x1234, 7);
  std::uint32_t value = 0;
  EXPECT_TRUE(cpu.mmu.read(0x101234, value));
  EXPECT_EQ(value, 0u);
  platform_.physical().set_a20(false);
  refresh();
  EXPECT_TRUE(cpu.mmu.read(0x101234, value));
  EXPECT_EQ(value, 7u);
}

TEST_F(Paging, watchers_learn_of_stores) {
  const auto collect = [this](core::Watcher watcher) {
    std::vector<std::uint64_t> pages;
    ram_->collect_dirty(watcher, 0x500, 1, pages);
    return !pages.empty();
  };
  collect(core::Watcher::Scanout);
  EXPECT_TRUE(read(0x500000));
  EXPECT_FALSE(collect(core::Watcher::Scanout));
  EXPECT_TRUE(write(0x500000));
  EXPECT_TRUE(collect(core::Watcher::Scanout));
  EXPECT_TRUE(collect(core::Watcher::Migration));
  // A store that came between the watcher's look and drop_all_writes() is told of, too.
  EXPECT_TRUE(write(0x500010));
  cpu.mmu.drop_all_writes();
  EXPECT_TRUE(collect(core::Watcher::Scanout));
  EXPECT_FALSE(collect(core::Watcher::Scanout));
  EXPECT_TRUE(write(0x500010));
  EXPECT_TRUE(collect(core::Watcher::Scanout));
}

TEST_F(Paging, direct_runs_end_with_the_page) {
  std::uint8_t* host = nullptr;
  EXPECT_EQ(cpu.mmu.direct(0x500ff0, 64, Access::Write, host), 0u);
  EXPECT_TRUE(write(0x500ff0));
  EXPECT_EQ(cpu.mmu.direct(0x500ff0, 64, Access::Write, host), 16u);
  EXPECT_EQ(host, ram_->host() + 0x500ff0);
  cpu.mmu.drop_writes(ram_->host() + 0x500000);
  EXPECT_EQ(cpu.mmu.direct(0x500ff0, 64, Access::Write, host), 0u);
  EXPECT_EQ(cpu.mmu.direct(0x500ff0, 64, Access::Read, host), 16u);
}

}  // namespace
}  // namespace vmm::cpu::soft
