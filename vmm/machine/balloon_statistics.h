// What a guest tells of its memory through the balloon, as control asks for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vmm::machine {

struct BalloonStatistic {
  std::string_view name;               // "free-memory", as QEMU names them after "stat-"
  std::optional<std::uint64_t> value;  // nullopt: the guest did not say
};

struct BalloonStatistics {
  std::vector<BalloonStatistic> values;
  std::int64_t last_update = 0;       // seconds since 1970; 0: never
  std::uint32_t polling_seconds = 0;  // how often the guest is asked; 0: not
};

}  // namespace vmm::machine
