// --qxl record=FILE: what displays are asked to show, written down as it happens. A file that cannot be written any
// more ends its recording, with an error in the log, and nothing else.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "vmm/config/machine_config.h"
#include "vmm/machine/qxl_displays.h"

namespace vmm::machine {

class DisplayRecordings {
 public:
  // Begins the files.
  static core::Result<std::unique_ptr<DisplayRecordings>> create(std::span<const config::QxlConfig> displays);
  ~DisplayRecordings();
  DisplayRecordings(const DisplayRecordings&) = delete;
  DisplayRecordings& operator=(const DisplayRecordings&) = delete;

  // The same displays, with sources that record where that is wanted; they must not outlive this, nor this the ones
  // behind them. Once.
  std::vector<Display> stand_before(std::vector<Display> displays);

 private:
  class Recording;
  DisplayRecordings();

  std::vector<std::unique_ptr<Recording>> recordings_;  // by the displays' numbers; null: not recorded
};

}  // namespace vmm::machine
