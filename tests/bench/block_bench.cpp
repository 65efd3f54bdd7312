// Requests a second and processor time of the block port over a raw image that lies in the page cache: what the way
// from a controller to the file and back costs. The arguments are bytes a request and requests under way.
#include <benchmark/benchmark.h>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/memory/guest_memory.h"
#include "devices/block/open_disk.h"

namespace {

constexpr std::uint64_t kImageBytes = 256 << 20;
constexpr std::uint64_t kSlotBytes = 128 << 10;  // of guest memory, for each request under way
constexpr unsigned kMaxDepth = 32;

// An image in the page cache that goes away with the benchmark.
class Image {
 public:
  Image() {
    const int fd = ::mkstemp(path_.data());
    const std::vector<char> chunk(1 << 20, 'x');
    for (std::uint64_t at = 0; at < kImageBytes; at += chunk.size()) {
      if (::write(fd, chunk.data(), chunk.size()) != static_cast<ssize_t>(chunk.size())) std::abort();
    }
    // What was never written back would be once the benchmark runs.
    ::fdatasync(fd);
    ::close(fd);
  }
  ~Image() { ::unlink(path_.c_str()); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/var/tmp/minivmm-bench-XXXXXX";
};

// Requests that are not under way.
class FreeSlots {
 public:
  explicit FreeSlots(unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      free_.push_back(i);
  }
  unsigned take() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return !free_.empty(); });
    const auto slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void put(unsigned slot) {
    const std::scoped_lock guard(mutex_);
    free_.push_back(slot);
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<unsigned> free_;
};

enum class Pattern : bool { Random, Sequential };

struct Load {
  core::BlockOp op;
  Pattern pattern;
  bool at_once;  // as virtio disks do where they have doorbells
};

void run(benchmark::State& state, const Image& image, const Load& load) {
  const auto bytes = static_cast<std::uint64_t>(state.range(0));
  const auto depth = static_cast<unsigned>(state.range(1));
  auto memory = *core::GuestMemory::create(kMaxDepth * kSlotBytes, kMaxDepth * kSlotBytes);
  auto disk = *devices::block::open_disk({.path = image.path()});
  std::vector<core::GuestIoVector> data(depth);
  for (unsigned slot = 0; slot < depth; ++slot)
    memory->gather(core::Gpa(slot * kSlotBytes), bytes, data[slot]);
  FreeSlots slots(depth);
  std::minstd_rand engine;  // the same places in every run
  std::uint64_t next = 0;
  for (auto _ : state) {
    const auto place = load.pattern == Pattern::Random ? engine() : next++;
    const auto slot = slots.take();
    core::BlockRequest request{.op = load.op,
                               .offset = place % (kImageBytes / bytes) * bytes,
                               .guest = &data[slot],
                               .done = [&slots, slot](const core::Result<>&) { slots.put(slot); }};
    if (load.at_once && disk->read_at_once(request)) {
      slots.put(slot);
    } else {
      disk->submit(std::move(request));
    }
  }
  disk->drain();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * bytes));
}

void add(const char* name, const Image& image, const Load& load, std::int64_t bytes) {
  auto* added = benchmark::RegisterBenchmark(name, run, std::cref(image), load);
  added->ArgNames({"bytes", "depth"})->Args({bytes, 1})->Args({bytes, kMaxDepth});
  added->UseRealTime()->MeasureProcessCPUTime();
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const Image image;
  using core::BlockOp;
  add("random_read", image, {BlockOp::Read, Pattern::Random, false}, 4 << 10);
  add("random_read_at_once", image, {BlockOp::Read, Pattern::Random, true}, 4 << 10);
  add("random_write", image, {BlockOp::Write, Pattern::Random, false}, 4 << 10);
  add("sequential_read", image, {BlockOp::Read, Pattern::Sequential, false}, 128 << 10);
  add("sequential_read_at_once", image, {BlockOp::Read, Pattern::Sequential, true}, 128 << 10);
  add("sequential_write", image, {BlockOp::Write, Pattern::Sequential, false}, 128 << 10);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
