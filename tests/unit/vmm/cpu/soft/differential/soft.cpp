#include "tests/unit/vmm/cpu/soft/differential/soft.h"

#include <algorithm>

#include "core/memory/ram_map.h"
#include "tests/unit/vmm/cpu/soft/run_alone.h"
#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/platform.h"
#include "vmm/cpu/soft/x87.h"

namespace vmm::cpu::soft::differential {
namespace {

// Physical pages: four levels of page tables, code, data.
constexpr std::uint64_t kPml4 = 0x1000, kPdpt = 0x2000, kDirectory = 0x3000, kTable = 0x4000;
constexpr std::uint64_t kCodePhysical = 0x5000, kDataPhysical = 0x6000, kRamBytes = 0x10000;
constexpr std::uint64_t kUserPage = 7, kReadOnlyPage = 5;  // present, (writable,) user [SDM 3A 4.5]

// Access rights as SegmentRegister has them.
constexpr std::uint32_t kUserData = 0xc0f3, kUserCode32 = 0xc0fb, kUserCode64 = 0xa0fb;
constexpr std::uint32_t kUserData16 = 0xf3, kUserCode16 = 0xfb;

class TestPlatform final : public Platform {
 public:
  core::AddressSpace& io() override { return io_; }
  PhysicalMap& physical() override { return physical_; }
  BlockCache& blocks() override { return blocks_; }
  std::uint64_t time_stamp() override { return ++time_; }
  void drop_writes(const std::uint8_t*) override {}

 private:
  core::AddressSpace io_{"io", 0x10000};
  core::AddressSpace mmio_{"mmio", 0};
  PhysicalMap physical_{mmio_};
  BlockCache blocks_;
  std::uint64_t time_ = 0;
};

void set_segment(Cpu& cpu, SegmentIndex index, std::uint32_t attributes, std::uint64_t base = 0,
                 std::uint32_t limit = 0xffffffff) {
  SegmentRegister& segment = cpu.segments[index];
  segment.selector = 3;  // of CPL 3; nobody loads it again
  segment.base = base;
  segment.limit = limit;
  segment.attributes = attributes;
  segment.derive(true);
}

void set_segments(Cpu& cpu, Segments segments) {
  const bool is_16 = segments == Segments::Bits16;
  if (is_16) {
    set_segment(cpu, kCs, kUserCode16, code_base(segments), kLimit16);
  } else {
    set_segment(cpu, kCs, segments == Segments::Bits32 ? kUserCode32 : kUserCode64);
  }
  for (const SegmentIndex index : {kEs, kSs, kDs}) {
    if (is_16) {
      set_segment(cpu, index, kUserData16, data_base(segments), kLimit16);
    } else {
      set_segment(cpu, index, kUserData);
    }
  }
}

void load_fx(const Registers& from, Cpu& cpu) {
  X87& x87 = cpu.x87;
  x87 = {};
  x87.control = from.fx_field<std::uint16_t>(kFxControl);
  set_status_word(x87, from.fx_field<std::uint16_t>(kFxStatus));
  x87.occupied = from.fx_field<std::uint8_t>(kFxTag);
  for (unsigned i = 0; i < 8; ++i) {
    X87::Register& one = x87.registers[(x87.top + i) & 7];
    one.mantissa = from.fx_field<std::uint64_t>(kFxSt + 16 * i);
    one.sign_exponent = from.fx_field<std::uint16_t>(kFxSt + 16 * i + 8);
  }
  cpu.mxcsr = from.fx_field<std::uint32_t>(kFxMxcsr);
  for (unsigned i = 0; i < 16; ++i)
    cpu.xmm[i] = from.fx_field<Xmm>(kFxXmm + 16 * i);
  if (cpu.features->has(Feature::Avx)) std::memcpy(cpu.ymm_high.data(), from.ymm_high.data(), kYmmHighBytes);
}

void save_fx(const Cpu& cpu, Registers& to) {
  const X87& x87 = cpu.x87;
  to.set_fx_field(kFxControl, x87.control);
  to.set_fx_field(kFxStatus, status_word(x87));
  to.set_fx_field(kFxTag, x87.occupied);
  to.set_fx_field(kFxOpcode, x87.last_opcode);
  to.set_fx_field(kFxIp, x87.last_ip);
  to.set_fx_field(kFxDp, x87.last_dp);
  for (unsigned i = 0; i < 8; ++i) {
    const X87::Register& one = x87.registers[(x87.top + i) & 7];
    to.set_fx_field(kFxSt + 16 * i, one.mantissa);
    to.set_fx_field(kFxSt + 16 * i + 8, one.sign_exponent);
  }
  to.set_fx_field(kFxMxcsr, cpu.mxcsr);
  for (unsigned i = 0; i < 16; ++i)
    to.set_fx_field(kFxXmm + 16 * i, cpu.xmm[i]);
  std::memcpy(to.ymm_high.data(), cpu.ymm_high.data(), kYmmHighBytes);
}

}  // namespace

struct SoftCpu::Impl {
  TestPlatform platform;
  std::unique_ptr<core::MemoryBlock> ram = *core::MemoryBlock::create("differential", kRamBytes);
  core::RamMap map;
  core::RamMapping mapping;
  Cpu cpu;

  void put(std::uint64_t physical, std::uint64_t value) { std::memcpy(ram->host() + physical, &value, sizeof value); }
  std::uint8_t* at(std::uint64_t physical) { return ram->host() + physical; }
};

SoftCpu::SoftCpu() : impl_(std::make_unique<Impl>()) {
  Impl& my = *impl_;
  my.map.set_listener(&my.platform.physical());
  my.mapping = my.map.map({.start = core::Gpa(0), .size = kRamBytes, .block = my.ram.get()});
  my.platform.physical().refresh();
  my.put(kPml4, kPdpt | kUserPage);
  my.put(kPdpt, kDirectory | kUserPage);
  my.put(kDirectory + (kCodeAddress >> 21) * 8, kTable | kUserPage);
  my.put(kTable + (kCodeAddress >> 12) % 512 * 8, kCodePhysical | kReadOnlyPage);
  my.put(kTable + (kDataAddress >> 12) % 512 * 8, kDataPhysical | kUserPage);

  Cpu& cpu = my.cpu;
  cpu.platform = &my.platform;
  cpu.features = &CpuFeatures::everything();
  cpu.cr0 = kCr0Pe | kCr0Mp | kCr0Et | kCr0Ne | kCr0Wp | kCr0Pg;
  cpu.cr4 = kCr4Pae | kCr4Osfxsr | kCr4Osxmmexcpt | kCr4Osxsave;
  cpu.xcr0 = supported_xcr0(cpu);
  cpu.cr3 = kPml4;
  cpu.efer = kEferLme | kEferLma | kEferNxe | kEferSce;
  for (const SegmentIndex index : {kFs, kGs})
    set_segment(cpu, index, kUserData);
  cpu.cpl = 3;
}

SoftCpu::~SoftCpu() {
  impl_->map.set_listener(nullptr);
}

void SoftCpu::run(const Case& one, const Memory& memory, Outcome& outcome) {
  Cpu& cpu = impl_->cpu;
  std::uint8_t* code = impl_->at(kCodePhysical);
  std::memcpy(impl_->at(kDataPhysical), memory.data(), kPage);
  std::memset(code, kBreakpoint, kPage);
  std::memcpy(code, one.code.data(), one.size);
  std::ranges::copy(one.before.general, cpu.general.begin());
  set_segments(cpu, one.segments);
  cpu.set_rflags(one.before.flags);
  cpu.derive_mode();
  cpu.mmu.privilege_changed();
  load_fx(one.before, cpu);

  outcome.vector = kDone;
  outcome.error_code = 0;
  outcome.address = 0;
  const std::uint64_t start = kCodeAddress - code_base(one.segments);
  cpu.rip = start;
  constexpr unsigned kMaxSteps = 100000;  // repeated strings come back now and then
  for (unsigned step = 0; step < kMaxSteps && cpu.rip - start < one.size; ++step) {
    Op op;
    DecodeNotes notes;
    const auto offset = static_cast<unsigned>(cpu.rip - start);
    const bool whole = decode({code + offset, one.size - offset}, cpu.mode, *cpu.features, op, notes);
    const Flow flow = whole ? run_alone(cpu, op) : cpu.raise(Vector::InvalidOpcode);
    if (flow == Flow::Fault) {
      outcome.vector = static_cast<std::uint8_t>(cpu.fault.vector);
      outcome.error_code = cpu.fault.error_code;
      outcome.address = cpu.fault.address;
      break;
    }
    if (flow != Flow::Restart && flow != Flow::Again) cpu.rip = cpu.next_rip();
  }
  outcome.rip = cpu.rip;
  std::copy_n(cpu.general.begin(), 16, outcome.after.general.begin());
  outcome.after.flags = cpu.rflags();
  save_fx(cpu, outcome.after);
  std::memcpy(outcome.memory.data(), impl_->at(kDataPhysical), kPage);
}

}  // namespace vmm::cpu::soft::differential
