// Snapshots: what is written comes back; what is damaged, cut short or of another machine is refused untouched.
#include "vmm/machine/snapshot.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <memory>

namespace {

using testing::HasSubstr;
using namespace vmm::machine;

class Value final : public core::Stateful {
 public:
  Value(std::string name, std::uint32_t initial) : value(initial), name_(std::move(name)) {}
  std::string_view state_name() const override { return name_; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("value", value); }
  std::uint32_t value;

 private:
  std::string name_;
};

class Disk final : public core::VolatileContents {
 public:
  core::Result<> read_all(const Take& take) override {
    for (const auto& [offset, bytes] : pieces) {
      if (auto taken = take(offset, bytes); !taken) return taken;
    }
    return {};
  }
  void forget_all() override { pieces.clear(); }
  core::Result<> put(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    if (offset % 512 != 0) return core::fail("no such piece");
    pieces[offset] = {bytes.begin(), bytes.end()};
    return {};
  }
  std::map<std::uint64_t, std::vector<std::uint8_t>> pieces;
};

// As much of a machine as a snapshot knows of.
struct Rig {
  explicit Rig(std::uint64_t pages = 3000) : memory(*core::MemoryBlock::create("ram", pages * core::kPageSize)) {
    parts.traits = {{"CPUs", "2"}};
    parts.memory = {memory.get()};
    parts.disks = {{"ide0-hd0", &disk}};
    parts.objects = {&a, &b};
  }
  void put(std::uint64_t page, std::uint8_t byte) { memory->all().fill(page * core::kPageSize + 7, 1, byte); }
  std::uint8_t at(std::uint64_t page) { return *memory->all().read<std::uint8_t>(page * core::kPageSize + 7); }

  std::unique_ptr<core::MemoryBlock> memory;
  Disk disk;
  Value a{"a", 0};
  Value b{"b", 0};
  SnapshotParts parts;
};

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "minivmm-snapshot-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "file";
    original_.put(0, 1);
    original_.put(1023, 2);
    original_.put(1024, 3);
    original_.put(2999, 4);
    original_.a.value = 11;
    original_.b.value = 22;
    original_.disk.pieces[512] = {1, 2, 3};
    const auto written = write_snapshot(path_, original_.parts);
    EXPECT_TRUE(written) << written.error().message;
  }
  ~SnapshotTest() override { std::filesystem::remove_all(folder_); }

  std::vector<char> contents() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void replace(const std::vector<char>& bytes) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string refusal(Rig& rig) const {
    const auto opened = Snapshot::open(path_, rig.parts);
    return opened ? "" : opened.error().message;
  }

  std::filesystem::path folder_;
  std::string path_;
  Rig original_;
};

TEST_F(SnapshotTest, everything_comes_back) {
  Rig copy;
  copy.put(5, 9);
  copy.disk.pieces[0] = {9};
  auto snapshot = Snapshot::open(path_, copy.parts);
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  const auto applied = snapshot->apply(copy.parts);
  ASSERT_TRUE(applied) << applied.error().message;
  for (const std::uint64_t page : {0, 5, 1023, 1024, 2999})
    EXPECT_EQ(copy.at(page), original_.at(page)) << page;
  EXPECT_EQ(copy.a.value, 11u);
  EXPECT_EQ(copy.b.value, 22u);
  EXPECT_EQ(copy.disk.pieces, original_.disk.pieces);
}

TEST_F(SnapshotTest, zeros_take_no_space) {
  EXPECT_LT(contents().size(), 4096u);
}

TEST_F(SnapshotTest, nothing_is_left_beside_it) {
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(SnapshotTest, every_truncation_is_refused) {
  const auto whole = contents();
  Rig copy;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    replace({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_NE(refusal(copy), "") << length << " of " << whole.size() << " bytes";
  }
  EXPECT_EQ(copy.a.value, 0u);
}

TEST_F(SnapshotTest, every_flipped_bit_is_refused_or_means_nothing) {
  const auto whole = contents();
  unsigned accepted = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    replace(damaged);
    Rig copy;
    auto snapshot = Snapshot::open(path_, copy.parts);
    if (!snapshot) continue;
    ++accepted;
    ASSERT_TRUE(snapshot->apply(copy.parts)) << bit;
    EXPECT_EQ(copy.a.value, 11u) << bit;
    EXPECT_EQ(copy.at(1024), 3u) << bit;
  }
  // A reserved word of the file and of each of seven chunks, and five words of the end.
  EXPECT_EQ(accepted, 32u * 13);
}

TEST_F(SnapshotTest, another_file_is_refused) {
  replace({'h', 'e', 'l', 'l', 'o'});
  Rig copy;
  EXPECT_THAT(refusal(copy), HasSubstr("no snapshot"));
}

TEST_F(SnapshotTest, another_machine_is_refused_by_what_differs) {
  Rig copy;
  copy.parts.traits[0].value = "4";
  EXPECT_THAT(refusal(copy), HasSubstr("CPUs: 2; this one has 4"));
  Rig small(10);
  EXPECT_THAT(refusal(small), HasSubstr("ram: 12000 KiB; this one has 40 KiB"));
  Rig more;
  more.parts.traits.push_back({"disk", "1 GiB"});
  EXPECT_THAT(refusal(more), HasSubstr("disk: none; this one has 1 GiB"));
}

TEST_F(SnapshotTest, other_devices_are_refused_before_anything_is_touched) {
  Rig copy;
  copy.put(5, 9);
  copy.parts.objects.pop_back();
  EXPECT_THAT(refusal(copy), HasSubstr("a device \"b\""));
  Value c("c", 0);
  copy.parts.objects.push_back(&c);
  EXPECT_THAT(refusal(copy), HasSubstr("no section \"c\""));
  EXPECT_EQ(copy.at(5), 9u);
}

TEST_F(SnapshotTest, folder_that_is_not_there_is_an_error) {
  const auto written = write_snapshot((folder_ / "none" / "file").string(), original_.parts);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot write the snapshot"));
}

}  // namespace
