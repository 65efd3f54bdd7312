// QEMU's key names ("ret", "ctrl", "kp_add") and QKeyCodes as scancodes.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/ports/input.h"

namespace vmm::control {

struct KeyName {
  std::string_view name;
  core::KeyCode code;
};

std::optional<core::KeyCode> key_by_name(std::string_view name);
std::span<const KeyName> key_names();

}  // namespace vmm::control
