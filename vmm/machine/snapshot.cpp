#include "vmm/machine/snapshot.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "core/base/bits.h"
#include "core/base/endian.h"

namespace vmm::machine {

using core::kPageSize;
using core::Result;

namespace {

constexpr std::uint64_t kPagesInChunk = 512;
constexpr std::uint64_t kMostPagesInChunk = 1024;  // of those that are read
constexpr std::size_t kMaxName = 255;

void append_text(std::vector<std::uint8_t>& out, std::string_view text) {
  const auto length = std::min(text.size(), kMaxName);
  out.push_back(static_cast<std::uint8_t>(length));
  out.insert(out.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
}

template <std::unsigned_integral T>
void append(std::vector<std::uint8_t>& out, T value) {
  std::array<std::uint8_t, sizeof(T)> raw{};
  core::store_le(raw.data(), value);
  out.insert(out.end(), raw.begin(), raw.end());
}

// A cursor over a chunk; what is not there reads as nothing, and `sound` says so.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> in) : in_(in) {}
  std::span<const std::uint8_t> bytes(std::size_t length) {
    sound = sound && length <= in_.size();
    if (!sound) return {};
    const auto part = in_.first(length);
    in_ = in_.subspan(length);
    return part;
  }
  std::string_view text() {
    const auto length = bytes(1);
    const auto raw = bytes(sound ? length[0] : 0);
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  template <std::unsigned_integral T>
  T number() {
    const auto raw = bytes(sizeof(T));
    return sound ? core::load_le<T>(raw.data()) : T{0};
  }
  std::span<const std::uint8_t> rest() const { return in_; }
  bool at_end() const { return in_.empty(); }

  bool sound = true;

 private:
  std::span<const std::uint8_t> in_;
};

// --- memory: name, first page, number of pages, a bit for each that is not zero, those pages -------------------------

// Appends the chunk of `count` pages, or nothing if they are all zero.
void make_memory_chunk(std::vector<std::uint8_t>& chunk, core::MemoryBlock& block, std::uint64_t first,
                       std::uint64_t count) {
  chunk.reserve(kMaxName + 64 + count / 8 + count * kPageSize);
  append_text(chunk, block.name());
  append(chunk, first);
  append(chunk, static_cast<std::uint32_t>(count));
  const auto bits = chunk.size();
  chunk.resize(bits + (count + 7) / 8);
  const auto pages = chunk.size();
  const auto copied = block.copy_nonzero_pages(first, count, chunk);
  for (std::uint64_t i = 0; i < count; ++i) {
    auto& byte = chunk[bits + i / 8];
    if (copied[i]) byte = static_cast<std::uint8_t>(byte | (1U << (i % 8)));
  }
  if (chunk.size() == pages) chunk.clear();
}

Result<> write_memory(SnapshotWriter& writer, core::MemoryBlock& block) {
  for (std::uint64_t first = 0; first < block.pages(); first += kPagesInChunk) {
    const auto count = std::min(kPagesInChunk, block.pages() - first);
    const auto make = [&block, first, count](std::vector<std::uint8_t>& chunk) {
      make_memory_chunk(chunk, block, first, count);
    };
    if (auto added = writer.add(ChunkKind::Memory, make); !added) return added;
  }
  return {};
}

Result<> load_memory(std::span<const std::uint8_t> chunk,
                     const std::map<std::string, core::MemoryBlock*, std::less<>>& blocks) {
  Reader reader(chunk);
  const auto block = blocks.find(reader.text());
  const auto first = reader.number<std::uint64_t>();
  const auto count = reader.number<std::uint32_t>();
  const bool sound = reader.sound && block != blocks.end() && count <= kMostPagesInChunk &&
                     core::range_inside<std::uint64_t>(first, count, block->second->pages());
  if (!sound) return core::fail("the snapshot has memory that this machine has not");
  const auto bits = reader.bytes((count + 7) / 8);
  for (std::uint32_t i = 0; i < count && reader.sound; ++i) {
    if (!core::bit(bits[i / 8], i % 8)) continue;
    const auto page = reader.bytes(kPageSize);
    if (reader.sound) block->second->all().write((first + i) * kPageSize, page);
  }
  if (!reader.sound || !reader.at_end()) return core::fail("memory in the snapshot does not fit together");
  return {};
}

// --- disks: name, offset, bytes --------------------------------------------------------------------------------------

Result<> write_disk(SnapshotWriter& writer, const std::string& name, core::VolatileContents& disk) {
  return disk.read_all([&](std::uint64_t offset, std::span<const std::uint8_t> bytes) {
    std::vector<std::uint8_t> chunk;
    append_text(chunk, name);
    append(chunk, offset);
    chunk.insert(chunk.end(), bytes.begin(), bytes.end());
    return writer.add(ChunkKind::Disk, std::move(chunk));
  });
}

Result<> load_disk(std::span<const std::uint8_t> chunk, const SnapshotParts& parts) {
  Reader reader(chunk);
  const auto disk = std::ranges::find(parts.disks, reader.text(), [](const auto& named) { return named.first; });
  const auto offset = reader.number<std::uint64_t>();
  if (!reader.sound || disk == parts.disks.end())
    return core::fail("the snapshot has a disk that this machine has not");
  return disk->second->put(offset, reader.rest());
}

std::vector<Trait> traits_with_memory(const SnapshotParts& parts) {
  auto traits = parts.traits;
  for (const auto* block : parts.memory)
    traits.push_back({block->name(), std::to_string(block->size() >> 10) + " KiB"});
  return traits;
}

}  // namespace

Result<> write_snapshot(const std::string& path, const SnapshotParts& parts) {
  auto writer = SnapshotWriter::create(path);
  if (!writer) return std::unexpected(writer.error());
  std::vector<std::uint8_t> description;
  for (const auto& [name, value] : traits_with_memory(parts)) {
    append_text(description, name);
    append_text(description, value);
  }
  if (auto added = writer->add(ChunkKind::Machine, std::move(description)); !added) return added;
  for (auto* block : parts.memory) {
    if (auto written = write_memory(*writer, *block); !written) return written;
  }
  for (const auto& [name, disk] : parts.disks) {
    if (auto written = write_disk(*writer, name, *disk); !written) return written;
  }
  if (auto added = writer->add(ChunkKind::State, core::save_state(parts.objects)); !added) return added;
  return writer->finish();
}

Result<Snapshot> Snapshot::open(const std::string& path, const SnapshotParts& parts) {
  auto reader = SnapshotReader::open(path);
  if (!reader) return std::unexpected(reader.error());
  Snapshot snapshot(std::move(*reader));
  if (auto checked = snapshot.check_traits(parts); !checked) return core::fail_with(path, checked);
  if (auto checked = snapshot.check_state(parts); !checked) return core::fail_with(path, checked);
  return snapshot;
}

Result<> Snapshot::check_traits(const SnapshotParts& parts) {
  std::map<std::string, std::string, std::less<>> saved;
  const auto described = reader_.read(ChunkKind::Machine, [&saved](std::span<const std::uint8_t> bytes) -> Result<> {
    Reader reader(bytes);
    while (reader.sound && !reader.at_end()) {
      std::string name(reader.text());
      saved.insert_or_assign(std::move(name), std::string(reader.text()));
    }
    return reader.sound ? Result<>{} : core::fail("the snapshot's description is damaged");
  });
  if (!described) return described;
  for (const auto& [name, value] : traits_with_memory(parts)) {
    const auto found = saved.find(name);
    const std::string other = found == saved.end() ? "none" : found->second;
    if (other != value) {
      return core::fail("the snapshot is of a machine with {}: {}; this one has {}; start it with the same options",
                        name, other, value);
    }
    saved.erase(found);
  }
  if (saved.empty()) return {};
  return core::fail("the snapshot is of a machine with {}: {}; this one has none; start it with the same options",
                    saved.begin()->first, saved.begin()->second);
}

Result<> Snapshot::check_state(const SnapshotParts& parts) {
  unsigned found = 0;
  auto checked = reader_.read(ChunkKind::State, [&](std::span<const std::uint8_t> stream) {
    ++found;
    return core::check_state(stream, parts.objects);
  });
  return !checked || found == 1 ? checked : core::fail("the snapshot has no state of devices");
}

Result<> Snapshot::apply(const SnapshotParts& parts) {
  std::map<std::string, core::MemoryBlock*, std::less<>> blocks;
  for (auto* block : parts.memory) {
    blocks.emplace(block->name(), block);
    block->discard(0, block->size());
  }
  auto loaded = reader_.read_together(
      ChunkKind::Memory, [&blocks](std::span<const std::uint8_t> chunk) { return load_memory(chunk, blocks); });
  if (!loaded) return loaded;
  for (const auto& [name, disk] : parts.disks)
    disk->forget_all();
  auto put =
      reader_.read(ChunkKind::Disk, [&parts](std::span<const std::uint8_t> chunk) { return load_disk(chunk, parts); });
  if (!put) return put;
  return reader_.read(ChunkKind::State, [&parts](std::span<const std::uint8_t> stream) {
    return core::load_state(stream, parts.objects);
  });
}

}  // namespace vmm::machine
