// A snapshot on the disk: a header, chunks of bytes of several kinds, and an end. A chunk is compressed by itself
// (zstd) and has a checksum (XXH3), so that a file which is damaged, cut short or none of ours is known before any of
// it is used. docs/snapshots.md has the layout.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace vmm::machine {

enum class ChunkKind : std::uint32_t { End = 0, Machine = 1, Memory = 2, Disk = 3, State = 4 };

constexpr std::size_t kMaxChunkBytes = 64 << 20;  // before compression

// Writes beside the file, and puts it in its place when everything is on the disk.
class SnapshotWriter {
 public:
  static core::Result<SnapshotWriter> create(const std::string& path);
  ~SnapshotWriter();
  SnapshotWriter(SnapshotWriter&&) noexcept;
  SnapshotWriter& operator=(SnapshotWriter&&) = delete;

  core::Result<> add(ChunkKind kind, std::span<const std::uint8_t> bytes);  // at most kMaxChunkBytes
  core::Result<> finish();

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  SnapshotWriter(std::string path, core::Fd fd);
  core::Result<> write(std::span<const std::uint8_t> bytes);

  std::string path_;
  core::Fd fd_;
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  std::vector<std::uint8_t> packed_;
};

class SnapshotReader {
 public:
  // Reads the file through once: whatever comes after can rely on its being whole.
  static core::Result<SnapshotReader> open(const std::string& path);

  using Take = std::function<core::Result<>(std::span<const std::uint8_t> bytes)>;
  // Every chunk of a kind, in the order of writing. The first error ends it.
  core::Result<> read(ChunkKind kind, const Take& take);

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  struct Chunk {
    ChunkKind kind = ChunkKind::End;
    std::uint64_t at = 0;      // of its bytes in the file
    std::uint64_t stored = 0;  // bytes there
    std::uint64_t plain = 0;   // bytes they stand for
    std::uint64_t checksum = 0;
  };
  SnapshotReader(std::string path, core::Fd fd);
  core::Result<> find_chunks();
  core::Result<> fetch(const Chunk& chunk);  // into packed_
  core::Result<> fetch(std::uint64_t at, std::span<std::uint8_t> out) const;

  std::string path_;
  core::Fd fd_;
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  std::vector<Chunk> chunks_;
  std::vector<std::uint8_t> packed_;
  std::vector<std::uint8_t> plain_;
};

}  // namespace vmm::machine
