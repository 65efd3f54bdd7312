// The whole machine to a file and back: its description, memory that is not zero, disks that live in this process only,
// and the state of every device and CPU.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/memory/memory_block.h"
#include "core/ports/block.h"
#include "core/state/state.h"
#include "vmm/machine/snapshot_file.h"

namespace vmm::machine {

// A fact in which two machines must agree for one to go on with the other's state: "memory", "512 MiB".
struct Trait {
  std::string name;
  std::string value;
  bool operator==(const Trait&) const = default;
};

// What a snapshot is made of. Nothing of it changes meanwhile: CPUs and clock stand still, disks are drained.
struct SnapshotParts {
  std::vector<Trait> traits;
  std::vector<core::MemoryBlock*> memory;  // their names differ
  std::vector<std::pair<std::string, core::VolatileContents*>> disks;
  std::vector<core::Stateful*> objects;
};

core::Result<> write_snapshot(const std::string& path, const SnapshotParts& parts);

// A snapshot that is whole and of a machine like this one.
class Snapshot {
 public:
  static core::Result<Snapshot> open(const std::string& path, const SnapshotParts& parts);
  // Memory and disks first, then the objects in their order. After an error the machine must be reset.
  core::Result<> apply(const SnapshotParts& parts);

 private:
  explicit Snapshot(SnapshotReader reader) : reader_(std::move(reader)) {}
  core::Result<> check_traits(const SnapshotParts& parts);
  core::Result<> check_state(const SnapshotParts& parts);

  SnapshotReader reader_;
};

}  // namespace vmm::machine
