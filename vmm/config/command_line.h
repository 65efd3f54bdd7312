// argv to configuration.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "vmm/config/machine_config.h"

namespace vmm::config {

enum class Information : std::uint8_t { Help, Version, ManualPage };

using CommandLine = std::variant<MachineConfig, Information>;

// Pure: touches neither files nor sockets. An error is one line naming the option.
core::Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

// Overwrites the passwords among a process's arguments, which everybody on the host may read. After they are copied.
void hide_passwords(std::span<char*> arguments);

// What is wrong with the whole, beyond single options; empty if nothing.
std::vector<std::string> problems(const MachineConfig& config);

std::string help_text();
std::string manual_page();  // troff with the man macros
std::string version_text();

}  // namespace vmm::config
