// Memory slots that follow the RAM map while the guest runs, and the dirty log.
#include <gmock/gmock.h>

#include "tests/guest/cpu_rig.h"

namespace {

constexpr std::uint64_t kLow = 0xe000'0000;
constexpr std::uint64_t kHigh = 0xe800'0000;
constexpr std::uint64_t kBarBytes = 1 << 20;

// The device behind the guest's orders: memory that it maps where it is told.
class Bar {
 public:
  explicit Bar(core::RamMap& map) : map_(map), block_(*core::MemoryBlock::create("bar", kBarBytes)) {}

  std::vector<std::vector<std::uint64_t>> dirty;  // one list a check

  void order(std::uint64_t what) {
    switch (what) {
      case 1: return place(kLow, true);
      case 2: return place(kHigh, true);
      case 3: mapping_.reset(); return;
      case 4: return place(kHigh, false);
      case 5: return check();
      case 6: return place(kHigh, true);
      default: ADD_FAILURE() << "unknown order " << what;
    }
  }

 private:
  void place(std::uint64_t at, bool writable) {
    const core::RamMap::Batch batch(map_);
    mapping_.reset();
    mapping_ = map_.map({core::Gpa(at), kBarBytes, block_.get(), 0, writable, true});
  }
  void check() {
    dirty.emplace_back();
    block_->collect_dirty(core::Watcher::Scanout, 0, block_->pages(), dirty.back());
  }

  core::RamMap& map_;
  std::unique_ptr<core::MemoryBlock> block_;
  core::RamMapping mapping_;
};

TEST(CpuMemory, slots_move_and_the_dirty_log_moves_along) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("memory");
  Bar bar(machine.ram_map);
  machine.port_probe.on_write = [&](std::uint64_t, unsigned, std::uint64_t what) { bar.order(what); };
  machine.run_to_success();

  ASSERT_EQ(bar.dirty.size(), 3u);
  std::vector<std::uint64_t> every_third;
  for (std::uint64_t page = 0; page < 64; page += 3)
    every_third.push_back(page);
  EXPECT_EQ(bar.dirty[1], every_third);
  if (rig::has_exact_dirty_log()) {
    EXPECT_EQ(bar.dirty[2], (std::vector<std::uint64_t>{5, 7}));
  } else {
    EXPECT_THAT(bar.dirty[2], testing::IsSupersetOf({5, 7}));
  }
}

}  // namespace
