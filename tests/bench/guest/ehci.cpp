#include "tests/bench/guest/ehci.h"

#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

constexpr PciFunction kFunction{0x1d, 7};
constexpr std::uint8_t kVector = 0x43;

// [2.3] by offset from the operational registers
constexpr unsigned kCommand = 0x00;
constexpr unsigned kStatus = 0x04;
constexpr unsigned kInterrupts = 0x08;
constexpr unsigned kPeriodicList = 0x14;
constexpr unsigned kAsyncList = 0x18;
constexpr unsigned kConfigFlag = 0x40;
constexpr unsigned kPortStatus = 0x44;
constexpr std::uint32_t kRun = 1U << 0;
constexpr std::uint32_t kReset = 1U << 1;
constexpr std::uint32_t kPeriodic = 1U << 4;
constexpr std::uint32_t kAsync = 1U << 5;
constexpr std::uint32_t kAtOnce = 1U << 16;  // interrupt threshold: a microframe
constexpr std::uint32_t kDone = 1U << 0;
constexpr std::uint32_t kErrors = 1U << 4 | 1U << 1;
constexpr std::uint32_t kPortEnabled = 1U << 2;
constexpr std::uint32_t kPortReset = 1U << 8;
constexpr std::uint32_t kPortPower = 1U << 12;

constexpr std::uint32_t kEnd = 1;        // of a list
constexpr std::uint32_t kQueueLink = 2;  // type of what a link leads to
constexpr std::uint32_t kPage = 4096;
constexpr std::uint32_t kMostBytes = 4 * kPage;  // of one descriptor
constexpr unsigned kDescriptors = 8;             // of one transfer

// [3.5]
struct Descriptor {
  volatile std::uint32_t next;
  volatile std::uint32_t alternate;
  volatile std::uint32_t token;
  volatile std::uint32_t buffer[5];
};
constexpr std::uint32_t kActive = 1U << 7;
constexpr std::uint32_t kFailed = 0x78;  // halted, buffer, babble, transaction
constexpr std::uint32_t kIoc = 1U << 15;
constexpr std::uint32_t kThreeErrors = 3U << 10;
constexpr std::uint32_t kToggle = 1U << 31;
enum Pid : std::uint32_t { kOut = 0, kIn = 1, kSetup = 2 };

// [3.6], and descriptors for what is under way there
struct alignas(64) Queue {
  volatile std::uint32_t link;
  volatile std::uint32_t endpoint;
  volatile std::uint32_t capabilities;
  volatile std::uint32_t current;
  Descriptor overlay;
  std::uint32_t padding[4];
  Descriptor descriptors[kDescriptors];
};
constexpr std::uint32_t kHighSpeed = 2U << 12;
constexpr std::uint32_t kToggleFromDescriptor = 1U << 14;
constexpr std::uint32_t kHead = 1U << 15;
constexpr std::uint32_t kOneTransaction = 1U << 30;
constexpr std::uint32_t kFirstMicroframe = 1;

alignas(4096) std::uint32_t frame_list[1024];
Queue control, bulk_queues[2], input;
alignas(64) std::uint8_t report[8];

std::uintptr_t registers;
std::uint32_t interrupts;  // that have come

std::uint32_t physical(const volatile void* object) {
  return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(object));
}

volatile std::uint32_t& reg(unsigned offset) {
  return bare::at<std::uint32_t>(registers + offset);
}

void on_line() {
  while (const std::uint32_t causes = reg(kStatus) & (kDone | kErrors)) {
    bare::expect((causes & kErrors) == 0, "USB transfers that succeed");
    reg(kStatus) = causes;
    __atomic_fetch_add(&interrupts, 1U, __ATOMIC_RELEASE);
  }
}

void lay_out(Queue& queue, std::uint32_t endpoint, std::uint32_t capabilities) {
  queue.endpoint = endpoint | kHighSpeed;
  queue.capabilities = kOneTransaction | capabilities;
  queue.overlay.next = kEnd;
  queue.overlay.alternate = kEnd;
  queue.overlay.token = 0;
}

void fill(Descriptor& descriptor, Pid pid, const volatile void* data, std::uint32_t bytes, std::uint32_t more) {
  descriptor.next = kEnd;
  descriptor.alternate = kEnd;
  descriptor.token = kActive | kThreeErrors | pid << 8 | bytes << 16 | more;
  descriptor.buffer[0] = physical(data);
  for (std::uint32_t i = 1; i < 5; ++i)
    descriptor.buffer[i] = (physical(data) & ~(kPage - 1)) + i * kPage;
}

// The descriptors are there when the queue leads to them.
void begin(Queue& queue, unsigned count) {
  for (unsigned i = 0; i + 1 < count; ++i)
    queue.descriptors[i].next = physical(&queue.descriptors[i + 1]);
  asm volatile("" ::: "memory");
  queue.overlay.next = physical(&queue.descriptors[0]);
}

void transfer(Queue& queue, Pid pid, const void* data, std::uint32_t bytes) {
  const auto before = __atomic_load_n(&interrupts, __ATOMIC_ACQUIRE);
  unsigned count = 0;
  for (std::uint32_t done = 0; done < bytes; ++count) {
    bare::expect(count < kDescriptors, "a transfer that fits");
    const auto part = bytes - done < kMostBytes ? bytes - done : kMostBytes;
    const auto* const from = static_cast<const std::uint8_t*>(data) + done;
    done += part;
    fill(queue.descriptors[count], pid, from, part, done == bytes ? kIoc : 0);
  }
  begin(queue, count);
  const auto& last = queue.descriptors[count - 1];
  while (__atomic_load_n(&interrupts, __ATOMIC_ACQUIRE) == before || (last.token & kActive) != 0)
    bare::relax();
  bare::expect((last.token & (kFailed | 0x7fff'0000)) == 0, "a USB transfer that is complete");
}

}  // namespace

void Ehci::open() {
  bare::expect((kFunction.config(0x08) >> 8) == 0x0c0320, "an EHCI controller");
  const auto bar = kFunction.bar(0);
  registers = bar + bare::at<std::uint8_t>(bar);
  bare::expect(!kFunction.open(kVector), "an interrupt line");
  reg(kCommand) = kReset;
  while ((reg(kCommand) & kReset) != 0)
    bare::relax();
  bare::on_interrupt(kVector, on_line);
  for (auto& frame : frame_list)
    frame = kEnd;
  // The ring: the head is the queue of all control transfers.
  lay_out(control, 64U << 16 | kToggleFromDescriptor | kHead, 0);
  control.link = physical(&control) | kQueueLink;
  reg(kPeriodicList) = physical(frame_list);
  reg(kAsyncList) = physical(&control);
  reg(kCommand) = kRun | kAsync | kPeriodic | kAtOnce;
  reg(kConfigFlag) = 1;
  reg(kInterrupts) = kDone | kErrors;
}

void Ehci::attach(unsigned port, std::uint8_t address) {
  auto& status = reg(kPortStatus + 4 * port);
  status = kPortPower | kPortReset;
  for (unsigned i = 0; i < 2000; ++i)  // 50 ms at 25 us or more each [USB 7.1.7.5]
    bare::in8(0x80);
  status = kPortPower;
  while ((status & (kPortReset | kPortEnabled)) != kPortEnabled)
    bare::relax();
  request(0, 0x00, 5, address);  // SET_ADDRESS
  request(address, 0x00, 9, 1);  // SET_CONFIGURATION
}

void Ehci::request(std::uint8_t address, std::uint8_t type, std::uint8_t request, std::uint16_t value) {
  alignas(8) static std::uint8_t setup[8];
  setup[0] = type;
  setup[1] = request;
  setup[2] = static_cast<std::uint8_t>(value);
  setup[3] = static_cast<std::uint8_t>(value >> 8);
  control.endpoint = (control.endpoint & ~0x7fU) | address;
  fill(control.descriptors[0], kSetup, setup, sizeof setup, 0);
  fill(control.descriptors[1], kIn, setup, 0, kToggle);
  begin(control, 2);
  while ((control.descriptors[1].token & kActive) != 0)
    bare::relax();
  bare::expect((control.descriptors[1].token & kFailed) == 0, "a USB request that succeeds");
}

void Ehci::open_bulk(std::uint8_t address, std::uint8_t in, std::uint8_t out) {
  lay_out(bulk_queues[kIn], 512U << 16 | std::uint32_t{in} << 8 | address, 0);
  lay_out(bulk_queues[kOut], 512U << 16 | std::uint32_t{out} << 8 | address, 0);
  bulk_queues[kOut].link = physical(&control) | kQueueLink;
  bulk_queues[kIn].link = physical(&bulk_queues[kOut]) | kQueueLink;
  control.link = physical(&bulk_queues[kIn]) | kQueueLink;
}

void Ehci::bulk_out(const void* data, std::uint32_t bytes) {
  transfer(bulk_queues[kOut], kOut, data, bytes);
}

void Ehci::bulk_in(void* data, std::uint32_t bytes) {
  transfer(bulk_queues[kIn], kIn, data, bytes);
}

void Ehci::open_interrupt(std::uint8_t address, std::uint8_t endpoint, unsigned period) {
  lay_out(input, 8U << 16 | std::uint32_t{endpoint} << 8 | address, kFirstMicroframe);
  input.link = kEnd;
  for (unsigned frame = 0; frame < 1024; frame += period)
    frame_list[frame] = physical(&input) | kQueueLink;
}

void Ehci::wait_report() {
  transfer(input, kIn, report, sizeof report);
}

}  // namespace bench
