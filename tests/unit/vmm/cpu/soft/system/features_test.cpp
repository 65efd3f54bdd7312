// CPU models on hosts that lack something.
#include "vmm/cpu/soft/features.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "vmm/cpu/soft/cpu.h"
#include "vmm/cpu/soft/decoder.h"

namespace vmm::cpu::soft {
namespace {

FeatureSet host_without(std::initializer_list<Feature> missing) {
  FeatureSet host;
  host.set();
  for (const Feature feature : missing)
    host.reset(static_cast<std::size_t>(feature));
  return host;
}

// It is not what a CPU makes of it that has nothing at all.
bool knows(const CpuFeatures& features, const std::array<std::uint8_t, 5>& bytes) {
  Op op, undefined;
  DecodeNotes notes;
  EXPECT_TRUE(decode(bytes, Mode::kCode64, features, op, notes));
  EXPECT_TRUE(decode(bytes, Mode::kCode64, CpuFeatures(), undefined, notes));
  return op.handler != undefined.handler;
}

TEST(HostFeatures, model_loses_what_the_host_lacks) {
  const auto features = CpuFeatures::named("qemu64", host_without({Feature::Aes, Feature::Sse42}));
  ASSERT_TRUE(features);
  EXPECT_FALSE(features->has(Feature::Aes));
  EXPECT_TRUE(features->has(Feature::Pclmulqdq));
  const auto leaves = features->leaves();
  const auto leaf1 = std::ranges::find(leaves, 1u, &CpuidEntry::function);
  ASSERT_NE(leaf1, leaves.end());
  EXPECT_EQ(leaf1->ecx & (1u << 25 | 1u << 20), 0u);
  EXPECT_NE(leaf1->ecx & 1u << 19, 0u) << "SSE4.1";
  EXPECT_FALSE(knows(*features, {0x66, 0x0f, 0x38, 0xdc, 0xc1}));  // aesenc
  EXPECT_FALSE(knows(*features, {0x66, 0x0f, 0x38, 0x37, 0xc1}));  // pcmpgtq
  EXPECT_TRUE(knows(*features, {0x66, 0x0f, 0x38, 0x29, 0xc1}));   // pcmpeqq
}

TEST(HostFeatures, what_takes_no_instruction_of_the_host_stays) {
  const auto features = CpuFeatures::named("max", host_without({Feature::Popcnt, Feature::Bmi2, Feature::Movbe}));
  ASSERT_TRUE(features);
  EXPECT_TRUE(features->has(Feature::Popcnt));
  EXPECT_TRUE(features->has(Feature::Bmi2));
}

TEST(HostFeatures, host_that_is_too_old_is_an_error) {
  EXPECT_FALSE(CpuFeatures::named("pentium3", host_without({Feature::Ssse3})));
}

}  // namespace
}  // namespace vmm::cpu::soft
