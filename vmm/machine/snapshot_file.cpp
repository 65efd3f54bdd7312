#include "vmm/machine/snapshot_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <xxhash.h>
#include <zstd.h>

#include "core/base/endian.h"

namespace vmm::machine {

using core::Result;

namespace {

constexpr std::array<std::uint8_t, 8> kMagic{'M', 'V', 'M', 'S', 'N', 'A', 'P', '\n'};
constexpr std::uint32_t kVersion = 1;
// Faster than a disk, and half the size of what it is given.
constexpr int kLevel = 1;

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

std::string partial_path(const std::string& path) {
  return path + ".partial";
}

}  // namespace

// --- writing ---------------------------------------------------------------------------------------------------------

void SnapshotWriter::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

Result<SnapshotWriter> SnapshotWriter::create(const std::string& path) {
  core::Fd fd(::open(partial_path(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (fd.get() < 0) return core::fail("cannot write the snapshot {}: {}", path, core::errno_text());
  SnapshotWriter writer(path, std::move(fd));
  if (auto written = writer.write(bytes_of(FileHead{kMagic, kVersion, 0})); !written)
    return std::unexpected(written.error());
  return writer;
}

SnapshotWriter::SnapshotWriter(std::string path, core::Fd fd)
    : path_(std::move(path)), fd_(std::move(fd)), context_(ZSTD_createCCtx()) {}

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

Result<> SnapshotWriter::add(ChunkKind kind, std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kMaxChunkBytes) return core::fail("a part of the snapshot has {} bytes, too many", bytes.size());
  packed_.resize(ZSTD_compressBound(bytes.size()));
  const auto stored =
      ZSTD_compressCCtx(context_.get(), packed_.data(), packed_.size(), bytes.data(), bytes.size(), kLevel);
  if (ZSTD_isError(stored) != 0) return core::fail("cannot compress the snapshot: {}", ZSTD_getErrorName(stored));
  const auto packed = std::span(packed_).first(stored);
  const ChunkHead head{std::to_underlying(kind), 0, stored, bytes.size(), checksum_of(kind, bytes.size(), packed)};
  if (auto written = write(bytes_of(head)); !written) return written;
  return write(packed);
}

Result<> SnapshotWriter::finish() {
  if (auto written = write(bytes_of(ChunkHead{})); !written) return written;
  if (::fsync(fd_.get()) != 0) return core::fail("cannot write the snapshot {}: {}", path_, core::errno_text());
  if (std::rename(partial_path(path_).c_str(), path_.c_str()) != 0)
    return core::fail("cannot put the snapshot at {}: {}", path_, core::errno_text());
  fd_ = core::Fd();
  return {};
}

// --- reading ---------------------------------------------------------------------------------------------------------

void SnapshotReader::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

SnapshotReader::SnapshotReader(std::string path, core::Fd fd)
    : path_(std::move(path)), fd_(std::move(fd)), context_(ZSTD_createDCtx()) {}

Result<SnapshotReader> SnapshotReader::open(const std::string& path) {
  core::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return core::fail("cannot read the snapshot {}: {}", path, core::errno_text());
  SnapshotReader reader(path, std::move(fd));
  if (auto found = reader.find_chunks(); !found) return std::unexpected(found.error());
  return reader;
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

Result<> SnapshotReader::fetch(const Chunk& chunk) {
  packed_.resize(chunk.stored);
  if (auto read = fetch(chunk.at, packed_); !read) return read;
  if (checksum_of(chunk.kind, chunk.plain, packed_) == chunk.checksum) return {};
  return core::fail("the snapshot {} is damaged", path_);
}

Result<> SnapshotReader::find_chunks() {
  std::array<std::uint8_t, sizeof(FileHead)> raw{};
  const auto read = fetch(0, raw);
  const auto head = std::bit_cast<FileHead>(raw);
  if (!read || head.magic != kMagic) return core::fail("{} is no snapshot of minivmm's", path_);
  if (head.version != kVersion) {
    return core::fail("the snapshot {} has version {}, this minivmm reads {}", path_, std::uint32_t{head.version},
                      kVersion);
  }
  for (std::uint64_t at = sizeof(FileHead);;) {
    std::array<std::uint8_t, sizeof(ChunkHead)> raw_chunk{};
    if (auto fetched = fetch(at, raw_chunk); !fetched) return fetched;
    const auto chunk_head = std::bit_cast<ChunkHead>(raw_chunk);
    at += sizeof(ChunkHead);
    const Chunk chunk{static_cast<ChunkKind>(std::uint32_t{chunk_head.kind}), at, chunk_head.stored, chunk_head.plain,
                      chunk_head.checksum};
    if (chunk.kind == ChunkKind::End && chunk.stored == 0) return {};
    const bool sound = chunk.kind != ChunkKind::End && chunk.kind <= ChunkKind::State &&
                       chunk.plain <= kMaxChunkBytes && chunk.stored <= ZSTD_compressBound(chunk.plain);
    if (!sound) return core::fail("the snapshot {} is damaged", path_);
    if (auto fetched = fetch(chunk); !fetched) return fetched;
    chunks_.push_back(chunk);
    at += chunk.stored;
  }
}

Result<> SnapshotReader::read(ChunkKind kind, const Take& take) {
  for (const auto& chunk : chunks_) {
    if (chunk.kind != kind) continue;
    if (auto fetched = fetch(chunk); !fetched) return fetched;
    plain_.resize(chunk.plain);
    const auto bytes =
        ZSTD_decompressDCtx(context_.get(), plain_.data(), plain_.size(), packed_.data(), packed_.size());
    if (ZSTD_isError(bytes) != 0 || bytes != chunk.plain) return core::fail("the snapshot {} is damaged", path_);
    if (auto taken = take(plain_); !taken) return taken;
  }
  return {};
}

}  // namespace vmm::machine
