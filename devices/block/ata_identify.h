// The 512 bytes that IDENTIFY DEVICE answers. [ATA6 8.15]
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace devices::block {

// Cylinders, heads, sectors: how commands without LBA count. [ATA6 annex B]
struct Geometry {
  std::uint16_t cylinders = 0;
  std::uint8_t heads = 16;
  std::uint8_t sectors = 63;
};
Geometry default_geometry(std::uint64_t sectors);

struct AtaIdentity {
  std::string model;
  std::string serial;
  std::uint64_t sectors = 0;
  Geometry geometry;          // as INITIALIZE DEVICE PARAMETERS left it
  std::uint8_t multiple = 0;  // sectors a block; 0: READ/WRITE MULTIPLE are off
  std::uint8_t transfer_mode = 0;
  bool write_cache = true;
  bool read_ahead = true;
  unsigned queue_depth = 0;  // of a SATA disk; 0: a parallel ATA disk
};

using IdentifyData = std::array<std::uint8_t, 512>;
IdentifyData ata_identify(const AtaIdentity& identity);

// A word of identify data; also which transfer mode is chosen, for disks and packet devices alike.
void put_identify_word(IdentifyData& data, unsigned index, unsigned value);
void put_identify_modes(IdentifyData& data, std::uint8_t transfer_mode);
// Whether SET FEATURES may choose this mode.
bool is_transfer_mode(std::uint8_t mode);

constexpr const char* kFirmwareRevision = "0.1";

}  // namespace devices::block
