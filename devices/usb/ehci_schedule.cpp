#include "devices/usb/ehci_schedule.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::usb {

using namespace abi::ehci;

namespace {

constexpr unsigned kFrameLinks = 256;            // of a frame
constexpr unsigned kRingLinks = 512;             // of a run
constexpr std::uint32_t kRingBytes = 256 << 10;  // of a run: longer ones would keep a CPU that looks at a register
constexpr unsigned kRetiredTogether = 8;         // descriptors of one queue, before the next queue's turn
constexpr std::uint64_t kForgetAfter = 1024;     // frames: a queue may be in one of them only
constexpr std::uint64_t kForgetRing = 8;         // rounds; a doorbell forgets at once

std::uint32_t frame_entry(std::uint32_t list, std::uint64_t frame) {
  return list + 4 * static_cast<std::uint32_t>(frame % kListFrames);
}

LinkType type_of(std::uint32_t link) {
  return static_cast<LinkType>(core::bits(link, 1, 2));
}

}  // namespace

EhciEvents EhciSchedule::run_frame(std::uint32_t list, std::uint64_t frame, When when) {
  EhciEvents events;
  periodic_.in_flight().next_pass();
  const auto first = watch_.read<core::le32>(memory_, frame_entry(list, frame));
  if (!first) events.system_error = true;
  std::uint32_t link = first ? std::uint32_t{*first} : kTerminate;
  for (unsigned links = 0; links < kFrameLinks && (link & kTerminate) == 0 && !events.system_error; ++links) {
    const auto address = link & kLinkAddress;
    switch (type_of(link)) {
      case LinkType::Isochronous:
        link = when == When::Now ? isochronous_.run(address, events) : isochronous_.pass_by(address, events);
        break;
      case LinkType::SplitIsochronous:
        link = when == When::Now ? isochronous_.run_split(address, events) : isochronous_.pass_by(address, events);
        break;
      case LinkType::Queue: link = periodic_.run(address, 1, events).next; break;
      // [EHCI 4.12.2.2] splits are not spread over frames here: the normal path
      case LinkType::FrameSpan: link = isochronous_.pass_by(address, events); break;
    }
  }
  periodic_.in_flight().cancel_unmet(kForgetAfter);
  return events;
}

// False: the list has no way round.
bool EhciSchedule::go_round(std::uint32_t& head, Budget& budget, EhciEvents& events) {
  asynchronous_.in_flight().next_pass();
  std::uint32_t address = head & kLinkAddress;
  std::uint32_t start = address;
  bool has_head = false;
  while (budget.links > 0 && budget.bytes > 0) {
    --budget.links;
    const auto visit = asynchronous_.run(address, kRetiredTogether, events);
    if (!visit.is_valid || events.system_error) return false;
    budget.bytes -= std::min(budget.bytes, visit.moved);
    if (visit.is_head && !has_head) {
      has_head = true;
      start = head = address;
    }
    if ((visit.next & kTerminate) != 0 || type_of(visit.next) != LinkType::Queue) return false;
    address = visit.next & kLinkAddress;
    if (address == start) return true;
  }
  return false;
}

EhciEvents EhciSchedule::run_ring(std::uint32_t& head) {
  EhciEvents all;
  Budget budget{.bytes = kRingBytes, .links = kRingLinks};
  for (bool again = true; again;) {
    EhciEvents events;
    again = go_round(head, budget, events) && events.worked;
    if (again || !events.worked) asynchronous_.in_flight().cancel_unmet(kForgetRing);
    all.worked |= events.worked;
    all.interrupt |= events.interrupt;
    all.error |= events.error;
    all.system_error |= events.system_error;
  }
  return all;
}

void EhciSchedule::forget_unlinked(std::uint32_t head) {
  auto& packets = asynchronous_.in_flight();
  if (packets.empty()) return;
  packets.next_pass();
  std::uint32_t address = head & kLinkAddress;
  for (unsigned links = 0; links < kRingLinks; ++links) {
    packets.meet(address);
    const auto next = watch_.read<core::le32>(memory_, address);
    if (!next || (*next & kTerminate) != 0) break;
    address = *next & kLinkAddress;
    if (address == (head & kLinkAddress)) break;
  }
  packets.cancel_unmet(1);
}

void EhciSchedule::cancel_all() {
  periodic_.in_flight().cancel_all();
  asynchronous_.in_flight().cancel_all();
}

}  // namespace devices::usb
