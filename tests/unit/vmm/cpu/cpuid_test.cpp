#include "vmm/cpu/cpuid.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace {

using vmm::cpu::CpuidEntry;
using vmm::cpu::CpuModel;

std::uint32_t letters(const char* text) {
  std::uint32_t value = 0;
  std::memcpy(&value, text, 4);
  return value;
}

// An Intel processor with about everything.
std::vector<CpuidEntry> rich_host() {
  return {
      {0, 0, false, 0x16, letters("Genu"), letters("ntel"), letters("ineI")},
      {1, 0, false, 0x906ea, 0x05100800, 0xffffffff, 0xffffffff},
      {4, 0, true, 0x1c004121, 0x01c0003f, 0x3f, 0},
      {4, 3, true, 0x1c03c163, 0x03c0003f, 0x2fff, 6},
      {4, 4, true, 0, 0, 0, 0},
      {5, 0, false, 0x40, 0x40, 3, 0x11142120},
      {6, 0, false, 0x27f7, 2, 9, 0},
      {7, 0, true, 0, 0xffffffff, 0, 0},
      {0xa, 0, false, 0x07300404, 0, 0, 0x603},
      {0xb, 0, true, 1, 2, 0x100, 5},
      {0xb, 1, true, 4, 12, 0x201, 5},
      {0xd, 0, true, 7, 0x340, 0x340, 0},
      {0x40000000, 0, false, 0x40000001, letters("KVMK"), letters("VMKV"), letters("M\0\0\0")},
      {0x40000001, 0, false, 0xffffffff, 0, 0, 0},
      {0x80000000, 0, false, 0x80000021, 0, 0, 0},
      {0x80000001, 0, false, 0, 0, 0xffffffff, 0x2c100800},
      {0x80000002, 0, false, letters("Inte"), letters("l(R)"), letters(" Cor"), letters("e(TM")},
      {0x80000007, 0, false, 0, 0, 0, 0x100},
      {0x80000008, 0, false, 0x3027, 0, 0, 0},
      {0x8000001d, 0, true, 0x121, 0, 0, 0},
  };
}

// What a KVM without hardware behind it offers on an AMD host.
std::vector<CpuidEntry> masked_amd_host() {
  return {
      {0, 0, false, 0xd, letters("Auth"), letters("cAMD"), letters("enti")},
      {1, 0, false, 0x00a00f11, 0x00020800, 0x81202000, 0x078bfbff},
      {0x80000000, 0, false, 0x80000021, letters("Auth"), letters("cAMD"), letters("enti")},
      {0x80000001, 0, false, 0x00a00f11, 0x40000000, 0x00400393, 0x23d3fbff},
      {0x80000002, 0, false, 0, 0, 0, 0},
      {0x80000003, 0, false, 0, 0, 0, 0},
      {0x80000004, 0, false, 0, 0, 0, 0},
      {0x80000008, 0, false, 0x3030, 0x10000005, 0x7001, 0},
  };
}

const CpuidEntry* find(const std::vector<CpuidEntry>& leaves, std::uint32_t function, std::uint32_t index = 0) {
  const auto found =
      std::ranges::find_if(leaves, [&](const auto& leaf) { return leaf.function == function && leaf.index == index; });
  return found == leaves.end() ? nullptr : &*found;
}

constexpr CpuModel kFour{.count = 4, .has_tsc_deadline = true, .has_kvm_hypercalls = true};

TEST(Cpuid, masks_what_the_machine_has_not) {
  const auto leaves = compose_cpuid(rich_host(), kFour, 0);
  const auto features = find(leaves, 1)->ecx;
  EXPECT_EQ(features & 1u << 3, 0u) << "MONITOR";
  EXPECT_EQ(features & 1u << 5, 0u) << "VMX";
  EXPECT_EQ(features & 1u << 27, 0u) << "OSXSAVE";
  EXPECT_NE(features & 1u << 0, 0u) << "SSE3 stays";
  EXPECT_EQ(find(leaves, 0x80000001)->ecx & 1u << 2, 0u) << "SVM";
  EXPECT_EQ(find(leaves, 5), nullptr);
  EXPECT_EQ(find(leaves, 0xa), nullptr);
  EXPECT_EQ(find(leaves, 6)->eax, 4u);
  EXPECT_EQ(find(leaves, 7)->ebx & 1u << 2, 0u) << "SGX";
  EXPECT_EQ(find(leaves, 0x80000007)->edx, 0u);
}

TEST(Cpuid, says_that_kvm_is_there) {
  const auto leaves = compose_cpuid(rich_host(), kFour, 0);
  EXPECT_NE(find(leaves, 1)->ecx & 1u << 31, 0u);
  const auto* hypervisor = find(leaves, 0x40000000);
  ASSERT_NE(hypervisor, nullptr);
  EXPECT_EQ(hypervisor->eax, 0x40000001u);
  EXPECT_EQ(hypervisor->ebx, letters("KVMK"));
  EXPECT_EQ(hypervisor->ecx, letters("VMKV"));
  EXPECT_EQ(hypervisor->edx, letters("M\0\0\0"));
  EXPECT_EQ(find(leaves, 0x40000001)->eax & 0x69u, 0x69u) << "clock, steal time, EOI";
  EXPECT_EQ(find(leaves, 0x40000001)->eax & 1u << 4, 0u) << "asynchronous page faults are not saved";
}

TEST(Cpuid, another_accelerator_does_not_claim_to_be_kvm) {
  const auto leaves = compose_cpuid(rich_host(), {.count = 1}, 0);
  EXPECT_EQ(find(leaves, 0x40000000), nullptr);
  EXPECT_EQ(find(leaves, 1)->ecx & 1u << 24, 0u) << "no TSC deadline";
}

TEST(Cpuid, topology_of_four_cores) {
  const auto leaves = compose_cpuid(rich_host(), kFour, 3);
  EXPECT_EQ(find(leaves, 1)->ebx, 0x03040800u);
  EXPECT_NE(find(leaves, 1)->edx & 1u << 28, 0u);
  EXPECT_EQ(*find(leaves, 0xb, 0), (CpuidEntry{0xb, 0, true, 0, 1, 0x100, 3}));
  EXPECT_EQ(*find(leaves, 0xb, 1), (CpuidEntry{0xb, 1, true, 2, 4, 0x201, 3}));
  EXPECT_EQ(*find(leaves, 0xb, 2), (CpuidEntry{0xb, 2, true, 0, 0, 2, 3}));
  EXPECT_EQ(find(leaves, 4, 0)->eax, 3u << 26 | 0x121) << "the first level is not shared";
  EXPECT_EQ(find(leaves, 4, 3)->eax, 3u << 26 | 3u << 14 | 0x163) << "the third is";
}

TEST(Cpuid, one_core_has_no_siblings) {
  const auto leaves = compose_cpuid(rich_host(), {.count = 1}, 0);
  EXPECT_EQ(find(leaves, 1)->ebx, 0x00010800u);
  EXPECT_EQ(find(leaves, 1)->edx & 1u << 28, 0u);
  EXPECT_EQ(find(leaves, 0xb, 1)->eax, 0u);
}

TEST(Cpuid, odd_counts_round_up_their_ids) {
  const auto leaves = compose_cpuid(rich_host(), {.count = 3}, 2);
  EXPECT_EQ(find(leaves, 0xb, 1)->eax, 2u);
  EXPECT_EQ(find(leaves, 0xb, 1)->ebx, 3u);
}

TEST(Cpuid, masked_host_stays_masked) {
  const auto leaves = compose_cpuid(masked_amd_host(), kFour, 0);
  EXPECT_EQ(find(leaves, 1)->ecx & 1u, 0u) << "no SSE3";
  EXPECT_GE(find(leaves, 0)->eax, 0xbu);
  EXPECT_LE(find(leaves, 0x80000000)->eax, 0x80000008u);
}

TEST(Cpuid, amd_cores_are_counted_in_their_own_leaf) {
  const auto leaves = compose_cpuid(masked_amd_host(), kFour, 0);
  EXPECT_EQ(find(leaves, 0x80000008)->ecx, 2u << 12 | 3);
  EXPECT_NE(find(leaves, 0x80000001)->ecx & 2u, 0u) << "CmpLegacy";
  EXPECT_EQ(find(compose_cpuid(rich_host(), kFour, 0), 0x80000008)->ecx, 0u);
}

TEST(Cpuid, nameless_processor_gets_a_name) {
  const auto leaves = compose_cpuid(masked_amd_host(), kFour, 0);
  EXPECT_EQ(find(leaves, 0x80000002)->eax, letters("mini"));
  EXPECT_EQ(find(compose_cpuid(rich_host(), kFour, 0), 0x80000002)->eax, letters("Inte"));
}

}  // namespace
