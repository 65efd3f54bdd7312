// A snapshot whose chunks were made by somebody else: the input is their kinds, lengths and bytes; header and checksums
// are right. It is opened and loaded into as much of a machine as a snapshot knows of.
#include "vmm/machine/snapshot.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace vmm::machine;

class Value final : public core::Stateful {
 public:
  std::string_view state_name() const override { return "value"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { visitor.field("bytes", bytes_, 100); }

 private:
  std::vector<std::uint8_t> bytes_;
};

class Disk final : public core::VolatileContents {
 public:
  core::Result<> read_all(const Take&) override { return {}; }
  void forget_all() override {}
  core::Result<> put(std::uint64_t offset, std::span<const std::uint8_t> bytes) override {
    return offset < 1000 && bytes.size() < 1000 ? core::Result<>{} : core::fail("no such piece");
  }
};

// Kind, 16 bits of length, bytes; the description of the right machine stands for an empty chunk of it.
void write_chunks(SnapshotWriter& writer, std::span<const std::uint8_t> input, std::span<const std::uint8_t> right) {
  while (input.size() >= 3) {
    const auto kind = static_cast<ChunkKind>(1 + input[0] % 4);
    const std::size_t wanted = input[1] | input[2] << 8;
    input = input.subspan(3);
    const auto bytes = input.first(std::min(wanted, input.size()));
    input = input.subspan(bytes.size());
    const bool describes = kind == ChunkKind::Machine && bytes.empty();
    const auto chunk = describes ? right : bytes;
    if (!writer.add(kind, std::vector(chunk.begin(), chunk.end()))) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto memory = *core::MemoryBlock::create("ram", 16 * core::kPageSize);
  static const std::string path = "/dev/shm/minivmm-fuzz-snapshot-" + std::to_string(::getpid());
  Value value;
  Disk disk;
  const SnapshotParts parts{{{"CPUs", "1"}}, {memory.get()}, {{"disk", &disk}}, {&value}};
  constexpr std::uint8_t kRight[] =
      "\4CPUs\1"
      "1"
      "\3ram\6"
      "64 KiB";
  {
    auto writer = SnapshotWriter::create(path);
    if (!writer) std::abort();
    write_chunks(*writer, {data, size}, std::span(kRight).first(sizeof kRight - 1));
    if (!writer->finish()) std::abort();
  }
  auto snapshot = Snapshot::open(path, parts);
  if (snapshot) static_cast<void>(snapshot->apply(parts));
  ::unlink(path.c_str());
  return 0;
}
