#include "vmm/cpu/soft/msrs.h"

#include <algorithm>
#include <vector>

#include "core/base/log.h"
#include "vmm/cpu/soft/features.h"
#include "vmm/cpu/soft/local_apic_access.h"
#include "vmm/cpu/soft/platform.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint32_t kTsc = 0x10, kTscAdjust = 0x3b;
constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kLow32 = 0xffffffff;

struct Register {
  std::uint32_t index = 0;
  Feature feature = Feature::Msr;  // without it the register does not exist
  bool is_saved = false;
  std::uint64_t (*read)(const Cpu& cpu) = nullptr;
  bool (*write)(Cpu& cpu, std::uint64_t value) = nullptr;
};

template <std::uint64_t kValue>
std::uint64_t read_constant(const Cpu&) {
  return kValue;
}
bool write_nothing(Cpu&, std::uint64_t) {
  return true;
}
bool refuse_write(Cpu&, std::uint64_t) {
  return false;
}

template <unsigned kSlot>
std::uint64_t read_stored(const Cpu& cpu) {
  static_assert(kSlot < Cpu::kStoredMsrs);
  return cpu.stored_msrs[kSlot];
}
template <unsigned kSlot, std::uint64_t kMask>
bool write_stored(Cpu& cpu, std::uint64_t value) {
  if ((value & ~kMask) != 0) return false;
  cpu.stored_msrs[kSlot] = value;
  return true;
}

template <std::uint64_t Cpu::* kField>
std::uint64_t read_field(const Cpu& cpu) {
  return cpu.*kField;
}
template <std::uint64_t Cpu::* kField, std::uint64_t kMask>
bool write_field(Cpu& cpu, std::uint64_t value) {
  if ((value & ~kMask) != 0) return false;
  cpu.*kField = value;
  return true;
}
// An address; processors without long mode have 32 bits there.
template <std::uint64_t Cpu::* kField>
bool write_address(Cpu& cpu, std::uint64_t value) {
  const bool wide = cpu.features == nullptr || cpu.features->has(Feature::LongMode);
  if (!wide) value &= kLow32;
  const auto top = static_cast<std::int64_t>(value) >> 47;
  if (wide && top != 0 && top != -1 && (cpu.cr4 & kCr4La57) == 0) return false;
  cpu.*kField = value;
  return true;
}

template <SegmentIndex kSegment>
std::uint64_t read_base(const Cpu& cpu) {
  return cpu.segments[kSegment].base;
}
template <SegmentIndex kSegment>
bool write_base(Cpu& cpu, std::uint64_t value) {
  if (!cpu.mmu.is_canonical(value)) return false;
  cpu.segments[kSegment].base = value;
  return true;
}

bool write_tsc(Cpu& cpu, std::uint64_t value) {
  const std::uint64_t difference = value - time_stamp(cpu);
  cpu.tsc_offset += difference;
  // [SDM 3B 18.17.3] Where there is no IA32_TSC_ADJUST nothing keeps count.
  if (cpu.features == nullptr || cpu.features->has(Feature::TscAdjust)) cpu.tsc_adjust += difference;
  return true;
}
bool write_tsc_adjust(Cpu& cpu, std::uint64_t value) {
  cpu.tsc_offset += value - cpu.tsc_adjust;
  cpu.tsc_adjust = value;
  return true;
}

// [SDM 3A 2.2.1]
bool write_efer(Cpu& cpu, std::uint64_t value) {
  const auto has = [&cpu](Feature feature) { return cpu.features == nullptr || cpu.features->has(feature); };
  std::uint64_t allowed = kEferLma;
  if (has(Feature::Syscall)) allowed |= kEferSce;
  if (has(Feature::LongMode)) allowed |= kEferLme | kEferFfxsr;
  if (has(Feature::Nx)) allowed |= kEferNxe;
  if ((value & ~allowed) != 0) return false;
  value = (value & ~kEferLma) | (cpu.efer & kEferLma);
  if (((value ^ cpu.efer) & kEferLme) != 0 && (cpu.cr0 & kCr0Pg) != 0) return false;
  const bool flush = ((value ^ cpu.efer) & kEferNxe) != 0;
  cpu.efer = value;
  if (flush) cpu.mmu.flush_all();
  cpu.mmu.privilege_changed();
  return true;
}

// [SDM 3A 12.12.2] each byte a memory type that exists.
bool write_pat(Cpu& cpu, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) {
    const auto type = value >> (8 * i) & 0xff;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  cpu.pat = value;
  return true;
}

// Switches of features that are not here: the guest reads back what it wrote where that matters.
constexpr std::uint64_t kMiscEnableReadOnly = 1u << 11 | 1u << 12;
bool write_misc_enable(Cpu& cpu, std::uint64_t value) {
  cpu.misc_enable = (value & ~kMiscEnableReadOnly) | (cpu.misc_enable & kMiscEnableReadOnly);
  return true;
}

// Variable MTRRs, fixed ones, write combining. [SDM 3A 12.11.1]
constexpr std::uint64_t kVariableMtrrs = 8;
constexpr std::uint64_t kMtrrCapabilities = kVariableMtrrs | 1u << 8 | 1u << 10;
constexpr std::uint64_t kPhysicalMask = (std::uint64_t{1} << Mmu::kPhysicalBits) - 1;
constexpr std::uint64_t kMachineCheckBanks = 4;
constexpr std::uint64_t kMachineCheckCapabilities = kMachineCheckBanks | 1u << 8;

template <std::uint32_t kIndex, unsigned kSlot, std::uint64_t kMask, Feature kFeature = Feature::Msr>
constexpr Register stored() {
  return {kIndex, kFeature, true, read_stored<kSlot>, write_stored<kSlot, kMask>};
}
template <std::uint32_t kIndex, unsigned kSlot, unsigned... kN>
constexpr auto variable_mtrrs(std::integer_sequence<unsigned, kN...>) {
  return std::array{
      stored<kIndex + kN, kSlot + kN,
             (kN % 2 == 0 ? (kPhysicalMask & ~std::uint64_t{0xf00}) : (kPhysicalMask & ~std::uint64_t{0x7ff})),
             Feature::Mtrr>()...};
}
template <std::uint32_t kIndex, unsigned kSlot, std::uint64_t kMask, Feature kFeature, unsigned... kN>
constexpr auto stored_run(std::integer_sequence<unsigned, kN...>) {
  return std::array{stored<kIndex + kN, kSlot + kN, kMask, kFeature>()...};
}

// Slots of Cpu::stored_msrs.
constexpr unsigned kSlotVariable = 0, kSlotFixed64 = 16, kSlotFixed16 = 17, kSlotFixed4 = 19, kSlotDefaultType = 27,
                   kSlotMachineCheck = 28, kSlotBanks = 30, kSlotMicrocode = 46, kSlotPerformance = 47, kSlotClock = 48,
                   kSlotThermal = 49, kSlotDebugControl = 50, kSlotAmd = 51;

constexpr auto kSingles = std::to_array<Register>({
    {0x0, Feature::Mce, false, read_constant<0>, write_nothing},  // P5_MC_ADDR
    {0x1, Feature::Mce, false, read_constant<0>, write_nothing},  // P5_MC_TYPE
    {kTscAdjust, Feature::TscAdjust, true, read_field<&Cpu::tsc_adjust>, write_tsc_adjust},
    {kTsc, Feature::Tsc, true, time_stamp, write_tsc},
    {0x17, Feature::Msr, false, read_constant<0>, refuse_write},   // PLATFORM_ID
    {0x2a, Feature::Msr, false, read_constant<0>, write_nothing},  // EBL_CR_POWERON
    {0x3a, Feature::Msr, false, read_constant<1>, refuse_write},   // FEATURE_CONTROL: locked
    {0x79, Feature::Msr, false, read_constant<0>, write_nothing},  // BIOS_UPDT_TRIG
    stored<0x8b, kSlotMicrocode, kAll>(),                          // BIOS_SIGN_ID
    {0xce, Feature::Msr, false, read_constant<0>, refuse_write},   // PLATFORM_INFO
    {0xfe, Feature::Mtrr, false, read_constant<kMtrrCapabilities>, refuse_write},
    {0x174, Feature::Sep, true, read_field<&Cpu::sysenter_cs>, write_field<&Cpu::sysenter_cs, kLow32>},
    {0x175, Feature::Sep, true, read_field<&Cpu::sysenter_esp>, write_address<&Cpu::sysenter_esp>},
    {0x176, Feature::Sep, true, read_field<&Cpu::sysenter_eip>, write_address<&Cpu::sysenter_eip>},
    {0x179, Feature::Mca, false, read_constant<kMachineCheckCapabilities>, refuse_write},
    stored<0x17a, kSlotMachineCheck, 7, Feature::Mca>(),
    stored<0x17b, kSlotMachineCheck + 1, kAll, Feature::Mca>(),
    {0x198, Feature::Msr, false, read_constant<0>, write_nothing},  // PERF_STATUS
    stored<0x199, kSlotPerformance, kAll>(),
    stored<0x19a, kSlotClock, 0x1f>(),
    stored<0x19b, kSlotThermal, 0x1ffffff>(),
    {0x19c, Feature::Msr, false, read_constant<0>, write_nothing},  // THERM_STATUS
    {0x1a0, Feature::Msr, true, read_field<&Cpu::misc_enable>, write_misc_enable},
    stored<0x1d9, kSlotDebugControl, 3>(),
    {0x1db, Feature::Msr, false, read_constant<0>, write_nothing},  // last branches and interrupts
    {0x1dc, Feature::Msr, false, read_constant<0>, write_nothing},
    {0x1dd, Feature::Msr, false, read_constant<0>, write_nothing},
    {0x1de, Feature::Msr, false, read_constant<0>, write_nothing},
    stored<0x250, kSlotFixed64, kAll, Feature::Mtrr>(),
    {0x277, Feature::Pat, true, read_field<&Cpu::pat>, write_pat},
    stored<0x2ff, kSlotDefaultType, 0xcff, Feature::Mtrr>(),
    {0xc0000080, Feature::Msr, false, read_field<&Cpu::efer>, write_efer},
    {0xc0000081, Feature::Syscall, true, read_field<&Cpu::star>, write_field<&Cpu::star, kAll>},
    {0xc0000082, Feature::LongMode, true, read_field<&Cpu::lstar>, write_address<&Cpu::lstar>},
    {0xc0000083, Feature::LongMode, true, read_field<&Cpu::cstar>, write_address<&Cpu::cstar>},
    {0xc0000084, Feature::LongMode, true, read_field<&Cpu::sfmask>, write_field<&Cpu::sfmask, kLow32>},
    {0xc0000100, Feature::LongMode, false, read_base<kFs>, write_base<kFs>},
    {0xc0000101, Feature::LongMode, false, read_base<kGs>, write_base<kGs>},
    {0xc0000102, Feature::LongMode, true, read_field<&Cpu::kernel_gs_base>, write_address<&Cpu::kernel_gs_base>},
    {0xc0000103, Feature::Rdtscp, true, read_field<&Cpu::tsc_aux>, write_field<&Cpu::tsc_aux, kLow32>},
    // AMD's configuration registers: drivers set work-arounds there. [APM 2 appendix A.1]
    stored<0xc0010010, kSlotAmd, kAll>(),      // SYSCFG
    stored<0xc0010015, kSlotAmd + 1, kAll>(),  // HWCR
    stored<0xc001001f, kSlotAmd + 2, kAll>(),  // NB_CFG
    stored<0xc0010055, kSlotAmd + 3, kAll>(),  // interrupt pending message
    stored<0xc0011020, kSlotAmd + 4, kAll>(),  // LS_CFG
    stored<0xc0011022, kSlotAmd + 5, kAll>(),  // DC_CFG
    stored<0xc0011029, kSlotAmd + 6, kAll>(),  // DE_CFG
});

constexpr auto kTable = [] {
  constexpr auto variable = variable_mtrrs<0x200, kSlotVariable>(std::make_integer_sequence<unsigned, 16>{});
  constexpr auto fixed16 =
      stored_run<0x258, kSlotFixed16, kAll, Feature::Mtrr>(std::make_integer_sequence<unsigned, 2>{});
  constexpr auto fixed4 =
      stored_run<0x268, kSlotFixed4, kAll, Feature::Mtrr>(std::make_integer_sequence<unsigned, 8>{});
  constexpr auto banks =
      stored_run<0x400, kSlotBanks, kAll, Feature::Mca>(std::make_integer_sequence<unsigned, 4 * kMachineCheckBanks>{});
  std::array<Register, kSingles.size() + variable.size() + fixed16.size() + fixed4.size() + banks.size()> table{};
  auto* end = std::ranges::copy(kSingles, table.begin()).out;
  end = std::ranges::copy(variable, end).out;
  end = std::ranges::copy(fixed16, end).out;
  end = std::ranges::copy(fixed4, end).out;
  std::ranges::copy(banks, end);
  std::ranges::sort(table, {}, &Register::index);
  return table;
}();
static_assert(std::ranges::adjacent_find(kTable, {}, &Register::index) == kTable.end(), "each register once");

const Register* find(const Cpu& cpu, std::uint32_t index) {
  const auto found = std::ranges::lower_bound(kTable, index, {}, &Register::index);
  if (found == kTable.end() || found->index != index) return nullptr;
  return cpu.features == nullptr || cpu.features->has(found->feature) ? &*found : nullptr;
}

}  // namespace

std::uint64_t time_stamp(const Cpu& cpu) {
  return cpu.platform->time_stamp() + cpu.tsc_offset;
}

bool read_msr(Cpu& cpu, std::uint32_t index, std::uint64_t& value) {
  if (is_local_apic_msr(index)) return read_local_apic_msr(cpu, index, value);
  const Register* found = find(cpu, index);
  if (found == nullptr) {
    MV_LOG_LIMITED(Debug, "cpu", "guest reads unknown MSR {:#x}", index);
    return false;
  }
  value = found->read(cpu);
  return true;
}

bool write_msr(Cpu& cpu, std::uint32_t index, std::uint64_t value) {
  if (is_local_apic_msr(index)) return write_local_apic_msr(cpu, index, value);
  const Register* found = find(cpu, index);
  if (found == nullptr) {
    MV_LOG_LIMITED(Debug, "cpu", "guest writes unknown MSR {:#x}: {:#x}", index, value);
    return false;
  }
  return found->write(cpu, value);
}

std::span<const std::uint32_t> saved_msrs() {
  static const std::vector<std::uint32_t> indices = [] {
    std::vector<std::uint32_t> list;
    for (const Register& entry : kTable)
      if (entry.is_saved) list.push_back(entry.index);
    return list;
  }();
  return indices;
}

bool load_msr(Cpu& cpu, std::uint32_t index, std::uint64_t value) {
  if (index == kTsc) {
    cpu.tsc_offset += value - time_stamp(cpu);
    return true;
  }
  if (index == kTscAdjust) {
    cpu.tsc_adjust = value;
    return true;
  }
  const Register* found = find(cpu, index);
  return found != nullptr && found->write(cpu, value);
}

}  // namespace vmm::cpu::soft
