// The script by which a BIOS places ACPI tables: which fw_cfg files to load where, which fields to turn into addresses
// and which checksums to fix. [QEMU hw/acpi/bios-linker-loader.c; SeaBIOS src/fw/romfile_loader.h]
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace firmware {

class TableLoader {
 public:
  enum class Zone : std::uint8_t { High = 1, FSegment = 2 };

  // Each file once, before anything refers to it. `alignment` is a power of two.
  void allocate(std::string_view file, std::uint32_t alignment, Zone zone);
  // Adds where `target` was placed to the `width` bytes at `offset` of `file`, which hold an offset in `target`.
  void add_pointer(std::string_view file, std::uint32_t offset, std::uint8_t width, std::string_view target);
  // Makes [start, start + length) of `file` sum up to zero by the byte at `offset`, which is zero until then.
  void add_checksum(std::string_view file, std::uint32_t offset, std::uint32_t start, std::uint32_t length);

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  template <class Command>
  void append(const Command& command);

  std::vector<std::uint8_t> bytes_;
};

}  // namespace firmware
