// The host's side of what the configuration names: character streams, disk images, BIOS images. All are opened before
// anything of the machine is built, so that a mistake leaves nothing half-started.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/ports/block.h"
#include "core/ports/char_stream.h"
#include "vmm/config/machine_config.h"

namespace vmm::machine {

// A place on a disk controller, with QEMU's name for what sits there.
struct DrivePlace {
  std::string name;  // "ide0-hd0", "ide1-cd0", "ahci0-hd2", "virtio0"
  config::DiskInterface interface = config::DiskInterface::Ide;
  unsigned slot = 0;  // of the IDE channels: primary master and slave, secondary ones; an AHCI port; a virtio disk
  bool is_cdrom = false;
  std::unique_ptr<core::BlockBackend> medium;  // empty for a CD-ROM drive without a disc
};

struct NamedStream {
  std::string name;
  std::unique_ptr<core::CharStream> stream;
};

struct HostEnds {
  std::vector<DrivePlace> drives;
  std::vector<std::unique_ptr<core::BlockBackend>> usb_disks;  // of the sticks, in their order
  std::vector<std::unique_ptr<core::CharStream>> serial;       // COM1, COM2
  std::unique_ptr<core::CharStream> debugcon;                  // empty: no debug console
  std::unique_ptr<core::CharStream> virtio_console;            // empty: none
  std::vector<NamedStream> virtio_ports;
  std::vector<std::uint8_t> bios;
  std::vector<std::uint8_t> vgabios;
  core::ThreadStart start;  // how further threads begin
};

core::Result<HostEnds> open_host_ends(const config::MachineConfig& config, const core::ThreadStart& start);

// A disc for a CD-ROM drive.
core::Result<std::unique_ptr<core::BlockBackend>> open_disc(const config::MachineConfig& config,
                                                            const std::string& path, const core::ThreadStart& start);

}  // namespace vmm::machine
