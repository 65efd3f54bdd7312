#include "vmm/cpu/soft/xsave_image.h"

#include <algorithm>

#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/sse_float.h"
#include "vmm/cpu/soft/x87.h"

namespace vmm::cpu::soft {
namespace {

template <class T>
void put(FxsaveImage& image, unsigned offset, T value) {
  std::memcpy(image.data() + offset, &value, sizeof value);
}
template <class T>
T take(std::span<const std::uint8_t> image, unsigned offset) {
  T value{};
  std::memcpy(&value, image.data() + offset, sizeof value);
  return value;
}

bool has_upper_halves(const Cpu& cpu) {
  return std::ranges::any_of(
      cpu.ymm_high, [](const Xmm& half) { return half.get<std::uint64_t>(0) != 0 || half.get<std::uint64_t>(1) != 0; });
}

}  // namespace

void write_x87(const X87& fpu, bool wide, FxsaveImage& image) {
  put(image, 0, fpu.control);
  put(image, 2, status_word(fpu));
  put(image, 4, std::uint16_t{fpu.occupied});
  put(image, 6, fpu.last_opcode);
  if (wide) {
    put(image, kFxsavePointers, fpu.last_ip);
    put(image, kFxsavePointers + 8, fpu.last_dp);
  } else {
    put(image, kFxsavePointers, static_cast<std::uint32_t>(fpu.last_ip));
    put(image, kFxsavePointers + 4, std::uint32_t{fpu.last_cs});
    put(image, kFxsavePointers + 8, static_cast<std::uint32_t>(fpu.last_dp));
    put(image, kFxsavePointers + 12, std::uint32_t{fpu.last_ds});
  }
  for (unsigned index = 0; index < 8; ++index) {
    put(image, kFxsaveSt + 16 * index, st(fpu, index).mantissa);
    put(image, kFxsaveSt + 16 * index + 8, std::uint64_t{st(fpu, index).sign_exponent});
  }
}

void read_x87(X87& fpu, bool wide, const FxsaveImage& image) {
  set_control_word(fpu, take<std::uint16_t>(image, 0));
  set_status_word(fpu, take<std::uint16_t>(image, 2));
  fpu.occupied = image[4];
  fpu.last_opcode = take<std::uint16_t>(image, 6) & 0x7ff;
  if (wide) {
    fpu.last_ip = take<std::uint64_t>(image, kFxsavePointers);
    fpu.last_dp = take<std::uint64_t>(image, kFxsavePointers + 8);
    fpu.last_cs = fpu.last_ds = 0;
  } else {
    fpu.last_ip = take<std::uint32_t>(image, kFxsavePointers);
    fpu.last_cs = take<std::uint16_t>(image, kFxsavePointers + 4);
    fpu.last_dp = take<std::uint32_t>(image, kFxsavePointers + 8);
    fpu.last_ds = take<std::uint16_t>(image, kFxsavePointers + 12);
  }
  for (unsigned index = 0; index < 8; ++index) {
    st(fpu, index).mantissa = take<std::uint64_t>(image, kFxsaveSt + 16 * index);
    st(fpu, index).sign_exponent = take<std::uint16_t>(image, kFxsaveSt + 16 * index + 8);
  }
}

void write_mxcsr(const Cpu& cpu, FxsaveImage& image) {
  put(image, kFxsaveMxcsr, cpu.mxcsr);
  put(image, kFxsaveMxcsrMask, kMxcsrAll);
}
std::uint32_t read_mxcsr(const FxsaveImage& image) {
  return take<std::uint32_t>(image, kFxsaveMxcsr);
}

void write_xmm(const Cpu& cpu, unsigned count, FxsaveImage& image) {
  std::memcpy(image.data() + kFxsaveXmm, cpu.xmm.data(), count * sizeof(Xmm));
}
void read_xmm(Cpu& cpu, unsigned count, const FxsaveImage& image) {
  std::memcpy(cpu.xmm.data(), image.data() + kFxsaveXmm, count * sizeof(Xmm));
}

std::vector<std::uint8_t> save_xsave_image(const Cpu& cpu) {
  FxsaveImage image{};
  // A program of 32 bits needs the selectors, one of 64 the upper halves of the pointers; KVM decides like that too.
  write_x87(cpu.x87, cpu.code64(), image);
  write_mxcsr(cpu, image);
  write_xmm(cpu, 16, image);
  const bool uses_avx = has_upper_halves(cpu);
  std::vector<std::uint8_t> bytes(uses_avx ? kXsaveBytesAvx : kXsaveBytes);
  std::ranges::copy(image, bytes.begin());
  bytes[kXsaveHeader] = kXstateX87 | kXstateSse;
  if (uses_avx) {
    bytes[kXsaveHeader] |= kXstateAvx;
    std::memcpy(bytes.data() + kXsaveYmm, cpu.ymm_high.data(), kXsaveYmmBytes);
  }
  return bytes;
}

core::Result<> load_xsave_image(Cpu& cpu, std::span<const std::uint8_t> image) {
  if (image.size() < kXsaveBytes) {
    return core::fail("the saved vector registers have {} bytes, {} are needed", image.size(), kXsaveBytes);
  }
  FxsaveImage legacy{};
  std::copy_n(image.begin(), legacy.size(), legacy.begin());
  const auto present = take<std::uint64_t>(image, kXsaveHeader);
  const auto compaction = take<std::uint64_t>(image, kXsaveHeader + 8);
  if (compaction != 0) return core::fail("the saved vector registers are in compacted form");
  const std::uint64_t missing = present & ~(supported_xcr0(cpu) | kXstateX87 | kXstateSse);
  if (missing != 0) {
    return core::fail("the saved machine uses vector registers that this CPU model does not have (components {:#x})",
                      missing);
  }
  if (image.size() < xsave_bytes(present)) {
    return core::fail("the saved vector registers have {} bytes, {} are needed", image.size(), xsave_bytes(present));
  }
  const std::uint32_t mxcsr = read_mxcsr(legacy);
  if ((mxcsr & ~kMxcsrAll) != 0) return core::fail("the saved MXCSR {:#x} has reserved bits set", mxcsr);

  cpu.x87 = X87();
  cpu.xmm = {};
  cpu.ymm_high = {};
  if ((present & kXstateX87) != 0) read_x87(cpu.x87, cpu.code64(), legacy);
  if ((present & kXstateSse) != 0) read_xmm(cpu, 16, legacy);
  if ((present & kXstateAvx) != 0) std::memcpy(cpu.ymm_high.data(), image.data() + kXsaveYmm, kXsaveYmmBytes);
  // MXCSR belongs to both SSE and what follows it; without either it is the initial one.
  cpu.mxcsr = (present & (kXstateSse | kXstateAvx)) != 0 ? mxcsr : kMxcsrDefault;
  return {};
}

}  // namespace vmm::cpu::soft
