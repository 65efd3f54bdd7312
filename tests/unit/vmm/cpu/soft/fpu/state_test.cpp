// What of the x87, MMX and SSE no user program can see on the host: availability, pending exceptions, last-instruction
// pointers, environments, FXSAVE and XSAVE areas, the image for saved machines.
#include <initializer_list>
#include <utility>

#include "tests/unit/vmm/cpu/soft/system/machine.h"
#include "vmm/cpu/soft/sse_float.h"
#include "vmm/cpu/soft/x87.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {
namespace {

constexpr std::uint64_t kArea = 0x30000;  // EBX

class ErrorLine final : public Platform {
 public:
  explicit ErrorLine(Platform& other) : other_(other) {}
  core::AddressSpace& io() override { return other_.io(); }
  PhysicalMap& physical() override { return other_.physical(); }
  BlockCache& blocks() override { return other_.blocks(); }
  std::uint64_t time_stamp() override { return other_.time_stamp(); }
  void drop_writes(const std::uint8_t* page) override { other_.drop_writes(page); }
  void report_x87_error() override { ++errors; }
  unsigned errors = 0;

 private:
  Platform& other_;
};

class FpuTest : public MachineTest {
 protected:
  FpuTest() {
    cpu.cr0 |= kCr0Ne;
    cpu.cr4 |= kCr4Osfxsr | kCr4Osxmmexcpt;
  }
  void enter_32() {
    enter_protected_mode();
    cpu.set_reg<std::uint32_t>(3 * 8, kArea);
  }
  void enter_64() {
    enter_long_mode();
    cpu.set_reg<std::uint64_t>(3 * 8, kArea);
  }
  void fill_area(std::uint8_t value, unsigned bytes = 1024) {
    for (unsigned i = 0; i < bytes; ++i)
      poke<std::uint8_t>(kArea + i, value);
  }
  // 1 / 0 with that unmasked.
  void divide_by_zero() {
    cpu.x87.control = 0x37b;
    ASSERT_EQ(run({0xd9, 0xe8}), Flow::Next);  // FLD1
    ASSERT_EQ(run({0xd9, 0xee}), Flow::Next);  // FLDZ
    ASSERT_EQ(run({0xd8, 0xf9}), Flow::Next);  // FDIVR st0, st1
  }
};

TEST_F(FpuTest, ts_and_em_make_instructions_unavailable) {
  enter_32();
  const std::uint64_t cr0 = cpu.cr0;
  cpu.cr0 = cr0 | kCr0Ts;
  EXPECT_EQ(run({0xd9, 0xe8}), Flow::Fault);  // FLD1
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
  EXPECT_EQ(run({0xdb, 0xe3}), Flow::Fault);  // FNINIT
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
  EXPECT_EQ(run({0x0f, 0xfc, 0xc1}), Flow::Fault);  // PADDB mm
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
  EXPECT_EQ(run({0x0f, 0x58, 0xc1}), Flow::Fault);  // ADDPS
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
  EXPECT_EQ(run({0x0f, 0xae, 0x03}), Flow::Fault);  // FXSAVE
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
  cpu.cr0 = (cr0 | kCr0Em) & ~kCr0Ts;
  EXPECT_EQ(run({0xd9, 0xe8}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
  EXPECT_EQ(run({0x0f, 0xfc, 0xc1}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
  EXPECT_EQ(run({0x0f, 0x58, 0xc1}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
  cpu.cr0 = cr0;
  cpu.cr4 &= ~kCr4Osfxsr;
  EXPECT_EQ(run({0x0f, 0x58, 0xc1}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
}

TEST_F(FpuTest, fwait_minds_mp_and_ts_together) {
  enter_32();
  cpu.cr0 = (cpu.cr0 | kCr0Ts) & ~kCr0Mp;
  EXPECT_EQ(run({0x9b}), Flow::Next);
  cpu.cr0 |= kCr0Mp;
  EXPECT_EQ(run({0x9b}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::DeviceNotAvailable, 0));
}

TEST_F(FpuTest, unmasked_exception_is_reported_by_the_next_waiting_instruction) {
  enter_32();
  divide_by_zero();
  EXPECT_EQ(status_word(cpu.x87) & (kFpuZe | kFpuEs | kFpuBusy), kFpuZe | kFpuEs | kFpuBusy);
  EXPECT_EQ(st(cpu.x87, 0).mantissa, 0u);    // not written
  EXPECT_EQ(run({0xdf, 0xe0}), Flow::Next);  // FNSTSW ax does not wait
  EXPECT_EQ(cpu.reg<std::uint16_t>(0) & 0x8084, 0x8084);
  EXPECT_EQ(run({0xd9, 0x7b, 0x40}), Flow::Next);  // nor does FNSTCW
  for (const auto& code : {std::initializer_list<int>{0x9b}, {0xd9, 0xe8}, {0x0f, 0xfc, 0xc1}, {0x0f, 0x77}}) {
    EXPECT_EQ(run(code), Flow::Fault);
    EXPECT_TRUE(faulted(Vector::X87Error, 0));
  }
  EXPECT_EQ(run({0xdb, 0xe2}), Flow::Next);  // FNCLEX
  EXPECT_EQ(run({0x9b}), Flow::Next);
}

TEST_F(FpuTest, without_ne_the_platform_is_told_and_the_instruction_runs) {
  enter_32();
  cpu.cr0 &= ~kCr0Ne;
  ErrorLine platform(*cpu.platform);
  cpu.platform = &platform;
  divide_by_zero();
  EXPECT_EQ(platform.errors, 0u);
  EXPECT_EQ(run({0xd9, 0xe8}), Flow::Next);
  EXPECT_EQ(platform.errors, 1u);
  EXPECT_EQ(cpu.x87.top, 5);
  EXPECT_EQ(run({0x9b}), Flow::Leave) << "FWAIT: the interrupt comes at once";
  EXPECT_EQ(platform.errors, 2u);
}

TEST_F(FpuTest, unmasked_simd_exception_writes_nothing) {
  enter_32();
  cpu.mxcsr = kMxcsrDefault & ~(kMxcsrZe << 7);
  cpu.xmm[1].set(1.0f);
  cpu.xmm[2].set(0.0f);
  const Xmm before = cpu.xmm[1];
  EXPECT_EQ(run({0xf3, 0x0f, 0x5e, 0xca}), Flow::Fault);  // DIVSS xmm1, xmm2
  EXPECT_TRUE(faulted(Vector::SimdError, 0));
  EXPECT_EQ(std::memcmp(&before, &cpu.xmm[1], sizeof before), 0);
  EXPECT_EQ(cpu.mxcsr & kMxcsrFlags, kMxcsrZe);
  cpu.cr4 &= ~kCr4Osxmmexcpt;
  EXPECT_EQ(run({0xf3, 0x0f, 0x5e, 0xca}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
}

TEST_F(FpuTest, host_rounding_is_as_before) {
  enter_32();
  cpu.x87.control = 0xf7f;                                 // towards zero
  cpu.mxcsr = kMxcsrDefault | kMxcsrRounding | kMxcsrFtz;  // towards zero
  EXPECT_EQ(run({0xd9, 0xeb}), Flow::Next);                // FLDPI
  EXPECT_EQ(run({0xd9, 0xfa}), Flow::Next);                // FSQRT
  EXPECT_EQ(run({0x0f, 0x58, 0xc1}), Flow::Next);          // ADDPS
  std::uint16_t control = 0;
  asm volatile("fnstcw %0" : "=m"(control));
  EXPECT_EQ(control, 0x37f);
  EXPECT_EQ(_mm_getcsr() & ~kMxcsrFlags, kMxcsrDefault);
}

TEST_F(FpuTest, environment_of_32_bit_protected_mode) {
  enter_32();
  cpu.rip = kCode + 0x123;
  poke<std::uint32_t>(kArea + 0x80, 0x3f800000);
  ASSERT_EQ(run({0xd9, 0x83, 0x80, 0, 0, 0}), Flow::Next);  // FLD dword [ebx+0x80]
  fill_area(0, 32);
  ASSERT_EQ(run({0xd9, 0x33}), Flow::Next);  // FNSTENV [ebx]
  EXPECT_EQ(peek<std::uint32_t>(kArea), 0xffff037fu);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 4), 0xffff3800u);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 8), 0xffff3fffu);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 12), kCode + 0x123);
  EXPECT_EQ(peek<std::uint16_t>(kArea + 16), kCode0);
  EXPECT_EQ(peek<std::uint16_t>(kArea + 18), 0x183);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 20), kArea + 0x80);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 24), 0xffff0000u | kData0);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 28), 0u);
  ASSERT_EQ(run({0xdb, 0xe3}), Flow::Next);
  ASSERT_EQ(run({0xd9, 0x23}), Flow::Next);  // FLDENV [ebx]
  EXPECT_EQ(cpu.x87.top, 7);
  EXPECT_EQ(cpu.x87.occupied, 0x80);
  EXPECT_EQ(cpu.x87.last_ip, kCode + 0x123);
  EXPECT_EQ(cpu.x87.last_dp, kArea + 0x80);
  EXPECT_EQ(cpu.x87.last_opcode, 0x183);
}

TEST_F(FpuTest, environment_of_real_mode_has_linear_addresses) {
  set_real_segment(cpu, kCs, 0x1000);
  set_real_segment(cpu, kDs, 0x3000);
  cpu.derive_mode();
  cpu.rip = 0x1234;
  cpu.set_reg<std::uint16_t>(3 * 8, 0);                 // BX
  ASSERT_EQ(run({0xd9, 0x87, 0x80, 0}), Flow::Next);    // FLD dword [bx+0x80]
  ASSERT_EQ(run({0xd9, 0x37}), Flow::Next);             // FNSTENV [bx], 14 bytes
  EXPECT_EQ(peek<std::uint16_t>(0x30000 + 6), 0x1234);  // of 0x11234
  EXPECT_EQ(peek<std::uint16_t>(0x30000 + 8), 0x1000 | 0x187);
  EXPECT_EQ(peek<std::uint16_t>(0x30000 + 10), 0x0080);  // of 0x30080
  EXPECT_EQ(peek<std::uint16_t>(0x30000 + 12), 0x3000);
  ASSERT_EQ(run({0x66, 0xd9, 0x37}), Flow::Next);  // 28 bytes
  EXPECT_EQ(peek<std::uint32_t>(0x30000 + 16), 0x10000u >> 4 | 0x187);
  ASSERT_EQ(run({0xd9, 0x27}), Flow::Next);  // FLDENV of the wrong width: no matter
  ASSERT_EQ(run({0x66, 0xd9, 0x27}), Flow::Next);
  EXPECT_EQ(cpu.x87.last_ip, 0x11234u);
  EXPECT_EQ(cpu.x87.last_dp, 0x30080u);
}

TEST_F(FpuTest, fnsave_and_frstor_are_inverse) {
  enter_32();
  ASSERT_EQ(run({0xd9, 0xe8}), Flow::Next);  // FLD1
  ASSERT_EQ(run({0xd9, 0xeb}), Flow::Next);  // FLDPI
  const X87 before = cpu.x87;
  ASSERT_EQ(run({0xdd, 0x33}), Flow::Next);  // FNSAVE [ebx]
  EXPECT_EQ(cpu.x87.occupied, 0);
  EXPECT_EQ(cpu.x87.control, 0x37f);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 28), 0xc90fdaa22168c235u);
  EXPECT_EQ(peek<std::uint16_t>(kArea + 36), 0x4000);
  cpu.x87 = X87();
  ASSERT_EQ(run({0xdd, 0x23}), Flow::Next);  // FRSTOR [ebx]
  EXPECT_EQ(cpu.x87.top, before.top);
  EXPECT_EQ(cpu.x87.occupied, before.occupied);
  EXPECT_EQ(st(cpu.x87, 1).sign_exponent, 0x3fff);
}

TEST_F(FpuTest, last_instruction_stays_after_a_page_fault) {
  enter_64();
  ASSERT_EQ(run({0xd9, 0xe8}), Flow::Next);
  const X87 before = cpu.x87;
  cpu.set_reg<std::uint64_t>(3 * 8, 0x40000000);
  for (const auto& code : {std::initializer_list<int>{0xd9, 0x03},
                           {0xd9, 0x1b},
                           {0xdb, 0x3b},
                           {0xd8, 0x03},
                           {0xdf, 0x33},
                           {0xdd, 0x0b},
                           {0x0f, 0x7f, 0x03},
                           {0x0f, 0xfc, 0x03}}) {
    EXPECT_EQ(run(code), Flow::Fault);
    EXPECT_EQ(cpu.fault.vector, Vector::PageFault);
    EXPECT_EQ(cpu.x87.last_ip, before.last_ip);
    EXPECT_EQ(status_word(cpu.x87), status_word(before));
    EXPECT_EQ(cpu.x87.occupied, before.occupied);
  }
}

TEST_F(FpuTest, fxsave64_writes_416_bytes_and_fxrstor_reads_them) {
  enter_64();
  fill_area(0xa5);
  ASSERT_EQ(run({0xd9, 0xeb}), Flow::Next);
  cpu.x87.last_ip = 0x123456789abcdef0;
  cpu.xmm[15].set<std::uint64_t>(0x0123456789abcdef, 1);
  cpu.mxcsr = 0x9fc1;
  ASSERT_EQ(run({0x48, 0x0f, 0xae, 0x03}), Flow::Next);  // FXSAVE64 [rbx]
  EXPECT_EQ(peek<std::uint16_t>(kArea), 0x37f);
  EXPECT_EQ(peek<std::uint16_t>(kArea + 2), 0x3800);
  EXPECT_EQ(peek<std::uint8_t>(kArea + 4), 0x80);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 8), 0x123456789abcdef0u);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 24), 0x9fc1u);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 28), 0xffffu);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 32), 0xc90fdaa22168c235u);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 160 + 15 * 16 + 8), 0x0123456789abcdefu);
  EXPECT_EQ(peek<std::uint8_t>(kArea + 416), 0xa5);
  cpu.x87 = X87();
  cpu.xmm = {};
  cpu.mxcsr = kMxcsrDefault;
  ASSERT_EQ(run({0x48, 0x0f, 0xae, 0x0b}), Flow::Next);  // FXRSTOR64
  EXPECT_EQ(cpu.x87.last_ip, 0x123456789abcdef0u);
  EXPECT_EQ(cpu.xmm[15].get<std::uint64_t>(1), 0x0123456789abcdefu);
  EXPECT_EQ(cpu.mxcsr, 0x9fc1u);
  EXPECT_EQ(cpu.x87.top, 7);

  cpu.set_reg<std::uint64_t>(3 * 8, kArea + 8);
  EXPECT_EQ(run({0x48, 0x0f, 0xae, 0x03}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(FpuTest, fxsave_outside_of_64_bit_mode_keeps_eight_registers) {
  enter_32();
  fill_area(0xa5);
  cpu.xmm[7].set<std::uint64_t>(7);
  cpu.xmm[8].set<std::uint64_t>(8);
  ASSERT_EQ(run({0x0f, 0xae, 0x03}), Flow::Next);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 160 + 7 * 16), 7u);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 160 + 8 * 16), 0xa5a5a5a5a5a5a5a5u);
  ASSERT_EQ(run({0x0f, 0xae, 0x0b}), Flow::Next);
  EXPECT_EQ(cpu.xmm[8].get<std::uint64_t>(), 8u);
}

TEST_F(FpuTest, reserved_mxcsr_bits_are_refused) {
  enter_32();
  poke<std::uint32_t>(kArea, 0x10000);
  EXPECT_EQ(run({0x0f, 0xae, 0x13}), Flow::Fault);  // LDMXCSR
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  fill_area(0, 512);
  poke<std::uint32_t>(kArea + 24, 0x80000000);
  EXPECT_EQ(run({0x0f, 0xae, 0x0b}), Flow::Fault);  // FXRSTOR
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  EXPECT_EQ(cpu.mxcsr, kMxcsrDefault);
  EXPECT_EQ(cpu.x87.control, 0x37f);
}

TEST_F(FpuTest, xsave_writes_the_requested_components) {
  enter_64();
  EXPECT_EQ(run({0x0f, 0xae, 0x23}), Flow::Fault);  // XSAVE without CR4.OSXSAVE
  EXPECT_TRUE(faulted(Vector::InvalidOpcode, 0));
  cpu.cr4 |= kCr4Osxsave;
  cpu.xcr0 = 3;
  fill_area(0xa5, 512);
  for (unsigned i = 512; i < 576; ++i)
    poke<std::uint8_t>(kArea + i, 0);
  cpu.xmm[3].set<std::uint64_t>(33);
  cpu.set_reg<std::uint64_t>(0, 2);  // EDX:EAX: SSE
  cpu.set_reg<std::uint64_t>(16, 0);
  ASSERT_EQ(run({0x0f, 0xae, 0x23}), Flow::Next);
  EXPECT_EQ(peek<std::uint16_t>(kArea), 0xa5a5);
  EXPECT_EQ(peek<std::uint32_t>(kArea + 24), kMxcsrDefault);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 160 + 3 * 16), 33u);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 512), 2u);
  cpu.set_reg<std::uint64_t>(0, ~std::uint64_t{0});
  ASSERT_EQ(run({0x0f, 0xae, 0x23}), Flow::Next);
  EXPECT_EQ(peek<std::uint16_t>(kArea), 0x37f);
  EXPECT_EQ(peek<std::uint64_t>(kArea + 512), 3u);
  cpu.set_reg<std::uint64_t>(3 * 8, kArea + 16);
  EXPECT_EQ(run({0x0f, 0xae, 0x23}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
}

TEST_F(FpuTest, xrstor_initializes_absent_components_and_checks_the_header) {
  enter_64();
  cpu.cr4 |= kCr4Osxsave;
  cpu.xcr0 = 3;
  fill_area(0, 576);
  poke<std::uint32_t>(kArea + 24, 0x9f80);
  poke<std::uint64_t>(kArea + 160, 44);
  poke<std::uint64_t>(kArea + 512, 2);
  cpu.set_reg<std::uint64_t>(0, 3);
  cpu.set_reg<std::uint64_t>(16, 0);
  cpu.x87.control = 0x27f;
  ASSERT_EQ(run({0x0f, 0xae, 0x2b}), Flow::Next);  // XRSTOR
  EXPECT_EQ(cpu.x87.control, 0x37f);
  EXPECT_EQ(cpu.xmm[0].get<std::uint64_t>(), 44u);
  EXPECT_EQ(cpu.mxcsr, 0x9f80u);
  poke<std::uint64_t>(kArea + 512, 1);
  ASSERT_EQ(run({0x0f, 0xae, 0x2b}), Flow::Next);
  EXPECT_EQ(cpu.xmm[0].get<std::uint64_t>(), 0u);
  EXPECT_EQ(cpu.x87.control, 0x40);
  for (const auto& [offset, value] : {std::pair{512u, 4u}, {520u, 1u}, {528u, 1u}, {24u, 0x10000u}}) {
    const auto before = peek<std::uint64_t>(kArea + offset);
    poke<std::uint64_t>(kArea + offset, value);
    EXPECT_EQ(run({0x0f, 0xae, 0x2b}), Flow::Fault) << offset;
    EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
    poke<std::uint64_t>(kArea + offset, before);
  }
}

TEST_F(FpuTest, image_for_saved_machines_is_read_back) {
  enter_64();
  ASSERT_EQ(run({0xd9, 0xeb}), Flow::Next);
  cpu.x87.last_dp = 0xfedcba9876543210;
  cpu.xmm[9].set<std::uint64_t>(99, 1);
  cpu.mxcsr = 0x3f80;
  const std::vector<std::uint8_t> image = save_xsave_image(cpu);
  ASSERT_EQ(image.size(), kXsaveBytes);
  EXPECT_EQ(image[512], 3);
  const X87 before = cpu.x87;
  cpu.x87 = X87();
  cpu.xmm = {};
  cpu.mxcsr = kMxcsrDefault;
  ASSERT_TRUE(load_xsave_image(cpu, image).has_value());
  EXPECT_EQ(save_xsave_image(cpu), image);
  EXPECT_EQ(cpu.x87.last_dp, before.last_dp);
  EXPECT_EQ(cpu.xmm[9].get<std::uint64_t>(1), 99u);

  std::vector<std::uint8_t> with_avx = image;
  with_avx[512] = 7;
  EXPECT_FALSE(load_xsave_image(cpu, with_avx).has_value());
  EXPECT_FALSE(load_xsave_image(cpu, std::span(image).first(512)).has_value());
  EXPECT_EQ(save_xsave_image(cpu), image);

  std::vector<std::uint8_t> initial(4096);
  ASSERT_TRUE(load_xsave_image(cpu, initial).has_value());
  EXPECT_EQ(cpu.x87.control, 0x37f);
  EXPECT_EQ(cpu.mxcsr, kMxcsrDefault);
}

TEST_F(FpuTest, maskmov_stores_the_chosen_bytes_only) {
  enter_32();
  fill_area(0x11, 16);
  cpu.set_reg<std::uint32_t>(7 * 8, kArea);  // EDI
  for (unsigned i = 0; i < 16; ++i) {
    cpu.xmm[1].bytes[i] = static_cast<std::uint8_t>(i);
    cpu.xmm[2].bytes[i] = i % 2 != 0 ? 0x80 : 0x7f;
  }
  ASSERT_EQ(run({0x66, 0x0f, 0xf7, 0xca}), Flow::Next);
  for (unsigned i = 0; i < 16; ++i)
    EXPECT_EQ(peek<std::uint8_t>(kArea + i), i % 2 != 0 ? i : 0x11u);
  cpu.x87.registers[1].mantissa = 0x8877665544332211;
  cpu.x87.registers[2].mantissa = 0x8000000000000080;
  ASSERT_EQ(run({0x0f, 0xf7, 0xca}), Flow::Next);
  EXPECT_EQ(peek<std::uint64_t>(kArea), 0x8811051103110111u);
  EXPECT_EQ(cpu.x87.occupied, 0xff);

  // With a segment that does not allow it.
  cpu.segments[kEs].writable = false;
  EXPECT_EQ(run({0x26, 0x66, 0x0f, 0xf7, 0xca}), Flow::Fault);
  EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  cpu.xmm[2] = Xmm{};
  EXPECT_EQ(run({0x26, 0x66, 0x0f, 0xf7, 0xca}), Flow::Next);
}

TEST_F(FpuTest, unaligned_operands_are_refused_where_the_manual_says_so) {
  enter_32();
  cpu.set_reg<std::uint32_t>(3 * 8, kArea + 1);
  for (const auto& code : {std::initializer_list<int>{0x0f, 0x28, 0x03},
                           {0x0f, 0x29, 0x03},
                           {0x66, 0x0f, 0xfe, 0x03},
                           {0x0f, 0x58, 0x03},
                           {0x66, 0x0f, 0x38, 0xdc, 0x03}}) {
    EXPECT_EQ(run(code), Flow::Fault);
    EXPECT_TRUE(faulted(Vector::GeneralProtection, 0));
  }
  for (const auto& code : {std::initializer_list<int>{0x0f, 0x10, 0x03},
                           {0xf3, 0x0f, 0x7f, 0x03},
                           {0xf3, 0x0f, 0x58, 0x03},
                           {0xf2, 0x0f, 0xf0, 0x03},
                           {0x66, 0x0f, 0x3a, 0x63, 0x03, 0x0c}})
    EXPECT_EQ(run(code), Flow::Next);
}

}  // namespace
}  // namespace vmm::cpu::soft
