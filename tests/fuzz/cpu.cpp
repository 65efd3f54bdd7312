// Bytes become code and state of a software CPU in any mode (cpu_scene.h), which runs twice: block by block, and a few
// instructions at a time. Both runs must end alike, whatever ran before them; and wherever a guest gets its CPU to, its
// state can be saved and loaded.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fmt/core.h>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/log.h"
#include "core/memory/ram_map.h"
#include "tests/fuzz/cpu_scene.h"
#include "vmm/cpu/soft/executor.h"
#include "vmm/cpu/soft/vcpu.h"

namespace {

using namespace vmm::cpu;
using namespace vmm::cpu::soft;
using tests::CpuScene;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

void require_same(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  if (in_a == a.end() && in_b == b.end()) return;
  fmt::print(stderr, "word {}: {:#x} and {:#x}\n", in_a - a.begin(), *in_a, *in_b);
  __builtin_trap();
}

// Everything of a CPU that a guest can see, and what decides how it goes on.
void words_of(const Cpu& cpu, std::vector<std::uint64_t>& words) {
  words.assign(cpu.general.begin(), cpu.general.begin() + 16);
  const auto add = [&words](auto... values) { (words.push_back(static_cast<std::uint64_t>(values)), ...); };
  for (const SegmentRegister& s : cpu.segments)
    add(s.base, s.limit, s.selector, s.attributes, s.first, s.last, s.readable, s.writable);
  for (const Segment& s : {cpu.ldt, cpu.tr})
    add(s.base, s.limit, s.selector, s.attributes);
  add(cpu.rip, cpu.rflags(), cpu.cpl, cpu.mode, cpu.cr0, cpu.cr2, cpu.cr3, cpu.cr4, cpu.efer, cpu.gdt.base,
      cpu.gdt.limit, cpu.idt.base, cpu.idt.limit, cpu.dr6, cpu.dr7, cpu.mxcsr, cpu.xcr0, cpu.shadow, cpu.activity,
      cpu.nmi_pending, cpu.nmi_masked, cpu.kernel_gs_base, cpu.star, cpu.lstar, cpu.cstar, cpu.sfmask, cpu.sysenter_cs,
      cpu.sysenter_esp, cpu.sysenter_eip, cpu.tsc_aux, cpu.pat, cpu.misc_enable, cpu.tsc_adjust);
  for (const std::uint64_t address : cpu.debug_address)
    add(address);
  for (const std::uint64_t msr : cpu.stored_msrs)
    add(msr);
  for (const auto& registers : {cpu.xmm, cpu.ymm_high}) {
    for (const Xmm& one : registers)
      add(one.get<std::uint64_t>(0), one.get<std::uint64_t>(1));
  }
  const X87& x87 = cpu.x87;
  add(x87.control, x87.status, x87.top, x87.occupied, x87.last_opcode);
  for (const X87::Register& one : x87.registers)
    add(one.mantissa, one.sign_exponent);
}

struct End {
  bool was_loaded = false;
  bool was_cut = false;  // too much work
  std::uint64_t retired = 0;
  std::vector<std::uint64_t> words;
  std::vector<std::uint8_t> ram = std::vector<std::uint8_t>(CpuScene::kRamBytes);
};

// A machine that is made once: one RAM, a ROM, a device at a page and at all ports, and a CPU of each model.
class Machine final : public SoftVcpu::Owner, public core::IoHandler, public core::ExtIntSource {
 public:
  Machine() {
    require(ram_ && rom_);
    map_.set_listener(&physical_);
    ram_mapping_ = map_.map({core::Gpa(0), CpuScene::kRamBytes, ram_.get(), 0, true, false});
    rom_mapping_ = map_.map({core::Gpa(CpuScene::kRom), core::kPageSize, rom_.get(), 0, false, false});
    physical_.refresh();
    ports_ = take(io_.add({0, 0x10000, 4}, *this, lock_, "fuzz"));
    device_ = take(mmio_.add({CpuScene::kDevice, core::kPageSize, 4}, *this, lock_, "fuzz"));
    for (const auto name : {"max", "pentium3"}) {
      features_.push_back(*CpuFeatures::named(name));
      cpuid_.push_back(features_.back().leaves());
    }
    for (unsigned i = 0; i < features_.size(); ++i) {
      vcpus_.push_back(std::make_unique<SoftVcpu>(0, *this, features_[i], cpuid_[i]));
      fresh_.push_back(save_cpu(vcpus_[i]->cpu()));
    }
  }
  ~Machine() override { map_.set_listener(nullptr); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void run(const tests::FuzzInput& input, bool in_pieces, End& end);

  // SoftVcpu::Owner
  void settle() override {}
  core::ExtIntSource& ext_int_source() override { return *this; }
  core::AddressSpace& io() override { return io_; }
  PhysicalMap& physical() override { return physical_; }
  BlockCache& blocks() override { return blocks_; }
  std::uint64_t time_stamp() override { return time_ + ++stamps_; }
  bool random(std::uint64_t& value) override {
    value = ++stamps_ * 0x9e3779b97f4a7c15u;
    return (value & 15) != 0;
  }
  void reaches_device() override {
    constexpr unsigned kMostAccesses = 1000;
    if (++accesses_ > kMostAccesses) vcpu_->cpu().attention.store(1);
    was_cut_ = accesses_ > kMostAccesses;
  }
  void drop_writes(const std::uint8_t* host_page) override { vcpu_->cpu().mmu.drop_writes(host_page); }
  void send(const ApicMessage& message, unsigned from) override {
    const bool to_itself = message.shorthand == Shorthand::Self || message.shorthand == Shorthand::All ||
                           (message.shorthand == Shorthand::None && vcpu_->apic().is_destination(message));
    if (from == 0 && to_itself) vcpu_->apic().receive(message);
  }
  void end_level_interrupt(std::uint8_t) override {}
  std::uint64_t now() override { return time_; }
  // The device
  std::uint64_t read(std::uint64_t offset, unsigned) override { return ++reads_ * 0x0101010101010101u ^ offset; }
  void write(std::uint64_t, unsigned, std::uint64_t) override {}
  // core::ExtIntSource
  bool pending() override { return ext_int_; }
  std::uint8_t acknowledge() override {
    ext_int_ = false;
    return 0x28;
  }

 private:
  static constexpr std::uint64_t kMost = 160;  // instructions

  static core::Registration take(core::Result<core::Registration> registration) {
    require(registration.has_value());
    return std::move(*registration);
  }
  static std::unique_ptr<core::MemoryBlock> make(const char* name, std::uint64_t bytes) {
    auto block = core::MemoryBlock::create(name, bytes);
    return block ? std::move(*block) : nullptr;
  }
  std::span<std::uint8_t> ram() { return {ram_->host(), CpuScene::kRamBytes}; }
  bool start(const tests::FuzzInput& input);
  void happen(std::uint8_t event);
  bool execute_until(std::uint64_t retired, bool in_pieces);
  void check_state();

  const std::vector<std::uint8_t> template_ = tests::make_ram_template();
  std::unique_ptr<core::MemoryBlock> ram_ = make("ram", CpuScene::kRamBytes);
  std::unique_ptr<core::MemoryBlock> rom_ = make("rom", core::kPageSize);
  core::DeviceLock lock_;
  core::AddressSpace io_{"ports", 0x10000};
  core::AddressSpace mmio_{"memory", 0};
  PhysicalMap physical_{mmio_};
  core::RamMap map_;
  core::RamMapping ram_mapping_, rom_mapping_;
  core::Registration ports_, device_;
  BlockCache blocks_;
  std::vector<CpuFeatures> features_;
  std::vector<std::vector<CpuidEntry>> cpuid_;
  std::vector<std::unique_ptr<SoftVcpu>> vcpus_;
  std::vector<CpuState> fresh_;

  SoftVcpu* vcpu_ = nullptr;  // the one that runs
  CpuScene scene_;
  std::uint64_t time_ = 0, stamps_ = 0;
  std::uint64_t accesses_ = 0, reads_ = 0;
  bool ext_int_ = false, was_cut_ = false;
  std::vector<std::uint64_t> before_, after_;  // check_state()'s
};

bool Machine::start(const tests::FuzzInput& input) {
  std::memcpy(ram_->host(), template_.data(), template_.size());
  ram_->mark_dirty(0, CpuScene::kRamBytes);  // and so void is what was decoded before
  time_ = stamps_ = accesses_ = reads_ = 0;
  ext_int_ = was_cut_ = false;
  // Which model it is stands in the head of the input, and what to change in a state that the model made.
  const bool is_old = !input.rest().empty() && (input.rest().front() & 0x40) != 0;
  vcpu_ = vcpus_[is_old ? 1 : 0].get();
  blocks_.clear();
  vcpu_->reset();
  CpuState state = fresh_[is_old ? 1 : 0];
  scene_ = tests::read_scene(input, ram(), state);
  physical_.set_a20(scene_.a20_is_open);
  if (!load_cpu(vcpu_->cpu(), state)) return false;
  vcpu_->prepare();
  vcpu_->cpu().retired = 0;
  return true;
}

void Machine::happen(std::uint8_t event) {
  const auto number = static_cast<std::uint8_t>(event >> 3);
  LocalApic& apic = vcpu_->apic();
  switch (event & 7) {
    case 1: return apic.receive({.mode = DeliveryMode::Nmi});
    case 2: return apic.receive({.vector = static_cast<std::uint8_t>(0x20 + number), .mode = DeliveryMode::Fixed});
    case 3: ext_int_ = true; return vcpu_->look_at_ext_int();
    case 4: return apic.receive({.mode = DeliveryMode::Init});
    case 5: return apic.receive({.vector = number, .mode = DeliveryMode::StartUp});
    // A device writes where the code is.
    case 6: return static_cast<void>(ram_->all().write(CpuScene::kCode + number, std::uint8_t{0x90}));
    case 7: return vcpu_->cpu().mmu.drop_all_writes();
    default: return;
  }
}

// False: there is nothing left to run.
bool Machine::execute_until(std::uint64_t retired, bool in_pieces) {
  Cpu& cpu = vcpu_->cpu();
  constexpr std::array<std::uint64_t, 8> kPieces{1, 3, 2, 8, 1, 5, 1, 13};
  unsigned piece = 0;
  while (cpu.retired < retired && vcpu_->runs()) {
    const std::uint64_t before = cpu.retired;
    const std::uint64_t left = retired - before;
    const std::uint64_t budget = in_pieces ? std::min(left, kPieces[piece++ % kPieces.size()]) : left;
    const Stop stop = execute(cpu, blocks_, budget);
    if (stop == Stop::Shutdown || was_cut_) return false;
    require(cpu.retired - before <= budget);
    require(stop != Stop::Budget || cpu.retired - before == budget);
    require(stop == Stop::Attention || cpu.retired != before || !vcpu_->runs());
    cpu.attention.store(0);
  }
  return true;
}

// What is worked out from the state is up to date, and the state is one that can be loaded.
void Machine::check_state() {
  Cpu& cpu = vcpu_->cpu();
  words_of(cpu, before_);
  cpu.derive_mode();
  const CpuState state = save_cpu(cpu);
  vcpu_->reset();
  require(load_cpu(cpu, state).has_value());
  words_of(cpu, after_);
  require_same(after_, before_);
}

void Machine::run(const tests::FuzzInput& input, bool in_pieces, End& end) {
  end.was_loaded = start(input);
  if (!end.was_loaded) return;
  Cpu& cpu = vcpu_->cpu();
  constexpr unsigned kMostEvents = 40;
  constexpr std::uint64_t kTick_ns = 1000;
  for (unsigned i = 0; i < kMostEvents && cpu.retired < kMost; ++i) {
    vcpu_->apic().advance(time_ += kTick_ns);
    vcpu_->take_processor_events();
    if (!vcpu_->take_interrupts()) break;
    cpu.attention.store(0);
    if (vcpu_->runs() && !execute_until(std::min(kMost, cpu.retired + scene_.gap), in_pieces)) break;
    happen(scene_.events[i % scene_.events.size()]);
  }
  end.was_cut = was_cut_;
  end.retired = cpu.retired;
  words_of(cpu, end.words);
  std::memcpy(end.ram.data(), ram_->host(), end.ram.size());
  if (!in_pieces) check_state();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  core::set_log_level(core::LogLevel::Error);
  // Made once, for speed: what an input leaves behind must not matter to the next one.
  static Machine machine;
  static End whole, pieces;
  const tests::FuzzInput input{std::span(data, size)};
  machine.run(input, false, whole);
  if (!whole.was_loaded) return 0;
  machine.run(input, true, pieces);
  require(pieces.was_loaded);
  if (whole.was_cut || pieces.was_cut) return 0;
  require(whole.retired == pieces.retired);
  require_same(whole.words, pieces.words);
  require(std::memcmp(whole.ram.data(), pieces.ram.data(), whole.ram.size()) == 0);
  return 0;
}
