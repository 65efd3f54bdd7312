// x87 instructions executed by the host's x87, under the guest's control word. [SDM 1 8]
//
// Unmasked exceptions are left unmasked in the host too, as their results differ: rounded for a wider exponent, or not
// stored. They become pending there and are cleared by FNCLEX before any instruction that would report them. Where an
// unmasked exception has no result of its own but would change how many values are on the host's stack, it is masked
// (Control::Masked).
#pragma once

#include <cstdint>

#include "vmm/cpu/soft/x87.h"

namespace vmm::cpu::soft {

// Loading and storing these is exact and raises nothing.
using HostReal [[gnu::may_alias]] = long double;
inline HostReal& real(X87::Register& value) {
  return reinterpret_cast<HostReal&>(value);
}

enum class Control : std::uint8_t { Guest, Masked };

// Between construction and destruction only `asm volatile`, which the compiler keeps there.
class HostX87 {
 public:
  explicit HostX87(const X87& fpu, Control control = Control::Guest)
      : control_(control == Control::Guest ? fpu.control : static_cast<std::uint16_t>(fpu.control | kFpuExceptions)) {
    // FNCLEX is slow. With everything masked, flags that the host has already do not matter if the guest has them too.
    std::uint16_t stale = kFpuExceptions;
    if ((fpu.control & kFpuExceptions) == kFpuExceptions) [[likely]] {
      asm volatile("fnstsw %0" : "=a"(stale));
      stale = stale & kFpuExceptions & static_cast<std::uint16_t>(~fpu.status);
    }
    if (stale != 0) asm volatile("fnclex");
    if (control_ != kUsual) asm volatile("fldcw %0" ::"m"(control_));
  }
  ~HostX87() {
    const std::uint16_t usual = kUsual;
    if (control_ != kUsual) asm volatile("fldcw %0" ::"m"(usual));
  }
  HostX87(const HostX87&) = delete;
  HostX87& operator=(const HostX87&) = delete;

 private:
  static constexpr std::uint16_t kUsual = 0x37f;  // the ABI's
  std::uint16_t control_;
};

// Each does one instruction on `value`, answers the status word, and leaves nothing pending.
struct Add {
  static std::uint16_t run(long double& value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fadd %2, %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "u"(other));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fadds %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(single));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("faddl %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(twice));
    return status;
  }
};
struct Multiply {
  static std::uint16_t run(long double& value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fmul %2, %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "u"(other));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fmuls %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(single));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("fmull %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(twice));
    return status;
  }
};
struct Subtract {
  static std::uint16_t run(long double& value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fsub %2, %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "u"(other));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fsubs %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(single));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("fsubl %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(twice));
    return status;
  }
};
struct SubtractReverse {
  static std::uint16_t run(long double& value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fsubr %2, %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "u"(other));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fsubrs %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(single));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("fsubrl %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(twice));
    return status;
  }
};
struct Divide {
  static std::uint16_t run(long double& value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fdiv %2, %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "u"(other));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fdivs %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(single));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("fdivl %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(twice));
    return status;
  }
};
struct DivideReverse {
  static std::uint16_t run(long double& value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fdivr %2, %0\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "u"(other));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fdivrs %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(single));
    return status;
  }
  static std::uint16_t run(long double& value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("fdivrl %2\n\tfnstsw %1\n\ttestb %b1, %b1\n\tjns 1f\n\tfnclex\n1:"
                 : "+t"(value), "=&a"(status)
                 : "m"(twice));
    return status;
  }
};
struct Compare {
  static std::uint16_t run(long double value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fcom %2\n\tfnstsw %0\n\ttestb %b0, %b0\n\tjns 1f\n\tfnclex\n1:"
                 : "=&a"(status)
                 : "t"(value), "u"(other));
    return status;
  }
  static std::uint16_t run(long double value, std::uint32_t single) {
    std::uint16_t status = 0;
    asm volatile("fcoms %2\n\tfnstsw %0\n\ttestb %b0, %b0\n\tjns 1f\n\tfnclex\n1:"
                 : "=&a"(status)
                 : "t"(value), "m"(single));
    return status;
  }
  static std::uint16_t run(long double value, std::uint64_t twice) {
    std::uint16_t status = 0;
    asm volatile("fcoml %2\n\tfnstsw %0\n\ttestb %b0, %b0\n\tjns 1f\n\tfnclex\n1:"
                 : "=&a"(status)
                 : "t"(value), "m"(twice));
    return status;
  }
};
struct CompareUnordered {
  static std::uint16_t run(long double value, long double other) {
    std::uint16_t status = 0;
    asm volatile("fucom %2\n\tfnstsw %0\n\ttestb %b0, %b0\n\tjns 1f\n\tfnclex\n1:"
                 : "=&a"(status)
                 : "t"(value), "u"(other));
    return status;
  }
};

}  // namespace vmm::cpu::soft
