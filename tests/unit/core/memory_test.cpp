#include <algorithm>
#include <array>
#include <cstdlib>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "core/base/endian.h"
#include "core/base/fd.h"
#include "core/memory/guest_memory.h"
#include "core/memory/ram_map.h"

namespace {

using core::Gpa;
using core::GuestMemory;
using core::kPageSize;
using core::MemoryBlock;
using core::RamMap;
using core::RamRegion;
using core::Watcher;

constexpr std::uint64_t kFourGib = std::uint64_t{4} << 30;

std::unique_ptr<MemoryBlock> block_of(std::uint64_t pages, std::string name = "block") {
  return *MemoryBlock::create(std::move(name), pages * kPageSize);
}

// ---- blocks and slices

TEST(MemoryBlock, size_is_rounded_up_to_pages) {
  const auto block = *MemoryBlock::create("odd", 1);
  EXPECT_EQ(block->size(), kPageSize);
}

TEST(MemoryBlock, impossible_sizes_are_errors) {
  EXPECT_FALSE(MemoryBlock::create("none", 0));
  EXPECT_FALSE(MemoryBlock::create("huge", ~std::uint64_t{0}));
}

TEST(MemorySlice, copies_inside_its_bounds_only) {
  const auto block = block_of(2);
  const auto slice = block->slice(100, 16);
  ASSERT_TRUE(slice);
  const std::array<std::uint8_t, 4> in{1, 2, 3, 4};
  EXPECT_TRUE(slice->write(12, in));
  EXPECT_FALSE(slice->write(13, in));
  EXPECT_FALSE(slice->write(~std::uint64_t{0}, in));
  std::array<std::uint8_t, 4> out{};
  EXPECT_TRUE(slice->read(12, out));
  EXPECT_EQ(out, in);
  EXPECT_FALSE(slice->read(13, out));
}

TEST(MemorySlice, sub_slices_only_shrink) {
  const auto block = block_of(2);
  const auto slice = *block->slice(kPageSize, 64);
  EXPECT_TRUE(slice.slice(0, 64));
  EXPECT_TRUE(slice.slice(64, 0));
  EXPECT_FALSE(slice.slice(1, 64));
  EXPECT_FALSE(slice.slice(65, 0));
  EXPECT_FALSE(slice.slice(~std::uint64_t{0}, 2));
}

TEST(MemorySlice, scalars_at_any_alignment) {
  const auto block = block_of(1);
  const auto all = block->all();
  EXPECT_TRUE(all.write(8, std::uint64_t{0x1122334455667788}));
  EXPECT_EQ(all.read<std::uint32_t>(8), 0x55667788u);
  EXPECT_EQ(all.read<std::uint32_t>(9), 0x44556677u);
  EXPECT_EQ(all.read<core::be32>(8), 0x88776655u);
  EXPECT_FALSE(all.read<std::uint64_t>(kPageSize - 7));
}

// A ring's index that goes on from ffh to 100h is neither 0 nor 1ffh in between, wherever it is read to.
TEST(MemorySlice, scalars_never_tear) {
  const auto block = block_of(1);
  const auto slice = block->all();
  static constexpr std::uint16_t kBefore = 0x00ff, kAfter = 0x0100;
  slice.write<std::uint16_t>(8, kBefore);
  const std::jthread guest([&slice](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      slice.write<std::uint16_t>(8, kAfter);
      slice.write<std::uint16_t>(8, kBefore);
    }
  });
  std::array<std::uint8_t, 3> own{};
  const auto odd = std::span(own).subspan(reinterpret_cast<std::uintptr_t>(own.data()) % 2 == 0 ? 1 : 0, 2);
  for (int i = 0; i < 1'000'000; ++i) {
    slice.read(8, odd);
    const auto value = core::load_le<std::uint16_t>(odd.data());
    ASSERT_TRUE(value == kBefore || value == kAfter) << value;
  }
}

TEST(MemorySlice, fill_marks_and_fills) {
  const auto block = block_of(3);
  std::vector<std::uint64_t> pages;
  block->collect_dirty(Watcher::Scanout, 0, 3, pages);
  pages.clear();
  EXPECT_TRUE(block->all().fill(kPageSize - 1, 2, 0x5a));
  EXPECT_FALSE(block->all().fill(3 * kPageSize, 1, 0));
  block->collect_dirty(Watcher::Scanout, 0, 3, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(block->all().read<std::uint16_t>(kPageSize - 1), 0x5a5au);
}

// ---- dirty pages

TEST(Dirty, everything_is_dirty_at_first) {
  const auto block = block_of(4);
  std::vector<std::uint64_t> pages;
  block->collect_dirty(Watcher::Migration, 1, 2, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{1, 2}));
}

TEST(Dirty, each_watcher_has_its_own_view) {
  const auto block = block_of(4);
  std::vector<std::uint64_t> pages;
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  block->collect_dirty(Watcher::Migration, 0, 4, pages);
  pages.clear();
  block->all().write(2 * kPageSize, std::uint8_t{1});
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{2}));
  pages.clear();
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  EXPECT_TRUE(pages.empty());
  block->collect_dirty(Watcher::Migration, 0, 4, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{2}));
}

TEST(Dirty, a_write_over_pages_marks_each) {
  const auto block = block_of(4);
  std::vector<std::uint64_t> pages;
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  pages.clear();
  block->all().write(kPageSize - 1, std::vector<std::uint8_t>(kPageSize + 2));
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{0, 1, 2}));
}

class Source final : public core::DirtySource {
 public:
  std::vector<std::string> calls;
  void sync(MemoryBlock& block) override {
    calls.emplace_back("sync");
    block.mark_dirty(kPageSize, 1);  // what the guest wrote by itself
  }
  void cleared(MemoryBlock&, std::uint64_t first, std::uint64_t count) override {
    calls.push_back(fmt::format("cleared {}+{}", first, count));
  }
};

TEST(Dirty, accelerator_is_asked_before_and_told_after) {
  const auto block = block_of(4);
  std::vector<std::uint64_t> pages;
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  pages.clear();
  Source source;
  block->set_dirty_source(&source);
  block->collect_dirty(Watcher::Scanout, 0, 4, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(source.calls, (std::vector<std::string>{"sync", "cleared 0+4"}));
}

TEST(Dirty, discarded_memory_reads_as_zeros_and_is_dirty) {
  const auto block = block_of(2);
  block->all().write(kPageSize, std::uint32_t{7});
  std::vector<std::uint64_t> pages;
  block->collect_dirty(Watcher::Migration, 0, 2, pages);
  pages.clear();
  block->discard(kPageSize, kPageSize);
  EXPECT_EQ(block->all().read<std::uint32_t>(kPageSize), 0u);
  block->collect_dirty(Watcher::Migration, 0, 2, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{1}));
}

// ---- guest memory

TEST(GuestMemory, rest_lies_above_4_gib) {
  const auto memory = *GuestMemory::create(6 * kPageSize, 4 * kPageSize);
  ASSERT_EQ(memory->pieces().size(), 2u);
  EXPECT_TRUE(memory->write(Gpa(kFourGib + 8), std::uint32_t{42}));
  EXPECT_EQ(memory->block().all().read<std::uint32_t>(4 * kPageSize + 8), 42u);
  EXPECT_FALSE(memory->write(Gpa(kFourGib + 2 * kPageSize), std::uint8_t{1}));
}

TEST(GuestMemory, what_is_not_whole_in_ram_is_refused) {
  const auto memory = *GuestMemory::create(6 * kPageSize, 4 * kPageSize);
  EXPECT_TRUE(memory->slice(Gpa(4 * kPageSize - 8), 8));
  EXPECT_FALSE(memory->slice(Gpa(4 * kPageSize - 8), 9));
  EXPECT_FALSE(memory->slice(Gpa(~std::uint64_t{0}), 2));
  EXPECT_FALSE(memory->read<std::uint64_t>(Gpa(4 * kPageSize - 4)));
  core::GuestIoVector vector;
  EXPECT_FALSE(memory->gather(Gpa(4 * kPageSize - 1), 2, vector));
  EXPECT_EQ(vector.size(), 0u);
}

// ---- vectored file I/O

class IoVectorTest : public testing::Test {
 protected:
  IoVectorTest() {
    char path[] = "/tmp/minivmm-test-XXXXXX";
    file = core::Fd(::mkstemp(path));
    ::unlink(path);
  }
  void put(std::string_view text) {
    EXPECT_EQ(::pwrite(file.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  std::string content() const {
    std::string text(100, '\0');
    const auto length = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(length));
    return text;
  }
  std::string guest(std::uint64_t at, std::size_t length) const {
    std::string text(length, '\0');
    EXPECT_TRUE(memory->read(Gpa(at), std::span(reinterpret_cast<std::uint8_t*>(text.data()), length)));
    return text;
  }
  void set_guest(std::uint64_t at, std::string_view text) {
    EXPECT_TRUE(memory->write(Gpa(at), std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
  }

  core::Fd file;
  std::unique_ptr<GuestMemory> memory = *GuestMemory::create(64 * kPageSize, 64 * kPageSize);
  core::GuestIoVector vector;
};

TEST_F(IoVectorTest, reads_a_file_into_pieces) {
  put("0123456789");
  memory->gather(Gpa(0x1000), 4, vector);
  memory->gather(Gpa(0x5000), 3, vector);
  ASSERT_TRUE(vector.read_file(file.get(), 2));
  EXPECT_EQ(guest(0x1000, 4), "2345");
  EXPECT_EQ(guest(0x5000, 4), std::string_view("678\0", 4));
}

TEST_F(IoVectorTest, reading_marks_pages_dirty) {
  put("x");
  std::vector<std::uint64_t> pages;
  memory->block().collect_dirty(Watcher::Migration, 0, 64, pages);
  pages.clear();
  memory->gather(Gpa(0x5ffe), 4, vector);
  ASSERT_TRUE(vector.read_file(file.get(), 0));
  memory->block().collect_dirty(Watcher::Migration, 0, 64, pages);
  EXPECT_EQ(pages, (std::vector<std::uint64_t>{5, 6}));
}

TEST_F(IoVectorTest, short_file_reads_as_zeros_behind_its_end) {
  put("abcde");
  set_guest(0x1000, "........");
  set_guest(0x3000, "....");
  memory->gather(Gpa(0x1000), 8, vector);
  memory->gather(Gpa(0x3000), 4, vector);
  ASSERT_TRUE(vector.read_file(file.get(), 0));
  EXPECT_EQ(guest(0x1000, 8), std::string_view("abcde\0\0\0", 8));
  EXPECT_EQ(guest(0x3000, 4), std::string_view("\0\0\0\0", 4));
}

TEST_F(IoVectorTest, reading_behind_the_end_is_all_zeros) {
  set_guest(0x1000, "....");
  memory->gather(Gpa(0x1000), 4, vector);
  ASSERT_TRUE(vector.read_file(file.get(), 1 << 20));
  EXPECT_EQ(guest(0x1000, 4), std::string_view("\0\0\0\0", 4));
}

TEST_F(IoVectorTest, writes_pieces_in_order) {
  set_guest(0x1000, "first");
  set_guest(0x2000, "second");
  memory->gather(Gpa(0x2000), 6, vector);
  memory->gather(Gpa(0x1000), 5, vector);
  ASSERT_TRUE(vector.write_file(file.get(), 1));
  EXPECT_EQ(content(), std::string_view("\0secondfirst", 12));
}

TEST_F(IoVectorTest, more_pieces_than_one_call_takes) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    set_guest(i * 16, std::string(1, static_cast<char>('A' + i % 26)));
    memory->gather(Gpa(i * 16), 1, vector);
  }
  ASSERT_TRUE(vector.write_file(file.get(), 0));
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_END), 200);
  for (std::uint64_t i = 0; i < 200; ++i)
    set_guest(i * 16, ".");
  ASSERT_TRUE(vector.read_file(file.get(), 0));
  EXPECT_EQ(guest(0, 1), "A");
  EXPECT_EQ(guest(199 * 16, 1), std::string(1, static_cast<char>('A' + 199 % 26)));
}

TEST_F(IoVectorTest, errors_name_the_reason_and_leave_no_old_data) {
  set_guest(0x1000, "secret");
  memory->gather(Gpa(0x1000), 6, vector);
  const auto read = vector.read_file(-1, 0);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "Bad file descriptor");
  EXPECT_EQ(guest(0x1000, 6), std::string_view("\0\0\0\0\0\0", 6));
  EXPECT_FALSE(vector.write_file(-1, 0));
}

TEST_F(IoVectorTest, adjacent_pieces_merge_and_copies_cross_pieces) {
  memory->gather(Gpa(0x1000), 4, vector);
  memory->gather(Gpa(0x1004), 4, vector);
  memory->gather(Gpa(0x3000), 4, vector);
  memory->gather(Gpa(0x3000), 0, vector);
  EXPECT_EQ(vector.size(), 12u);
  std::array<std::uint8_t, 6> bytes{1, 2, 3, 4, 5, 6};
  EXPECT_TRUE(vector.write(5, bytes));
  EXPECT_EQ(memory->read<std::uint8_t>(Gpa(0x1007)), 3);
  EXPECT_EQ(memory->read<std::uint8_t>(Gpa(0x3000)), 4);
  std::array<std::uint8_t, 6> back{};
  EXPECT_TRUE(vector.read(5, back));
  EXPECT_EQ(back, bytes);
  EXPECT_FALSE(vector.write(7, bytes));
  EXPECT_FALSE(vector.read(~std::uint64_t{0}, back));
}

// ---- the CPUs' map

// Keeps what an accelerator would have mapped, and checks that it is never told nonsense.
class Mirror final : public core::RamMapListener {
 public:
  std::vector<RamRegion> regions;
  unsigned calls = 0;
  void region_removed(const RamRegion& region) override {
    ++calls;
    const auto found = std::ranges::find(regions, region);
    ASSERT_NE(found, regions.end()) << "removed what was never added";
    regions.erase(found);
  }
  void region_added(const RamRegion& region) override {
    ++calls;
    for (const auto& other : regions) {
      const bool apart = region.start.value() + region.size <= other.start.value() ||
                         other.start.value() + other.size <= region.start.value();
      EXPECT_TRUE(apart) << "two regions at one address";
    }
    regions.push_back(region);
  }
};

class RamMapTest : public testing::Test {
 protected:
  RamMapTest() { map.set_listener(&mirror); }
  ~RamMapTest() override { map.set_listener(nullptr); }

  RamRegion region(std::uint64_t page, std::uint64_t pages, MemoryBlock& block, std::uint64_t from = 0) const {
    return {.start = Gpa(page * kPageSize), .size = pages * kPageSize, .block = &block, .offset = from * kPageSize};
  }
  // "start+pages block@offset" of each region, in pages.
  std::string layout() const {
    std::string text;
    for (const auto& r : map.regions()) {
      text += fmt::format("{}+{} {}@{}{} ", r.start.value() / kPageSize, r.size / kPageSize, r.block->name(),
                          r.offset / kPageSize, r.writable ? "" : " ro");
    }
    return text;
  }
  void check_mirror() {
    auto sorted = mirror.regions;
    std::ranges::sort(sorted, {}, &RamRegion::start);
    EXPECT_EQ(sorted, map.regions());
  }

  std::unique_ptr<MemoryBlock> ram = block_of(64, "ram");
  std::unique_ptr<MemoryBlock> rom = block_of(16, "rom");
  RamMap map;
  Mirror mirror;
};

TEST_F(RamMapTest, higher_priority_cuts_a_hole) {
  const auto below = map.map(region(0, 16, *ram));
  const auto above = map.map(region(4, 2, *rom), 1);
  EXPECT_EQ(layout(), "0+4 ram@0 4+2 rom@0 6+10 ram@6 ");
  check_mirror();
}

TEST_F(RamMapTest, lower_priority_fills_what_is_left) {
  const auto above = map.map(region(4, 2, *ram));
  const auto below = map.map(region(3, 4, *rom), -1);
  EXPECT_EQ(layout(), "3+1 rom@0 4+2 ram@0 6+1 rom@3 ");
  check_mirror();
}

TEST_F(RamMapTest, later_wins_among_equals) {
  const auto first = map.map(region(0, 4, *ram));
  auto second = map.map(region(2, 4, *rom));
  EXPECT_EQ(layout(), "0+2 ram@0 2+4 rom@0 ");
  second.reset();
  EXPECT_EQ(layout(), "0+4 ram@0 ");
  check_mirror();
}

TEST_F(RamMapTest, neighbours_of_one_block_merge) {
  const auto a = map.map(region(0, 4, *ram, 0));
  const auto b = map.map(region(4, 4, *ram, 4));
  const auto c = map.map(region(8, 4, *ram, 20));
  EXPECT_EQ(layout(), "0+8 ram@0 8+4 ram@20 ");
  check_mirror();
}

TEST_F(RamMapTest, read_only_and_logged_pieces_stay_apart) {
  auto read_only = region(4, 4, *ram, 4);
  read_only.writable = false;
  auto logged = region(8, 4, *ram, 8);
  logged.log_dirty = true;
  const auto a = map.map(region(0, 4, *ram));
  const auto b = map.map(read_only);
  const auto c = map.map(logged);
  EXPECT_EQ(map.regions().size(), 3u);
  check_mirror();
}

TEST_F(RamMapTest, hidden_mapping_appears_when_its_cover_goes) {
  auto cover = map.map(region(0, 8, *ram), 1);
  const auto hidden = map.map(region(2, 2, *rom));
  EXPECT_EQ(layout(), "0+8 ram@0 ");
  cover.reset();
  EXPECT_EQ(layout(), "2+2 rom@0 ");
  check_mirror();
}

TEST_F(RamMapTest, moved_from_mapping_owns_nothing) {
  auto first = map.map(region(0, 4, *ram));
  auto second = std::move(first);
  first.reset();
  EXPECT_EQ(layout(), "0+4 ram@0 ");
  second = core::RamMapping();
  EXPECT_EQ(layout(), "");
}

// As PAM does: shadow RAM over ROM in sections, switched many at once.
TEST_F(RamMapTest, batch_is_one_step_without_a_gap_for_what_stays) {
  const auto low = map.map(region(0, 8, *ram));
  const auto bios = map.map(region(16, 8, *rom));
  std::vector<core::RamMapping> shadow;
  mirror.calls = 0;
  {
    const RamMap::Batch batch(map);
    for (std::uint64_t page = 16; page < 20; ++page)
      shadow.push_back(map.map(region(page, 1, *ram, page), 1));
    EXPECT_EQ(mirror.calls, 0u);
  }
  EXPECT_EQ(layout(), "0+8 ram@0 16+4 ram@16 20+4 rom@4 ");
  EXPECT_EQ(mirror.calls, 3u) << "the ROM goes, its rest and the shadow come; low RAM is left alone";
  mirror.calls = 0;
  {
    const RamMap::Batch batch(map);
    shadow.clear();
    for (std::uint64_t page = 16; page < 20; ++page)
      shadow.push_back(map.map(region(page, 1, *ram, page), 1));
  }
  EXPECT_EQ(mirror.calls, 0u) << "the same map again is no change";
  check_mirror();
}

TEST_F(RamMapTest, nested_batches_end_with_the_outer) {
  core::RamMapping mapping;
  {
    const RamMap::Batch outer(map);
    {
      const RamMap::Batch inner(map);
      mapping = map.map(region(0, 1, *ram));
    }
    EXPECT_EQ(mirror.calls, 0u);
  }
  EXPECT_EQ(mirror.calls, 1u);
}

TEST_F(RamMapTest, new_listener_hears_the_present_map) {
  const auto a = map.map(region(0, 4, *ram));
  Mirror late;
  map.set_listener(&late);
  EXPECT_TRUE(mirror.regions.empty()) << "the old one is told to forget";
  EXPECT_EQ(late.regions.size(), 1u);
  map.set_listener(&mirror);
}

TEST_F(RamMapTest, find_answers_inside_and_nothing_outside) {
  const auto a = map.map(region(2, 2, *ram, 7));
  EXPECT_FALSE(map.find(Gpa(2 * kPageSize - 1)));
  ASSERT_TRUE(map.find(Gpa(4 * kPageSize - 1)));
  EXPECT_EQ(map.find(Gpa(3 * kPageSize))->offset, 7 * kPageSize);
  EXPECT_FALSE(map.find(Gpa(4 * kPageSize)));
}

}  // namespace
