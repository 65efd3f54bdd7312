#include "firmware/boot_info.h"

#include <cstddef>
#include <cstring>
#include <string_view>

#include "core/base/bits.h"
#include "core/base/endian.h"

namespace firmware {

namespace {

using core::le32;
using core::le64;

constexpr std::size_t kMapEntries = 64;  // a BIOS reports some ten
constexpr std::uint32_t kLowMemoryKib = 639;

// [Multiboot 3.3]
struct MultibootInfo {
  le32 flags;
  le32 lower_kib;
  le32 upper_kib;
  le32 boot_device;
  le32 command_line;
  le32 module_count;
  le32 modules;
  le32 symbols[4];
  le32 map_bytes;
  le32 map;
  le32 drives_bytes;
  le32 drives;
  le32 config_table;
  le32 loader_name;
  le32 apm_table;
};
static_assert(offsetof(MultibootInfo, map_bytes) == 44);
constexpr std::uint32_t kHasMemory = 1u << 0;
constexpr std::uint32_t kHasCommandLine = 1u << 2;
constexpr std::uint32_t kHasModules = 1u << 3;
constexpr std::uint32_t kHasMap = 1u << 6;
constexpr std::uint32_t kHasLoaderName = 1u << 9;

struct MultibootModule {
  le32 start;
  le32 end;
  le32 command_line;
  le32 reserved;
};

struct MultibootMapEntry {
  le32 size = sizeof(E820Entry);
  E820Entry entry;
};
static_assert(sizeof(MultibootMapEntry) == kBootMapEntryBytes);

// [hvm_start_info, version 1]
struct PvhInfo {
  le32 magic = 0x336ec578;
  le32 version = 1;
  le32 flags;
  le32 module_count;
  le64 modules;
  le64 command_line;
  le64 rsdp;  // 0: the kernel looks for it as on any PC
  le64 map;
  le32 map_entries;
  le32 reserved;
};
static_assert(sizeof(PvhInfo) == 56);

struct PvhModule {
  le64 address;
  le64 size;
  le64 command_line;
  le64 reserved;
};

struct PvhMapEntry {
  E820Entry entry;
  le32 reserved;
};
static_assert(sizeof(PvhMapEntry) == kBootMapEntryBytes);

// Bytes that know where they will lie.
class Blob {
 public:
  explicit Blob(std::uint32_t address) : address_(address) {}

  // Reserves zeroed bytes; returns their offset.
  std::size_t reserve(std::size_t size) {
    bytes_.resize(core::align_up<std::size_t>(bytes_.size(), 8));
    const auto at = bytes_.size();
    bytes_.resize(at + size);
    return at;
  }
  template <class T>
  void put(std::size_t offset, const T& object) {
    std::memcpy(bytes_.data() + offset, &object, sizeof object);
  }
  // Returns the address of the text.
  std::uint32_t text(std::string_view value) {
    const auto at = reserve(value.size() + 1);
    value.copy(reinterpret_cast<char*>(bytes_.data() + at), value.size());
    return at_address(at);
  }
  std::uint32_t at_address(std::size_t offset) const { return address_ + static_cast<std::uint32_t>(offset); }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  std::uint32_t address_;
  std::vector<std::uint8_t> bytes_;
};

BootMap map_request(const BootInfoSource& source, std::size_t map, std::size_t count) {
  return {.segment = static_cast<std::uint16_t>(source.address >> 4),
          .offset = static_cast<std::uint16_t>(map),
          .gap = 0,
          .capacity = kMapEntries * kBootMapEntryBytes,
          .count_offset = static_cast<std::uint16_t>(count),
          .count_unit = kBootMapEntryBytes};
}

}  // namespace

BootInfo multiboot_info(const BootInfoSource& source) {
  Blob blob(source.address);
  const auto head = blob.reserve(sizeof(MultibootInfo));
  const auto map = blob.reserve(kMapEntries * kBootMapEntryBytes);
  const auto modules = blob.reserve(source.modules.size() * sizeof(MultibootModule));
  for (std::size_t i = 0; i < source.map.size(); ++i)
    blob.put(map + i * kBootMapEntryBytes, MultibootMapEntry{.entry = source.map[i]});
  for (std::size_t i = 0; i < source.modules.size(); ++i) {
    const auto& module = source.modules[i];
    blob.put(modules + i * sizeof(MultibootModule), MultibootModule{.start = module.address,
                                                                    .end = module.address + module.size,
                                                                    .command_line = blob.text(module.command_line),
                                                                    .reserved = {}});
  }

  MultibootInfo info{};
  info.flags = kHasMemory | kHasCommandLine | kHasMap | kHasLoaderName | (source.modules.empty() ? 0 : kHasModules);
  info.lower_kib = kLowMemoryKib;
  info.upper_kib = static_cast<std::uint32_t>(source.upper_memory >> 10);
  // As boot loaders do: the kernel's name first.
  info.command_line =
      blob.text(source.command_line.empty() ? source.kernel : source.kernel + " " + source.command_line);
  info.module_count = static_cast<std::uint32_t>(source.modules.size());
  info.modules = blob.at_address(modules);
  info.map_bytes = static_cast<std::uint32_t>(source.map.size() * kBootMapEntryBytes);
  info.map = blob.at_address(map);
  info.loader_name = blob.text("minivmm");
  blob.put(head, info);

  auto request = map_request(source, map, head + offsetof(MultibootInfo, map_bytes));
  request.gap = offsetof(MultibootMapEntry, entry);
  request.count_unit = 1;
  return {.bytes = blob.take(), .map = request};
}

BootInfo pvh_info(const BootInfoSource& source) {
  Blob blob(source.address);
  const auto head = blob.reserve(sizeof(PvhInfo));
  const auto map = blob.reserve(kMapEntries * kBootMapEntryBytes);
  const auto modules = blob.reserve(source.modules.size() * sizeof(PvhModule));
  for (std::size_t i = 0; i < source.map.size(); ++i)
    blob.put(map + i * kBootMapEntryBytes, PvhMapEntry{.entry = source.map[i], .reserved = {}});
  for (std::size_t i = 0; i < source.modules.size(); ++i) {
    const auto& module = source.modules[i];
    blob.put(modules + i * sizeof(PvhModule), PvhModule{.address = std::uint64_t{module.address},
                                                        .size = std::uint64_t{module.size},
                                                        .command_line = std::uint64_t{blob.text(module.command_line)},
                                                        .reserved = {}});
  }

  PvhInfo info;
  info.module_count = static_cast<std::uint32_t>(source.modules.size());
  info.modules = source.modules.empty() ? 0 : blob.at_address(modules);
  info.command_line = blob.text(source.command_line);
  info.map = blob.at_address(map);
  info.map_entries = static_cast<std::uint32_t>(source.map.size());
  blob.put(head, info);
  return {.bytes = blob.take(), .map = map_request(source, map, head + offsetof(PvhInfo, map_entries))};
}

}  // namespace firmware
