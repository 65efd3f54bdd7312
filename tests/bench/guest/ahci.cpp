#include "tests/bench/guest/ahci.h"

#include "tests/bench/guest/pci.h"
#include "tests/guest/bare/bare.h"

namespace bench {

namespace {

constexpr std::uint8_t kVector = 0x42;
constexpr unsigned kRegistersBar = 5;

// [3.1] generic host control
constexpr unsigned kGhc = 0x04;
constexpr unsigned kIs = 0x08;
constexpr unsigned kPi = 0x0c;
constexpr std::uint32_t kAhciEnable = 1U << 31;
constexpr std::uint32_t kInterruptEnable = 1U << 1;
constexpr std::uint32_t kHbaReset = 1U << 0;

// [3.3] port registers
constexpr unsigned kPorts = 0x100;
constexpr unsigned kPortStride = 0x80;
constexpr unsigned kPxClb = 0x00;
constexpr unsigned kPxFb = 0x08;
constexpr unsigned kPxIs = 0x10;
constexpr unsigned kPxIe = 0x14;
constexpr unsigned kPxCmd = 0x18;
constexpr unsigned kPxTfd = 0x20;
constexpr unsigned kPxSig = 0x24;
constexpr unsigned kPxSsts = 0x28;
constexpr unsigned kPxSerr = 0x30;
constexpr unsigned kPxSact = 0x34;
constexpr unsigned kPxCi = 0x38;
constexpr std::uint32_t kStart = 1U << 0;
constexpr std::uint32_t kSpinUp = 1U << 1;
constexpr std::uint32_t kPowerOn = 1U << 2;
constexpr std::uint32_t kFisReceive = 1U << 4;
constexpr std::uint32_t kDevicePresent = 3;
constexpr std::uint32_t kDiskSignature = 0x101;
constexpr std::uint32_t kBusy = 0x88;               // BSY and DRQ
constexpr std::uint32_t kDone = 1U << 3 | 1U << 0;  // set device bits, device to host
constexpr std::uint32_t kErrors = 0x7c00'0000;      // TFES, HBFS, HBDS, IFS, INFS

constexpr std::uint8_t kRegisterH2D = 0x27;
constexpr std::uint8_t kIsCommand = 0x80;
constexpr std::uint8_t kIdentifyDevice = 0xec;
constexpr std::uint8_t kReadFpdmaQueued = 0x60;
constexpr std::uint8_t kWriteFpdmaQueued = 0x61;
constexpr std::uint32_t kFisDwords = 5;
constexpr std::uint32_t kWriteCommand = 1U << 6;
constexpr std::uint32_t kOnePrd = 1U << 16;

struct CommandHeader {  // [4.2.2]
  std::uint32_t flags;
  volatile std::uint32_t transferred;
  std::uint64_t table;
  std::uint32_t reserved[4];
};
struct CommandTable {  // [4.2.3] with one region of memory
  std::uint8_t fis[0x80];
  std::uint64_t base;
  std::uint32_t reserved;
  std::uint32_t count;  // bytes - 1
  std::uint8_t padding[0x70];
};
static_assert(sizeof(CommandTable) == 0x100);

alignas(1024) CommandHeader headers[kSlots];
alignas(256) std::uint8_t received[256];
alignas(128) CommandTable tables[kSlots];

std::uintptr_t registers;
std::uintptr_t port;
std::uint32_t port_bit;
std::uint32_t busy;  // commands that the device has; handler and driver both change this
std::uint32_t done;  // and those it has finished

volatile std::uint32_t& host(unsigned offset) {
  return bare::at<std::uint32_t>(registers + offset);
}

volatile std::uint32_t& port_register(unsigned offset) {
  return bare::at<std::uint32_t>(port + offset);
}

// The accesses that drivers make: causes, clear them, which commands have ended, clear the port's bit.
void service_port() {
  const std::uint32_t causes = port_register(kPxIs);
  port_register(kPxIs) = causes;
  bare::expect((causes & kErrors) == 0, "AHCI commands that succeed");
  const std::uint32_t ended = __atomic_load_n(&busy, __ATOMIC_RELAXED) & ~port_register(kPxSact);
  __atomic_fetch_and(&busy, ~ended, __ATOMIC_RELAXED);
  __atomic_fetch_or(&done, ended, __ATOMIC_RELAXED);
  host(kIs) = port_bit;
}

void on_message() {
  if ((host(kIs) & port_bit) != 0) service_port();
}

void on_line() {
  while ((host(kIs) & port_bit) != 0)
    service_port();
}

// Header and table of a command, and its FIS with zeros but for type and command.
std::uint8_t* lay_out(unsigned slot, std::uint8_t command, std::uint32_t bytes, bool write) {
  auto& table = tables[slot];
  table.base = buffer_of(slot);
  table.count = bytes - 1;
  headers[slot].flags = kFisDwords | kOnePrd | (write ? kWriteCommand : 0);
  headers[slot].transferred = 0;
  headers[slot].table = reinterpret_cast<std::uintptr_t>(&table);
  for (unsigned i = 0; i < kFisDwords * 4; ++i)
    table.fis[i] = 0;
  table.fis[0] = kRegisterH2D;
  table.fis[1] = kIsCommand;
  table.fis[2] = command;
  return table.fis;
}

}  // namespace

void Ahci::open() {
  const auto function = find_function(0x08, 0xffff'ff00, 0x0106'0100, "an AHCI controller");
  registers = function.bar(kRegistersBar);
  uses_messages_ = function.open(kVector);
  bare::on_interrupt(kVector, uses_messages_ ? on_message : on_line);
  host(kGhc) = kAhciEnable;
  host(kGhc) = kAhciEnable | kHbaReset;
  while ((host(kGhc) & kHbaReset) != 0)
    bare::relax();
  host(kGhc) = kAhciEnable;
  find_disk();
  identify();
  port_register(kPxSerr) = 0xffff'ffff;
  port_register(kPxIs) = 0xffff'ffff;
  host(kIs) = 0xffff'ffff;
  port_register(kPxIe) = kDone | kErrors;
  host(kGhc) = kAhciEnable | kInterruptEnable;
}

void Ahci::find_disk() {
  for (unsigned i = 0; i < 32; ++i) {
    if ((host(kPi) >> i & 1) == 0) continue;
    port = registers + kPorts + i * kPortStride;
    port_bit = 1U << i;
    port_register(kPxClb) = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(headers));
    port_register(kPxClb + 4) = 0;
    port_register(kPxFb) = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(received));
    port_register(kPxFb + 4) = 0;
    port_register(kPxCmd) = kSpinUp | kPowerOn | kFisReceive;
    if ((port_register(kPxSsts) & 0xf) != kDevicePresent) continue;
    while ((port_register(kPxTfd) & kBusy) != 0)
      bare::relax();
    if (port_register(kPxSig) == kDiskSignature) {
      port_register(kPxCmd) = kSpinUp | kPowerOn | kFisReceive | kStart;
      return;
    }
  }
  bare::expect(false, "a disk on an AHCI port");
}

void Ahci::identify() {
  lay_out(0, kIdentifyDevice, kSectorBytes, false);
  port_register(kPxCi) = 1;
  while ((port_register(kPxCi) & 1) != 0)
    bare::relax();
  size_bytes_ = bare::at<std::uint64_t>(buffer_of(0) + 200) * kSectorBytes;  // [ACS-3 7.12.7.53]
}

void Ahci::prepare(unsigned slot, const Request& request) {
  auto* fis = lay_out(slot, request.write ? kWriteFpdmaQueued : kReadFpdmaQueued, request.bytes, request.write);
  const auto sector = request.offset / kSectorBytes;
  const auto sectors = request.bytes / kSectorBytes;
  fis[3] = static_cast<std::uint8_t>(sectors);
  fis[11] = static_cast<std::uint8_t>(sectors >> 8);
  for (unsigned i = 0; i < 3; ++i) {
    fis[4 + i] = static_cast<std::uint8_t>(sector >> 8 * i);
    fis[8 + i] = static_cast<std::uint8_t>(sector >> (24 + 8 * i));
  }
  fis[7] = 0x40;  // LBA
  fis[12] = static_cast<std::uint8_t>(slot << 3);
}

// The handler may come between any two of these: a command counts as ended only after its bit was set in PxSACT.
void Ahci::start(std::uint32_t slots) {
  if (slots == 0) return;
  asm volatile("" ::: "memory");
  port_register(kPxSact) = slots;
  __atomic_fetch_or(&busy, slots, __ATOMIC_RELAXED);
  port_register(kPxCi) = slots;
}

std::uint32_t Ahci::wait() {
  while (__atomic_load_n(&done, __ATOMIC_RELAXED) == 0)
    bare::relax();
  return __atomic_exchange_n(&done, 0U, __ATOMIC_ACQUIRE);
}

}  // namespace bench
