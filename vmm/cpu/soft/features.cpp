#include "vmm/cpu/soft/features.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cpuid.h>
#include <fmt/format.h>

#include "vmm/cpu/soft/mmu.h"
#include "vmm/cpu/soft/xsave_image.h"

namespace vmm::cpu::soft {

namespace {

constexpr std::uint32_t kExtendedBase = 0x8000'0000;

enum class Word : std::uint8_t { Leaf1Edx, Leaf1Ecx, Leaf7Ebx, Leaf7Ecx, ExtendedEcx, ExtendedEdx, PowerEdx, XsaveEax };

struct FeatureBit {
  Feature feature;
  Word word;
  unsigned bit;
};
// [SDM 2A CPUID] [APM 3 appendix E.4]
constexpr FeatureBit kBits[] = {
    {Feature::Fpu, Word::Leaf1Edx, 0},          {Feature::Vme, Word::Leaf1Edx, 1},
    {Feature::De, Word::Leaf1Edx, 2},           {Feature::Pse, Word::Leaf1Edx, 3},
    {Feature::Tsc, Word::Leaf1Edx, 4},          {Feature::Msr, Word::Leaf1Edx, 5},
    {Feature::Pae, Word::Leaf1Edx, 6},          {Feature::Mce, Word::Leaf1Edx, 7},
    {Feature::Cx8, Word::Leaf1Edx, 8},          {Feature::Apic, Word::Leaf1Edx, 9},
    {Feature::Sep, Word::Leaf1Edx, 11},         {Feature::Mtrr, Word::Leaf1Edx, 12},
    {Feature::Pge, Word::Leaf1Edx, 13},         {Feature::Mca, Word::Leaf1Edx, 14},
    {Feature::Cmov, Word::Leaf1Edx, 15},        {Feature::Pat, Word::Leaf1Edx, 16},
    {Feature::Pse36, Word::Leaf1Edx, 17},       {Feature::Clflush, Word::Leaf1Edx, 19},
    {Feature::Mmx, Word::Leaf1Edx, 23},         {Feature::Fxsr, Word::Leaf1Edx, 24},
    {Feature::Sse, Word::Leaf1Edx, 25},         {Feature::Sse2, Word::Leaf1Edx, 26},
    {Feature::Sse3, Word::Leaf1Ecx, 0},         {Feature::Pclmulqdq, Word::Leaf1Ecx, 1},
    {Feature::Ssse3, Word::Leaf1Ecx, 9},        {Feature::Cx16, Word::Leaf1Ecx, 13},
    {Feature::Pcid, Word::Leaf1Ecx, 17},        {Feature::Sse41, Word::Leaf1Ecx, 19},
    {Feature::Sse42, Word::Leaf1Ecx, 20},       {Feature::X2apic, Word::Leaf1Ecx, 21},
    {Feature::Movbe, Word::Leaf1Ecx, 22},       {Feature::Popcnt, Word::Leaf1Ecx, 23},
    {Feature::TscDeadline, Word::Leaf1Ecx, 24}, {Feature::Aes, Word::Leaf1Ecx, 25},
    {Feature::Xsave, Word::Leaf1Ecx, 26},       {Feature::Rdrand, Word::Leaf1Ecx, 30},
    {Feature::Hypervisor, Word::Leaf1Ecx, 31},  {Feature::Fsgsbase, Word::Leaf7Ebx, 0},
    {Feature::TscAdjust, Word::Leaf7Ebx, 1},    {Feature::Bmi1, Word::Leaf7Ebx, 3},
    {Feature::Smep, Word::Leaf7Ebx, 7},         {Feature::Bmi2, Word::Leaf7Ebx, 8},
    {Feature::Erms, Word::Leaf7Ebx, 9},         {Feature::Invpcid, Word::Leaf7Ebx, 10},
    {Feature::Rdseed, Word::Leaf7Ebx, 18},      {Feature::Adx, Word::Leaf7Ebx, 19},
    {Feature::Smap, Word::Leaf7Ebx, 20},        {Feature::Clflushopt, Word::Leaf7Ebx, 23},
    {Feature::Umip, Word::Leaf7Ecx, 2},         {Feature::Rdpid, Word::Leaf7Ecx, 22},
    {Feature::LahfLm, Word::ExtendedEcx, 0},    {Feature::Lzcnt, Word::ExtendedEcx, 5},
    {Feature::Prefetchw, Word::ExtendedEcx, 8}, {Feature::Syscall, Word::ExtendedEdx, 11},
    {Feature::Nx, Word::ExtendedEdx, 20},       {Feature::Gbpages, Word::ExtendedEdx, 26},
    {Feature::Rdtscp, Word::ExtendedEdx, 27},   {Feature::LongMode, Word::ExtendedEdx, 29},
    {Feature::InvariantTsc, Word::PowerEdx, 8}, {Feature::Xsaveopt, Word::XsaveEax, 0},
    {Feature::Fma, Word::Leaf1Ecx, 12},         {Feature::Avx, Word::Leaf1Ecx, 28},
    {Feature::F16c, Word::Leaf1Ecx, 29},        {Feature::Avx2, Word::Leaf7Ebx, 5},
};
static_assert(std::size(kBits) == static_cast<std::size_t>(Feature::Count));
// Leaf 1 EDX that AMD's extended leaf repeats. [APM 3 E.4.2]
constexpr std::uint32_t kRepeatedEdx = 0x0183'f3ff;

constexpr std::string_view kIntel = "GenuineIntel";
constexpr std::string_view kAmd = "AuthenticAMD";

constexpr std::uint32_t signature(std::uint32_t family, std::uint32_t model, std::uint32_t stepping) {
  const std::uint32_t base_family = std::min(family, 15u);
  return (family - base_family) << 20 | model >> 4 << 16 | base_family << 8 | (model & 15) << 4 | stepping;
}

constexpr Feature kPentium3[] = {
    Feature::Fpu,  Feature::Vme, Feature::De,    Feature::Pse, Feature::Tsc,  Feature::Msr, Feature::Pae,
    Feature::Mce,  Feature::Cx8, Feature::Apic,  Feature::Sep, Feature::Mtrr, Feature::Pge, Feature::Mca,
    Feature::Cmov, Feature::Pat, Feature::Pse36, Feature::Mmx, Feature::Fxsr, Feature::Sse, Feature::Hypervisor};
constexpr Feature kQemu32[] = {Feature::Clflush, Feature::Sse2, Feature::Sse3};
// x86-64-v2, and what makes guests quicker or start sooner. What costs an emulation more than it gives (SMAP, XSAVE
// with nothing beyond SSE in it, identifiers of address spaces) is left to "max".
constexpr Feature kQemu64[] = {Feature::Ssse3,  Feature::Cx16,        Feature::Sse41,       Feature::Sse42,
                               Feature::Popcnt, Feature::LahfLm,      Feature::Syscall,     Feature::Nx,
                               Feature::Rdtscp, Feature::LongMode,    Feature::Gbpages,     Feature::X2apic,
                               Feature::Aes,    Feature::TscDeadline, Feature::TscAdjust,   Feature::Pclmulqdq,
                               Feature::Rdrand, Feature::Rdseed,      Feature::Prefetchw,   Feature::Fsgsbase,
                               Feature::Erms,   Feature::Clflushopt,  Feature::InvariantTsc};

// What x86-64-v3 has beyond that. [System V ABI, AMD64 supplement 1.0, 3.1.1]
constexpr Feature kLevel3[] = {Feature::Xsave, Feature::Xsaveopt, Feature::Avx, Feature::Avx2,  Feature::Bmi1,
                               Feature::Bmi2,  Feature::F16c,     Feature::Fma, Feature::Lzcnt, Feature::Movbe};

struct Model {
  std::string_view name;
  std::string_view vendor;
  std::uint32_t signature;
  std::string_view brand;
  std::array<std::span<const Feature>, 4> features;  // empty: all
};
// AMD's family 15: guests know it to be free of what needs their costly work-arounds (Meltdown's page table switch).
constexpr Model kModels[] = {
    {"qemu64", kAmd, signature(15, 107, 1), "minivmm 64-bit CPU", {kPentium3, kQemu32, kQemu64, {}}},
    {"qemu32", kIntel, signature(6, 6, 3), "minivmm 32-bit CPU", {kPentium3, kQemu32, {}, {}}},
    {"pentium3", kIntel, signature(6, 8, 3), "minivmm Pentium III", {kPentium3, {}, {}, {}}},
    {"x86-64-v3", kAmd, signature(15, 107, 1), "minivmm x86-64-v3 CPU", {kPentium3, kQemu32, kQemu64, kLevel3}},
    {"max", kAmd, signature(15, 107, 1), "minivmm CPU with everything", {}},
};
constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kModels)> names;
  std::ranges::transform(kModels, names.begin(), &Model::name);
  return names;
}();

// Executed by the same instruction of the host. Shuffles of all kinds are PSHUFB.
constexpr Feature kOfHost[] = {Feature::Sse3, Feature::Ssse3,     Feature::Sse41, Feature::Sse42, Feature::Aes,
                               Feature::Avx,  Feature::Pclmulqdq, Feature::Avx2,  Feature::F16c,  Feature::Fma};
constexpr Feature kNeededOfHost[] = {Feature::Sse3, Feature::Ssse3};

// AVX brings VEX forms of all that came before it; what builds on it is nothing without it.
constexpr Feature kOfAvx[] = {Feature::Avx, Feature::Avx2, Feature::F16c, Feature::Fma};
constexpr Feature kNeededByAvx[] = {Feature::Xsave, Feature::Sse41,     Feature::Sse42,
                                    Feature::Aes,   Feature::Pclmulqdq, Feature::Avx};

// Whether the host's system keeps YMM registers for its programs. [SDM 1 14.3]
bool host_saves_ymm(std::uint32_t leaf1_ecx) {
  constexpr std::uint32_t kOsxsave = 1u << 27;
  if ((leaf1_ecx & kOsxsave) == 0) return false;
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr std::uint32_t kBoth = kXstateSse | kXstateAvx;
  return (low & kBoth) == kBoth;
}

std::uint32_t four_letters(std::string_view text, std::size_t at) {
  std::array<char, 4> letters{};
  for (std::size_t i = 0; i < letters.size() && at + i < text.size(); ++i)
    letters[i] = text[at + i];
  return std::bit_cast<std::uint32_t>(letters);
}

}  // namespace

std::span<const std::string_view> CpuFeatures::models() {
  return kNames;
}

FeatureSet host_features() {
  FeatureSet features;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return features;
  const std::uint32_t leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) ebx = 0;
  for (const auto& [feature, word, bit] : kBits) {
    const std::uint32_t bits = word == Word::Leaf1Ecx ? leaf1_ecx : word == Word::Leaf7Ebx ? ebx : 0;
    if ((bits >> bit & 1) != 0) features.set(static_cast<std::size_t>(feature));
  }
  if (!host_saves_ymm(leaf1_ecx)) features.reset(static_cast<std::size_t>(Feature::Avx));
  return features;
}

core::Result<CpuFeatures> CpuFeatures::named(std::string_view model, const FeatureSet& host) {
  const auto* found = std::ranges::find(kModels, model, &Model::name);
  if (found == std::end(kModels)) {
    return core::fail("there is no CPU model \"{}\"; there are {}", model, fmt::join(kNames, ", "));
  }
  CpuFeatures features;
  for (const auto& part : found->features) {
    for (const Feature feature : part)
      features.features_.set(static_cast<std::size_t>(feature));
  }
  if (features.features_.none()) features.features_.set();
  for (const Feature feature : kNeededOfHost) {
    if (!host.test(static_cast<std::size_t>(feature)))
      return core::fail("the software CPU needs a host processor with SSSE3; this one is too old");
  }
  for (const Feature feature : kOfHost) {
    const auto index = static_cast<std::size_t>(feature);
    if (!host.test(index)) features.features_.reset(index);
  }
  const auto has_not = [&features](Feature feature) { return !features.has(feature); };
  if (std::ranges::any_of(kNeededByAvx, has_not)) {
    for (const Feature feature : kOfAvx)
      features.features_.reset(static_cast<std::size_t>(feature));
  }
  features.family_model_stepping_ = found->signature;
  features.vendor_ = found->vendor;
  features.brand_ = found->brand;
  return features;
}

const CpuFeatures& CpuFeatures::everything() {
  static const CpuFeatures features = named("max").value_or(CpuFeatures());
  return features;
}

std::vector<CpuidEntry> CpuFeatures::leaves() const {
  std::array<std::uint32_t, 8> words{};
  for (const auto& [feature, word, bit] : kBits) {
    if (has(feature)) words[static_cast<std::size_t>(word)] |= 1u << bit;
  }
  const auto word = [&words](Word which) { return words[static_cast<std::size_t>(which)]; };
  const bool amd = vendor_ == kAmd;
  const bool wide = has(Feature::LongMode);
  constexpr std::uint32_t kLastBasic = 0xd;
  constexpr std::uint32_t kLineBytes = 64;

  std::vector<CpuidEntry> leaves;
  leaves.push_back(
      {0, 0, false, kLastBasic, four_letters(vendor_, 0), four_letters(vendor_, 8), four_letters(vendor_, 4)});
  leaves.push_back({1, 0, false, family_model_stepping_, has(Feature::Clflush) ? kLineBytes / 8 << 8 : 0,
                    word(Word::Leaf1Ecx), word(Word::Leaf1Edx)});
  // Descriptors of the TLBs and caches of a Pentium III. [SDM 2A table 3-12]
  if (!amd) leaves.push_back({2, 0, false, 0x0302'0101, 0, 0, 0x0c04'0882});
  leaves.push_back({6, 0, false, 1u << 2, 0, 0, 0});  // the local APIC's timer always runs
  leaves.push_back({7, 0, true, 0, word(Word::Leaf7Ebx), word(Word::Leaf7Ecx), 0});
  if (has(Feature::Xsave)) {
    const std::uint32_t components = kXstateX87 | kXstateSse | (has(Feature::Avx) ? kXstateAvx : 0);
    leaves.push_back({kLastBasic, 0, true, components, xsave_bytes(kXstateX87), xsave_bytes(components), 0});
    leaves.push_back({kLastBasic, 1, true, word(Word::XsaveEax), 0, 0, 0});
    if (has(Feature::Avx)) leaves.push_back({kLastBasic, 2, true, kXsaveYmmBytes, kXsaveYmm, 0, 0});
  }

  leaves.push_back({kExtendedBase, 0, false, kExtendedBase + (wide ? 8u : 4u), four_letters(vendor_, 0),
                    four_letters(vendor_, 8), four_letters(vendor_, 4)});
  const auto repeated = amd ? word(Word::Leaf1Edx) & kRepeatedEdx : 0;
  leaves.push_back({kExtendedBase + 1, 0, false, amd ? family_model_stepping_ : 0, 0, word(Word::ExtendedEcx),
                    word(Word::ExtendedEdx) | repeated});
  for (std::uint32_t part = 0; part < 3; ++part) {
    leaves.push_back({kExtendedBase + 2 + part, 0, false, four_letters(brand_, std::size_t{part} * 16),
                      four_letters(brand_, std::size_t{part} * 16 + 4),
                      four_letters(brand_, std::size_t{part} * 16 + 8),
                      four_letters(brand_, std::size_t{part} * 16 + 12)});
  }
  if (!wide) return leaves;
  if (amd) {
    // 64 KiB of data and code each, 512 KiB behind them. [APM 3 E.4.4, E.4.5]
    leaves.push_back({kExtendedBase + 5, 0, false, 0x01ff'01ff, 0x01ff'01ff, 0x4002'0140, 0x4002'0140});
    leaves.push_back({kExtendedBase + 6, 0, false, 0, 0x4200'4200, 0x0200'8140, 0});
  }
  leaves.push_back({kExtendedBase + 7, 0, false, 0, 0, 0, word(Word::PowerEdx)});
  constexpr std::uint32_t kLinearBits = 48;
  leaves.push_back({kExtendedBase + 8, 0, false, kLinearBits << 8 | Mmu::kPhysicalBits, 0, 0, 0});
  return leaves;
}

}  // namespace vmm::cpu::soft
