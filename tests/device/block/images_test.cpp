// Real images in real files: opening, locking, raw disks, overlays.
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mutex>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory/guest_memory.h"
#include "devices/block/image_file.h"
#include "devices/block/open_disk.h"
#include "devices/block/overlay.h"
#include "devices/block/raw_image.h"

namespace {

namespace fs = std::filesystem;
using devices::block::open_disk;
using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

// A folder that goes away with the test.
class Images : public testing::Test {
 protected:
  Images() {
    auto name = (fs::temp_directory_path() / "minivmm-images-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Images() override { fs::remove_all(folder_); }
  Images(const Images&) = delete;
  Images& operator=(const Images&) = delete;

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string make(const std::string& name, const Bytes& bytes) const {
    std::ofstream(path(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path(name);
  }
  static Bytes content(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::string error_of(const devices::block::DiskConfig& config) {
    const auto disk = open_disk(config);
    return disk ? "" : disk.error().message;
  }

  fs::path folder_;
};

Bytes random_bytes(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random() >> 8);
  return bytes;
}

// Submits and waits; true if it worked.
bool perform(core::BlockBackend& disk, core::BlockRequest request) {
  std::atomic<int> result{-1};
  request.done = [&result](const core::Result<>& outcome) { result = outcome.has_value() ? 1 : 0; };
  disk.submit(std::move(request));
  disk.drain();
  return result == 1;
}

bool write(core::BlockBackend& disk, std::uint64_t offset, Bytes bytes) {
  return perform(
      disk, {.op = core::BlockOp::Write, .offset = offset, .buffer = bytes.data(), .length = bytes.size(), .done = {}});
}

Bytes read(core::BlockBackend& disk, std::uint64_t offset, std::size_t length) {
  Bytes bytes(length, 0xee);
  EXPECT_TRUE(perform(
      disk, {.op = core::BlockOp::Read, .offset = offset, .buffer = bytes.data(), .length = bytes.size(), .done = {}}));
  return bytes;
}

bool flush(core::BlockBackend& disk) {
  return perform(disk, {.op = core::BlockOp::Flush, .done = {}});
}

// --- opening ---------------------------------------------------------------------------------------------------------

TEST_F(Images, size_is_whole_sectors) {
  const auto disk = open_disk({.path = make("disk", Bytes(3 * 512 + 100))});
  ASSERT_TRUE(disk);
  EXPECT_EQ((*disk)->size_bytes(), 3U * 512);
  EXPECT_FALSE((*disk)->read_only());
}

TEST_F(Images, missing_file_is_named) {
  EXPECT_EQ(error_of({.path = path("none")}), "disk image " + path("none") + " does not exist; check the path");
}

TEST_F(Images, folder_is_refused) {
  EXPECT_THAT(error_of({.path = folder_}), HasSubstr("is a directory"));
}

TEST_F(Images, pipe_is_refused_without_waiting) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(error_of({.path = path("pipe")}), HasSubstr("neither a file nor a block device"));
}

TEST_F(Images, empty_file_is_refused) {
  EXPECT_THAT(error_of({.path = make("empty", {})}), HasSubstr("truncate -s"));
}

TEST_F(Images, qcow2_is_recognized_by_name_and_content) {
  const Bytes head{'Q', 'F', 'I', 0xfb};
  auto bytes = head;
  bytes.resize(4096);
  EXPECT_THAT(error_of({.path = make("disk.qcow2", bytes)}), HasSubstr("qemu-img convert"));
  EXPECT_EQ(error_of({.path = make("disk.img", bytes)}), "");
}

TEST_F(Images, file_without_write_permission_says_what_to_do) {
  const auto image = make("disk", Bytes(4096));
  ::chmod(image.c_str(), 0444);
  ::chmod(folder_.c_str(), 0755);
  // Root may write everything: be nobody for a moment.
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_THAT(error_of({.path = image}), HasSubstr("readonly=on"));
  EXPECT_EQ(error_of({.path = image, .readonly = true}), "");
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
}

// --- locks -----------------------------------------------------------------------------------------------------------

TEST_F(Images, second_writer_is_refused) {
  const auto image = make("disk", Bytes(4096));
  {
    const auto first = open_disk({.path = image});
    ASSERT_TRUE(first);
    EXPECT_THAT(error_of({.path = image}), HasSubstr("in use for writing"));
    EXPECT_THAT(error_of({.path = image, .readonly = true}), HasSubstr("in use for writing"));
    EXPECT_THAT(error_of({.path = image, .snapshot = true}), HasSubstr("in use for writing"));
  }
  EXPECT_EQ(error_of({.path = image}), "");
}

TEST_F(Images, readers_coexist_and_keep_writers_out) {
  const auto image = make("disk", Bytes(4096));
  const auto first = open_disk({.path = image, .readonly = true});
  const auto second = open_disk({.path = image, .snapshot = true});
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
  EXPECT_THAT(error_of({.path = image}), HasSubstr("in use for reading"));
}

// --- raw -------------------------------------------------------------------------------------------------------------

TEST_F(Images, raw_reads_and_writes_the_file) {
  auto bytes = random_bytes(64 * 512, 1);
  const auto image = make("disk", bytes);
  const auto disk = open_disk({.path = image});
  ASSERT_TRUE(disk);
  EXPECT_EQ(read(**disk, 512, 1024), Bytes(bytes.begin() + 512, bytes.begin() + 1536));
  const auto fresh = random_bytes(1024, 2);
  EXPECT_TRUE(write(**disk, 2048, fresh));
  std::ranges::copy(fresh, bytes.begin() + 2048);
  EXPECT_EQ(content(image), bytes);
}

TEST_F(Images, raw_moves_guest_memory_directly) {
  const auto bytes = random_bytes(64 * 512, 3);
  const auto image = make("disk", bytes);
  const auto disk = open_disk({.path = image});
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  core::GuestIoVector vector;
  ASSERT_TRUE(memory->gather(core::Gpa(0x1000), 512, vector));
  ASSERT_TRUE(memory->gather(core::Gpa(0x8000), 1024, vector));
  ASSERT_TRUE(perform(**disk, {.op = core::BlockOp::Read, .offset = 512, .guest = &vector, .done = {}}));
  Bytes seen(1024);
  ASSERT_TRUE(memory->read(core::Gpa(0x8000), seen));
  EXPECT_EQ(seen, Bytes(bytes.begin() + 1024, bytes.begin() + 2048));
  ASSERT_TRUE(perform(**disk, {.op = core::BlockOp::Write, .offset = 8192, .guest = &vector, .done = {}}));
  EXPECT_EQ(read(**disk, 8192, 1536), Bytes(bytes.begin() + 512, bytes.begin() + 2048));
}

TEST_F(Images, raw_reads_at_once_what_is_cached) {
  const auto bytes = random_bytes(16384, 3);
  const auto disk = *open_disk({.path = make("disk", bytes)});
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  core::GuestIoVector data;
  ASSERT_TRUE(memory->gather(core::Gpa(0x1000), 1024, data));
  ASSERT_TRUE(memory->gather(core::Gpa(0x3000), 512, data));
  core::BlockRequest request{.op = core::BlockOp::Read, .offset = 512, .guest = &data, .done = {}};
  read(*disk, 0, bytes.size());  // a file system may lack the way: then it has to say so, as for what is not cached
  if (disk->read_at_once(request)) {
    Bytes found(1536);
    EXPECT_TRUE(data.read(0, found));
    EXPECT_EQ(found, Bytes(bytes.begin() + 512, bytes.begin() + 2048));
  }
  request.offset = bytes.size() - 1024;
  EXPECT_FALSE(disk->read_at_once(request)) << "beyond the disk";
  request = {.op = core::BlockOp::Write, .offset = 0, .guest = &data, .done = {}};
  EXPECT_FALSE(disk->read_at_once(request));
  EXPECT_FALSE(disk->read_at_once({.op = core::BlockOp::Flush, .done = {}}));
}

TEST_F(Images, shrunken_file_is_not_read_at_once) {
  const auto file = make("disk", random_bytes(8192, 4));
  const auto disk = *open_disk({.path = file});
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  core::GuestIoVector data;
  ASSERT_TRUE(memory->gather(core::Gpa(0), 1024, data));
  fs::resize_file(file, 512);
  EXPECT_FALSE(disk->read_at_once({.op = core::BlockOp::Read, .offset = 0, .guest = &data, .done = {}}));
}

TEST_F(Images, raw_refuses_what_it_must) {
  const auto image = make("disk", Bytes(4096));
  const auto disk = open_disk({.path = image, .readonly = true});
  EXPECT_TRUE((*disk)->read_only());
  EXPECT_FALSE(write(**disk, 0, Bytes(512)));
  Bytes buffer(1024);
  EXPECT_FALSE(perform(
      **disk, {.op = core::BlockOp::Read, .offset = 3584, .buffer = buffer.data(), .length = 1024, .done = {}}));
  EXPECT_TRUE(flush(**disk));
}

std::atomic<int> syncs{0};
std::atomic<int> sync_error{0};
int counted_sync(int) {
  ++syncs;
  errno = sync_error;
  return sync_error == 0 ? 0 : -1;
}

TEST_F(Images, flush_syncs_the_file_and_tells_failure) {
  syncs = 0;
  sync_error = 0;
  auto image = devices::block::open_image(make("disk", Bytes(4096)), false);
  ASSERT_TRUE(image);
  {
    devices::block::RawImage disk(std::move(*image), *devices::block::IoPool::create(2), counted_sync);
    EXPECT_TRUE(write(disk, 0, Bytes(512)));
    EXPECT_EQ(syncs, 0);
    EXPECT_TRUE(flush(disk));
    EXPECT_EQ(syncs, 1);
    sync_error = EIO;
    EXPECT_FALSE(flush(disk));
    sync_error = 0;
  }
  EXPECT_EQ(syncs, 3);  // closing tries again, as the last one failed
}

TEST_F(Images, closing_syncs_only_what_was_written) {
  syncs = 0;
  for (const bool writes : {false, true}) {
    auto image = devices::block::open_image(make("disk", Bytes(4096)), false);
    devices::block::RawImage disk(std::move(*image), *devices::block::IoPool::create(1), counted_sync);
    EXPECT_EQ(writes && write(disk, 0, Bytes(512)), writes);
  }
  EXPECT_EQ(syncs, 1);
}

// --- overlay ---------------------------------------------------------------------------------------------------------

TEST_F(Images, overlay_is_a_disk_of_its_own_and_leaves_the_image_untouched) {
  constexpr std::size_t kSize = 5 * devices::block::Overlay::kClusterBytes + 3 * 512;
  const auto original = random_bytes(kSize, 4);
  const auto image = make("disk", original);
  const auto disk = open_disk({.path = image, .snapshot = true});
  ASSERT_TRUE(disk);
  EXPECT_FALSE((*disk)->read_only());
  auto expected = original;
  std::minstd_rand random(5);
  for (unsigned i = 0; i < 200; ++i) {
    const auto sectors = 1 + random() % (i % 10 == 0 ? 300 : 20);
    const auto offset = 512 * (random() % (kSize / 512 - sectors));
    if (i % 2 == 0) {
      const auto fresh = random_bytes(512 * sectors, i);
      ASSERT_TRUE(write(**disk, offset, fresh));
      std::ranges::copy(fresh, expected.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(offset);
    ASSERT_EQ(read(**disk, offset, 512 * sectors), Bytes(begin, begin + static_cast<std::ptrdiff_t>(512 * sectors)));
  }
  EXPECT_TRUE(flush(**disk));
  EXPECT_EQ(read(**disk, 0, kSize), expected);
  EXPECT_EQ(content(image), original);
}

TEST_F(Images, overlay_serves_guest_memory_across_written_and_unwritten_clusters) {
  constexpr auto kCluster = devices::block::Overlay::kClusterBytes;
  auto expected = random_bytes(3 * kCluster, 6);
  const auto disk = open_disk({.path = make("disk", expected), .snapshot = true});
  const auto fresh = random_bytes(512, 7);
  ASSERT_TRUE(write(**disk, kCluster + 512, fresh));
  std::ranges::copy(fresh, expected.begin() + kCluster + 512);
  const auto memory = *core::GuestMemory::create(1 << 20, 1 << 20);
  core::GuestIoVector vector;
  for (unsigned piece = 0; piece < 3; ++piece)
    ASSERT_TRUE(memory->gather(core::Gpa(0x80000 - piece * 0x20000), kCluster, vector));
  ASSERT_TRUE(perform(**disk, {.op = core::BlockOp::Read, .offset = 0, .guest = &vector, .done = {}}));
  Bytes seen(3 * kCluster);
  ASSERT_TRUE(vector.read(0, seen));
  EXPECT_EQ(seen, expected);
}

TEST_F(Images, overlay_leaves_no_file_behind) {
  ::setenv("TMPDIR", folder_.c_str(), 1);
  const auto image = make("disk", Bytes(4096));
  {
    const auto disk = open_disk({.path = image, .snapshot = true});
    ASSERT_TRUE(disk);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  }
  ::setenv("TMPDIR", path("nowhere").c_str(), 1);
  EXPECT_THAT(error_of({.path = image, .snapshot = true}), HasSubstr("set TMPDIR"));
  ::unsetenv("TMPDIR");
}

TEST_F(Images, readonly_snapshot_is_read_only) {
  const auto disk = open_disk({.path = make("disk", Bytes(4096)), .readonly = true, .snapshot = true});
  ASSERT_TRUE(disk);
  EXPECT_TRUE((*disk)->read_only());
}

}  // namespace
