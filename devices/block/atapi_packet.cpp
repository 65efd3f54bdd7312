// The packet commands of a CD-ROM drive. [MMC5 6]
#include <algorithm>

#include "devices/block/atapi_cdrom.h"

namespace devices::block {

using namespace abi;

namespace {

std::uint16_t be16_at(std::span<const std::uint8_t> packet, std::size_t at) {
  return static_cast<std::uint16_t>((packet[at] << 8) | packet[at + 1]);
}

std::uint32_t be32_at(std::span<const std::uint8_t> packet, std::size_t at) {
  return (std::uint32_t{be16_at(packet, at)} << 16) | be16_at(packet, at + 2);
}

}  // namespace

std::span<const AtapiCdrom::Row> AtapiCdrom::rows() {
  constexpr bool kDisc = true;
  constexpr bool kData = true;
  constexpr bool kAlways = true;
  static constexpr Row kRows[] = {
      {&AtapiCdrom::test_unit_ready, TEST_UNIT_READY, kDisc},
      {&AtapiCdrom::request_sense, REQUEST_SENSE, false, kData, kAlways},
      {&AtapiCdrom::inquiry, INQUIRY, false, kData, kAlways},
      {&AtapiCdrom::start_stop, START_STOP_UNIT, false, false, kAlways},
      {&AtapiCdrom::prevent_removal, PREVENT_ALLOW_MEDIUM_REMOVAL},
      {&AtapiCdrom::read_capacity, READ_CAPACITY, kDisc, kData},
      {&AtapiCdrom::read_10, READ_10, kDisc, kData},
      {&AtapiCdrom::seek, SEEK_10, kDisc},
      {&AtapiCdrom::read_toc, READ_TOC_PMA_ATIP, kDisc, kData},
      {&AtapiCdrom::get_configuration, GET_CONFIGURATION, false, kData, kAlways},
      {&AtapiCdrom::get_event_status, GET_EVENT_STATUS_NOTIFICATION, false, kData, kAlways},
      {&AtapiCdrom::read_disc_information, READ_DISC_INFORMATION, kDisc, kData},
      {&AtapiCdrom::mode_sense, MODE_SENSE_10, false, kData},
      {&AtapiCdrom::read_12, READ_12, kDisc, kData},
      {&AtapiCdrom::test_unit_ready, SET_CD_SPEED},
      {&AtapiCdrom::mechanism_status, MECHANISM_STATUS, false, kData},
      {&AtapiCdrom::read_cd, READ_CD, kDisc, kData},
  };
  return kRows;
}

void AtapiCdrom::run_packet(const Packet& packet) {
  const auto all = rows();
  const auto row = std::ranges::find(all, packet[0], &Row::code);
  if (row != all.end() && row->moves_data && !state_.dma && state_.byte_limit == 0) return fail();  // [ATA6 8.23.4]
  if (packet[0] != REQUEST_SENSE) state_.sense = {};
  if (state_.attention && (row == all.end() || !row->before_attention)) {
    state_.attention = false;
    return check_condition(UNIT_ATTENTION, kMediumMayHaveChanged);
  }
  if (row == all.end()) return check_condition(ILLEGAL_REQUEST, kInvalidCommand);
  if (row->needs_disc && !view().medium) {
    return check_condition(NOT_READY, state_.tray_open ? kMediumNotPresentTrayOpen : kMediumNotPresentTrayClosed);
  }
  (this->*row->run)(packet);
}

void AtapiCdrom::check_condition(std::uint8_t key, std::uint16_t code) {
  state_.sense = {key, code};
  state_.sectors = 0;
  regs().error = static_cast<std::uint8_t>((key << 4) | (key == ILLEGAL_REQUEST ? ABRT : 0));
  regs().count[0] = CoD | IO;
  become_idle(kReady | ERR);
  bus().raise_irq();
}

void AtapiCdrom::test_unit_ready(const Packet&) {
  finish();
}

void AtapiCdrom::request_sense(const Packet& packet) {
  if (state_.sense.key == NO_SENSE && state_.attention) {
    state_.attention = false;
    state_.sense = {UNIT_ATTENTION, kMediumMayHaveChanged};
  }
  const auto answer = sense_reply(state_.sense);
  state_.sense = {};
  reply(answer, packet[4]);
}

void AtapiCdrom::inquiry(const Packet& packet) {
  constexpr std::uint8_t kVitalProductData = 1;
  if ((packet[1] & kVitalProductData) != 0 || packet[2] != 0) return invalid_field();
  reply(inquiry_reply(model_), packet[4]);
}

// [MMC5 6.45] byte 4: bit 0 start, bit 1 move the tray, bits 7-4 a power condition, which this drive ignores.
void AtapiCdrom::start_stop(const Packet& packet) {
  const bool start = (packet[4] & 1) != 0;
  const bool move_tray = (packet[4] & 2) != 0;
  if ((packet[4] & 0xf0) != 0 || !move_tray) return finish();
  if (!start && state_.locked) return check_condition(ILLEGAL_REQUEST, kMediumRemovalPrevented);
  if (start && state_.tray_open) {
    tray_closed();
  } else if (!start && !state_.tray_open) {
    state_.tray_open = true;
    state_.attention = false;
    state_.event = MediaEvent::MediaRemoval;
  }
  finish();
}

void AtapiCdrom::prevent_removal(const Packet& packet) {
  state_.locked = (packet[4] & 1) != 0;
  finish();
}

void AtapiCdrom::read_capacity(const Packet&) {
  const auto answer = capacity_reply(view());
  reply(answer, static_cast<std::uint32_t>(answer.size()));
}

void AtapiCdrom::read_10(const Packet& packet) {
  read(be32_at(packet, 2), be16_at(packet, 7), false);
}

void AtapiCdrom::read_12(const Packet& packet) {
  read(be32_at(packet, 2), be32_at(packet, 6), false);
}

// [MMC5 6.19] byte 9: which parts of the sectors; supported are user data alone and everything.
void AtapiCdrom::read_cd(const Packet& packet) {
  const auto lba = be32_at(packet, 2);
  const auto sectors = (std::uint32_t{packet[6]} << 16) | be16_at(packet, 7);
  constexpr std::uint8_t kSubchannels = 7;
  if ((packet[10] & kSubchannels) != 0) return invalid_field();
  switch (packet[9] & 0xf8) {
    case 0x00: return read(lba, 0, false);
    case 0x10: return read(lba, sectors, false);
    case 0xf8: return read(lba, sectors, true);
    default: return invalid_field();
  }
}

void AtapiCdrom::seek(const Packet& packet) {
  if (be32_at(packet, 2) >= view().sectors) return check_condition(ILLEGAL_REQUEST, kAddressOutOfRange);
  finish();
}

void AtapiCdrom::read_toc(const Packet& packet) {
  const bool msf = (packet[1] & 2) != 0;
  // The format's first home was the top of byte 9. [SFF-8020i 9.8.20]
  const unsigned format = (packet[2] & 0xf) != 0 ? packet[2] & 0xfU : packet[9] >> 6U;
  const auto answer = toc_reply(view(), format, msf, packet[6]);
  if (!answer) return invalid_field();
  reply(*answer, be16_at(packet, 7));
}

void AtapiCdrom::get_configuration(const Packet& packet) {
  const unsigned requested = packet[1] & 3;
  if (requested == 3) return invalid_field();
  reply(configuration_reply(view(), requested, be16_at(packet, 2)), be16_at(packet, 7));
}

void AtapiCdrom::get_event_status(const Packet& packet) {
  constexpr std::uint8_t kPolled = 1;
  if ((packet[1] & kPolled) == 0) return invalid_field();
  const auto answer = media_event_reply(view(), packet[4], state_.event);
  // An event is reported once.
  if ((packet[4] & (1 << kMediaClass)) != 0 && be16_at(packet, 7) > 4) state_.event = MediaEvent::NoChange;
  reply(answer, be16_at(packet, 7));
}

void AtapiCdrom::read_disc_information(const Packet& packet) {
  if ((packet[1] & 7) != 0) return invalid_field();  // only the standard block
  reply(disc_information_reply(), be16_at(packet, 7));
}

void AtapiCdrom::mode_sense(const Packet& packet) {
  enum Control : unsigned { Current, Changeable, Default, Saved };
  const unsigned control = packet[2] >> 6U;
  if (control == Saved) return check_condition(ILLEGAL_REQUEST, kSavingNotSupported);
  const auto answer = mode_sense_reply(view(), packet[2] & 0x3f, control == Changeable);
  if (!answer) return invalid_field();
  reply(*answer, be16_at(packet, 7));
}

void AtapiCdrom::mechanism_status(const Packet& packet) {
  reply(mechanism_reply(view()), be16_at(packet, 8));
}

}  // namespace devices::block
