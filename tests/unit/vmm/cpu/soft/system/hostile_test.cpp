// Guests that put noise into every table: nothing may break, and what faults must have changed nothing.
#include <random>

#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/system_flags.h"

namespace vmm::cpu::soft {
namespace {

constexpr unsigned kRounds = 10'000;

class Hostile : public MachineTest {
 protected:
  struct Snapshot {
    std::array<std::uint64_t, 16> general{};
    std::array<std::uint64_t, 24> segments{};
    std::array<std::uint64_t, 12> system{};
    std::uint32_t flags = 0;
    bool operator==(const Snapshot&) const = default;
  };

  std::uint32_t any() { return static_cast<std::uint32_t>(random_()); }
  std::uint32_t below(std::uint32_t limit) { return any() % limit; }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
  std::uint64_t any64() { return std::uint64_t{any()} << 32 | any(); }

  Snapshot snapshot() const {
    Snapshot s;
    for (unsigned i = 0; i < 16; ++i)
      s.general[i] = cpu.general[i];
    for (unsigned i = 0; i < 6; ++i) {
      const SegmentRegister& segment = cpu.segments[i];
      s.segments[4 * i] = segment.base;
      s.segments[4 * i + 1] = segment.limit;
      s.segments[4 * i + 2] = segment.selector;
      s.segments[4 * i + 3] = segment.attributes;
    }
    s.system = {cpu.cr0,      cpu.cr2,      cpu.cr3,      cpu.cr4,       cpu.efer, cpu.cpl,
                cpu.ldt.base, cpu.gdt.base, cpu.idt.base, cpu.idt.limit, cpu.dr7,  cpu.tr.selector};
    s.flags = cpu.rflags();
    return s;
  }

  // Descriptors of all kinds, most of them sensible.
  void fill_tables() {
    for (std::uint16_t selector = 0; selector < 0x70; selector += 8) {
      const std::uint32_t attributes = (any() & 0xf0ff) | (one_in(8) ? 0 : kAttributePresent);
      put_descriptor(selector, one_in(2) ? 0 : any() & 0x7fffff, one_in(2) ? 0xfffff : below(0x10000), attributes);
      if (one_in(3)) {
        const auto target = static_cast<std::uint16_t>(below(0x78));
        put_gate(kGdt + selector, target, below(0x30000), below(16), below(4), !one_in(8), below(32));
      }
      if (one_in(4)) put_descriptor(selector, one_in(2) ? kTss2 : 0x5000, 0x67 + below(16), one_in(2) ? 0x89 : 0xe9);
    }
    for (unsigned vector = 0; vector < 64; ++vector) {
      static constexpr std::array<unsigned, 6> kTypes{5, 6, 7, 14, 14, 15};
      const auto target = static_cast<std::uint16_t>(below(0x78));
      const std::uint64_t at = kIdt + (cpu.long_mode() ? 16 : 8) * vector;
      put_gate(at, target, below(0x30000), kTypes[below(6)], below(4), !one_in(8), below(8));
      if (cpu.long_mode()) poke<std::uint64_t>(at + 8, one_in(16) ? any64() : 0);
    }
    for (std::uint64_t at = kTss; at < kTss + 0x1000; at += 4)
      poke<std::uint32_t>(at, one_in(2) ? below(0x78) : one_in(4) ? any() : below(0x30000));
  }

  void fill_page_tables() {
    for (std::uint64_t table = 0; table < 4; ++table) {
      for (std::uint64_t i = 0; i < 8; ++i) {
        const std::uint64_t next = table < 3 ? kTables + 0x1000 * (table + 1) : i << 21;
        std::uint64_t entry = next | 7 | (one_in(4) ? 0x80 : 0);
        if (one_in(16)) entry = any64();
        if (one_in(16)) entry &= ~std::uint64_t{below(8)};
        poke<std::uint64_t>(kTables + 0x1000 * table + 8 * i, entry);
      }
    }
  }

  void fill_registers() {
    for (unsigned i = 0; i < 16; ++i)
      cpu.general[i] = one_in(3) ? any64() : below(0x78);
    cpu.general[4] = one_in(8) ? any64() : kStack + below(0x1000);
    for (std::uint64_t at = kStack; at < kStack + 0x1100; at += 4)
      poke<std::uint32_t>(at, one_in(2) ? below(0x78) : below(0x30000));
    for (SegmentRegister& segment : cpu.segments) {
      segment.selector = static_cast<std::uint16_t>(below(0x78));
      segment.base = 0;
      segment.limit = one_in(4) ? below(0x40000) : 0xffffffff;
      segment.attributes = (any() & 0x40ff) | kAttributePresent | kAttributeNotSystem;
    }
    cpu.segments[kCs].attributes = 0x409b | (cpu.long_mode() && one_in(2) ? 0x2000u : 0);
    if ((cpu.segments[kCs].attributes & kAttributeLong) != 0) cpu.segments[kCs].attributes &= ~kAttributeBig;
    cpu.segments[kCs].limit = 0xffffffff;
  }

  void prepare() {
    cpu.other_flags = 2;
    cpu.cr0 = one_in(8) ? 0 : kCr0Pe;
    cpu.efer = any() & (kEferSce | kEferNxe);
    cpu.cr4 = any() & (kCr4Vme | kCr4Pvi | kCr4Pae | kCr4Pse | kCr4Pge | kCr4Umip | kCr4Smep | kCr4Smap);
    if (cpu.cr0 != 0 && one_in(2)) {
      cpu.cr0 |= kCr0Pg | (any() & (kCr0Wp | kCr0Am));
      if (one_in(2)) {
        cpu.cr4 |= kCr4Pae;
        cpu.efer |= kEferLme | kEferLma;
      }
    }
    fill_tables();
    fill_page_tables();
    fill_registers();
    cpu.cr3 = kTables;
    cpu.page_directory_pointers = {(kTables + 0x3000) | 1, 0, any64(), 0};
    cpu.gdt = {kGdt, static_cast<std::uint16_t>(one_in(4) ? below(0x80) : 0x6f)};
    cpu.idt = {kIdt, static_cast<std::uint16_t>(one_in(4) ? below(0x400) : 0xfff)};
    fill_unusable(cpu.ldt, 0);
    cpu.tr = {};
    cpu.tr.base = kTss;
    cpu.tr.limit = one_in(4) ? below(0x80) : 0x87;
    cpu.tr.selector = 0x28;
    cpu.tr.attributes = one_in(4) ? 0x83 : 0x8b;
    cpu.cpl = cpu.cr0 == 0 ? 0 : one_in(2) ? 3 : static_cast<std::uint8_t>(below(4));
    load_flags(cpu, any(), kFlagsThatExist & ~(kVm | kTf));
    if (cpu.protected_mode() && !cpu.long_mode() && one_in(4)) {
      cpu.other_flags |= kVm;
      cpu.cpl = 3;
    }
    for (SegmentRegister& segment : cpu.segments)
      segment.derive(cpu.protected_mode() && !cpu.virtual_8086());
    cpu.mmu.flush_all();
    cpu.mmu.privilege_changed();
    cpu.derive_mode();
    cpu.rip = kCode;
  }

  std::array<std::uint8_t, 15> random_code() {
    static constexpr std::array<std::uint8_t, 24> kOneByte{0x9a, 0xea, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf,
                                                           0xf1, 0x8e, 0x8c, 0xc4, 0xc5, 0xff, 0x63, 0xfa,
                                                           0xfb, 0xcf, 0xcb, 0xff, 0x9a, 0xea, 0xcd, 0xcf};
    static constexpr std::array<std::uint8_t, 20> kTwoByte{0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x20, 0x22, 0x30,
                                                           0x32, 0x34, 0x35, 0xb2, 0xb4, 0xb5, 0xa2, 0x21, 0x23, 0x00};
    std::array<std::uint8_t, 15> code{};
    for (auto& byte : code)
      byte = static_cast<std::uint8_t>(one_in(2) ? any() : 0);
    unsigned at = 0;
    if (one_in(4)) code[at++] = 0x66;
    if (cpu.code64() && one_in(2)) code[at++] = 0x48;
    if (one_in(2)) {
      code[at++] = kOneByte[below(kOneByte.size())];
    } else {
      code[at++] = 0x0f;
      code[at++] = kTwoByte[below(kTwoByte.size())];
    }
    code[at] = static_cast<std::uint8_t>(any());
    code[at + 4] = static_cast<std::uint8_t>(below(0x78));
    code[at + 5] = 0;
    return code;
  }

  void check_invariants() {
    ASSERT_LE(cpu.cpl, 3);
    ASSERT_TRUE(!cpu.code64() || cpu.long_mode());
    ASSERT_TRUE(!cpu.virtual_8086() || (cpu.cpl == 3 && cpu.protected_mode() && !cpu.long_mode()));
    ASSERT_TRUE(cpu.protected_mode() || cpu.cpl == 0);
    ASSERT_EQ(cpu.rflags() & ~(kFlagsThatExist | 2), 0u);
    const std::uint8_t mode = cpu.mode;
    cpu.derive_mode();
    ASSERT_EQ(cpu.mode, mode);
  }

  std::mt19937 random_{20240611};
};

TEST_F(Hostile, noise_in_all_tables_breaks_nothing) {
  unsigned delivered = 0, faults = 0, done = 0;
  for (unsigned round = 0; round < kRounds; ++round) {
    prepare();
    const auto code = random_code();
    for (unsigned i = 0; i < code.size(); ++i)
      poke<std::uint8_t>(kCode + i, code[i]);
    const Snapshot before = snapshot();
    const auto task = cpu.tr.base;
    cpu.fault = {};
    const Flow flow = step();
    ASSERT_NO_FATAL_FAILURE(check_invariants()) << "round " << round;
    if (flow != Flow::Fault) {
      ++done;
      continue;
    }
    ++faults;
    // A task switch that had gone too far belongs to the new task.
    if (cpu.tr.base == task && cpu.rip == kCode) {
      ASSERT_TRUE(snapshot() == before) << "round " << round << " vector " << static_cast<unsigned>(cpu.fault.vector)
                                        << " opcode " << std::hex << +code[0] << ' ' << +code[1] << ' ' << +code[2];
    }
    if (deliver_fault(cpu)) ++delivered;
    ASSERT_NO_FATAL_FAILURE(check_invariants()) << "round " << round;
  }
  EXPECT_GT(done, kRounds / 20);
  EXPECT_GT(faults, kRounds / 20);
  EXPECT_GT(delivered, kRounds / 50);
}

}  // namespace
}  // namespace vmm::cpu::soft
