// What a CD-ROM drive tells about itself and its disc, as whole replies before the allocation length cuts them. The
// disc has one session with one data track. [MMC5 6]
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "devices/block/atapi_abi.h"

namespace devices::block {

using Reply = std::vector<std::uint8_t>;

struct DriveView {
  bool medium = false;
  bool tray_open = false;
  bool locked = false;
  std::uint64_t sectors = 0;  // of 2048 bytes

  std::uint16_t profile() const;
};

struct Sense {
  std::uint8_t key = abi::NO_SENSE;
  std::uint16_t code = abi::kNoAdditionalSense;
};

Reply sense_reply(const Sense& sense);
Reply inquiry_reply(const std::string& model);
Reply capacity_reply(const DriveView& drive);
Reply configuration_reply(const DriveView& drive, unsigned requested, std::uint16_t first_feature);
Reply media_event_reply(const DriveView& drive, unsigned classes, abi::MediaEvent event);
Reply disc_information_reply();
Reply mechanism_reply(const DriveView& drive);
// nullopt: there is no such page, track, session or format.
std::optional<Reply> mode_sense_reply(const DriveView& drive, unsigned page, bool changeable);
std::optional<Reply> toc_reply(const DriveView& drive, unsigned format, bool msf, unsigned start);

// The 12 bytes of sync and header before, and the zeros after, the data of a sector in a READ CD of everything; `data`
// is 2048 bytes, `out` 2352. [MMC5 4.2.3.8]
void put_raw_sector(std::uint64_t lba, const std::uint8_t* data, std::uint8_t* out);

}  // namespace devices::block
