#include "tests/guest/cpu_rig.h"

#include <fstream>

namespace rig {

namespace {
constexpr std::uint64_t kVideo = 0xa0000;
constexpr std::uint64_t kUpperMemory = 0xc0000;
constexpr std::uint64_t kResetPage = 0xffff'f000;
constexpr std::uint64_t kGuestAt = 0x8000;
// The first instruction after reset: ljmp 0:8000h.
constexpr std::uint8_t kResetVector[] = {0xea, 0x00, 0x80, 0x00, 0x00};
}  // namespace

Machine::Machine(unsigned cpus) {
  auto memory = core::GuestMemory::create(kRamBytes, kRamBytes);
  EXPECT_TRUE(memory);
  ram = std::move(*memory);
  auto rom = core::MemoryBlock::create("reset", core::kPageSize);
  EXPECT_TRUE(rom);
  reset_rom_ = std::move(*rom);
  reset_rom_->all().write(0xff0, kResetVector);
  auto& block = ram->block();
  mappings_.push_back(ram_map.map({core::Gpa(0), kVideo, &block, 0, true, false}));
  mappings_.push_back(
      ram_map.map({core::Gpa(kUpperMemory), kRamBytes - kUpperMemory, &block, kUpperMemory, true, false}));
  mappings_.push_back(ram_map.map({core::Gpa(kResetPage), core::kPageSize, reset_rom_.get(), 0, false, false}));

  console_port_.on_read = [](std::uint64_t, unsigned) { return std::uint64_t{0xe9}; };
  console_port_.on_write = [this](std::uint64_t, unsigned, std::uint64_t value) {
    const std::scoped_lock lock(mutex);
    console += static_cast<char>(value);
    changed.notify_all();
  };
  exit_port_.on_write = [this](std::uint64_t, unsigned, std::uint64_t value) {
    const std::scoped_lock lock(mutex);
    exit_code = static_cast<std::uint32_t>(value);
    changed.notify_all();
  };
  claim(io, 0x402, 1, console_port_);
  claim(io, 0xf4, 4, exit_port_);
  claim(io, kProbePort, 16, port_probe);
  claim(mmio, kProbe, core::kPageSize, probe);

  auto made = make_accelerator(
      {.count = cpus},
      {.ram_map = ram_map, .io = io, .mmio = mmio, .pic = pic, .on_ioapic_eoi = [this](std::uint8_t vector) {
         const std::scoped_lock lock(mutex);
         eois.push_back(vector);
         changed.notify_all();
       }});
  EXPECT_TRUE(made) << made.error().message;
  accelerator = std::move(*made);
  threads = std::make_unique<vmm::cpu::VcpuThreads>(*accelerator, [this](unsigned, const vmm::cpu::RunExit& exit) {
    const std::scoped_lock lock(mutex);
    run_exit = exit;
    changed.notify_all();
  });
}

Machine::~Machine() {
  threads.reset();
  accelerator.reset();
}

void Machine::claim(core::AddressSpace& space, std::uint64_t start, std::uint64_t size, core::IoHandler& handler) {
  auto range = space.add({.start = start, .size = size}, handler, device_lock, "test");
  ASSERT_TRUE(range);
  ranges_.push_back(std::move(*range));
}

void Machine::load_guest(const std::string& name) {
  std::ifstream file(std::string(MINIVMM_GUESTS) + "/" + name + ".bin", std::ios::binary);
  const std::vector<char> image((std::istreambuf_iterator<char>(file)), {});
  ASSERT_FALSE(image.empty()) << "guest " << name << " was not built";
  load(kGuestAt, {reinterpret_cast<const std::uint8_t*>(image.data()), image.size()});
}

void Machine::load(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  ASSERT_TRUE(ram->write(core::Gpa(address), bytes));
}

std::optional<std::uint32_t> Machine::wait_exit(std::chrono::seconds limit) {
  {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, limit, [this] { return exit_code || run_exit; });
    if (run_exit) ADD_FAILURE() << run_exit->detail;
  }
  threads->pause();
  const std::scoped_lock lock(mutex);
  if (!exit_code) {
    for (auto* vcpu : accelerator->vcpus())
      ADD_FAILURE() << "no exit; console: " << console << "\n" << vcpu->describe();
  }
  return exit_code;
}

std::string Machine::console_text() {
  const std::scoped_lock lock(mutex);
  return console;
}

void Machine::run_to_success() {
  start();
  const auto code = wait_exit();
  ASSERT_TRUE(code);
  EXPECT_EQ(*code, 0u) << console_text();
}

void Machine::forget_exit() {
  const std::scoped_lock lock(mutex);
  exit_code.reset();
  run_exit.reset();
  console.clear();
}

}  // namespace rig
