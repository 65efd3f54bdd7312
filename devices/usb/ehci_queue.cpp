#include "devices/usb/ehci_queue.h"

#include <algorithm>

#include "core/base/bits.h"

namespace devices::usb {

using namespace abi::ehci;

namespace {

constexpr std::uint32_t kPage = 4096;
constexpr std::uint32_t kDescriptorCost = 64;  // of a run's budget, beside the bytes

std::uint32_t bytes_of(const QueueHead& queue) {
  return core::bits<std::uint32_t>(queue.overlay.token, QTD_BYTES_SHIFT, 15);
}

std::uint32_t page_of(const QueueHead& queue) {
  return core::bits<std::uint32_t>(queue.overlay.token, QTD_PAGE_SHIFT, 3);
}

std::optional<Pid> pid_of(const QueueHead& queue) {
  switch (core::bits<std::uint32_t>(queue.overlay.token, QTD_PID_SHIFT, 2)) {
    case 0: return Pid::Out;
    case 1: return Pid::In;
    case 2: return Pid::Setup;
    default: return std::nullopt;
  }
}

bool is_high_speed(const QueueHead& queue) {
  return core::bits<std::uint32_t>(queue.endpoint, 12, 2) == 2;
}

}  // namespace

EhciQueues::Visit EhciQueues::run(std::uint32_t address, unsigned most, EhciEvents& events) {
  Visit visit;
  auto queue = watch_.read<QueueHead>(memory_, address);
  if (!queue) {
    events.system_error = true;
    return visit;
  }
  visit.is_valid = true;
  visit.is_head = (queue->endpoint & QH_HEAD) != 0;
  visit.next = queue->next;
  visit.is_periodic = (queue->capabilities & QH_START_MASK) != 0;
  for (unsigned retired = 0; retired < most; ++retired) {
    if (work(address, *queue, visit, events) != Step::Retired) break;
  }
  return visit;
}

EhciQueues::Step EhciQueues::work(std::uint32_t address, QueueHead& queue, Visit& visit, EhciEvents& events) {
  if ((queue.overlay.token & QTD_HALTED) != 0) return Step::NotNow;
  const bool fetched = (queue.overlay.token & QTD_ACTIVE) == 0;
  if (fetched && !advance(queue, events)) return Step::NotNow;
  if (fetched && !write_back(address, queue, false, events)) return Step::Fault;
  return execute(address, queue, visit, events);
}

// [EHCI 4.10.2] The next descriptor becomes the overlay: after a short packet the alternate one. Those that are not
// active wait for their driver.
bool EhciQueues::advance(QueueHead& queue, EhciEvents& events) {
  const bool was_short = bytes_of(queue) != 0 && (queue.overlay.alternate & kTerminate) == 0;
  const std::uint32_t link = was_short ? queue.overlay.alternate : queue.overlay.next;
  if ((link & kTerminate) != 0) return false;
  const auto address = link & kLinkAddress;
  const auto qtd = watch_.read<TransferDescriptor>(memory_, address);
  if (!qtd) {
    events.system_error = true;
    return false;
  }
  if ((qtd->token & QTD_ACTIVE) == 0) return false;
  std::uint32_t kept = is_high_speed(queue) ? QTD_PING : 0;
  if ((queue.endpoint & QH_TOGGLE_FROM_QTD) == 0) kept |= QTD_TOGGLE;
  const std::uint32_t before = queue.overlay.token;
  queue.current = address;
  queue.overlay = *qtd;
  queue.overlay.token = (qtd->token & ~kept) | (before & kept);
  const auto nak_count = core::bits<std::uint32_t>(queue.endpoint, 28, 4) << 1;
  queue.overlay.alternate = (qtd->alternate & ~QH_NAK_COUNT) | nak_count;
  events.worked = true;
  return true;
}

EhciQueues::Step EhciQueues::execute(std::uint32_t address, QueueHead& queue, Visit& visit, EhciEvents& events) {
  const std::uint32_t token = queue.overlay.token;
  const auto bytes = bytes_of(queue);
  const PacketsInFlight::Key key{address, (std::uint64_t{queue.current} << 32) | token};
  auto outcome = in_flight_.find(key);
  if (!outcome) outcome = submit(key, queue, events);
  if (!outcome) {
    if (events.system_error) return Step::Fault;
    outcome = PacketsInFlight::Outcome{UsbResult::Babble, 0};
    halt(queue, QTD_BUFFER_ERROR, events);
    write_back(address, queue, true, events);
    return Step::NotNow;
  }
  const auto step = conclude(*outcome, queue, events);
  if (queue.overlay.token == token) return step;
  events.worked = true;
  visit.moved += bytes - std::min(bytes, bytes_of(queue)) + kDescriptorCost;
  const bool retired = (queue.overlay.token & QTD_ACTIVE) == 0;
  return write_back(address, queue, retired, events) ? step : Step::Fault;
}

// nullopt: the descriptor's PID or buffer list is wrong, or with a system error not in RAM.
std::optional<PacketsInFlight::Outcome> EhciQueues::submit(const PacketsInFlight::Key& key, const QueueHead& queue,
                                                           EhciEvents& events) {
  const auto pid = pid_of(queue);
  if (!pid) return std::nullopt;
  UsbPacket packet{.pid = *pid, .endpoint = static_cast<std::uint8_t>(core::bits<std::uint32_t>(queue.endpoint, 8, 4))};
  std::uint32_t offset = queue.overlay.buffer[0] % kPage;
  auto page = page_of(queue);
  for (auto left = bytes_of(queue); left > 0; ++page) {
    if (page >= kBuffers) return std::nullopt;
    const auto part = std::min(left, kPage - offset);
    const core::Gpa at((queue.overlay.buffer[page] & ~(kPage - 1)) + offset);
    if (!memory_.gather(at, part, packet.data)) {
      events.system_error = true;
      return std::nullopt;
    }
    left -= part;
    offset = 0;
  }
  auto* const device = find_device_(static_cast<std::uint8_t>(core::bits<std::uint32_t>(queue.endpoint, 0, 7)));
  if (device == nullptr) return PacketsInFlight::Outcome{UsbResult::NoResponse, 0};
  return in_flight_.submit(key, *device, std::move(packet));
}

EhciQueues::Step EhciQueues::conclude(const PacketsInFlight::Outcome& outcome, QueueHead& queue, EhciEvents& events) {
  switch (outcome.result) {
    case UsbResult::Done: return moved(outcome.transferred, queue, events);
    case UsbResult::Nak:
    case UsbResult::Pending: return Step::NotNow;
    case UsbResult::Stall: return halt(queue, 0, events);
    case UsbResult::Babble: return halt(queue, QTD_BABBLE, events);
    case UsbResult::NoResponse: break;
  }
  // [EHCI 4.10.3] without a limit it is tried for ever, and at leisure
  if ((queue.overlay.token & QTD_ERRORS_LEFT) == 0) return Step::NotNow;
  queue.overlay.token = queue.overlay.token & ~QTD_ERRORS_LEFT;
  return halt(queue, QTD_ERROR, events);
}

EhciQueues::Step EhciQueues::halt(QueueHead& queue, std::uint32_t status, EhciEvents& events) {
  queue.overlay.token = (queue.overlay.token & ~QTD_ACTIVE) | QTD_HALTED | status;
  events.error = true;
  events.interrupt |= (queue.overlay.token & QTD_IOC) != 0;
  return Step::NotNow;
}

// [EHCI 3.5.3, 4.10.4] bytes, page, offset and toggle go on; a descriptor ends with its bytes or a short packet.
EhciQueues::Step EhciQueues::moved(std::uint32_t bytes, QueueHead& queue, EhciEvents& events) {
  const auto wanted = bytes_of(queue);
  bytes = std::min(bytes, wanted);
  const bool is_in = pid_of(queue) == Pid::In;
  if (!is_in && bytes == 0 && wanted > 0) return Step::NotNow;
  const auto max_packet = std::max(core::bits<std::uint32_t>(queue.endpoint, 16, 11), 1U);
  const bool is_short = is_in && bytes < wanted;
  auto packets = (bytes + max_packet - 1) / max_packet;
  if (is_short && bytes % max_packet == 0) ++packets;  // an empty one ended it
  if (wanted == 0) packets = 1;
  const auto position = page_of(queue) * kPage + queue.overlay.buffer[0] % kPage + bytes;
  queue.overlay.buffer[0] = (queue.overlay.buffer[0] & ~(kPage - 1)) | (position % kPage);
  std::uint32_t token = queue.overlay.token & ~(QTD_BYTES | QTD_PAGE);
  token |= ((wanted - bytes) << QTD_BYTES_SHIFT) | (std::min(position / kPage, 7U) << QTD_PAGE_SHIFT);
  if (packets % 2 != 0) token ^= QTD_TOGGLE;
  const bool is_over = is_short || bytes == wanted;
  if (is_over) {
    token &= ~QTD_ACTIVE;
    events.interrupt |= (token & QTD_IOC) != 0 || is_short;
  }
  queue.overlay.token = token;
  return is_over ? Step::Retired : Step::NotNow;
}

// The overlay, and of a descriptor that is retired what its driver looks at. [EHCI 4.10.4]
bool EhciQueues::write_back(std::uint32_t address, const QueueHead& queue, bool retired, EhciEvents& events) {
  struct Overlay {
    core::le32 current;
    TransferDescriptor overlay;
  };
  bool written = memory_.write(core::Gpa(address + kCurrentOffset), Overlay{queue.current, queue.overlay});
  if (retired) {
    const auto at = (queue.current & kLinkAddress) + kTokenOffset;
    written = memory_.write(core::Gpa(at), queue.overlay.token) && written;
  }
  if (!written) events.system_error = true;
  return written;
}

}  // namespace devices::usb
