// From the words of the command line to a disk.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/ports/block.h"

namespace devices::block {

struct DiskConfig {
  std::string path;
  bool readonly = false;  // the guest cannot write, and the file is opened so
  bool snapshot = false;  // the guest's writes are thrown away at the end; the file is opened read-only
  bool at_once = false;   // requests are done within submit(): for machines whose time does not follow the host's
  core::ThreadStart start = {};
};

core::Result<std::unique_ptr<core::BlockBackend>> open_disk(const DiskConfig& config);

}  // namespace devices::block
