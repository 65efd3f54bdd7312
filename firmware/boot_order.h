// Boot order as SeaBIOS takes it: Open Firmware paths of devices, first one first. [SeaBIOS docs/Runtime_config.md]
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace firmware {

// What could be booted, with the letter that --boot knows it by: c disk, d CD-ROM, n network.
struct BootCandidate {
  char letter = 'c';
  std::string path;
};

// A drive on the PIIX3 IDE function: channel 0 or 1, unit 0 (master) or 1 (slave).
std::string ide_boot_path(unsigned channel, unsigned unit);
// A drive on a port of an AHCI controller in PCI slot `slot`.
std::string ahci_boot_path(unsigned slot, unsigned port);
// A virtio disk in PCI slot `slot`.
std::string virtio_boot_path(unsigned slot);
// A device that is a PCI function of its own; `kind` is free ("ethernet", "scsi").
std::string pci_boot_path(std::string_view kind, unsigned slot, unsigned function);
// An option ROM given as a fw_cfg file ("genroms/x.bin").
std::string rom_boot_path(std::string_view file);

// The candidates whose letters occur in `order`, by the letters' order and then by their own.
std::vector<std::string> ordered_paths(std::string_view order, std::span<const BootCandidate> candidates);

// The file's bytes: a path a line, a zero byte at the end.
std::vector<std::uint8_t> bootorder_file(std::span<const std::string> paths);

}  // namespace firmware
