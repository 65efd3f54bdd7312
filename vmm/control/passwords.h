// set_password and expire_password, as both monitors have them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "vmm/machine/controllable.h"

namespace vmm::control {

// keep, disconnect, fail
std::optional<machine::WhenConnected> when_connected_by_name(std::string_view name);

// now, never, +SECONDS, or SECONDS since 1970; nullopt: never.
core::Result<std::optional<std::chrono::sys_seconds>> parse_expiry(std::string_view text, std::chrono::sys_seconds now);

core::Result<> set_password(machine::Controllable& machine, const std::string& password, machine::WhenConnected action);
core::Result<> expire_password(machine::Controllable& machine, std::string_view time);

}  // namespace vmm::control
