#include "vmm/control/passwords.h"

#include <algorithm>
#include <charconv>

namespace vmm::control {

using machine::WhenConnected;
using std::chrono::seconds;
using std::chrono::sys_seconds;

std::optional<WhenConnected> when_connected_by_name(std::string_view name) {
  if (name == "keep") return WhenConnected::Keep;
  if (name == "disconnect") return WhenConnected::Disconnect;
  if (name == "fail") return WhenConnected::Fail;
  return std::nullopt;
}

core::Result<std::optional<sys_seconds>> parse_expiry(std::string_view text, sys_seconds now) {
  constexpr std::int64_t kLongest = std::int64_t{1} << 40;  // 30,000 years: no sum overflows
  if (text == "never") return std::nullopt;
  if (text == "now") return now;
  const bool is_relative = text.starts_with('+');
  const auto digits = text.substr(is_relative ? 1 : 0);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_whole = error != std::errc::invalid_argument && end == digits.data() + digits.size();
  if (!is_whole) return core::fail("the time is now, never, +SECONDS, or SECONDS since 1970");
  const auto count = error == std::errc() ? std::min(number, std::uint64_t{kLongest}) : std::uint64_t{kLongest};
  const seconds time(static_cast<std::int64_t>(count));
  return is_relative ? now + time : sys_seconds(time);
}

core::Result<> set_password(machine::Controllable& machine, const std::string& password, WhenConnected action) {
  auto set = machine.set_spice_password(password, action);
  return set ? set : core::fail_with("Could not set password", set);
}

core::Result<> expire_password(machine::Controllable& machine, std::string_view time) {
  const auto at = parse_expiry(time, std::chrono::floor<seconds>(std::chrono::system_clock::now()));
  if (!at) return core::fail_with("Could not set password expire time", at);
  auto set = machine.expire_spice_password(*at);
  return set ? set : core::fail_with("Could not set password expire time", set);
}

}  // namespace vmm::control
