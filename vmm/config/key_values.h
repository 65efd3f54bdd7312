// Lists of the form VALUE,key=value,key2=value2 as QEMU's users write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vmm::config {

struct KeyValue {
  std::string key;
  std::string value;
};

// Splits at commas (",," stands for one comma). A first part without '=' belongs to `implied_key`; a later one is a
// switch turned on. An empty key is an error.
core::Result<std::vector<KeyValue>> split_key_values(std::string_view text, std::string_view implied_key);

// on/off, yes/no, true/false or y/n, as QEMU takes them.
core::Result<bool> parse_switch(const KeyValue& pair);
// A whole decimal or 0x number in [low, high].
core::Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high);
// 2020-01-31 or 2020-01-31T23:59:59, from 1980 to 2099.
core::Result<std::chrono::sys_seconds> parse_date(std::string_view text);
// A size in bytes: a number with an optional suffix K, M, G, T; without one it counts MiB, as -m does.
core::Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace vmm::config
