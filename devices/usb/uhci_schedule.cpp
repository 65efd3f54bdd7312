#include "devices/usb/uhci_schedule.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::usb {

using namespace abi::uhci;

namespace {

constexpr std::uint32_t kFrameBytes = 1280;  // what is left of 12 Mbit/s after its overhead [USB 5.8.4]
constexpr unsigned kFrameLinks = 1024;       // protects the host against lists that take no bandwidth
constexpr std::uint64_t kForgetAfter = 256;  // frames: longer than any driver's period

Pid pid_of(std::uint32_t token) {
  return static_cast<Pid>(token & 0xff);
}

bool is_pid(std::uint32_t token) {
  const auto pid = pid_of(token);
  return pid == Pid::In || pid == Pid::Out || pid == Pid::Setup;
}

std::uint32_t frame_entry(std::uint32_t list, std::uint64_t frame) {
  return list + 4 * static_cast<std::uint32_t>(frame % kListFrames);
}

std::uint32_t length_of(std::uint32_t token) {
  return ((token >> 21) + 1) & 0x7ff;
}

}  // namespace

UhciSchedule::Events UhciSchedule::run_frame(std::uint32_t list, std::uint64_t frame, When when) {
  events_ = {};
  when_ = when;
  bytes_left_ = kFrameBytes;
  links_left_ = kFrameLinks;
  queues_met_.clear();
  in_flight_.next_pass();
  const auto first = watch_.read<core::le32>(memory_, frame_entry(list, frame));
  std::uint32_t link = first ? std::uint32_t{*first} : system_error();
  while ((link & kTerminate) == 0 && bytes_left_ > 0 && links_left_ > 0) {
    link = (link & kQueueHead) != 0 ? run_queue(link & kLinkAddress) : run_descriptor(link & kLinkAddress);
  }
  in_flight_.cancel_unmet(kForgetAfter);
  return events_;
}

std::uint32_t UhciSchedule::system_error() {
  events_.system_error = true;
  return kTerminate;
}

// A queue that comes again with nothing retired since will do nothing but come again.
bool UhciSchedule::runs_in_circles(std::uint32_t queue) {
  if (std::ranges::find(queues_met_, queue) != queues_met_.end()) return true;
  queues_met_.push_back(queue);
  return false;
}

// Descriptors that say "depth first" go on in the queue; else, and when one is not done yet, it is the next queue's
// turn. [UHCI 3.4.2] Returns the next link.
std::uint32_t UhciSchedule::run_queue(std::uint32_t address) {
  if (runs_in_circles(address)) return kTerminate;
  while (links_left_ > 0 && bytes_left_ > 0) {
    --links_left_;
    const auto queue = watch_.read<QueueHead>(memory_, address);
    if (!queue) return system_error();
    const std::uint32_t element = queue->element;
    if ((element & kTerminate) != 0) return queue->head;
    if ((element & kQueueHead) != 0) return element;
    const auto at = element & kLinkAddress;
    auto td = watch_.read<TransferDescriptor>(memory_, at);
    if (!td) return system_error();
    const auto step = execute(at, *td);
    if (step == Step::Fault) return kTerminate;
    if (step != Step::Retired) return queue->head;
    if (!memory_.write(core::Gpa(address + kElementOffset), td->link)) return system_error();
    if ((td->link & kDepthFirst) == 0) return queue->head;
  }
  return kTerminate;
}

std::uint32_t UhciSchedule::run_descriptor(std::uint32_t address) {
  --links_left_;
  auto td = watch_.read<TransferDescriptor>(memory_, address);
  if (!td) return system_error();
  if (when_ == When::Ahead) return td->link;
  return execute(address, *td) == Step::Fault ? kTerminate : std::uint32_t{td->link};
}

UhciSchedule::Step UhciSchedule::execute(std::uint32_t address, TransferDescriptor& td) {
  const std::uint32_t status = td.status;
  if ((status & TD_ACTIVE) == 0) {
    // [UHCI 3.2.2] It interrupts nevertheless.
    events_.complete |= (status & TD_IOC) != 0;
    return Step::Inactive;
  }
  const std::uint32_t token = td.token;
  const auto length = length_of(token);
  if (!is_pid(token) || length > kLongestPacket) {
    events_.process_error = true;
    return Step::Fault;
  }
  const PacketsInFlight::Key key{address, (std::uint64_t{token} << 32) | td.buffer};
  auto outcome = in_flight_.find(key);
  if (!outcome) outcome = submit(key, token, td.buffer, length);
  if (!outcome) return Step::Fault;
  const auto step = conclude(*outcome, length, td);
  const bool changed = td.status != status;
  if (changed && !memory_.write(core::Gpa(address + kStatusOffset), td.status)) {
    events_.system_error = true;
    return Step::Fault;
  }
  return step;
}

// nullopt: the buffer is not in RAM.
std::optional<PacketsInFlight::Outcome> UhciSchedule::submit(const PacketsInFlight::Key& key, std::uint32_t token,
                                                             std::uint32_t buffer, std::uint32_t length) {
  UsbPacket packet{.pid = pid_of(token), .endpoint = static_cast<std::uint8_t>(core::bits(token, 15, 4))};
  if (length > 0 && !memory_.gather(core::Gpa(buffer), length, packet.data)) {
    events_.system_error = true;
    return std::nullopt;
  }
  auto* const device = find_device_(static_cast<std::uint8_t>(core::bits(token, 8, 7)));
  if (device == nullptr) return PacketsInFlight::Outcome{UsbResult::NoResponse, 0};
  return in_flight_.submit(key, *device, std::move(packet));
}

UhciSchedule::Step UhciSchedule::conclude(const PacketsInFlight::Outcome& outcome, std::uint32_t length,
                                          TransferDescriptor& td) {
  const bool isochronous = (td.status & TD_ISOCHRONOUS) != 0;
  switch (outcome.result) {
    case UsbResult::Done: break;
    case UsbResult::Stall: return fail(td, TD_STALLED);
    case UsbResult::Babble: return fail(td, TD_STALLED | TD_BABBLE);
    case UsbResult::NoResponse: return no_response(td);
    case UsbResult::Nak:
      // An isochronous transaction is not tried again: there was none.
      if (isochronous) return no_response(td);
      td.status = td.status | TD_NAK;
      return Step::NotNow;
    case UsbResult::Pending: return Step::NotNow;
  }
  const std::uint32_t status = td.status;
  events_.worked = true;
  queues_met_.clear();
  bytes_left_ -= std::min(bytes_left_, std::max(outcome.transferred, 8U));  // an empty packet has a cost, too
  td.status = (status & ~(TD_ACTUAL | TD_RESULTS | TD_ACTIVE)) | ((outcome.transferred - 1) & TD_ACTUAL);
  events_.complete |= (status & TD_IOC) != 0;
  const bool is_short = pid_of(td.token) == Pid::In && outcome.transferred < length;
  if (!is_short || (status & TD_SHORT_PACKET) == 0) return Step::Retired;
  events_.short_packet = true;
  return Step::ShortPacket;  // the queue stays where it is [UHCI 3.2.2]
}

UhciSchedule::Step UhciSchedule::fail(TransferDescriptor& td, std::uint32_t results) {
  events_.worked = true;
  events_.error = true;
  events_.complete |= (td.status & TD_IOC) != 0;
  td.status = (td.status & ~(TD_ACTIVE | TD_ACTUAL | TD_RESULTS)) | TD_ACTUAL | results;
  return Step::NotNow;
}

// Three times at most, if the descriptor has a limit. [UHCI 3.2.2]
UhciSchedule::Step UhciSchedule::no_response(TransferDescriptor& td) {
  if ((td.status & TD_ISOCHRONOUS) != 0) {
    fail(td, TD_TIMEOUT);
    return Step::Retired;
  }
  const auto errors = (td.status & TD_ERRORS) >> TD_ERRORS_SHIFT;
  if (errors == 1) {
    td.status = td.status & ~TD_ERRORS;
    return fail(td, TD_STALLED | TD_TIMEOUT);
  }
  td.status = td.status | TD_TIMEOUT;
  if (errors == 0) return Step::NotNow;
  td.status = (td.status & ~TD_ERRORS) | ((errors - 1) << TD_ERRORS_SHIFT);
  events_.worked = true;  // it is tried again soon
  return Step::NotNow;
}

}  // namespace devices::usb
