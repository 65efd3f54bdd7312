#include <gtest/gtest.h>

#include "core/bus/address_space.h"
#include "core/bus/irq.h"
#include "core/bus/registers.h"

namespace {

// Remembers accesses; reads answer the offset in every byte.
class Recorder final : public core::IoHandler {
 public:
  std::vector<std::string> calls;
  std::uint64_t read(std::uint64_t offset, unsigned width) override {
    calls.push_back(fmt::format("r{}@{}", width, offset));
    std::uint64_t value = 0;
    for (unsigned i = 0; i < width; ++i)
      value |= (offset + i) << (8 * i);
    return value;
  }
  void write(std::uint64_t offset, unsigned width, std::uint64_t value) override {
    calls.push_back(fmt::format("w{}@{}={:x}", width, offset, value));
  }
};

class AddressSpaceTest : public testing::Test {
 protected:
  core::AddressSpace space{"io", 0x10000};
  core::DeviceLock lock;
  Recorder device;
};

TEST_F(AddressSpaceTest, unclaimed_read_is_all_ones_and_counted) {
  EXPECT_EQ(space.read(0x80, 2), 0xffffu);
  EXPECT_GT(space.unclaimed_accesses(), 0u);
}

TEST_F(AddressSpaceTest, access_reaches_the_offset) {
  auto range = space.add({.start = 0x60, .size = 4}, device, lock, "d");
  ASSERT_TRUE(range);
  EXPECT_EQ(space.read(0x62, 2), 0x0302u);
  space.write(0x61, 1, 0x1ff);
  EXPECT_EQ(device.calls, (std::vector<std::string>{"r2@2", "w1@1=ff"}));
}

// Waits for nobody, but could.
class Waiter final : public core::IoHandler {
 public:
  explicit Waiter(core::DeviceLock& lock) : lock_(lock) {}
  std::uint64_t read(std::uint64_t, unsigned) override { return 0; }
  void write(std::uint64_t, unsigned, std::uint64_t) override { ++writes; }
  void written() override {
    EXPECT_EQ(writes, 1u);
    const bool taken = lock_.try_lock();
    if (taken) lock_.unlock();
    free_afterwards = taken;
  }
  unsigned writes = 0;
  bool free_afterwards = false;

 private:
  core::DeviceLock& lock_;
};

TEST_F(AddressSpaceTest, handler_may_wait_after_a_write_without_its_lock) {
  Waiter waiter(lock);
  auto range = space.add({.start = 0x60, .size = 4}, waiter, lock, "d");
  ASSERT_TRUE(range);
  space.write(0x60, 1, 0);
  EXPECT_TRUE(waiter.free_afterwards);
}

TEST_F(AddressSpaceTest, wide_access_is_split_for_narrow_devices) {
  auto range = space.add({.start = 0x60, .size = 4, .max_width = 1}, device, lock, "d");
  space.write(0x60, 4, 0x04030201);
  EXPECT_EQ(device.calls, (std::vector<std::string>{"w1@0=1", "w1@1=2", "w1@2=3", "w1@3=4"}));
}

TEST_F(AddressSpaceTest, access_over_the_end_splits_into_device_and_nobody) {
  auto range = space.add({.start = 0x60, .size = 2}, device, lock, "d");
  EXPECT_EQ(space.read(0x61, 2), 0xff01u);
}

TEST_F(AddressSpaceTest, overlap_and_wrap_are_errors) {
  auto range = space.add({.start = 0x60, .size = 4}, device, lock, "d");
  EXPECT_FALSE(space.add({.start = 0x63, .size = 1}, device, lock, "e"));
  EXPECT_FALSE(space.add({.start = 0x5f, .size = 2}, device, lock, "e"));
  EXPECT_FALSE(space.add({.start = 0xffff, .size = 2}, device, lock, "e"));
  EXPECT_FALSE(space.add({.start = 0x70, .size = 0}, device, lock, "e"));
  EXPECT_TRUE(space.add({.start = 0x64, .size = 1}, device, lock, "e"));
}

TEST_F(AddressSpaceTest, registration_unmaps_when_dropped) {
  {
    auto range = space.add({.start = 0x60, .size = 4}, device, lock, "d");
  }
  EXPECT_EQ(space.read(0x60, 1), 0xffu);
}

TEST_F(AddressSpaceTest, string_without_a_string_port_goes_by_element) {
  auto range = space.add({.start = 0x60, .size = 2}, device, lock, "d");
  std::uint8_t data[4] = {};
  space.read_string(0x60, 2, data);
  EXPECT_EQ(device.calls, (std::vector<std::string>{"r2@0", "r2@0"}));
  EXPECT_EQ(data[3], 1);
}

TEST_F(AddressSpaceTest, doorbell_rings_and_hides_the_write) {
  auto range = space.add({.start = 0x60, .size = 4}, device, lock, "d");
  auto event = core::EventFd::create();
  ASSERT_TRUE(event);
  auto bell = space.add_doorbell({.address = 0x60, .width = 2, .match = 7, .eventfd = event->get()});
  space.write(0x60, 2, 6);
  EXPECT_FALSE(event->drain());
  space.write(0x60, 2, 7);
  EXPECT_TRUE(event->drain());
  EXPECT_EQ(device.calls.size(), 1u);
}

// Keeps nothing, and remembers what it is told.
class PostedLog final : public core::PostedListener {
 public:
  std::vector<std::string> told;
  void posted_added(const core::PostedRange& range) override {
    told.push_back(fmt::format("+{:x} {}", range.start, range.size));
  }
  void posted_removed(const core::PostedRange& range) override { told.push_back(fmt::format("-{:x}", range.start)); }
  void settle() override { told.emplace_back("settle"); }
};

TEST_F(AddressSpaceTest, posted_ranges_are_the_accelerators) {
  PostedLog log;
  space.settle();  // there is none yet
  auto early = space.add_posted({0x70, 1});
  space.set_posted_listener(&log);
  {
    const auto later = space.add_posted({0x80, 4});
    space.settle();
  }
  space.set_posted_listener(nullptr);
  space.settle();
  early.reset();
  EXPECT_EQ(log.told, (std::vector<std::string>{"+70 1", "+80 4", "settle", "-80"}));
}

constexpr core::Register kTable[] = {
    {.name = "CTL", .offset = 0, .width = 2, .reset = 0x1234, .writable = 0x00ff},
    {.name = "STS", .offset = 2, .width = 2, .reset = 0x0f0f, .clear_on_one = 0x00ff},
};

TEST(RegisterFile, masks_clears_and_resets) {
  core::RegisterFile file(kTable, 8);
  file.write(0, 2, 0xffff);
  EXPECT_EQ(file.read(0, 2), 0x12ffu);
  file.write(2, 2, 0x0101);
  EXPECT_EQ(file.read(2, 2), 0x0f0eu);
  file.write(0, 4, 0x00040055);
  EXPECT_EQ(file.read(0, 4), 0x0f0a1255u);
  file.write(4, 4, ~0u);
  EXPECT_EQ(file.read(4, 8), 0u);
  file.reset();
  EXPECT_EQ(file.read(0, 4), 0x0f0f1234u);
}

class Sink final : public core::IrqSink {
 public:
  std::vector<bool> levels;
  void set_input(unsigned, bool level) override { levels.push_back(level); }
};

TEST(IrqLine, reports_changes_only) {
  Sink sink;
  core::IrqLine line(sink, 3);
  line.set(false);
  line.set(true);
  line.set(true);
  line.pulse();
  EXPECT_EQ(sink.levels, (std::vector<bool>{true, false, true}));
}

}  // namespace
