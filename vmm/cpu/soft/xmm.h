// An XMM register and its views.
#pragma once

#include <cstdint>
#include <cstring>
#include <emmintrin.h>

namespace vmm::cpu::soft {

struct alignas(16) Xmm {
  std::uint8_t bytes[16];

  template <class T>
  T get(unsigned index = 0) const {
    T value;
    std::memcpy(&value, bytes + index * sizeof(T), sizeof value);
    return value;
  }
  template <class T>
  void set(T value, unsigned index = 0) {
    std::memcpy(bytes + index * sizeof(T), &value, sizeof value);
  }
  __m128i integer() const { return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes)); }
  void set_integer(__m128i value) { _mm_store_si128(reinterpret_cast<__m128i*>(bytes), value); }
};

}  // namespace vmm::cpu::soft
