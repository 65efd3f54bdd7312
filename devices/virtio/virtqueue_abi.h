// The split virtqueue in guest memory. [virtio 1.2, 2.7]
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::virtio::abi {

// [2.7.5] A descriptor.
struct Descriptor {
  core::le64 address;
  core::le32 length;
  core::le16 flags;
  core::le16 next;
};
static_assert(sizeof(Descriptor) == 16);
constexpr std::uint16_t kNext = 1;
constexpr std::uint16_t kWrite = 2;
constexpr std::uint16_t kIndirect = 4;

// [2.7.6] The available ring, which the driver writes: flags, idx, ring[], used_event.
constexpr std::uint64_t kAvailableFlags = 0;
constexpr std::uint64_t kAvailableIndex = 2;
constexpr std::uint64_t kAvailableRing = 4;
constexpr std::uint64_t kAvailableEntry = 2;
constexpr std::uint16_t kNoInterrupt = 1;

// [2.7.8] The used ring, which the device writes: flags, idx, ring[], avail_event.
constexpr std::uint64_t kUsedFlags = 0;
constexpr std::uint64_t kUsedIndex = 2;
constexpr std::uint64_t kUsedRing = 4;
constexpr std::uint64_t kUsedEntry = 8;
constexpr std::uint16_t kNoNotify = 1;

struct UsedElement {
  core::le32 id;
  core::le32 length;
};
static_assert(sizeof(UsedElement) == kUsedEntry);

// The sizes of the three parts of a queue of `n` entries, each with its event field. [2.7]
constexpr std::uint64_t descriptor_bytes(std::uint64_t n) {
  return sizeof(Descriptor) * n;
}
constexpr std::uint64_t available_bytes(std::uint64_t n) {
  return kAvailableRing + kAvailableEntry * n + 2;
}
constexpr std::uint64_t used_bytes(std::uint64_t n) {
  return kUsedRing + kUsedEntry * n + 2;
}
// Where a legacy queue's used ring begins behind the available one. [2.7.2]
constexpr std::uint64_t kLegacyAlign = 4096;

}  // namespace devices::virtio::abi
