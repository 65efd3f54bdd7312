#include "devices/virtio/virtio_console.h"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <utility>

#include "core/base/assert.h"
#include "devices/virtio/virtio_console_abi.h"

namespace devices::virtio {

using namespace abi;

namespace {

constexpr std::uint16_t kPortQueueSize = 128;
constexpr std::uint16_t kControlQueueSize = 32;
constexpr std::size_t kChunk = std::size_t{32} << 10;  // what Linux sends at a time
// What a port sends in one go, so that a driver which never stops cannot hold a CPU in here.
constexpr std::uint64_t kBudget = 1 << 20;
constexpr core::GuestTime kPause = std::chrono::microseconds(20);
// Messages that wait for the driver: a driver that makes more of them than this does not read them.
constexpr std::size_t kMaxPending = 1024;

}  // namespace

// One port and its stream.
class VirtioConsole::Port final : public core::CharStreamObserver {
 public:
  Port(VirtioConsole& device, std::uint32_t port_number, PortConfig config)
      : number(port_number), name(std::move(config.name)), stream(*config.stream), device_(device) {}
  ~Port() override {
    stream.set_receiver(nullptr);
    stream.set_observer(nullptr);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  void attach() {
    stream.set_observer(this);
    stream.set_receiver([this](std::span<const std::uint8_t> bytes, core::Batch batch) {
      const std::scoped_lock guard(device_.host().device_lock());
      const auto taken = device_.receive(*this, bytes);
      if (batch == core::Batch::Ends) device_.tell_received(*this);
      return taken;
    });
  }

  void peer_changed(bool present) override {
    const std::scoped_lock guard(device_.host().device_lock());
    host_open = present;
    tell_open();
  }
  void tell_open() {
    if (!device_.running_ || !ready || told_open == host_open) return;
    told_open = host_open;
    device_.tell(number, kPortOpen, host_open ? 1 : 0);
  }
  void room_again() override {
    const std::scoped_lock guard(device_.host().device_lock());
    if (device_.running_) device_.transmit(*this);
  }

  bool is_console() const { return name.empty(); }
  void set_guest_open(bool open) {
    guest_open = open;
    stream.guest_opened(open);
    stream.ready_to_receive();
  }
  // What the stream knows is of another time.
  void state_loaded() {
    buffers = 0;
    tell_open();
    stream.guest_opened(false);
    set_guest_open(guest_open);
  }
  void reset() {
    ready = false;
    if (guest_open) stream.guest_opened(false);
    guest_open = false;
    told_open = false;
    sent = 0;
    buffers = 0;
  }
  void visit(core::StateVisitor& visitor) {
    visitor.field("ready", ready);
    visitor.field("guest_open", guest_open);
    visitor.field("told_open", told_open);
    visitor.field("sent", sent);
  }

  const std::uint32_t number;
  const std::string name;
  core::CharStream& stream;
  bool ready = false;  // the driver knows it
  bool guest_open = false;
  bool host_open = false;     // now; not of the guest's state
  bool told_open = false;     // what the driver was told last
  std::uint64_t sent = 0;     // of the chain that is next in the transmit queue
  std::uint16_t buffers = 0;  // that the driver has to receive into, as far as they were seen; not saved

 private:
  VirtioConsole& device_;
};

VirtioConsole::VirtioConsole(std::vector<PortConfig> ports, core::GuestClock& clock) : clock_(clock) {
  ports_.emplace_back();
  for (auto& config : ports) {
    if (config.name.empty()) {
      MV_ASSERT(ports_[0] == nullptr, "a console device has one console");
      ports_[0] = std::make_unique<Port>(*this, 0, std::move(config));
    } else {
      const auto number = static_cast<std::uint32_t>(ports_.size());
      ports_.push_back(std::make_unique<Port>(*this, number, std::move(config)));
    }
  }
  MV_ASSERT(ports_.size() <= kMaxPorts + 1, "a console device has at most 31 named ports");
}

VirtioConsole::~VirtioConsole() = default;

std::uint16_t VirtioConsole::type() const {
  return kConsoleType;
}

std::uint64_t VirtioConsole::features() const {
  return std::uint64_t{1} << kConsoleMultiport | std::uint64_t{1} << kConsoleEmergencyWrite;
}

std::vector<std::uint16_t> VirtioConsole::queue_sizes() const {
  std::vector<std::uint16_t> sizes(2 * (ports_.size() + 1), kPortQueueSize);
  sizes[kControlReceive] = kControlQueueSize;
  sizes[kControlTransmit] = kControlQueueSize;
  return sizes;
}

std::vector<std::uint8_t> VirtioConsole::config() const {
  ConsoleConfig config{};
  config.max_ports = static_cast<std::uint32_t>(ports_.size());
  const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof config>>(config);
  return {bytes.begin(), bytes.end()};
}

// [5.3.4] What a kernel says when it can do no more.
void VirtioConsole::write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  if (offset == kEmergencyWriteOffset && ports_[0] && !bytes.empty()) ports_[0]->stream.write(bytes.first(1));
}

void VirtioConsole::attached() {
  timer_ = clock_.create_timer(host().device_lock(), [this] {
    take_control_messages();
    for (const auto& port : ports_) {
      if (port) transmit(*port);
    }
  });
  for (const auto& port : ports_) {
    if (port) port->attach();
  }
}

bool VirtioConsole::has_ports() const {
  return host().has_feature(kConsoleMultiport);
}

VirtioConsole::Port* VirtioConsole::port_at(std::uint32_t number) const {
  return number < ports_.size() ? ports_[number].get() : nullptr;
}

VirtioConsole::Port* VirtioConsole::port_of_queue(unsigned queue) const {
  return port_at(queue < kControlReceive ? 0 : queue / 2 - 1);
}

void VirtioConsole::queue_notified(unsigned queue) {
  if (queue == kControlReceive) return send_pending();
  if (queue == kControlTransmit) return take_control_messages();
  auto* port = port_of_queue(queue);
  if (port == nullptr) return;
  if (queue == transmit_queue(port->number)) return transmit(*port);
  port->stream.ready_to_receive();
}

// --- control messages ------------------------------------------------------------------------------------------------

void VirtioConsole::take_control_messages() {
  Chain chain;
  for (unsigned taken = 0; pop(kControlTransmit, chain); ++taken) {
    if (taken == kControlQueueSize) {
      host().queue(kControlTransmit).unpop();
      timer_->arm(clock_.now() + kPause);
      break;
    }
    std::array<std::uint8_t, sizeof(ControlMessage)> bytes{};
    const bool whole = chain.readable.read(0, bytes);
    push(kControlTransmit, chain, 0);
    const auto message = std::bit_cast<ControlMessage>(bytes);
    if (whole) handle_control(message.port, message.event, message.value);
  }
  host().notify_used(kControlTransmit);
}

// [5.3.6.2]
void VirtioConsole::handle_control(std::uint32_t number, std::uint16_t event, std::uint16_t value) {
  if (event == kDeviceReady) {
    if (value != 1) return;
    for (const auto& port : ports_) {
      if (port) tell(port->number, kPortAdd, 1);
    }
    return;
  }
  auto* port = port_at(number);
  if (port == nullptr) return;
  if (event == kPortReady && value == 1) {
    port->ready = true;
    if (port->is_console()) tell(number, kConsolePort, 1);
    if (!port->is_console()) tell(number, kPortName, 1);
    port->tell_open();
  } else if (event == kPortOpen) {
    port->set_guest_open(value != 0);
  }
}

void VirtioConsole::tell(std::uint32_t port, std::uint16_t event, std::uint16_t value) {
  if (pending_.size() >= kMaxPending) return host().need_reset();
  pending_.push_back({port, event, value});
  send_pending();
}

void VirtioConsole::send_pending() {
  Chain chain;
  std::size_t sent = 0;
  for (; sent < pending_.size() && pop(kControlReceive, chain); ++sent) {
    const auto& [number, event, value] = pending_[sent];
    const auto head =
        std::bit_cast<std::array<std::uint8_t, sizeof(ControlMessage)>>(ControlMessage{number, event, value});
    std::vector<std::uint8_t> bytes(head.begin(), head.end());
    const auto* port = port_at(number);
    if (event == kPortName && port != nullptr) {
      bytes.insert(bytes.end(), port->name.begin(), port->name.end());
      bytes.push_back(0);
    }
    const auto part = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), chain.writable.size()));
    chain.writable.write(0, part);
    push(kControlReceive, chain, part.size());
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(sent));
  if (sent > 0) host().notify_used(kControlReceive);
}

// --- data ------------------------------------------------------------------------------------------------------------

// False if the rest of the chain has to wait.
bool VirtioConsole::transmit_chain(Port& port, const Chain& chain, std::uint64_t& budget) {
  std::array<std::uint8_t, kChunk> chunk;
  while (port.sent < chain.readable.size()) {
    const auto part = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), chain.readable.size() - port.sent));
    if (budget < part.size()) {
      timer_->arm(clock_.now() + kPause);
      return false;
    }
    chain.readable.read(port.sent, part);
    const auto taken = port.stream.write_some(part);
    port.sent += taken;
    budget -= taken;
    if (taken < part.size()) return false;
  }
  port.sent = 0;
  return true;
}

void VirtioConsole::transmit(Port& port) {
  const auto queue = transmit_queue(port.number);
  auto budget = kBudget;
  Chain chain;
  while (pop(queue, chain)) {
    if (budget == 0) timer_->arm(clock_.now() + kPause);
    if (budget == 0 || !transmit_chain(port, chain, budget)) {
      host().queue(queue).unpop();
      break;
    }
    push(queue, chain, 0);
    budget -= std::min<std::uint64_t>(budget, sizeof(Chain));  // an empty chain costs something, too
  }
  host().notify_used(queue);
}

// Until the queue is empty or there is no more; returns how much went.
std::size_t VirtioConsole::fill(Port& port, std::span<const std::uint8_t> bytes) {
  const auto queue = receive_queue(port.number);
  std::size_t taken = 0;
  for (Chain chain; taken < bytes.size() && pop(queue, chain);) {
    const auto part = bytes.subspan(taken, std::min<std::uint64_t>(bytes.size() - taken, chain.writable.size()));
    chain.writable.write(0, part);
    push(queue, chain, part.size());
    taken += part.size();
  }
  return taken;
}

// Returns how much the guest had room for. A driver gives its buffers back one by one as they are read. It need not
// ring for each: while it reads one half of them there is time to fill the other.
std::size_t VirtioConsole::receive(Port& port, std::span<const std::uint8_t> bytes) {
  const bool listens = has_ports() ? port.guest_open : port.number == 0;
  if (!running_ || !host().is_driver_ready() || !listens) return 0;
  auto& queue = host().queue(receive_queue(port.number));
  port.buffers = std::max(port.buffers, queue.waiting());
  auto taken = fill(port, bytes);
  while (taken < bytes.size() && !queue.broken() && !queue.ring_after(port.buffers / 2))
    taken += fill(port, bytes.subspan(taken));
  return taken;
}

void VirtioConsole::tell_received(const Port& port) {
  host().notify_used(receive_queue(port.number));
}

void VirtioConsole::set_running(bool running) {
  running_ = running;
  if (running) timer_->arm(clock_.now() + kPause);  // for what had no room meanwhile
  for (const auto& port : ports_) {
    if (!port) continue;
    if (!running) {
      tell_received(*port);  // of a batch that did not end
    } else {
      port->tell_open();
      port->stream.ready_to_receive();
    }
  }
}

// --- reset and state -------------------------------------------------------------------------------------------------

void VirtioConsole::reset() {
  pending_.clear();
  if (timer_) timer_->cancel();
  for (const auto& port : ports_) {
    if (port) port->reset();
  }
}

void VirtioConsole::Pending::visit(core::StateVisitor& visitor) {
  visitor.field("port", port);
  visitor.field("event", event);
  visitor.field("value", value);
}

void VirtioConsole::visit(core::StateVisitor& visitor) {
  for (const auto& port : ports_) {
    if (!port) continue;
    visitor.enter("port" + std::to_string(port->number));
    port->visit(visitor);
    visitor.leave();
  }
  visitor.field("pending", pending_, kMaxPending);
}

core::Result<> VirtioConsole::state_loaded() {
  timer_->arm(clock_.now() + kPause);
  for (const auto& port : ports_) {
    if (port) port->state_loaded();
  }
  return {};
}

}  // namespace devices::virtio
