// A snapshot on the disk: a header, chunks of bytes of several kinds, and an end. A chunk is compressed by itself
// (zstd) and has a checksum (XXH3), so that a file which is damaged, cut short or none of ours is known before any of
// it is used, and several threads can work at it. docs/snapshots.md has the layout.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"

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

  // Appends a chunk's bytes, at most kMaxChunkBytes, to an empty vector; none: the chunk is left out.
  using Make = std::function<void(std::vector<std::uint8_t>& bytes)>;
  // `make` runs on another thread, beside those of other chunks, until finish() returns. Chunks keep their order.
  core::Result<> add(ChunkKind kind, Make make);
  core::Result<> add(ChunkKind kind, std::vector<std::uint8_t> bytes);
  core::Result<> finish();

 private:
  struct Lane;
  SnapshotWriter(std::string path, core::Fd fd);
  core::Result<> add(ChunkKind kind, std::uint64_t about_bytes, Make make);
  core::Result<> settle(Lane& lane);
  core::Result<> write(std::span<const std::uint8_t> bytes);

  std::string path_;
  core::Fd fd_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // they take chunks in turn
  std::size_t next_ = 0;
};

class SnapshotReader {
 public:
  // Reads the file through once: whatever comes after can rely on its being whole.
  static core::Result<SnapshotReader> open(const std::string& path);
  ~SnapshotReader();
  SnapshotReader(SnapshotReader&&) noexcept;
  SnapshotReader& operator=(SnapshotReader&&) = delete;

  using Take = std::function<core::Result<>(std::span<const std::uint8_t> bytes)>;
  // Every chunk of a kind, in the order of writing. The first error ends it.
  core::Result<> read(ChunkKind kind, const Take& take);
  // The same in any order, by several threads at a time.
  core::Result<> read_together(ChunkKind kind, const Take& take);

 private:
  struct Chunk {
    ChunkKind kind = ChunkKind::End;
    std::uint64_t at = 0;      // of its bytes in the file
    std::uint64_t stored = 0;  // bytes there
    std::uint64_t plain = 0;   // bytes they stand for
    std::uint64_t checksum = 0;
  };
  struct Lane;
  SnapshotReader(std::string path, core::Fd fd);
  core::Result<> find_chunks();
  core::Result<> check_head();
  core::Result<> verify(Lane& lane, const Chunk& chunk) const;
  core::Result<> unpack(Lane& lane, const Chunk& chunk, const Take& take) const;
  core::Result<> fetch(std::uint64_t at, std::span<std::uint8_t> out) const;
  // Has one lane after the other do a job about so many bytes.
  core::Result<> give(std::uint64_t bytes, std::function<core::Result<>(Lane& lane)> job);
  core::Result<> settle();  // waits for all of them

  std::string path_;
  core::Fd fd_;
  std::vector<Chunk> chunks_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::size_t next_ = 0;
};

}  // namespace vmm::machine
