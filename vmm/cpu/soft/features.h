// The CPU models of the software CPU: what CPUID tells, and the same facts for the decoder and the control registers,
// so that the two cannot disagree.
#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "vmm/cpu/cpuid.h"

namespace vmm::cpu::soft {

// Each is one CPUID bit (features.cpp has the table).
enum class Feature : std::uint8_t {
  Fpu,
  Vme,
  De,
  Pse,
  Tsc,
  Msr,
  Pae,
  Mce,
  Cx8,
  Apic,
  Sep,
  Mtrr,
  Pge,
  Mca,
  Cmov,
  Pat,
  Pse36,
  Clflush,
  Mmx,
  Fxsr,
  Sse,
  Sse2,
  Sse3,
  Pclmulqdq,
  Ssse3,
  Cx16,
  Pcid,
  Sse41,
  Sse42,
  Fma,
  X2apic,
  Movbe,
  Popcnt,
  TscDeadline,
  Aes,
  Xsave,
  Avx,
  F16c,
  Rdrand,
  Hypervisor,
  Fsgsbase,
  TscAdjust,
  Bmi1,
  Avx2,
  Smep,
  Bmi2,
  Erms,
  Invpcid,
  Rdseed,
  Adx,
  Smap,
  Clflushopt,
  Umip,
  Rdpid,
  LahfLm,
  Lzcnt,
  Prefetchw,
  Syscall,
  Nx,
  Gbpages,
  Rdtscp,
  LongMode,
  InvariantTsc,
  Xsaveopt,
  Count
};

using FeatureSet = std::bitset<static_cast<std::size_t>(Feature::Count)>;

// What the host's processor has of those that are executed by the host's own instructions.
FeatureSet host_features();

class CpuFeatures {
 public:
  // A model of models(); the error lists them. Without what is executed by instructions that the host lacks; a host
  // that lacks those which all models need is an error too.
  static core::Result<CpuFeatures> named(std::string_view model, const FeatureSet& host = host_features());
  static std::span<const std::string_view> models();  // the first one is the default
  static const CpuFeatures& everything();             // what the software CPU can do

  bool has(Feature feature) const { return features_[static_cast<std::size_t>(feature)]; }
  // For compose_cpuid(): the leaves of one CPU of this model.
  std::vector<CpuidEntry> leaves() const;

 private:
  FeatureSet features_;
  std::uint32_t family_model_stepping_ = 0;
  std::string_view vendor_;
  std::string_view brand_;
};

}  // namespace vmm::cpu::soft
