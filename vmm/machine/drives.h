// The machine's drives by their names: what is in them, and discs that come and go.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/ports/block.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/controllable.h"

namespace devices::block {
class DriveBays;
}

namespace vmm::machine {

class Board;
struct HostEnds;

// Where a drive is plugged in.
struct DriveAddress {
  std::string name;
  config::DiskInterface interface;
  unsigned slot = 0;
};

// To be asked before a board takes the drives.
std::vector<DriveAddress> drive_addresses(const HostEnds& ends);

// Control loop.
class Drives {
 public:
  Drives(std::vector<DriveAddress> addresses, Board& board);

  std::vector<Drive> list() const;  // by their places
  // Those whose contents stay, by name.
  std::vector<std::pair<std::string, core::BlockBackend*>> fixed_disks() const;
  // Errors: no such drive, not removable, locked by the guest unless `force`.
  core::Result<> eject(std::string_view name, bool force);
  core::Result<> insert(std::string_view name, std::unique_ptr<core::BlockBackend> disc, bool force);

 private:
  struct Bay {
    std::string name;
    devices::block::DriveBays* bays = nullptr;  // null: a virtio disk
    unsigned slot = 0;
  };
  const Bay* find(std::string_view name) const;
  core::BlockBackend* fixed_disk(const Bay& bay) const;  // null: what is in it may change

  Board& board_;
  std::vector<Bay> bays_;
};

}  // namespace vmm::machine
