// What the drivers have in common: requests in numbered slots, each with a buffer of its own.
#pragma once

#include <cstdint>

namespace bench {

constexpr unsigned kSlots = 32;
constexpr std::uint32_t kSectorBytes = 512;
constexpr std::uint32_t kMaxBytes = 128 << 10;  // of one request

struct Request {
  std::uint64_t offset = 0;  // bytes
  std::uint32_t bytes = 0;
  bool write = false;
};

// The buffers lie above what a BIOS uses, where the guest's image does not reach.
constexpr std::uintptr_t kBuffers = 32 << 20;
inline std::uintptr_t buffer_of(unsigned slot) {
  return kBuffers + std::uintptr_t{slot} * kMaxBytes;
}

}  // namespace bench
