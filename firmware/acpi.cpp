#include "firmware/acpi.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "core/base/assert.h"
#include "core/base/bits.h"
#include "core/base/endian.h"
#include "firmware/embedded.h"

namespace firmware {

namespace {

using core::le16;
using core::le32;
using core::le64;

constexpr std::string_view kRsdpFile = "etc/acpi/rsdp";
constexpr std::string_view kTablesFile = "etc/acpi/tables";
constexpr std::uint32_t kFacsAlignment = 64;
constexpr std::size_t kTableAlignment = 8;
constexpr unsigned kMaxCpus = 255;

// [ACPI 6.4 5.2.6]
struct Header {
  char signature[4] = {};
  le32 length;
  std::uint8_t revision = 0;
  std::uint8_t checksum = 0;
  char oem_id[6] = {'M', 'I', 'N', 'I', 'V', 'M'};
  char oem_table_id[8] = {'M', 'I', 'N', 'I', 'V', 'M', 'M', ' '};
  le32 oem_revision = 1;
  char creator_id[4] = {'M', 'V', 'M', 'M'};
  le32 creator_revision = 1;
};
static_assert(sizeof(Header) == 36);
constexpr std::uint32_t kChecksumOffset = 9;

// [ACPI 6.4 5.2.3.2] Generic Address Structure
struct Register {
  std::uint8_t space = 0;
  std::uint8_t bits = 0;
  std::uint8_t bit_offset = 0;
  std::uint8_t access_size = 0;
  le64 address;
};
constexpr Register port(std::uint16_t address, std::uint8_t bits) {
  return {.space = 1, .bits = bits, .bit_offset = 0, .access_size = 0, .address = address};
}

// [ACPI 6.4 5.2.9] as of revision 3
struct Fadt {
  Header header;
  le32 facs;
  le32 dsdt;
  std::uint8_t interrupt_model = 1;  // revision 1: the board has APICs
  std::uint8_t profile = 0;          // unspecified
  le16 sci_interrupt = kSciInterrupt;
  le32 smi_command = kSmiCommandPort;
  std::uint8_t acpi_enable = kAcpiEnable;
  std::uint8_t acpi_disable = kAcpiDisable;
  std::uint8_t s4bios_request = 0;
  std::uint8_t pstate_control = 0;
  le32 pm1a_event = kPmBase;
  le32 pm1b_event;
  le32 pm1a_control = kPmBase + 4;
  le32 pm1b_control;
  le32 pm2_control;
  le32 pm_timer = kPmBase + 8;
  le32 gpe0 = kGpeBlock;
  le32 gpe1;
  std::uint8_t pm1_event_length = 4;
  std::uint8_t pm1_control_length = 2;
  std::uint8_t pm2_control_length = 0;
  std::uint8_t pm_timer_length = 4;
  std::uint8_t gpe0_length = 4;
  std::uint8_t gpe1_length = 0;
  std::uint8_t gpe1_base = 0;
  std::uint8_t cstate_control = 0;
  le16 c2_latency = 0xfff;  // not supported
  le16 c3_latency = 0xfff;
  le16 flush_size;
  le16 flush_stride;
  std::uint8_t duty_offset = 0;
  std::uint8_t duty_width = 0;
  std::uint8_t day_alarm = 0x0d;  // in CMOS
  std::uint8_t month_alarm = 0;
  std::uint8_t century = 0x32;
  le16 boot_architecture = 3;  // legacy devices, i8042
  std::uint8_t reserved = 0;
  le32 flags;
  Register reset = port(kResetPort, 8);
  std::uint8_t reset_value = kResetValue;
  le16 arm_boot_architecture;
  std::uint8_t minor_revision = 0;
  le64 x_facs;
  le64 x_dsdt;
  Register x_pm1a_event = port(kPmBase, 32);
  Register x_pm1b_event;
  Register x_pm1a_control = port(kPmBase + 4, 16);
  Register x_pm1b_control;
  Register x_pm2_control;
  Register x_pm_timer = port(kPmBase + 8, 32);
  Register x_gpe0 = port(kGpeBlock, 32);
  Register x_gpe1;
};
static_assert(sizeof(Fadt) == 244 && offsetof(Fadt, flags) == 112 && offsetof(Fadt, x_dsdt) == 140);
constexpr std::uint32_t kFadtWbinvd = 1u << 0;
constexpr std::uint32_t kFadtC1 = 1u << 2;
constexpr std::uint32_t kFadtNoSleepButton = 1u << 5;
constexpr std::uint32_t kFadtRtcS4 = 1u << 7;
constexpr std::uint32_t kFadtResetRegister = 1u << 10;
constexpr std::uint32_t kFadtUsePlatformClock = 1u << 15;

// [ACPI 6.4 5.2.10] Windows XP and Linux both take version 0. It has no checksum.
struct Facs {
  char signature[4] = {'F', 'A', 'C', 'S'};
  le32 length = 64;
  std::uint8_t rest[56] = {};
};
static_assert(sizeof(Facs) == 64);

// [ACPI 6.4 5.2.12]
struct Madt {
  Header header;
  le32 local_apic = kLocalApicBase;
  le32 flags = 1;  // there is an 8259 pair too
};
struct MadtLocalApic {
  std::uint8_t type = 0;
  std::uint8_t length = 8;
  std::uint8_t processor = 0;
  std::uint8_t apic = 0;
  le32 flags = 1;  // enabled
};
struct MadtIoApic {
  std::uint8_t type = 1;
  std::uint8_t length = 12;
  std::uint8_t id = 0;
  std::uint8_t reserved = 0;
  le32 address = kIoApicBase;
  le32 first_interrupt = 0;
};
struct MadtOverride {
  std::uint8_t type = 2;
  std::uint8_t length = 10;
  std::uint8_t bus = 0;
  std::uint8_t source = 0;
  le32 interrupt;
  le16 flags;
};
struct MadtLocalNmi {
  std::uint8_t type = 4;
  std::uint8_t length = 6;
  std::uint8_t processor = 0xff;  // all
  le16 flags;
  std::uint8_t pin = 1;
};
constexpr std::uint16_t kActiveHighLevel = 0x000d;
constexpr std::uint8_t kLevelInterrupts[] = {5, 9, 10, 11};  // PIRQ links and SCI

// [Windows ACPI Emulated Devices Table] The PM timer needs no second read. The RTC's register C has to be read after
// each interrupt, as on any other (bit 0).
struct Waet {
  Header header;
  le32 flags = 2;
};

// [IA-PC HPET 1.0a 3.2.4]
struct Hpet {
  Header header;
  le32 block_id = 0x8086a201;
  Register base{.space = 0, .bits = 0, .bit_offset = 0, .access_size = 0, .address = kHpetBase};
  std::uint8_t number = 0;
  le16 minimum_tick;
  std::uint8_t protection = 0;
};

// [ACPI 1.0b 5.2.4.1]
struct Rsdp {
  char signature[8] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
  std::uint8_t checksum = 0;
  char oem_id[6] = {'M', 'I', 'N', 'I', 'V', 'M'};
  std::uint8_t revision = 0;
  le32 rsdt;
};
static_assert(sizeof(Rsdp) == 20);

template <class T>
std::vector<std::uint8_t> bytes_of(const T& object) {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) == 1);
  std::vector<std::uint8_t> bytes(sizeof object);
  std::memcpy(bytes.data(), &object, sizeof object);
  return bytes;
}

template <class T>
void append(std::vector<std::uint8_t>& to, const T& object) {
  const auto bytes = bytes_of(object);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// etc/acpi/tables while it grows, and the loader commands that go with it.
class Tables {
 public:
  explicit Tables(AcpiFiles& files) : files_(files) {
    files_.loader.allocate(kRsdpFile, 16, TableLoader::Zone::FSegment);
    files_.loader.allocate(kTablesFile, kFacsAlignment, TableLoader::Zone::High);
  }

  // Bytes that are no table with a header. Returns their offset.
  std::uint32_t add_raw(std::span<const std::uint8_t> bytes) {
    files_.tables.resize(core::align_up<std::size_t>(files_.tables.size(), kTableAlignment));
    const auto at = static_cast<std::uint32_t>(files_.tables.size());
    files_.tables.insert(files_.tables.end(), bytes.begin(), bytes.end());
    return at;
  }

  // A table, its header to be completed; the RSDT will name it unless it is one that others point to.
  std::uint32_t add(std::string_view signature, std::uint8_t revision, std::span<const std::uint8_t> bytes) {
    const auto at = add_raw(bytes);
    Header header;
    signature.copy(header.signature, sizeof header.signature);
    header.length = static_cast<std::uint32_t>(bytes.size());
    header.revision = revision;
    std::memcpy(files_.tables.data() + at, &header, sizeof header);
    return at;
  }

  // The loader is to relocate the offset in `tables` that lies at `at`, `width` bytes wide.
  void relocate(std::uint32_t at, std::uint8_t width) {
    files_.loader.add_pointer(kTablesFile, at, width, kTablesFile);
  }

  // After its pointers: the loader works in order.
  void seal(std::uint32_t table) {
    const auto length = core::load_le<std::uint32_t>(files_.tables.data() + table + 4);
    files_.tables[table + kChecksumOffset] = 0;
    files_.loader.add_checksum(kTablesFile, table + kChecksumOffset, table, length);
  }

 private:
  AcpiFiles& files_;
};

std::uint32_t add_fadt(Tables& tables, std::uint32_t facs, std::uint32_t dsdt) {
  Fadt fadt;
  fadt.facs = facs;
  fadt.dsdt = dsdt;
  fadt.x_dsdt = dsdt;
  fadt.flags = kFadtWbinvd | kFadtC1 | kFadtNoSleepButton | kFadtRtcS4 | kFadtResetRegister | kFadtUsePlatformClock;
  const auto at = tables.add("FACP", 3, bytes_of(fadt));
  tables.relocate(at + offsetof(Fadt, facs), 4);
  tables.relocate(at + offsetof(Fadt, dsdt), 4);
  tables.relocate(at + offsetof(Fadt, x_dsdt), 8);
  tables.seal(at);
  return at;
}

std::uint32_t add_madt(Tables& tables, unsigned cpus) {
  auto bytes = bytes_of(Madt{});
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const auto id = static_cast<std::uint8_t>(cpu);
    append(bytes, MadtLocalApic{.processor = id, .apic = id});
  }
  append(bytes, MadtIoApic{});
  append(bytes, MadtOverride{.source = 0, .interrupt = 2, .flags = 0});  // the PIT is wired to pin 2
  for (const auto irq : kLevelInterrupts)
    append(bytes, MadtOverride{.source = irq, .interrupt = irq, .flags = kActiveHighLevel});
  append(bytes, MadtLocalNmi{});
  const auto at = tables.add("APIC", 1, bytes);
  tables.seal(at);
  return at;
}

std::uint32_t add_ssdt(Tables& tables, const AcpiConfig& config) {
  auto bytes = bytes_of(Header{});
  const auto body = build_ssdt(config);
  bytes.insert(bytes.end(), body.begin(), body.end());
  const auto at = tables.add("SSDT", 1, bytes);
  tables.seal(at);
  return at;
}

std::uint32_t add_rsdt(Tables& tables, std::span<const std::uint32_t> children) {
  auto bytes = bytes_of(Header{});
  for (const auto child : children)
    append(bytes, le32(child));
  const auto at = tables.add("RSDT", 1, bytes);
  for (std::size_t i = 0; i < children.size(); ++i)
    tables.relocate(static_cast<std::uint32_t>(at + sizeof(Header) + i * sizeof(le32)), sizeof(le32));
  tables.seal(at);
  return at;
}

}  // namespace

AcpiFiles build_acpi(const AcpiConfig& config) {
  MV_ASSERT(config.cpus >= 1 && config.cpus <= kMaxCpus, "the command line bounds the CPUs");
  AcpiFiles files;
  Tables tables(files);
  const auto facs = tables.add_raw(bytes_of(Facs{}));
  const auto dsdt = tables.add_raw(embedded::dsdt());
  tables.seal(dsdt);

  std::vector<std::uint32_t> children;
  children.push_back(add_fadt(tables, facs, dsdt));
  children.push_back(add_ssdt(tables, config));
  children.push_back(add_madt(tables, config.cpus));
  const auto add_plain = [&](std::string_view signature, std::span<const std::uint8_t> bytes) {
    children.push_back(tables.add(signature, 1, bytes));
    tables.seal(children.back());
  };
  if (config.hpet) add_plain("HPET", bytes_of(Hpet{}));
  add_plain("WAET", bytes_of(Waet{}));

  Rsdp rsdp;
  rsdp.rsdt = add_rsdt(tables, children);
  files.rsdp = bytes_of(rsdp);
  files.loader.add_pointer(kRsdpFile, offsetof(Rsdp, rsdt), sizeof(le32), kTablesFile);
  files.loader.add_checksum(kRsdpFile, offsetof(Rsdp, checksum), 0, sizeof(Rsdp));
  return files;
}

}  // namespace firmware
