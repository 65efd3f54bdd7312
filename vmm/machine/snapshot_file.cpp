#include "vmm/machine/snapshot_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <xxhash.h>
#include <zstd.h>

#include "core/base/endian.h"
#include "vmm/machine/job_thread.h"

namespace vmm::machine {

using core::Result;

namespace {

constexpr std::array<std::uint8_t, 8> kMagic{'M', 'V', 'M', 'S', 'N', 'A', 'P', '\n'};
constexpr std::uint32_t kVersion = 1;
// Faster than a disk, and well below the size of what it is given.
constexpr int kLevel = -100;
constexpr unsigned kMostLanes = 8;

struct FileHead {
  std::array<std::uint8_t, 8> magic;
  core::le32 version;
  core::le32 reserved;
};
static_assert(sizeof(FileHead) == 16);

struct ChunkHead {
  core::le32 kind;
  core::le32 reserved;
  core::le64 stored;    // bytes that follow
  core::le64 plain;     // bytes they stand for
  core::le64 checksum;  // of the bytes that follow, and of kind and plain
};
static_assert(sizeof(ChunkHead) == 32);

std::uint64_t checksum_of(ChunkKind kind, std::uint64_t plain, std::span<const std::uint8_t> packed) {
  const auto seed = std::uint64_t{std::to_underlying(kind)} << 32 ^ plain;
  return XXH3_64bits_withSeed(packed.data(), packed.size(), seed);
}

template <class T>
std::array<std::uint8_t, sizeof(T)> bytes_of(const T& head) {
  return std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(head);
}

// Has a lane do a job; by itself, if it is about enough bytes.
template <class Lane>
void begin(Lane& lane, std::uint64_t bytes, JobThread::Job job) {
  constexpr std::uint64_t kWorthAThread = 64 << 10;
  if (bytes >= kWorthAThread) return lane.thread.begin(std::move(job));
  lane.result = job();
}

// What became of it.
template <class Lane>
Result<> result_of(Lane& lane) {
  auto result = lane.thread.wait();
  return result ? std::exchange(lane.result, {}) : result;
}

// One more than processors, for the one that waits for the disk.
template <class Lane>
std::vector<std::unique_ptr<Lane>> make_lanes() {
  std::vector<std::unique_ptr<Lane>> lanes(std::clamp(std::thread::hardware_concurrency(), 1U, kMostLanes) + 1);
  for (auto& lane : lanes)
    lane = std::make_unique<Lane>();
  return lanes;
}

// The first bytes of a buffer that only grows, as new room costs zeros.
std::span<std::uint8_t> room_for(std::vector<std::uint8_t>& buffer, std::size_t bytes) {
  if (buffer.size() < bytes) buffer.resize(bytes);
  return std::span(buffer).first(bytes);
}

// Puts a file in the place of another. The blocks of that one are given back when nobody has it open any more, which
// takes a while: nobody has to wait for that.
int replace(const std::string& from, const std::string& to) {
  core::Fd replaced(::open(to.c_str(), O_RDONLY | O_CLOEXEC));
  if (std::rename(from.c_str(), to.c_str()) != 0) return errno;
  try {
    if (replaced.valid()) std::thread([held = std::move(replaced)] {}).detach();
  } catch (const std::system_error&) {
    // Then it is closed here.
  }
  return 0;
}

std::string partial_path(const std::string& path) {
  return path + ".partial";
}

}  // namespace

// --- writing ---------------------------------------------------------------------------------------------------------

// A chunk under way, and what is used again for the next.
struct SnapshotWriter::Lane {
  struct Free {
    void operator()(ZSTD_CCtx* freed) const { ZSTD_freeCCtx(freed); }
  };
  Result<> pack(ChunkKind kind, const Make& make) {
    plain.clear();
    make(plain);
    if (plain.size() > kMaxChunkBytes) return core::fail("a part of the snapshot has {} bytes, too many", plain.size());
    const auto room = room_for(packed, ZSTD_compressBound(plain.size()));
    stored = ZSTD_compressCCtx(context.get(), room.data(), room.size(), plain.data(), plain.size(), kLevel);
    if (ZSTD_isError(stored) != 0) return core::fail("cannot compress the snapshot: {}", ZSTD_getErrorName(stored));
    const auto bytes = std::span(packed).first(stored);
    head = {std::to_underlying(kind), 0, stored, plain.size(), checksum_of(kind, plain.size(), bytes)};
    return {};
  }

  std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
  std::vector<std::uint8_t> plain;
  std::vector<std::uint8_t> packed;  // its first `stored` bytes
  std::size_t stored = 0;
  ChunkHead head{};
  bool is_full = false;
  Result<> result;
  JobThread thread;  // last: its end is waited for
};

Result<SnapshotWriter> SnapshotWriter::create(const std::string& path) {
  core::Fd fd(::open(partial_path(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return core::fail("cannot write the snapshot {}: {}", path, core::errno_text());
  SnapshotWriter writer(path, std::move(fd));
  if (auto written = writer.write(bytes_of(FileHead{kMagic, kVersion, 0})); !written)
    return std::unexpected(written.error());
  return writer;
}

SnapshotWriter::SnapshotWriter(std::string path, core::Fd fd)
    : path_(std::move(path)), fd_(std::move(fd)), lanes_(make_lanes<Lane>()) {}

SnapshotWriter::SnapshotWriter(SnapshotWriter&&) noexcept = default;

SnapshotWriter::~SnapshotWriter() {
  if (fd_.get() >= 0) ::unlink(partial_path(path_).c_str());
}

Result<> SnapshotWriter::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::fail("cannot write the snapshot {}: {}", path_, core::errno_text());
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> SnapshotWriter::add(ChunkKind kind, Make make) {
  return add(kind, kMaxChunkBytes, std::move(make));
}

Result<> SnapshotWriter::add(ChunkKind kind, std::vector<std::uint8_t> bytes) {
  const auto size = bytes.size();
  return add(kind, size, [made = std::move(bytes)](std::vector<std::uint8_t>& chunk) { chunk = made; });
}

Result<> SnapshotWriter::add(ChunkKind kind, std::uint64_t about_bytes, Make make) {
  auto& lane = *lanes_[next_++ % lanes_.size()];
  if (auto settled = settle(lane); !settled) return settled;
  lane.is_full = true;
  begin(lane, about_bytes, [&lane, kind, made = std::move(make)] { return lane.pack(kind, made); });
  return {};
}

Result<> SnapshotWriter::settle(Lane& lane) {
  if (!std::exchange(lane.is_full, false)) return {};
  if (auto packed = result_of(lane); !packed) return packed;
  if (lane.plain.empty()) return {};
  if (auto written = write(bytes_of(lane.head)); !written) return written;
  if (auto written = write(std::span(lane.packed).first(lane.stored)); !written) return written;
  // The disk is busy meanwhile, lest finish() wait for all of it.
  ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
  return {};
}

Result<> SnapshotWriter::finish() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (auto settled = settle(*lanes_[next_++ % lanes_.size()]); !settled) return settled;
  }
  if (auto written = write(bytes_of(ChunkHead{})); !written) return written;
  if (::fsync(fd_.get()) != 0) return core::fail("cannot write the snapshot {}: {}", path_, core::errno_text());
  if (const int error = replace(partial_path(path_), path_); error != 0)
    return core::fail("cannot put the snapshot at {}: {}", path_, core::errno_text(error));
  fd_ = core::Fd();
  return {};
}

// --- reading ---------------------------------------------------------------------------------------------------------

struct SnapshotReader::Lane {
  struct Free {
    void operator()(ZSTD_DCtx* freed) const { ZSTD_freeDCtx(freed); }
  };

  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
  std::vector<std::uint8_t> packed;
  std::vector<std::uint8_t> plain;
  Result<> result;
  JobThread thread;  // last: its end is waited for
};

SnapshotReader::SnapshotReader(std::string path, core::Fd fd)
    : path_(std::move(path)), fd_(std::move(fd)), lanes_(make_lanes<Lane>()) {}

SnapshotReader::SnapshotReader(SnapshotReader&&) noexcept = default;
SnapshotReader::~SnapshotReader() = default;

Result<SnapshotReader> SnapshotReader::open(const std::string& path) {
  core::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return core::fail("cannot read the snapshot {}: {}", path, core::errno_text());
  SnapshotReader reader(path, std::move(fd));
  if (auto checked = reader.check_head(); !checked) return std::unexpected(checked.error());
  auto found = reader.find_chunks();
  auto verified = reader.settle();
  if (!found) return std::unexpected(found.error());
  if (!verified) return std::unexpected(verified.error());
  return reader;
}

Result<> SnapshotReader::give(std::uint64_t bytes, std::function<Result<>(Lane& lane)> job) {
  auto& lane = *lanes_[next_++ % lanes_.size()];
  auto before = result_of(lane);
  if (before) begin(lane, bytes, [&lane, given = std::move(job)] { return given(lane); });
  return before;
}

Result<> SnapshotReader::settle() {
  Result<> result;
  for (const auto& lane : lanes_) {
    if (auto done = result_of(*lane); !done && result) result = done;
  }
  return result;
}

Result<> SnapshotReader::fetch(std::uint64_t at, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const auto count = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::fail("cannot read the snapshot {}: {}", path_, core::errno_text());
    if (count == 0) return core::fail("the snapshot {} is cut short", path_);
    out = out.subspan(static_cast<std::size_t>(count));
    at += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<> SnapshotReader::verify(Lane& lane, const Chunk& chunk) const {
  const auto packed = room_for(lane.packed, chunk.stored);
  if (auto read = fetch(chunk.at, packed); !read) return read;
  if (checksum_of(chunk.kind, chunk.plain, packed) == chunk.checksum) return {};
  return core::fail("the snapshot {} is damaged", path_);
}

// The file may have changed since it was opened: the checksum is looked at again.
Result<> SnapshotReader::unpack(Lane& lane, const Chunk& chunk, const Take& take) const {
  if (auto verified = verify(lane, chunk); !verified) return verified;
  const auto plain = room_for(lane.plain, chunk.plain);
  const auto bytes =
      ZSTD_decompressDCtx(lane.context.get(), plain.data(), plain.size(), lane.packed.data(), chunk.stored);
  if (ZSTD_isError(bytes) != 0 || bytes != chunk.plain) return core::fail("the snapshot {} is damaged", path_);
  return take(plain);
}

Result<> SnapshotReader::check_head() {
  std::array<std::uint8_t, sizeof(FileHead)> raw{};
  const auto read = fetch(0, raw);
  const auto head = std::bit_cast<FileHead>(raw);
  if (!read || head.magic != kMagic) return core::fail("{} is no snapshot of minivmm's", path_);
  if (head.version == kVersion) return {};
  return core::fail("the snapshot {} has version {}, this minivmm reads {}", path_, std::uint32_t{head.version},
                    kVersion);
}

Result<> SnapshotReader::find_chunks() {
  for (std::uint64_t at = sizeof(FileHead);;) {
    std::array<std::uint8_t, sizeof(ChunkHead)> raw{};
    if (auto fetched = fetch(at, raw); !fetched) return fetched;
    const auto head = std::bit_cast<ChunkHead>(raw);
    at += sizeof(ChunkHead);
    const Chunk chunk{static_cast<ChunkKind>(std::uint32_t{head.kind}), at, head.stored, head.plain, head.checksum};
    if (chunk.kind == ChunkKind::End && chunk.stored == 0) return {};
    const bool sound = chunk.kind != ChunkKind::End && chunk.kind <= ChunkKind::State &&
                       chunk.plain <= kMaxChunkBytes && chunk.stored <= ZSTD_compressBound(chunk.plain);
    if (!sound) return core::fail("the snapshot {} is damaged", path_);
    if (auto given = give(chunk.stored, [this, chunk](Lane& lane) { return verify(lane, chunk); }); !given)
      return given;
    chunks_.push_back(chunk);
    at += chunk.stored;
  }
}

Result<> SnapshotReader::read(ChunkKind kind, const Take& take) {
  for (const auto& chunk : chunks_) {
    if (chunk.kind != kind) continue;
    if (auto unpacked = unpack(*lanes_[0], chunk, take); !unpacked) return unpacked;
  }
  return {};
}

Result<> SnapshotReader::read_together(ChunkKind kind, const Take& take) {
  Result<> given;
  for (const auto& chunk : chunks_) {
    if (chunk.kind != kind || !given) continue;
    given = give(chunk.plain, [this, &chunk, &take](Lane& lane) { return unpack(lane, chunk, take); });
  }
  auto settled = settle();
  return given ? settled : given;
}

}  // namespace vmm::machine
