#include "devices/platform/rtc_calendar.h"

#include <algorithm>
#include <chrono>

namespace devices::platform {

using namespace rtc_abi;

namespace {

constexpr std::int64_t kDay = 86'400;
// In days, from a 31st to one two months later, or a 30th over February.
constexpr std::int64_t kLongestWait = 62;
constexpr std::int64_t kYear0 = -62'167'219'200;       // 0000-01-01
constexpr std::int64_t kLastSecond = 253'402'300'799;  // 9999-12-31 23:59:59

struct Form {
  explicit Form(std::uint8_t register_b) : binary((register_b & kBinary) != 0), hours24((register_b & kHours24) != 0) {}

  int decode(std::uint8_t raw) const { return binary ? raw : (raw >> 4) * 10 + (raw & 15); }
  std::uint8_t encode(int value) const {
    return static_cast<std::uint8_t>(binary ? value : value / 10 % 10 << 4 | value % 10);
  }
  int decode_hour(std::uint8_t raw) const {
    if (hours24) return decode(raw);
    return decode(raw & static_cast<std::uint8_t>(~kPm)) % 12 + ((raw & kPm) != 0 ? 12 : 0);
  }
  std::uint8_t encode_hour(int hour) const {
    if (hours24) return encode(hour);
    const int on_dial = hour % 12 == 0 ? 12 : hour % 12;
    return static_cast<std::uint8_t>(encode(on_dial) | (hour >= 12 ? kPm : 0));
  }

  bool binary;
  bool hours24;
};

int day_of_month(std::int64_t seconds) {
  const auto day = std::chrono::floor<std::chrono::days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  return static_cast<int>(static_cast<unsigned>(std::chrono::year_month_day(day).day()));
}

bool any(std::uint8_t alarm) {
  return (alarm & kAlarmDontCare) == kAlarmDontCare;
}

}  // namespace

std::int64_t clamp_calendar(std::int64_t seconds) {
  return std::clamp(seconds, kYear0, kLastSecond);
}

std::int64_t calendar_seconds(const CmosBank& cmos) {
  const Form form(cmos[kRegisterB]);
  const int year = std::min(form.decode(cmos[kCentury]) * 100 + form.decode(cmos[kYear]), 9999);
  const auto month = static_cast<unsigned>(std::clamp(form.decode(cmos[kMonth]), 1, 12));
  const std::chrono::sys_days first(std::chrono::year(year) / std::chrono::month(month) / 1);
  const std::int64_t days = first.time_since_epoch().count() + form.decode(cmos[kDayOfMonth]) - 1;
  return clamp_calendar(days * kDay + form.decode_hour(cmos[kHours]) * 3600 + form.decode(cmos[kMinutes]) * 60 +
                        form.decode(cmos[kSeconds]));
}

void store_calendar(std::int64_t seconds, CmosBank& cmos) {
  const Form form(cmos[kRegisterB]);
  const auto time = std::chrono::sys_seconds(std::chrono::seconds(seconds));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto of_day = static_cast<int>((time - day).count());
  const int year = static_cast<int>(date.year());
  cmos[kSeconds] = form.encode(of_day % 60);
  cmos[kMinutes] = form.encode(of_day / 60 % 60);
  cmos[kHours] = form.encode_hour(of_day / 3600);
  cmos[kDayOfWeek] = form.encode(static_cast<int>(std::chrono::weekday(day).c_encoding()) + 1);
  cmos[kDayOfMonth] = form.encode(static_cast<int>(static_cast<unsigned>(date.day())));
  cmos[kMonth] = form.encode(static_cast<int>(static_cast<unsigned>(date.month())));
  cmos[kYear] = form.encode(year % 100);
  cmos[kCentury] = form.encode(year / 100 % 100);
}

std::optional<std::int64_t> next_alarm(std::int64_t after, const CmosBank& cmos) {
  const Form form(cmos[kRegisterB]);
  const auto second = cmos[kSecondsAlarm];
  const auto minute = cmos[kMinutesAlarm];
  const auto hour = cmos[kHoursAlarm];
  const auto date = cmos[kRegisterD] & kDateAlarm;
  const int day = date == 0 ? 0 : form.decode(static_cast<std::uint8_t>(date));
  // What no clock shows need not be looked for.
  if (!any(hour) && form.decode_hour(hour) >= 24) return std::nullopt;
  if (!any(minute) && form.decode(minute) >= 60) return std::nullopt;
  if (!any(second) && form.decode(second) >= 60) return std::nullopt;
  const auto end = after + (day == 0 ? 1 : kLongestWait) * kDay + 1;
  for (auto time = after + 1; time < end;) {
    const auto of_day = ((time % kDay) + kDay) % kDay;
    if (day != 0 && day_of_month(time) != day) {
      time += kDay - of_day;
    } else if (!any(hour) && form.decode_hour(hour) != of_day / 3600) {
      time += 3600 - of_day % 3600;
    } else if (!any(minute) && form.decode(minute) != of_day / 60 % 60) {
      time += 60 - of_day % 60;
    } else if (!any(second) && form.decode(second) != of_day % 60) {
      ++time;
    } else {
      return time;
    }
  }
  return std::nullopt;
}

}  // namespace devices::platform
