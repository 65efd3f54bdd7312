// The table of command line options.
#pragma once

#include <span>
#include <string_view>

#include "core/base/result.h"
#include "vmm/config/machine_config.h"

namespace vmm::config {

struct Option {
  std::string_view group;     // heading in --help
  std::string_view name;      // "--disk"
  std::string_view argument;  // "FILE[,snapshot=on]"; empty: takes none
  std::string_view help;      // full sentences; --help and the manual wrap them
  bool repeatable = false;
  core::Result<> (*apply)(MachineConfig& config, std::string_view value) = nullptr;  // nullptr: handled by main
};

std::span<const Option> options();

// --display's value: none, or a window.
core::Result<> apply_display(MachineConfig& config, std::string_view value);

// --qxl's value: one more display.
core::Result<> apply_qxl(MachineConfig& config, std::string_view value);

// --spice's value. Errors do not name the option; the caller does.
core::Result<> apply_spice(MachineConfig& config, std::string_view value);

// The values of --usb and --usb-device.
core::Result<> apply_usb(MachineConfig& config, std::string_view value);
core::Result<> apply_usb_device(MachineConfig& config, std::string_view value);

// The sub-options of --spice, for the manual.
struct SpiceOption {
  std::string_view name;
  std::string_view values;
  std::string_view help;
  core::Result<> (*apply)(SpiceConfig& config, const struct KeyValue& pair) = nullptr;
};
std::span<const SpiceOption> spice_options();

}  // namespace vmm::config
