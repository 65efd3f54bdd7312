#include "firmware/boot_order.h"

#include <fmt/core.h>

namespace firmware {

std::string ide_boot_path(unsigned channel, unsigned unit) {
  return fmt::format("/pci@i0cf8/ide@1,1/drive@{:x}/disk@{:x}", channel, unit);
}

std::string pci_boot_path(std::string_view kind, unsigned slot, unsigned function) {
  if (function == 0) return fmt::format("/pci@i0cf8/{}@{:x}", kind, slot);
  return fmt::format("/pci@i0cf8/{}@{:x},{:x}", kind, slot, function);
}

std::string ahci_boot_path(unsigned slot, unsigned port) {
  return fmt::format("{}/drive@{:x}/disk@0", pci_boot_path("sata", slot, 0), port);
}

std::string virtio_boot_path(unsigned slot) {
  return fmt::format("{}/disk@0,0", pci_boot_path("scsi", slot, 0));
}

std::string rom_boot_path(std::string_view file) {
  return fmt::format("/rom@{}", file);
}

std::vector<std::string> ordered_paths(std::string_view order, std::span<const BootCandidate> candidates) {
  std::vector<std::string> paths;
  for (const char letter : order)
    for (const auto& candidate : candidates)
      if (candidate.letter == letter) paths.push_back(candidate.path);
  return paths;
}

std::vector<std::uint8_t> bootorder_file(std::span<const std::string> paths) {
  std::vector<std::uint8_t> bytes;
  for (const auto& path : paths) {
    if (!bytes.empty()) bytes.push_back('\n');
    bytes.insert(bytes.end(), path.begin(), path.end());
  }
  bytes.push_back(0);
  return bytes;
}

}  // namespace firmware
