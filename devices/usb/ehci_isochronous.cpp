#include "devices/usb/ehci_isochronous.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::usb {

using namespace abi::ehci;

namespace {

constexpr std::uint32_t kPage = 4096;

// A buffer that begins in one page and may go on in another.
bool gather(const core::GuestMemory& memory, std::uint32_t first, std::uint32_t offset, std::uint32_t second,
            std::uint32_t length, core::GuestIoVector& out) {
  const auto part = std::min(length, kPage - offset);
  if (part > 0 && !memory.gather(core::Gpa((first & ~(kPage - 1)) + offset), part, out)) return false;
  return part == length || memory.gather(core::Gpa(second & ~(kPage - 1)), length - part, out);
}

}  // namespace

UsbResult EhciIsochronous::submit(UsbPacket& packet, std::uint8_t address) {
  auto* const device = find_device_(address);
  if (device == nullptr) return UsbResult::NoResponse;
  const auto result = device->submit(packet);
  if (result != UsbResult::Pending) return result;
  device->cancel(packet);
  return UsbResult::Nak;
}

std::uint32_t EhciIsochronous::run(std::uint32_t address, EhciEvents& events) {
  auto itd = watch_.read<IsochronousTd>(memory_, address);
  if (!itd) {
    events.system_error = true;
    return kTerminate;
  }
  for (unsigned i = 0; i < kMicroframes; ++i) {
    const std::uint32_t transaction = itd->transaction[i];
    if ((transaction & ITD_ACTIVE) == 0) continue;
    const core::le32 done = transact(*itd, transaction, events);
    if (events.system_error) return kTerminate;
    if (!memory_.write(core::Gpa(address + 4 + 4 * i), done)) events.system_error = true;
  }
  return itd->next;
}

// [EHCI 3.3.2] Status and, for what comes from the device, its length.
std::uint32_t EhciIsochronous::transact(const IsochronousTd& itd, std::uint32_t transaction, EhciEvents& events) {
  constexpr unsigned kPages = 7;
  const std::uint32_t target = itd.buffer[0];
  const bool is_in = (itd.buffer[1] & ITD_IN) != 0;
  const auto length = std::min(core::bits(transaction, 16, 12), kLongestTransaction);
  const auto page = core::bits(transaction, 12, 3);
  const auto offset = core::bits(transaction, 0, 12);
  std::uint32_t status = transaction & ~(ITD_ACTIVE | ITD_BUFFER_ERROR | ITD_BABBLE | ITD_ERROR);
  events.worked = true;
  events.interrupt |= (transaction & ITD_IOC) != 0;
  const bool crosses = offset + length > kPage;
  if (page + (crosses ? 1 : 0) >= kPages) {
    events.error = true;
    return status | ITD_BUFFER_ERROR;
  }
  UsbPacket packet{.pid = is_in ? Pid::In : Pid::Out, .endpoint = static_cast<std::uint8_t>(core::bits(target, 8, 4))};
  if (!gather(memory_, itd.buffer[page], offset, crosses ? itd.buffer[page + 1] : core::le32(), length, packet.data)) {
    events.system_error = true;
    return status;
  }
  switch (submit(packet, static_cast<std::uint8_t>(core::bits(target, 0, 7)))) {
    case UsbResult::Done:
    case UsbResult::Nak: break;  // nothing to send: an empty packet
    case UsbResult::Babble: status |= ITD_BABBLE; break;
    default: status |= ITD_ERROR; break;
  }
  events.error |= (status & (ITD_BABBLE | ITD_ERROR)) != 0;
  if (is_in) status = (status & ~ITD_LENGTH) | (packet.transferred << 16);
  return status;
}

std::uint32_t EhciIsochronous::run_split(std::uint32_t address, EhciEvents& events) {
  const auto sitd = watch_.read<SplitIsochronousTd>(memory_, address);
  if (!sitd) {
    events.system_error = true;
    return kTerminate;
  }
  const std::uint32_t state = sitd->state;
  if ((state & SITD_ACTIVE) == 0) return sitd->next;
  const std::uint32_t target = sitd->endpoint;
  const auto length = std::min(core::bits(state, 16, 10), kLongestSplit);
  const auto page = core::bits(state, 30, 1);
  UsbPacket packet{.pid = (target & SITD_IN) != 0 ? Pid::In : Pid::Out,
                   .endpoint = static_cast<std::uint8_t>(core::bits(target, 8, 4))};
  const std::uint32_t offset = sitd->buffer[0] & (kPage - 1);
  if (!gather(memory_, sitd->buffer[page], offset, sitd->buffer[1], length, packet.data)) {
    events.system_error = true;
    return kTerminate;
  }
  std::uint32_t status = 0;
  switch (submit(packet, static_cast<std::uint8_t>(core::bits(target, 0, 7)))) {
    case UsbResult::Done:
    case UsbResult::Nak: break;
    case UsbResult::Babble: status = SITD_BABBLE; break;
    default: status = SITD_TRANSACTION_ERROR; break;
  }
  events.worked = true;
  events.error |= status != 0;
  events.interrupt |= (state & SITD_IOC) != 0;
  const std::uint32_t left = length - packet.transferred;
  const core::le32 done = (state & ~((0x3ffU << 16) | 0xffU)) | (left << 16) | status;
  if (!memory_.write(core::Gpa(address + kSplitStateOffset), done)) events.system_error = true;
  return sitd->next;
}

std::uint32_t EhciIsochronous::pass_by(std::uint32_t address, EhciEvents& events) {
  const auto next = watch_.read<core::le32>(memory_, address);
  if (!next) events.system_error = true;
  return next ? std::uint32_t{*next} : kTerminate;
}

}  // namespace devices::usb
