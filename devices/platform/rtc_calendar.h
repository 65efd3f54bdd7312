// Between seconds since 1970 and the bytes of an MC146818 in its BCD or binary, 12 or 24 hour forms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "devices/platform/rtc_abi.h"

namespace devices::platform {

using CmosBank = std::array<std::uint8_t, rtc_abi::kBankBytes>;

// Reads the time registers of `cmos` in the form its register B names. Nonsense gives some date of the years 0..9999.
std::int64_t calendar_seconds(const CmosBank& cmos);
// Writes them.
void store_calendar(std::int64_t seconds, CmosBank& cmos);
// The first second after `after` at which the alarm registers match, that of the day of month among them.
std::optional<std::int64_t> next_alarm(std::int64_t after, const CmosBank& cmos);
// Holds a loaded time to the years 0..9999.
std::int64_t clamp_calendar(std::int64_t seconds);

}  // namespace devices::platform
