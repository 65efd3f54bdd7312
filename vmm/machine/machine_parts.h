// What a snapshot of a machine is made of.
#pragma once

#include <memory>
#include <vector>

#include "core/event/guest_clock.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/board.h"
#include "vmm/machine/snapshot.h"

namespace vmm::machine {

class MachineParts {
 public:
  // All of them must outlive it.
  MachineParts(const config::MachineConfig& config, Board& board, core::MachineClock& clock,
               std::span<const std::pair<std::string, core::BlockBackend*>> disks);
  ~MachineParts();
  MachineParts(const MachineParts&) = delete;
  MachineParts& operator=(const MachineParts&) = delete;

  // CPUs and clock stand still, disks are drained. No device lock is held.
  const SnapshotParts& parts() const { return parts_; }

 private:
  std::vector<std::unique_ptr<core::Stateful>> wrappers_;
  SnapshotParts parts_;
};

}  // namespace vmm::machine
