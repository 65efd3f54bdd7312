// What of AVX no user program can see on the host: when it is there, its part of XSAVE areas and saved machines, and
// what a fault in the middle of an instruction leaves.
#include <algorithm>
#include <initializer_list>
#include <utility>

#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/control_registers.h"
#include "vmm/cpu/soft/cpuid_leaf.h"
#include "vmm/cpu/soft/sse_float.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint64_t kArea = 0x30000;              // RBX
constexpr std::uint64_t kLastPage = (8u << 20) - 32;  // ... near the end of what is mapped
constexpr std::uint8_t kRax = 0, kRcx = 8, kRdx = 16, kRbx = 24;
constexpr std::initializer_list<int> kVaddps = {0xc5, 0xf4, 0x58, 0xc2};  // ymm0, ymm1, ymm2
constexpr std::initializer_list<int> kXsetbv = {0x0f, 0x01, 0xd1}, kXsave = {0x0f, 0xae, 0x23},
                                     kXrstor = {0x0f, 0xae, 0x2b};

class AvxState : public MachineTest {
 protected:
  void SetUp() override {
    if (!CpuFeatures::everything().has(Feature::Avx2)) GTEST_SKIP() << "the host has no AVX2";
    cpu.cr0 |= kCr0Ne;
    enter_long_mode();
    cpu.cr4 |= kCr4Osfxsr | kCr4Osxmmexcpt | kCr4Osxsave;
    cpu.xcr0 = 7;
    cpu.set_reg<std::uint64_t>(kRbx, kArea);
    for (unsigned i = 0; i < 16; ++i) {
      cpu.xmm[i].set<std::uint64_t>(i + 1);
      cpu.ymm_high[i].set<std::uint64_t>(100 + i);
    }
  }
  void set_edx_eax(std::uint32_t value) {
    cpu.set_reg<std::uint64_t>(kRax, value);
    cpu.set_reg<std::uint64_t>(kRdx, 0);
  }
  std::uint64_t high(unsigned number) const { return cpu.ymm_high[number].get<std::uint64_t>(); }
};

TEST_F(AvxState, unavailable_without_the_state_that_the_system_must_save) {
  EXPECT_EQ(run(kVaddps), Flow::Next);
  for (const auto& [cr4, xcr0] : {std::pair{cpu.cr4 & ~kCr4Osxsave, 7u}, {cpu.cr4, 3u}, {cpu.cr4, 1u}}) {
    const std::uint64_t before = std::exchange(cpu.cr4, cr4);
    cpu.xcr0 = xcr0;
    cpu.cr0 |= kCr0Ts;
    EXPECT_EQ(run(kVaddps), Flow::Fault);
    EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0)) << "#UD goes before #NM";
    EXPECT_EQ(run({0xc5, 0xfc, 0x77}), Flow::Fault);  // VZEROALL
    EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
    EXPECT_EQ(run({0xc5, 0xfc, 0x10, 0x03}), Flow::Fault);  // VMOVUPS ymm0, [rbx]
    EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
    cpu.cr0 &= ~kCr0Ts;
    cpu.xcr0 = 7;
    cpu.cr4 = before;
  }
  cpu.cr0 |= kCr0Ts;
  EXPECT_EQ(run(kVaddps), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
}

TEST_F(AvxState, neither_em_nor_osfxsr_matters) {
  cpu.cr0 |= kCr0Em;
  cpu.cr4 &= ~kCr4Osfxsr;
  EXPECT_EQ(run(kVaddps), Flow::Next);
}

TEST_F(AvxState, bytes_are_les_and_lds_in_real_mode) {
  cpu.cr0 &= ~(kCr0Pe | kCr0Pg);
  cpu.efer = 0;
  for (SegmentRegister& segment : cpu.segments)
    segment.derive(false);
  cpu.derive_mode();
  cpu.mmu.flush_all();
  EXPECT_EQ(run(kVaddps), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
}

TEST_F(AvxState, xsetbv_knows_which_components_go_together) {
  cpu.set_reg<std::uint64_t>(kRcx, 0);
  for (const std::uint32_t wrong : {0u, 2u, 5u, 6u, 4u, 8u + 7u, 0xe7u}) {
    set_edx_eax(wrong);
    EXPECT_EQ(run(kXsetbv), Flow::Fault) << wrong;
    EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
    EXPECT_EQ(cpu.xcr0, 7u);
  }
  for (const std::uint32_t right : {1u, 3u, 7u}) {
    set_edx_eax(right);
    EXPECT_EQ(run(kXsetbv), Flow::Leave) << right;
    EXPECT_EQ(cpu.xcr0, right);
  }
  set_edx_eax(7);
  cpu.set_reg<std::uint64_t>(kRcx, 1);
  EXPECT_EQ(run(kXsetbv), Flow::Fault) << "there is XCR0 only";
  cpu.set_reg<std::uint64_t>(kRcx, 0);
  go_to_ring_64(3);
  EXPECT_EQ(run(kXsetbv), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(AvxState, models_without_it_have_no_such_component) {
  const auto model = CpuFeatures::named("qemu64");
  ASSERT_TRUE(model);
  cpu.features = &*model;
  EXPECT_EQ(supported_xcr0(cpu), 3u);
}

TEST_F(AvxState, cpuid_describes_the_area) {
  const auto leaves = CpuFeatures::everything().leaves();
  cpu.cpuid = &leaves;
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 0).eax, 7u);
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 0).ebx, 832u);
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 0).ecx, 832u);
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 1).eax, 1u) << "XSAVEOPT";
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 2).eax, 256u);
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 2).ebx, 576u);
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 3).eax, 0u);
  cpu.xcr0 = 3;
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 0).ebx, 576u) << "what XCR0 has now";
  EXPECT_EQ(cpuid_leaf(cpu, 0xd, 0).ecx, 832u);
}

TEST_F(AvxState, xsave_and_xrstor_know_the_upper_halves) {
  for (unsigned i = 0; i < 1024; i += 8)
    poke<std::uint64_t>(kArea + i, 0);
  set_edx_eax(7);
  ASSERT_EQ(run(kXsave), Flow::Next);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 512), 7u);
  for (unsigned i = 0; i < 16; ++i)
    EXPECT_EQ(peek<std::uint64_t>(kArea + 576 + 16 * i), 100 + i);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 832), 0u);

  poke<std::uint64_t>(kArea + 576 + 16 * 5, 55);
  set_edx_eax(4);
  ASSERT_EQ(run(kXrstor), Flow::Next);
  EXPECT_EQ(high(5), 55u);
  EXPECT_EQ(cpu.xmm[5].get<std::uint64_t>(), 6u);
  poke<std::uint64_t>(kArea + 512, 3);
  cpu.mxcsr = 0x9f80;
  ASSERT_EQ(run(kXrstor), Flow::Next);
  EXPECT_EQ(high(5), 0u) << "the area has none: the initial state";
  EXPECT_EQ(cpu.mxcsr, kMxcsrDefault) << "MXCSR comes with either component";
}

TEST_F(AvxState, xsave_area_ends_where_its_components_do) {
  cpu.set_reg<std::uint64_t>(kRbx, (8u << 20) - 576 - 64);
  set_edx_eax(3);
  EXPECT_EQ(run(kXsave), Flow::Next);
  set_edx_eax(7);
  EXPECT_EQ(run(kXsave), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::PageFault, 2));
  EXPECT_EQ(run(kXrstor), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::PageFault, 0));
}

TEST_F(AvxState, vzeroupper_outside_of_64_bit_mode_leaves_half_of_the_registers) {
  ASSERT_EQ(run({0xc5, 0xf8, 0x77}), Flow::Next);
  EXPECT_EQ(high(15), 0u);
  EXPECT_EQ(cpu.xmm[15].get<std::uint64_t>(), 16u);
  cpu.ymm_high[8].set<std::uint64_t>(8);
  cpu.ymm_high[7].set<std::uint64_t>(7);
  go_to_ring(0);
  ASSERT_EQ(run({0xc5, 0xfc, 0x77}), Flow::Next);  // VZEROALL
  EXPECT_EQ(high(7), 0u);
  EXPECT_EQ(cpu.xmm[7].get<std::uint64_t>(), 0u);
  EXPECT_EQ(high(8), 8u);
  EXPECT_EQ(cpu.xmm[8].get<std::uint64_t>(), 9u);
}

TEST_F(AvxState, saved_machine_has_the_upper_halves_if_it_uses_them) {
  const std::vector<std::uint8_t> image = save_xsave_image(cpu);
  ASSERT_EQ(image.size(), kXsaveBytesAvx);
  EXPECT_EQ(image[512], 7);
  cpu.ymm_high = {};
  const std::vector<std::uint8_t> without = save_xsave_image(cpu);
  ASSERT_EQ(without.size(), kXsaveBytes);
  EXPECT_EQ(without[512], 3);
  ASSERT_TRUE(load_xsave_image(cpu, image));
  EXPECT_EQ(high(9), 109u);
  EXPECT_EQ(save_xsave_image(cpu), image);
  ASSERT_TRUE(load_xsave_image(cpu, without));
  EXPECT_EQ(high(9), 0u);

  EXPECT_FALSE(load_xsave_image(cpu, std::span(image).first(kXsaveBytesAvx - 1)));
  const auto model = CpuFeatures::named("qemu64");
  cpu.features = &*model;
  EXPECT_FALSE(load_xsave_image(cpu, image)) << "that model does not have them";
  EXPECT_TRUE(load_xsave_image(cpu, without));
}

TEST_F(AvxState, alignment_is_for_those_that_ask_for_it) {
  cpu.set_reg<std::uint64_t>(kRbx, kArea + 16);
  EXPECT_EQ(run({0xc5, 0xfc, 0x28, 0x03}), Flow::Fault);  // VMOVAPS ymm0, [rbx]
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(run({0xc5, 0xfc, 0x2b, 0x03}), Flow::Fault);  // VMOVNTPS [rbx], ymm0
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(run({0xc4, 0xe2, 0x7d, 0x2a, 0x03}), Flow::Fault);  // VMOVNTDQA ymm0, [rbx]
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(run({0xc5, 0xf8, 0x28, 0x03}), Flow::Next);  // VMOVAPS xmm0, [rbx]
  cpu.set_reg<std::uint64_t>(kRbx, kArea + 1);
  EXPECT_EQ(run({0xc5, 0xf4, 0x58, 0x03}), Flow::Next);  // VADDPS ymm0, ymm1, [rbx]
}

TEST_F(AvxState, faulting_store_has_written_nothing) {
  cpu.set_reg<std::uint64_t>(kRbx, kLastPage + 16);
  poke<std::uint64_t>(kLastPage + 16, 1234);
  EXPECT_EQ(run({0xc5, 0xfc, 0x11, 0x03}), Flow::Fault);  // VMOVUPS [rbx], ymm0
  EXPECT_TRUE(faulted(Vector::PageFault, 2));
  EXPECT_EQ(peek<std::uint64_t>(kLastPage + 16), 1234u);
  cpu.ymm_high[1] = {};
  cpu.xmm[1].set<std::uint64_t>(~std::uint64_t{0}, 0);
  cpu.xmm[1].set<std::uint64_t>(0, 1);
  EXPECT_EQ(run({0xc4, 0xe2, 0x75, 0x2e, 0x03}), Flow::Next);  // VMASKMOVPS [rbx], ymm1, ymm0: two of eight
  EXPECT_EQ(peek<std::uint64_t>(kLastPage + 16), 1u);
  cpu.ymm_high[1].set<std::uint64_t>(~std::uint64_t{0}, 1);
  poke<std::uint64_t>(kLastPage + 16, 1234);
  EXPECT_EQ(run({0xc4, 0xe2, 0x75, 0x2e, 0x03}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::PageFault, 2));
  EXPECT_EQ(peek<std::uint64_t>(kLastPage + 16), 1234u);
}

TEST_F(AvxState, gather_goes_on_where_it_faulted) {
  cpu.set_reg<std::uint64_t>(kRbx, kLastPage);
  poke<std::uint32_t>(kLastPage, 11);
  for (unsigned element = 0; element < 4; ++element) {
    cpu.xmm[1].set<std::uint32_t>(element == 2 ? 0x1000 : 0, element);
    cpu.xmm[2].set<std::uint32_t>(0x80000000, element);
    cpu.xmm[0].set<std::uint32_t>(77, element);
  }
  const std::initializer_list<int> code = {0xc4, 0xe2, 0x69, 0x90, 0x04, 0x0b};  // VPGATHERDD xmm0, [rbx+xmm1], xmm2
  EXPECT_EQ(run(code), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::PageFault, 0));
  EXPECT_EQ(cpu.xmm[0].get<std::uint32_t>(1), 11u);
  EXPECT_EQ(cpu.xmm[0].get<std::uint32_t>(2), 77u);
  EXPECT_EQ(cpu.xmm[2].get<std::uint32_t>(1), 0u);
  EXPECT_NE(cpu.xmm[2].get<std::uint32_t>(2), 0u);
  cpu.xmm[1] = {};
  poke<std::uint32_t>(kLastPage, 22);
  EXPECT_EQ(run(code), Flow::Next);
  EXPECT_EQ(cpu.xmm[0].get<std::uint32_t>(1), 11u) << "done before";
  EXPECT_EQ(cpu.xmm[0].get<std::uint32_t>(2), 22u);
  EXPECT_EQ(high(0), 0u);
  EXPECT_EQ(high(2), 0u);
}

TEST_F(AvxState, unmasked_exception_writes_nothing) {
  cpu.mxcsr = kMxcsrDefault & ~(kMxcsrZe << 7);
  cpu.ymm_high[1].set(1.0f);
  cpu.ymm_high[2].set(0.0f);
  cpu.xmm[1] = cpu.xmm[2] = {};
  for (unsigned element = 0; element < 4; ++element)
    cpu.xmm[2].set(1.0f, element);
  EXPECT_EQ(run({0xc5, 0xf4, 0x5e, 0xc2}), Flow::Fault);  // VDIVPS ymm0, ymm1, ymm2
  EXPECT_TRUE(faulted(Vector::SimdError, 0));
  EXPECT_EQ(high(0), 100u);
}

// An encoding that the decoder takes and the host does not would end the process.
TEST_F(AvxState, host_executes_whatever_is_decoded) {
  unsigned executed = 0;
  for (const bool is_64 : {true, false}) {
    is_64 ? go_to_ring_64(0) : go_to_ring(0);
    for (unsigned encoding = 0; encoding < 3u << 21; ++encoding) {
      // From low to high: ModRM's reg, whether it is [rbx] or register 2, VEX's pp, L, W and whether vvvv is 1; opcode.
      const unsigned modrm = (encoding & 7) << 3 | ((encoding & 8) != 0 ? 0x03 : 0xc2);
      const unsigned fields =
          (encoding >> 4 & 7) | (encoding >> 7 & 1) << 7 | ((encoding >> 8 & 1) != 0 ? 14 : 15) << 3;
      const unsigned opcode = encoding >> 9 & 0xff, immediate = (encoding >> 17 & 15) * 0x11,
                     map = 1 + (encoding >> 21);
      if (immediate != 0 && immediate != 0x33 && immediate != 0xff) continue;
      const std::array<std::uint8_t, 15> bytes{0xc4,
                                               static_cast<std::uint8_t>(0xe0 | map),
                                               static_cast<std::uint8_t>(fields),
                                               static_cast<std::uint8_t>(opcode),
                                               static_cast<std::uint8_t>(modrm),
                                               static_cast<std::uint8_t>(immediate)};
      Op op;
      DecodeNotes notes;
      if (!decode(bytes, cpu.mode, CpuFeatures::everything(), op, notes) || op.length == 0) continue;
      std::ranges::fill(cpu.general, 0);
      cpu.set_reg<std::uint64_t>(kRbx, kArea);
      executed += run_alone(cpu, op) == Flow::Next ? 1 : 0;
    }
  }
  EXPECT_GT(executed, 20000u);
}

TEST_F(AvxState, level_3_is_all_there) {
  const auto model = CpuFeatures::named("x86-64-v3");
  ASSERT_TRUE(model);
  for (const Feature feature : {Feature::Avx, Feature::Avx2, Feature::Bmi1, Feature::Bmi2, Feature::F16c, Feature::Fma,
                                Feature::Lzcnt, Feature::Movbe, Feature::Xsave, Feature::Popcnt, Feature::Cx16})
    EXPECT_TRUE(model->has(feature)) << static_cast<unsigned>(feature);
}

TEST(AvxHost, without_what_avx_builds_on_there_is_none) {
  for (const Feature missing : {Feature::Avx, Feature::Aes, Feature::Sse42}) {
    FeatureSet host;
    host.set();
    host.reset(static_cast<std::size_t>(missing));
    const auto model = CpuFeatures::named("max", host);
    ASSERT_TRUE(model);
    for (const Feature feature : {Feature::Avx, Feature::Avx2, Feature::Fma, Feature::F16c})
      EXPECT_FALSE(model->has(feature)) << static_cast<unsigned>(feature);
  }
}

}  // namespace
}  // namespace vmm::cpu::soft
