// The block device. [virtio 1.2, 5.2]
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::virtio::abi {

constexpr std::uint16_t kBlockType = 2;

// [5.2.3] Feature bits
constexpr unsigned kBlkSegMax = 2;
constexpr unsigned kBlkReadOnly = 5;
constexpr unsigned kBlkBlockSize = 6;
constexpr unsigned kBlkFlush = 9;
constexpr unsigned kBlkTopology = 10;
constexpr unsigned kBlkConfigWce = 11;
constexpr unsigned kBlkMultiQueue = 12;
constexpr unsigned kBlkDiscard = 13;
constexpr unsigned kBlkWriteZeroes = 14;

// [5.2.4] Configuration layout
struct BlockConfig {
  core::le64 capacity;  // sectors
  core::le32 size_max;
  core::le32 seg_max;
  core::le16 cylinders;
  std::uint8_t heads;
  std::uint8_t sectors;
  core::le32 block_size;
  std::uint8_t physical_block_exponent;
  std::uint8_t alignment_offset;
  core::le16 minimum_io_size;
  core::le32 optimal_io_size;
  std::uint8_t writeback;
  std::uint8_t unused0;
  core::le16 queues;
  core::le32 max_discard_sectors;
  core::le32 max_discard_segments;
  core::le32 discard_sector_alignment;
  core::le32 max_write_zeroes_sectors;
  core::le32 max_write_zeroes_segments;
  std::uint8_t write_zeroes_may_unmap;
  std::uint8_t unused1[3];
};
static_assert(sizeof(BlockConfig) == 60);
constexpr std::uint64_t kWritebackOffset = 32;

// [5.2.6] A request begins with this and ends with a status byte.
struct BlockHeader {
  core::le32 type;
  core::le32 reserved;
  core::le64 sector;
};
static_assert(sizeof(BlockHeader) == 16);
constexpr std::uint32_t kBlkIn = 0;
constexpr std::uint32_t kBlkOut = 1;
constexpr std::uint32_t kBlkFlushRequest = 4;
constexpr std::uint32_t kBlkGetId = 8;
constexpr std::uint32_t kBlkDiscardRequest = 11;
constexpr std::uint32_t kBlkWriteZeroesRequest = 13;
constexpr std::uint64_t kBlkIdBytes = 20;

constexpr std::uint8_t kBlkOk = 0;
constexpr std::uint8_t kBlkIoError = 1;
constexpr std::uint8_t kBlkUnsupported = 2;

// [5.2.6] What a discard or write-zeroes request is about.
struct BlockRange {
  core::le64 sector;
  core::le32 sectors;
  core::le32 flags;
};
static_assert(sizeof(BlockRange) == 16);
constexpr std::uint32_t kBlkUnmap = 1;

}  // namespace devices::virtio::abi
