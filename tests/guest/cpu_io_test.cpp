// Ports, strings and device memory on the real accelerator.
#include "tests/guest/cpu_rig.h"

namespace {

std::uint64_t answer(std::uint64_t offset, unsigned width) {
  return 0x5a5a'5a5a'5a5a'0000 | width << 8 | offset;
}

struct Write {
  std::uint64_t offset;
  unsigned width;
  std::uint64_t value;
  bool operator==(const Write&) const = default;
};

TEST(CpuIo, widths_and_strings_arrive_whole) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  machine.load_guest("ports");
  std::vector<Write> writes;
  std::vector<std::uint8_t> sent;
  machine.port_probe.on_read = machine.probe.on_read = answer;
  machine.probe.on_write = [&](std::uint64_t offset, unsigned width, std::uint64_t value) {
    writes.push_back({offset, width, value});
  };
  machine.port_probe.on_write = [&](std::uint64_t offset, unsigned width, std::uint64_t value) {
    if (offset != 10) return writes.push_back({offset, width, value});
    for (unsigned i = 0; i < width; ++i)
      sent.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  machine.port_probe.on_write_string = [&](unsigned width, std::span<const std::uint8_t> bytes) {
    sent.insert(sent.end(), bytes.begin(), bytes.end());
    return bytes.size() / width;
  };
  std::array<std::uint32_t, 5> position{};
  std::array<unsigned, 5> calls{};
  machine.port_probe.on_read_string = [&](unsigned width, std::span<std::uint8_t> out) {
    ++calls[width];
    std::size_t elements = 0;
    for (std::size_t i = 0; i < out.size(); i += width, ++elements) {
      const auto value = (width == 1 ? 0 : 0x1000) + position[width]++;
      for (unsigned byte = 0; byte < width; ++byte)
        out[i + byte] = static_cast<std::uint8_t>(value >> (8 * byte));
    }
    return elements;
  };
  machine.run_to_success();

  const std::vector<Write> expected = {
      {1, 1, 0x11}, {2, 2, 0x2222}, {4, 4, 0x4444'4444}, {16, 8, 0x8877'6655'4433'2211}};
  EXPECT_EQ(writes, expected);
  EXPECT_EQ(sent.size(), 256u * 2 + 300 + 64 * 4);
  EXPECT_EQ(sent[512 + 299], 299 & 0xff);
  // A string is cut where its memory crosses a page at most.
  if (!rig::always_batches_strings()) return;
  EXPECT_LE(calls[1], 2u);
  EXPECT_LE(calls[2], 2u);
  EXPECT_LE(calls[4], 2u);
}

// Whether an accelerator keeps them or not: the order is the guest's, and nothing is kept for good.
TEST(CpuIo, posted_writes_come_before_what_is_not_posted_or_when_somebody_asks) {
  RIG_REQUIRES_CPUS();
  rig::Machine machine;
  const auto memory = machine.mmio.add_posted({rig::Machine::kProbe, 0x1000});
  const auto port = machine.io.add_posted({rig::Machine::kProbePort + 2, 1});
  std::mutex mutex;
  std::vector<Write> writes;
  std::size_t before_the_port = 0;
  const auto remember = [&](std::uint64_t offset, unsigned width, std::uint64_t value) {
    const std::scoped_lock lock(mutex);
    writes.push_back({offset, width, value});
  };
  machine.probe.on_write = remember;
  machine.port_probe.on_write = [&](std::uint64_t offset, unsigned width, std::uint64_t value) {
    remember(offset, width, value);
    if (offset == 1) before_the_port = writes.size() - 1;
  };
  machine.load_guest("posted");
  machine.start();
  constexpr std::size_t kAll = 500 + 2 + 5;
  const auto end = std::chrono::steady_clock::now() + rig::kPatience;
  const auto arrived = [&] {
    machine.mmio.settle();
    const std::scoped_lock lock(mutex);
    return writes.size() == kAll;
  };
  while (!arrived() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();

  machine.threads->pause();
  ASSERT_EQ(writes.size(), kAll);
  EXPECT_EQ(before_the_port, 501u);
  for (std::uint64_t i = 0; i < 500; ++i)
    EXPECT_EQ(writes[i], (Write{i % 16, 1, i & 0xff}));
  EXPECT_EQ(writes[500], (Write{2, 1, 1}));
  for (std::uint64_t i = 0; i < 5; ++i)
    EXPECT_EQ(writes[502 + i], (Write{4 * i, 4, i}));
}

}  // namespace
