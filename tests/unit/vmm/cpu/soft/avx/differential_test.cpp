// AVX, AVX2, FMA and F16C instructions against the host's processor.
#include <cstdio>
#include <gtest/gtest.h>
#include <initializer_list>
#include <string>

#include "tests/unit/vmm/cpu/soft/differential/campaign.h"
#include "tests/unit/vmm/cpu/soft/differential/forgive.h"
#include "tests/unit/vmm/cpu/soft/differential/generator.h"
#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/features.h"

namespace vmm::cpu::soft::differential {
namespace {

// Forms that differ in their opcode only.
class Forms {
 public:
  Forms& add(const char* before, std::initializer_list<unsigned> opcodes, const char* after) {
    for (const unsigned opcode : opcodes) {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "%02X", opcode & 0xff);
      text_ += std::string(text_.empty() ? "" : ", ") + before + " " + hex.data() + " " + after;
    }
    return *this;
  }
  Forms& add_text(std::string_view form) {
    text_ += ", " + std::string(form);
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Forms integers() {
  return Forms()
      .add("vex wig L p66",
           {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x74, 0x75, 0x76,
            0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea,
            0xeb, 0xec, 0xed, 0xee, 0xef, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe},
           "/r ml16")
      .add("vex wig L p66", {0xd1, 0xd2, 0xd3, 0xe1, 0xe2, 0xf1, 0xf2, 0xf3}, "/r m16")
      .add("vex wig L p66 map2", {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x28,
                                  0x29, 0x2b, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40},
           "/r ml16")
      .add("vex wig L p66 map2 novv", {0x17, 0x1c, 0x1d, 0x1e}, "/r ml16")
      .add("vex wig L p66 map2 novv", {0x20, 0x23, 0x25, 0x30, 0x33, 0x35}, "/r ml8")
      .add("vex wig L p66 map2 novv", {0x21, 0x24, 0x31, 0x34}, "/r ml4")
      .add("vex wig L p66 map2 novv", {0x22, 0x32}, "/r ml2")
      .add("vex wig p66 map2", {0xdc, 0xdd, 0xde, 0xdf}, "/r m16")
      .add("vex wig p66 map2 novv", {0x41, 0xdb}, "/r m16");
}
Forms shifts_and_permutes() {
  return Forms()
      .add("vex wig L p66 reg", {0x71}, "/2 ib reg")
      .add("vex wig L p66 reg", {0x71}, "/4 ib reg")
      .add("vex wig L p66 reg", {0x71}, "/6 ib reg")
      .add("vex wig L p66 reg", {0x72}, "/2 ib reg")
      .add("vex wig L p66 reg", {0x72}, "/4 ib reg")
      .add("vex wig L p66 reg", {0x72}, "/6 ib reg")
      .add("vex wig L p66 reg", {0x73}, "/2 ib reg")
      .add("vex wig L p66 reg", {0x73}, "/3 ib reg")
      .add("vex wig L p66 reg", {0x73}, "/6 ib reg")
      .add("vex wig L p66 reg", {0x73}, "/7 ib reg")
      .add("vex L p66 map2", {0x45, 0x46, 0x47}, "/r ml16")
      .add("vex L w1 p66 map2", {0x45, 0x47}, "/r ml16")
      .add("vex L p66 map2", {0x0c, 0x0d}, "/r ml16")
      .add("vex L1 p66 map2", {0x16, 0x36}, "/r m32")
      .add("vex L1 w1 p66 map3 novv", {0x00, 0x01}, "/r ib m32")
      .add("vex L p66 map3", {0x02}, "/r ib ml16")
      .add("vex L p66 map3 novv", {0x04, 0x05}, "/r ib ml16")
      .add("vex L1 p66 map3", {0x06, 0x46}, "/r ib m32")
      .add("vex L1 p66 map3", {0x18, 0x38}, "/r ib m16")
      .add("vex L1 p66 map3 novv", {0x19, 0x39}, "/r ib m16")
      .add("vex L p66 map3", {0x4a, 0x4b, 0x4c}, "/r ib ml16");
}
Forms immediates() {
  return Forms()
      .add("vex wig L p66 novv", {0x70}, "/r ib ml16")
      .add("vex wig L pF3 novv", {0x70}, "/r ib ml16")
      .add("vex wig L pF2 novv", {0x70}, "/r ib ml16")
      .add("vex wig L", {0xc6}, "/r ib ml16")
      .add("vex wig L p66", {0xc6}, "/r ib ml16")
      .add("vex p66", {0xc4}, "/r ib m2")
      .add("vex p66 novv", {0xc5}, "/r ib reg")
      .add("vex wig L p66 map3", {0x0c, 0x0d, 0x0e, 0x0f, 0x42}, "/r ib ml16")
      .add("vex p66 map3 novv", {0x14}, "/r ib m1")
      .add("vex p66 map3 novv", {0x15}, "/r ib m2")
      .add("vex p66 map3 novv", {0x16}, "/r ib y")
      .add("vex p66 map3 novv", {0x17}, "/r ib m4")
      .add("vex p66 map3", {0x20}, "/r ib m1")
      .add("vex wig p66 map3", {0x21}, "/r ib m4")
      .add("vex p66 map3", {0x22}, "/r ib y")
      .add("vex wig p66 map3", {0x44}, "/r ib m16")
      .add("vex wig p66 map3 novv", {0xdf}, "/r ib m16");
}
Forms strings() {
  return Forms()
      .add("vex p66 map3 novv", {0x60, 0x61}, "/r ib m16 y")
      .add("vex wig p66 map3 novv", {0x62, 0x63}, "/r ib m16")
      .add_text("B8+r iv v")
      .add("vex wig L p66 novv", {0xd7}, "/r reg");
}
Forms moves() {
  return Forms()
      .add("vex wig L novv", {0x10, 0x11}, "/r ml16")
      .add("vex wig L p66 novv", {0x10, 0x11}, "/r ml16")
      .add("vex wig pF3", {0x10, 0x11}, "/r reg")
      .add("vex wig pF2", {0x10, 0x11}, "/r reg")
      .add("vex wig pF3 novv", {0x10, 0x11}, "/r mem m4")
      .add("vex wig pF2 novv", {0x10, 0x11}, "/r mem m8")
      .add("vex wig", {0x12, 0x16}, "/r m8")
      .add("vex wig p66", {0x12, 0x16}, "/r mem m8")
      .add("vex wig novv", {0x13, 0x17}, "/r mem m8")
      .add("vex wig p66 novv", {0x13, 0x17}, "/r mem m8")
      .add("vex wig L pF3 novv", {0x12, 0x16}, "/r ml16")
      .add("vex wig pF2 novv", {0x12}, "/r m8")
      .add("vex wig L1 pF2 novv", {0x12}, "/r m32")
      .add("vex wig L", {0x14, 0x15}, "/r ml16")
      .add("vex wig L p66", {0x14, 0x15}, "/r ml16")
      .add("vex wig L novv", {0x28, 0x29}, "/r align ml16")
      .add("vex wig L p66 novv", {0x28, 0x29, 0x6f, 0x7f}, "/r align ml16")
      .add("vex wig L novv", {0x2b}, "/r mem align ml16")
      .add("vex wig L p66 novv", {0x2b, 0xe7}, "/r mem align ml16")
      .add("vex wig L pF3 novv", {0x6f, 0x7f}, "/r ml16")
      .add("vex wig L pF2 novv", {0xf0}, "/r mem ml16")
      .add("vex wig L p66 map2 novv", {0x2a}, "/r mem align ml16")
      .add("vex wig L novv", {0x50}, "/r reg")
      .add("vex wig L p66 novv", {0x50}, "/r reg")
      .add("vex p66 novv", {0x6e, 0x7e}, "/r y")
      .add("vex wig pF3 novv", {0x7e}, "/r m8")
      .add("vex wig p66 novv", {0xd6}, "/r m8")
      .add("vex wig L novv", {0x77}, "")
      .add("vex wig novv", {0xae}, "/3 mem m4")
      .add("vex L p66 map2 novv", {0x18}, "/r m4")
      .add("vex L1 p66 map2 novv", {0x19}, "/r m8")
      .add("vex L1 p66 map2 novv", {0x1a, 0x5a}, "/r mem m16")
      .add("vex L p66 map2 novv", {0x58}, "/r m4")
      .add("vex L p66 map2 novv", {0x59}, "/r m8")
      .add("vex L p66 map2 novv", {0x78}, "/r m1")
      .add("vex L p66 map2 novv", {0x79}, "/r m2");
}
Forms masked() {
  return Forms()
      .add("vex L p66 map2", {0x2c, 0x2d, 0x2e, 0x2f, 0x8c, 0x8e}, "/r mem ml16")
      .add("vex L w1 p66 map2", {0x8c, 0x8e}, "/r mem ml16");
}
Forms gathers() {
  return Forms()
      .add("vex L p66 map2", {0x90, 0x92}, "/r mem m4 vsib4")
      .add("vex L w1 p66 map2", {0x90, 0x92}, "/r mem m8 vsib4")
      .add("vex L p66 map2", {0x91, 0x93}, "/r mem m4 vsib8")
      .add("vex L w1 p66 map2", {0x91, 0x93}, "/r mem m8 vsib8");
}
Forms floats() {
  Forms forms;
  for (const char* type : {"vex wig L", "vex wig L p66"})
    forms.add(type, {0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f}, "/r ml16");
  return forms.add("vex wig L novv", {0x51}, "/r ml16")
      .add("vex wig L p66 novv", {0x51}, "/r ml16")
      .add("vex wig L novv", {0x52, 0x53}, "/r ml16")
      .add("vex wig pF3", {0x51, 0x52, 0x53, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f}, "/r m4")
      .add("vex wig pF2", {0x51, 0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f}, "/r m8")
      .add("vex wig L p66", {0x7c, 0x7d, 0xd0}, "/r ml16")
      .add("vex wig L pF2", {0x7c, 0x7d, 0xd0}, "/r ml16")
      .add("vex wig novv", {0x2e, 0x2f}, "/r m4")
      .add("vex wig p66 novv", {0x2e, 0x2f}, "/r m8")
      .add("vex wig L", {0xc2}, "/r ib ml16")
      .add("vex wig L p66", {0xc2}, "/r ib ml16")
      .add("vex wig pF3", {0xc2}, "/r ib m4")
      .add("vex wig pF2", {0xc2}, "/r ib m8")
      .add("vex wig L p66 map3 novv", {0x08, 0x09}, "/r ib ml16")
      .add("vex wig p66 map3", {0x0a}, "/r ib m4")
      .add("vex wig p66 map3", {0x0b}, "/r ib m8")
      .add("vex wig L p66 map3", {0x40}, "/r ib ml16")
      .add("vex wig p66 map3", {0x41}, "/r ib m16")
      .add("vex L p66 map2 novv", {0x0e, 0x0f}, "/r ml16");
}
Forms conversions() {
  return Forms()
      .add("vex pF3", {0x2a}, "/r y")
      .add("vex pF2", {0x2a}, "/r y")
      .add("vex pF3 novv", {0x2c, 0x2d}, "/r m4 y")
      .add("vex pF2 novv", {0x2c, 0x2d}, "/r m8 y")
      .add("vex wig L novv", {0x5a}, "/r ml8")
      .add("vex wig L p66 novv", {0x5a, 0xe6}, "/r ml16")
      .add("vex wig pF3", {0x5a}, "/r m4")
      .add("vex wig pF2", {0x5a}, "/r m8")
      .add("vex wig L novv", {0x5b}, "/r ml16")
      .add("vex wig L p66 novv", {0x5b}, "/r ml16")
      .add("vex wig L pF3 novv", {0x5b}, "/r ml16")
      .add("vex wig L pF2 novv", {0xe6}, "/r ml16")
      .add("vex wig L pF3 novv", {0xe6}, "/r ml8")
      .add("vex L p66 map2 novv", {0x13}, "/r ml8")
      .add("vex L p66 map3 novv", {0x1d}, "/r ib ml8");
}
Forms fused() {
  Forms forms;
  for (const unsigned order : {0x90u, 0xa0u, 0xb0u}) {
    for (const char* type : {"vex L p66 map2", "vex L w1 p66 map2"})
      forms.add(type, {order + 6, order + 7, order + 8, order + 10, order + 12, order + 14}, "/r ml16");
    forms.add("vex p66 map2", {order + 9, order + 11, order + 13, order + 15}, "/r m4");
    forms.add("vex w1 p66 map2", {order + 9, order + 11, order + 13, order + 15}, "/r m8");
  }
  return forms;
}
// Legacy forms beside VEX forms: upper halves stay, or become zeros.
Forms mixed() {
  return Forms()
      .add("66 0F", {0x6f, 0x7f, 0xfc, 0xef, 0xd4}, "/r align m16")
      .add("0F", {0x28, 0x29, 0x58, 0x59, 0x57}, "/r align m16")
      .add("F3 0F", {0x10, 0x11, 0x58}, "/r m4")
      .add("vex wig L p66", {0xfc, 0xef, 0xd4}, "/r ml16")
      .add("vex wig L", {0x58, 0x59, 0x57}, "/r ml16")
      .add("vex wig L novv", {0x77}, "");
}

// How far masks are made all ones or zeros before a fault is each processor's own affair: only their highest bits
// count.
void forgive_masks(const Case& one, Outcome& native, Outcome& soft) {
  forgive_which_fault(one, native, soft);
  Decoded decoded;
  if (native.vector == kDone || !decode_for_test(one.code, one.segments, decoded)) return;
  const unsigned mask = ZydisRegisterGetId(decoded.operands[2].reg.value) & 15u;
  const unsigned bytes = decoded.operands[1].size / 8u;
  for (Registers* registers : {&native.after, &soft.after}) {
    for (unsigned at = 0; at < 32; ++at) {
      std::uint8_t* half = at < 16 ? registers->fx.data() + kFxXmm : registers->ymm_high.data();
      std::uint8_t& byte = half[mask * 16 + at % 16];
      byte = static_cast<std::uint8_t>(at % bytes == bytes - 1 ? byte & 0x80 : 0);
    }
  }
}

using Forgive = void (*)(const Case&, Outcome&, Outcome&);
class AvxDifferential : public ::testing::Test {
 protected:
  void compare(const Forms& forms, unsigned max_instructions = 5, Forgive forgive = forgive_which_fault) {
    EXPECT_EQ(run_campaign({.forms = forms.text(),
                            .cases = 20000,
                            .max_instructions = max_instructions,
                            .fpu = true,
                            .forgive = forgive}),
              "");
  }
  void SetUp() override {
    if (!CpuFeatures::everything().has(Feature::Avx2) || !CpuFeatures::everything().has(Feature::Fma) ||
        !CpuFeatures::everything().has(Feature::F16c))
      GTEST_SKIP() << "the host has no AVX2, FMA and F16C";
  }
};

TEST_F(AvxDifferential, integers) {
  compare(integers());
}
TEST_F(AvxDifferential, shifts_and_permutes) {
  compare(shifts_and_permutes());
}
TEST_F(AvxDifferential, immediates) {
  compare(immediates());
}
TEST_F(AvxDifferential, strings) {
  compare(strings());
}
TEST_F(AvxDifferential, moves) {
  compare(moves());
}
TEST_F(AvxDifferential, masked_moves) {
  compare(masked(), 2);
}
TEST_F(AvxDifferential, gathers) {
  compare(gathers(), 1, forgive_masks);
}
TEST_F(AvxDifferential, floats) {
  compare(floats(), 5, forgive_unmasked_precision);
}
TEST_F(AvxDifferential, conversions) {
  compare(conversions(), 5, forgive_unmasked_precision);
}
TEST_F(AvxDifferential, fused_multiply_add) {
  compare(fused(), 3, forgive_unmasked_precision);
}
TEST_F(AvxDifferential, mixed_with_sse) {
  compare(mixed(), 8, forgive_unmasked_precision);
}

}  // namespace
}  // namespace vmm::cpu::soft::differential
