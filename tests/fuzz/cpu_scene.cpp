#include "tests/fuzz/cpu_scene.h"

#include <algorithm>
#include <cstring>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/descriptors.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace tests {
namespace {

using vmm::cpu::CpuState;
using vmm::cpu::Segment;

// Physical addresses. Page tables map them to themselves.
constexpr std::uint32_t kIdt = 0x1000, kIdt64 = 0x2000, kGdt = 0x3000, kLdt = 0x3800, kTss = 0x4000, kTss2 = 0x4800,
                        kTss64 = 0x5000, kTss16 = 0x5800, kDirectory = 0x6000, kTable = 0x7000, kPointers = 0x8000,
                        kWideDirectory = 0x9000, kWideTable = 0xa000, kPml4 = 0xb000, kWidePointers = 0xc000,
                        kTopDirectory = 0xd000, kData = 0x14000, kStack = 0x16000, kInnerStack = 0x17000;
constexpr std::uint32_t kHandlers16 = 0x18000, kHandlers32 = 0x18400, kHandlers64 = 0x18800, kHandlerBytes = 16;
constexpr unsigned kExceptions = 32;  // those above are interrupts; all share a handler
constexpr std::uint32_t kLocalApic = 0xfee00000;
// Pages that are not for everybody.
constexpr std::uint32_t kSupervisorPage = 0x1c, kReadOnlyPage = 0x1d, kNoCodePage = 0x1e, kMissingPage = 0x1f,
                        kLocalApicPage = 0x61;

constexpr std::uint16_t kCode0 = 0x08, kData0 = 0x10, kCode3 = 0x1b, kData3 = 0x23, kTaskSelector = 0x28,
                        kTask2Selector = 0x38, kNarrowCode0 = 0x40, kNarrowData0 = 0x48, kLongCode0 = 0x50,
                        kLongCode3 = 0x5b, kLdtSelector = 0x60, kNarrowCode3 = 0x9b, kNarrowData3 = 0xa3;

class Ram {
 public:
  explicit Ram(std::span<std::uint8_t> bytes) : bytes_(bytes) {}
  template <class T>
  void put(std::uint64_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  void put_bytes(std::uint64_t at, std::initializer_list<std::uint8_t> bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void put_descriptor(std::uint16_t selector, std::uint64_t base, std::uint64_t limit, std::uint64_t attributes) {
    put(kGdt + (selector & 0xfff8u), (limit & 0xffff) | (base & 0xffffff) << 16 | (attributes & 0xff) << 40 |
                                         (limit >> 16 & 15) << 48 | (attributes >> 12 & 15) << 52 | (base >> 24) << 56);
  }
  void put_gate(std::uint64_t at, std::uint16_t selector, std::uint32_t offset, std::uint32_t attributes) {
    put(at, std::uint32_t{selector} << 16 | (offset & 0xffff));
    put(at + 4, (offset & 0xffff0000) | attributes << 8);
  }

 private:
  std::span<std::uint8_t> bytes_;
};

bool pushes_error_code(unsigned vector) {
  return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}
// Traps go on behind their instruction anyway.
bool is_trap(unsigned vector) {
  return vector == 1 || vector == 3 || vector == 4 || vector >= kExceptions;
}

// Each makes the return address one byte larger, so that a run does not end with its first fault.
void put_handlers(Ram& ram) {
  for (unsigned vector = 0; vector <= kExceptions; ++vector) {
    const std::uint32_t at = vector * kHandlerBytes;
    if (is_trap(vector)) {
      ram.put_bytes(kHandlers16 + at, {0xcf});
      ram.put_bytes(kHandlers32 + at, {0xcf});
      ram.put_bytes(kHandlers64 + at, {0x48, 0xcf});
      continue;
    }
    ram.put_bytes(kHandlers16 + at, {0x55, 0x89, 0xe5, 0xff, 0x46, 0x02, 0x5d, 0xcf});
    if (pushes_error_code(vector)) {
      ram.put_bytes(kHandlers32 + at, {0x83, 0xc4, 0x04, 0xff, 0x04, 0x24, 0xcf});
      ram.put_bytes(kHandlers64 + at, {0x48, 0x83, 0xc4, 0x08, 0x48, 0xff, 0x04, 0x24, 0x48, 0xcf});
    } else {
      ram.put_bytes(kHandlers32 + at, {0xff, 0x04, 0x24, 0xcf});
      ram.put_bytes(kHandlers64 + at, {0x48, 0xff, 0x04, 0x24, 0x48, 0xcf});
    }
  }
}

void put_interrupt_tables(Ram& ram) {
  for (unsigned vector = 0; vector < 256; ++vector) {
    const std::uint32_t handler = std::min(vector, kExceptions) * kHandlerBytes;
    const bool for_users = vector == 3 || vector == 4 || vector >= 0x80;
    ram.put(vector * 4, handler | kHandlers16 / 16 << 16);
    ram.put_gate(kIdt + 8 * vector, kCode0, kHandlers32 + handler, for_users ? 0xee : 0x8e);
    ram.put_gate(kIdt64 + 16 * vector, kLongCode0, kHandlers64 + handler, for_users ? 0xef : 0x8e);
  }
  ram.put_gate(kIdt + 8 * 0x21, kTask2Selector, 0, 0x85);
  ram.put_gate(kIdt + 8 * 0x22, kNarrowCode0, 0, 0x86);
  // Double faults and NMI have stacks of their own.
  ram.put_gate(kIdt64 + 16 * 8, kLongCode0, kHandlers64 + 8 * kHandlerBytes, 0x8e);
  ram.put(kIdt64 + 16 * 8 + 4, std::uint16_t{0x8e01});
}

void put_segments(Ram& ram) {
  ram.put_descriptor(kCode0, 0, 0xfffff, 0xc09b);
  ram.put_descriptor(kData0, 0, 0xfffff, 0xc093);
  ram.put_descriptor(kCode3, 0, 0xfffff, 0xc0fb);
  ram.put_descriptor(kData3, 0, 0xfffff, 0xc0f3);
  ram.put_descriptor(kTaskSelector, kTss, 0xff, 0x8b);
  ram.put_descriptor(kTask2Selector, kTss2, 0x67, 0x89);
  ram.put_descriptor(kNarrowCode0, CpuScene::kCode, 0xffff, 0x009b);
  ram.put_descriptor(kNarrowData0, CpuScene::kCode, 0xffff, 0x0093);
  ram.put_descriptor(kLongCode0, 0, 0, 0x209b);
  ram.put_descriptor(kLongCode3, 0, 0, 0x20fb);
  ram.put_descriptor(kLdtSelector, kLdt, 0xff, 0x82);
  ram.put_gate(kGdt + 0x70, kCode0, kHandlers32, 0xec);
  ram.put_gate(kGdt + 0x80, kTask2Selector, 0, 0xe5);
  ram.put_descriptor(0x88, 0, 0xfffff, 0xc09f);  // conforming code
  ram.put_descriptor(0x90, 0, 0x00010, 0xc097);  // expands down
  ram.put_descriptor(kNarrowCode3, CpuScene::kCode, 0xffff, 0x00fb);
  ram.put_descriptor(kNarrowData3, CpuScene::kCode, 0xffff, 0x00f3);
  ram.put_descriptor(0xa8, kTss16, 0x2b, 0x81);
  ram.put_gate(kGdt + 0xb0, kNarrowCode0, 0x100, 0xe403);  // of 16 bits, with parameters
  ram.put_descriptor(0xb8, 0, 0xfffff, 0xc099);            // code that cannot be read
  ram.put_descriptor(0xc0, 0, 0xfffff, 0xc0f1);            // read-only
  ram.put_descriptor(0xc8, 0, 0xfffff, 0xc073);            // not present
  ram.put_gate(kGdt + 0xd0, kLongCode0, kHandlers64, 0xec);
  ram.put(kTss + 4, kInnerStack + 0x800);
  ram.put(kTss + 8, std::uint32_t{kData0});
  ram.put(kTss + 0x66, std::uint16_t{0x88});  // ports' bitmap, behind that of interrupts
  ram.put(kTss2 + 0x20, static_cast<std::uint32_t>(CpuScene::kCode));
  ram.put(kTss2 + 0x24, std::uint32_t{2});
  ram.put(kTss2 + 0x38, kInnerStack + 0xc00);
  for (const auto& [at, selector] : {std::pair{0x48u, kData0}, {0x4cu, kCode0}, {0x50u, kData0}, {0x54u, kData0}})
    ram.put(kTss2 + at, std::uint32_t{selector});
  ram.put(kTss64 + 4, std::uint64_t{kInnerStack} + 0x800);
  ram.put(kTss64 + 0x24, std::uint64_t{kInnerStack} + 0xc00);
  ram.put(kTss16 + 2, static_cast<std::uint16_t>(0x7800));
  ram.put(kTss16 + 4, kNarrowData0);
}

void put_page_tables(Ram& ram) {
  constexpr std::uint32_t kAll = 7, kLarge = 0x80;
  constexpr unsigned kPages = 0x80;
  for (std::uint32_t page = 0; page < kPages; ++page) {
    std::uint64_t entry = std::uint64_t{page} << 12 | kAll;
    if (page == kSupervisorPage) entry &= ~std::uint64_t{4};
    if (page == kReadOnlyPage) entry &= ~std::uint64_t{2};
    if (page == kMissingPage) entry = 0;
    if (page == kLocalApicPage) entry = kLocalApic | 3;
    ram.put(kTable + 4 * page, static_cast<std::uint32_t>(entry));
    ram.put(kWideTable + 8 * page, entry | (page == kNoCodePage ? std::uint64_t{1} << 63 : 0));
  }
  ram.put(kDirectory, kTable | kAll);
  ram.put(kDirectory + 4, kLarge | kAll);
  ram.put(kDirectory + 4 * (kLocalApic >> 22), (kLocalApic & 0xffc00000) | kLarge | 3);
  ram.put(kPointers, std::uint64_t{kWideDirectory} | 1);
  ram.put(kPointers + 8 * 3, std::uint64_t{kTopDirectory} | 1);
  ram.put(kWideDirectory, std::uint64_t{kWideTable} | kAll);
  ram.put(kWideDirectory + 8, std::uint64_t{kLarge} | kAll);
  ram.put(kTopDirectory + 8 * (kLocalApic >> 21 & 511), std::uint64_t{kLocalApic} | kLarge | 3);
  ram.put(kPml4, std::uint64_t{kWidePointers} | kAll);
  ram.put(kPml4 + 8 * 256, std::uint64_t{kWidePointers} | kAll);
  ram.put(kPml4 + 8 * 511, std::uint64_t{kPml4} | kAll);
  ram.put(kWidePointers, std::uint64_t{kWideDirectory} | kAll);
  ram.put(kWidePointers + 8, std::uint64_t{kLarge} | kAll);
  ram.put(kWidePointers + 8 * 3, std::uint64_t{kTopDirectory} | kAll);
}

enum class Kind : std::uint8_t { Real, Narrow, Protected, Virtual8086, Long, Compatible, NarrowCompatible, MixedStack };

Segment flat(std::uint16_t selector, std::uint32_t attributes) {
  return {0, 0xffffffff, selector, attributes};
}
Segment narrow(std::uint16_t selector, std::uint32_t attributes) {
  return {CpuScene::kCode, 0xffff, selector, attributes};
}

void set_data_segments(CpuState& state, const Segment& segment) {
  for (Segment* one : {&state.es, &state.ss, &state.ds, &state.fs, &state.gs})
    *one = segment;
}

void set_segments(CpuState& state, Kind kind, bool user) {
  const bool is_long = kind == Kind::Long;
  switch (kind) {
    case Kind::Real:
    case Kind::Virtual8086: {
      const std::uint32_t attributes =
          kind == Kind::Real ? vmm::cpu::soft::kRealAttributes : vmm::cpu::soft::kVirtual8086Attributes;
      state.cs = narrow(CpuScene::kCode >> 4, attributes);
      set_data_segments(state, state.cs);
      return;
    }
    case Kind::Narrow:
    case Kind::NarrowCompatible:
      state.cs = narrow(user ? kNarrowCode3 : kNarrowCode0, user ? 0xfb : 0x9b);
      set_data_segments(state, narrow(user ? kNarrowData3 : kNarrowData0, user ? 0xf3 : 0x93));
      return;
    case Kind::Long:
    case Kind::Protected:
    case Kind::Compatible:
    case Kind::MixedStack:
      state.cs = flat(user ? (is_long ? kLongCode3 : kCode3) : (is_long ? kLongCode0 : kCode0),
                      (is_long ? 0xa09b : 0xc09b) | (user ? 0x60 : 0));
      set_data_segments(state, flat(user ? kData3 : kData0, user ? 0xc0f3 : 0xc093));
      if (kind == Kind::MixedStack) state.ss = narrow(user ? kNarrowData3 : kNarrowData0, user ? 0xf3 : 0x93);
      return;
  }
}

void set_mode(CpuState& state, Kind kind, unsigned paging, bool user) {
  using namespace vmm::cpu::soft;
  const bool is_long = kind == Kind::Long || kind == Kind::Compatible || kind == Kind::NarrowCompatible;
  set_segments(state, kind, user);
  state.gdt = {kGdt, 0xff};
  state.ldt = {kLdt, 0xff, kLdtSelector, 0x82};
  state.idt = {0, 0x3ff};
  state.cr0 = kCr0Et | kCr0Ne;
  state.cr4 = kCr4Osfxsr | kCr4Osxmmexcpt;
  if (kind == Kind::Virtual8086) state.rflags |= kVm;
  if (kind == Kind::Real) return;
  state.cr0 |= kCr0Pe;
  state.idt = is_long ? vmm::cpu::DescriptorTable{kIdt64, 0xfff} : vmm::cpu::DescriptorTable{kIdt, 0x7ff};
  state.tr = {is_long ? kTss64 : kTss, 0xff, kTaskSelector, 0x8b};
  if (is_long) {
    state.cr0 |= kCr0Pg | kCr0Wp;
    state.cr4 |= kCr4Pae | kCr4Pge;
    state.efer = kEferSce | kEferLme | kEferLma | kEferNxe;
    state.cr3 = kPml4;
  } else if (paging != 0) {
    state.cr0 |= kCr0Pg | kCr0Wp;
    state.cr4 |= paging == 3 ? kCr4Pae : paging == 2 ? kCr4Pse : 0;
    state.cr3 = paging == 3 ? kPointers : kDirectory;
    if (paging == 3) state.efer = kEferNxe;
  }
}

std::uint64_t pick(std::uint8_t choice) {
  static constexpr std::array<std::uint64_t, 32> kValues{
      0,
      1,
      0x10,
      0x7f,
      0x8000,
      0x10000,
      0x7fffffff,
      0x80000000,
      0xffffffff,
      0x100000000,
      0x7fffffffffffffff,
      0x8000000000000000,
      0xffffffffffffffff,
      0x800000000000,      // not canonical
      0xffff800000000000,  // canonical, and mapped
      kData,
      kData + 0x1000,  // with what is subtracted below: across pages
      CpuScene::kCode,
      kStack + 0x800,
      kPml4,
      kTable,
      kIdt,
      kGdt,
      CpuScene::kRom,
      CpuScene::kDevice,
      kLocalApic,
      kLocalApic + 0x300,
      kSupervisorPage << 12,
      kReadOnlyPage << 12,
      (kMissingPage << 12) + 2,
      0xc0000080,  // EFER
      kTask2Selector,
  };
  static constexpr std::array<std::uint64_t, 8> kOffsets{0, 1, 4, 0x40, ~0ull, ~1ull, ~6ull, ~14ull};
  return kValues[choice & 31] + kOffsets[choice >> 5];
}

// Numbers of all kinds for the vector registers, and x87 state.
void read_vectors(FuzzInput& input, CpuState& state) {
  static constexpr std::array<std::uint64_t, 8> kNumbers{
      0,
      0x3ff0000000000000,
      0xfff0000000000000,
      0x7ff4000000000001,  // a signalling NaN
      0x000fffffffffffff,  // denormal
      0x7f8000013f800000,  // single precision: another one, and 1
      0x7fefffffffffffff,
      0x8000000180000000,
  };
  using namespace vmm::cpu::soft;
  const std::uint16_t control = input.u16() ^ 0x37f, status = input.u16();
  const std::uint8_t occupied = input.u8(), seed = input.u8();
  const std::uint16_t mxcsr = input.u16() ^ 0x1f80;
  std::memcpy(state.xsave.data(), &control, sizeof control);
  std::memcpy(state.xsave.data() + 2, &status, sizeof status);
  state.xsave[4] = occupied;
  std::memcpy(state.xsave.data() + kFxsaveMxcsr, &mxcsr, sizeof mxcsr);
  if (seed == 0) return;
  for (unsigned i = 0; i < 8 + 16; ++i) {
    const unsigned at = i < 8 ? kFxsaveSt + 16 * i : kFxsaveXmm + 16 * (i - 8);
    const std::uint64_t low = kNumbers[(seed + i) & 7], high = kNumbers[(seed >> 3 ^ i) & 7];
    std::memcpy(state.xsave.data() + at, &low, sizeof low);
    std::memcpy(state.xsave.data() + at + 8, &high, sizeof high);
  }
}

void read_segment(FuzzInput& input, CpuState& state) {
  const std::array<Segment*, 8> segments{&state.es, &state.cs, &state.ss,  &state.ds,
                                         &state.fs, &state.gs, &state.ldt, &state.tr};
  const std::uint8_t index = input.u8();
  if (index == 0 || index > segments.size()) return;
  Segment& segment = *segments[index - 1u];
  segment.selector = input.u16();
  segment.attributes ^= static_cast<std::uint32_t>(input.number(3));
  segment.base = input.u32();
  segment.limit = input.u32();
}

void read_registers(FuzzInput& input, CpuState& state) {
  using namespace vmm::cpu::soft;
  state.cr0 ^= input.u8();
  const std::uint8_t high = input.u8();
  state.cr0 ^= (high & 1 ? kCr0Wp : 0) | (high & 2 ? kCr0Am : 0) | (high & 4 ? kCr0Nw : 0) | (high & 8 ? kCr0Cd : 0) |
               (high & 16 ? kCr0Pg : 0);
  state.cr4 ^= input.number(3);
  state.efer ^= input.u16();
  state.rflags ^= (std::uint64_t{input.u16()} << 8) & 0x3f7f00;
  state.dr7 ^= input.u32();
  for (std::uint64_t& address : state.debug_address)
    address = pick(input.u8());
  for (unsigned i = 0; i < state.general.size(); ++i) {
    const std::uint8_t choice = input.u8();
    // A stack that works, if nothing else is said.
    state.general[i] = i == 4 && choice == 0 ? (state.cs.base != 0 ? 0x6800 : kStack + 0x800) : pick(choice);
  }
  const std::uint8_t events = input.u8();
  state.events.interrupt_shadow = events & 3;
  state.events.nmi_pending = (events & 4) != 0;
  state.events.nmi_masked = (events & 8) != 0;
  state.activity = static_cast<vmm::cpu::Activity>(events >> 4);
}

}  // namespace

std::vector<std::uint8_t> make_ram_template() {
  std::vector<std::uint8_t> bytes(CpuScene::kRamBytes);
  Ram ram(bytes);
  put_handlers(ram);
  put_interrupt_tables(ram);
  put_segments(ram);
  put_page_tables(ram);
  // Behind the input's code: a jump to itself.
  for (std::uint64_t at = CpuScene::kCode; at < kData; at += 2)
    ram.put_bytes(at, {0xeb, 0xfe});
  return bytes;
}

CpuScene read_scene(FuzzInput input, std::span<std::uint8_t> ram, CpuState& state) {
  CpuScene scene;
  const std::uint8_t head = input.u8();
  scene.a20_is_open = (head & 0x80) == 0;
  scene.is_old_model = (head & 0x40) != 0;
  set_mode(state, static_cast<Kind>(head & 7), head >> 3 & 3, (head & 0x20) != 0);
  if (const std::uint8_t gap = input.u8(); gap != 0) scene.gap = gap;
  for (std::uint8_t& event : scene.events)
    event = input.u8();
  read_registers(input, state);
  read_vectors(input, state);
  read_segment(input, state);

  // Code may lie across the end of its page.
  constexpr unsigned kPage = 4096;
  const std::uint32_t start = (kPage - input.u8()) % kPage;
  state.rip = (state.cs.base != 0 ? 0 : CpuScene::kCode) + start;
  constexpr unsigned kMaxChanges = 31;
  for (unsigned left = input.u8() & kMaxChanges; left > 0; --left) {
    const std::uint64_t at = std::uint64_t{input.u16()} * 2;  // anywhere
    const std::uint16_t value = input.u16();
    std::memcpy(ram.data() + at, &value, sizeof value);
  }
  const auto code = input.rest().first(std::min(input.rest().size(), CpuScene::kMaxCode));
  if (!code.empty()) std::memcpy(ram.data() + CpuScene::kCode + start, code.data(), code.size());
  return scene;
}

}  // namespace tests
