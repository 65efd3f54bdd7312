#include "devices/block/atapi_replies.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "devices/block/ata_identify.h"

namespace devices::block {

using namespace abi;

namespace {

constexpr std::uint8_t kDataTrack = 0x14;  // ADR 1, CONTROL 4: an uninterrupted data track [MMC5 table 482]
constexpr std::uint32_t kLeadInFrames = 150;

void put_be16(Reply& reply, std::size_t at, std::uint32_t value) {
  reply[at] = static_cast<std::uint8_t>(value >> 8);
  reply[at + 1] = static_cast<std::uint8_t>(value);
}

void put_be32(Reply& reply, std::size_t at, std::uint64_t value) {
  put_be16(reply, at, static_cast<std::uint32_t>(value >> 16));
  put_be16(reply, at + 2, static_cast<std::uint32_t>(value));
}

std::array<std::uint8_t, 3> msf_of(std::uint64_t lba) {
  const auto frames = lba + kLeadInFrames;
  return {static_cast<std::uint8_t>(frames / (75 * 60)), static_cast<std::uint8_t>(frames / 75 % 60),
          static_cast<std::uint8_t>(frames % 75)};
}

void append_address(Reply& reply, std::uint64_t lba, bool msf) {
  if (msf) {
    const auto [minute, second, frame] = msf_of(lba);
    reply.insert(reply.end(), {0, minute, second, frame});
  } else {
    reply.insert(reply.end(), 4, 0);
    put_be32(reply, reply.size() - 4, lba);
  }
}

void put_text(Reply& reply, std::size_t at, std::size_t length, std::string_view text) {
  for (std::size_t i = 0; i < length; ++i)
    reply[at + i] = i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{' '};
}

void append_track(Reply& reply, std::uint8_t track, std::uint64_t lba, bool msf) {
  reply.insert(reply.end(), {0, kDataTrack, track, 0});
  append_address(reply, lba, msf);
}

std::optional<Reply> track_list(const DriveView& drive, bool msf, unsigned start) {
  constexpr std::uint8_t kLeadOut = 0xaa;
  if (start > 1 && start != kLeadOut) return std::nullopt;
  Reply reply{0, 0, 1, 1};  // first and last track
  if (start <= 1) append_track(reply, 1, 0, msf);
  append_track(reply, kLeadOut, drive.sectors, msf);
  return reply;
}

// [MMC5 table 490] entries of the lead-in, always with absolute times.
Reply full_toc(const DriveView& drive) {
  const auto end = msf_of(drive.sectors);
  const auto begin = msf_of(0);
  Reply reply{0, 0, 1, 1};  // first and last session
  const auto entry = [&reply](std::uint8_t point, std::array<std::uint8_t, 3> time) {
    reply.insert(reply.end(), {1, kDataTrack, 0, point, 0, 0, 0, 0, time[0], time[1], time[2]});
  };
  entry(0xa0, {1, 0, 0});  // first track; a CD-ROM disc
  entry(0xa1, {1, 0, 0});  // last track
  entry(0xa2, end);
  entry(1, begin);
  return reply;
}

void append_feature(Reply& reply, unsigned code, std::uint8_t flags, std::initializer_list<std::uint8_t> data) {
  reply.insert(reply.end(), {static_cast<std::uint8_t>(code >> 8), static_cast<std::uint8_t>(code), flags,
                             static_cast<std::uint8_t>(data.size())});
  reply.insert(reply.end(), data);
}

void append_page(Reply& reply, unsigned code, bool changeable, std::initializer_list<std::uint8_t> data) {
  reply.push_back(static_cast<std::uint8_t>(code));
  reply.push_back(static_cast<std::uint8_t>(data.size()));
  // Nothing can be changed: the mask of what can is zero.
  if (changeable) {
    reply.insert(reply.end(), data.size(), 0);
  } else {
    reply.insert(reply.end(), data);
  }
}

// [MMC3 6.3.11] what the mechanism can do; MMC-5 calls the page legacy, but drivers still read it.
void append_capabilities(Reply& reply, const DriveView& drive, bool changeable) {
  constexpr std::uint8_t kTrayLoader = 1 << 5;
  constexpr std::uint8_t kEject = 1 << 3;
  constexpr std::uint8_t kLockState = 1 << 1;
  constexpr std::uint8_t kLock = 1 << 0;
  const auto lock = static_cast<std::uint8_t>(kTrayLoader | kEject | kLock | (drive.locked ? kLockState : 0));
  append_page(reply, kPageCapabilities, changeable,
              {0x3b,        // reads CD-R, CD-RW, method 2, DVD-ROM, DVD-R
               0x00,        // writes nothing
               0x70,        // multisession, mode 2 forms 1 and 2
               0x00,        // no audio
               lock, 0x00,  //
               0x02, 0xc2,  // 706 kB/s at most: four times
               0x00, 0x02,  // volume levels
               0x02, 0x00,  // 512 KiB buffer
               0x02, 0xc2,  // 706 kB/s now
               0x00, 0x00, 0x00, 0x00});
}

}  // namespace

std::uint16_t DriveView::profile() const {
  if (!medium) return kProfileNone;
  return sectors > kMaxCdSectors ? kProfileDvdRom : kProfileCdRom;
}

Reply sense_reply(const Sense& sense) {
  Reply reply(18);
  reply[0] = 0x70;  // current error, fixed format
  reply[2] = sense.key;
  reply[7] = 10;  // bytes that follow
  put_be16(reply, 12, sense.code);
  return reply;
}

Reply inquiry_reply(const std::string& model) {
  Reply reply(36);
  reply[0] = 0x05;  // CD/DVD
  reply[1] = 0x80;  // removable
  reply[3] = 0x21;  // ATAPI, response format 1 [SFF-8020i table 46]
  reply[4] = static_cast<std::uint8_t>(reply.size() - 5);
  put_text(reply, 8, 8, "MINIVMM");
  put_text(reply, 16, 16, model);
  put_text(reply, 32, 4, kFirmwareRevision);
  return reply;
}

Reply capacity_reply(const DriveView& drive) {
  Reply reply(8);
  put_be32(reply, 0, std::min<std::uint64_t>(drive.sectors - 1, 0xffff'ffff));
  put_be32(reply, 4, kCdSectorSize);
  return reply;
}

Reply configuration_reply(const DriveView& drive, unsigned requested, std::uint16_t first_feature) {
  constexpr std::uint8_t kCurrent = 1;
  constexpr std::uint8_t kPersistentCurrent = 3;
  const auto profile = drive.profile();
  const auto is_profile = [profile](std::uint16_t p) { return static_cast<std::uint8_t>(profile == p ? kCurrent : 0); };
  Reply reply(8);
  put_be16(reply, 6, profile);
  // `requested` [MMC5 6.6.2.1]: 0 all from first_feature on, 1 those that are current, 2 first_feature alone.
  const auto offer = [&](unsigned code, std::uint8_t flags, std::initializer_list<std::uint8_t> data) {
    if (requested == 2 ? code != first_feature : code < first_feature) return;
    if (requested == 1 && (flags & kCurrent) == 0) return;
    append_feature(reply, code, flags, data);
  };
  offer(0x000, kPersistentCurrent,
        {0, kProfileDvdRom, is_profile(kProfileDvdRom), 0,  // profile list
         0, kProfileCdRom, is_profile(kProfileCdRom), 0});
  offer(0x001, kPersistentCurrent | (2 << 2), {0, 0, 0, 2, 1, 0, 0, 0});  // core, version 2: ATAPI, device busy event
  offer(0x002, kPersistentCurrent | (1 << 2), {2, 0, 0, 0});              // morphing: operational change events
  offer(0x003, kPersistentCurrent, {0x29, 0, 0, 0});                      // removable medium: tray, eject, lock
  offer(0x010, drive.medium ? kCurrent : 0, {0, 0, 8, 0, 0, 1, 0, 0});    // random readable, 2048 bytes a block
  offer(0x01e, is_profile(kProfileCdRom), {0, 0, 0, 0});                  // CD read
  offer(0x01f, is_profile(kProfileDvdRom), {0, 0, 0, 0});                 // DVD read
  put_be32(reply, 0, reply.size() - 4);
  return reply;
}

Reply media_event_reply(const DriveView& drive, unsigned classes, MediaEvent event) {
  constexpr std::uint8_t kNoEventAvailable = 0x80;
  constexpr std::uint8_t kSupported = 1 << kMediaClass;
  if ((classes & kSupported) == 0) return {0, 2, kNoEventAvailable, kSupported};
  const auto status = static_cast<std::uint8_t>((drive.tray_open ? 1 : 0) | (drive.medium ? 2 : 0));
  return {0, 6, kMediaClass, kSupported, static_cast<std::uint8_t>(event), status, 0, 0};
}

Reply disc_information_reply() {
  Reply reply(34);
  put_be16(reply, 0, 32);
  reply[2] = 0x0e;  // complete session, finalized disc
  reply[3] = 1;     // first track on the disc
  reply[4] = 1;     // sessions
  reply[5] = 1;     // first track in the last session
  reply[6] = 1;     // last track in the last session
  reply[7] = 0x20;  // unrestricted use
  return reply;
}

Reply mechanism_reply(const DriveView& drive) {
  Reply reply(8);
  reply[1] = drive.tray_open ? 0x10 : 0;
  reply[5] = 1;  // slots
  return reply;
}

std::optional<Reply> mode_sense_reply(const DriveView& drive, unsigned page, bool changeable) {
  const bool all = page == kPageAll;
  if (!all && page != kPageErrorRecovery && page != kPageAudioControl && page != kPageCapabilities) return std::nullopt;
  Reply reply(8);
  // [SFF-8020i table 50] medium type: tray open, no disc, a data disc of 120 mm
  reply[2] = drive.tray_open ? 0x71 : drive.medium ? 0x01 : 0x70;
  if (all || page == kPageErrorRecovery) append_page(reply, kPageErrorRecovery, changeable, {0, 5, 0, 0, 0, 0});
  if (all || page == kPageAudioControl) {
    append_page(reply, kPageAudioControl, changeable, {4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  }
  if (all || page == kPageCapabilities) append_capabilities(reply, drive, changeable);
  put_be16(reply, 0, static_cast<std::uint32_t>(reply.size() - 2));
  return reply;
}

std::optional<Reply> toc_reply(const DriveView& drive, unsigned format, bool msf, unsigned start) {
  std::optional<Reply> reply;
  switch (format) {
    case 0: reply = track_list(drive, msf, start); break;
    case 1:  // sessions: the first track of the last one
      reply = Reply{0, 0, 1, 1, 0, kDataTrack, 1, 0};
      append_address(*reply, 0, msf);
      break;
    case 2:
      if (start <= 1) reply = full_toc(drive);
      break;
    default: break;
  }
  if (reply) put_be16(*reply, 0, static_cast<std::uint32_t>(reply->size() - 2));
  return reply;
}

void put_raw_sector(std::uint64_t lba, const std::uint8_t* data, std::uint8_t* out) {
  const auto bcd = [](unsigned n) { return static_cast<std::uint8_t>((n / 10) << 4 | n % 10); };
  std::fill_n(out, kRawCdSectorSize, std::uint8_t{0});
  std::fill_n(out + 1, 10, std::uint8_t{0xff});
  const auto [minute, second, frame] = msf_of(lba);
  out[12] = bcd(minute);
  out[13] = bcd(second);
  out[14] = bcd(frame);
  out[15] = 1;  // mode 1
  std::copy_n(data, kCdSectorSize, out + 16);
}

}  // namespace devices::block
