#include "vmm/config/key_values.h"

#include <charconv>
#include <ctime>
#include <time.h>

#include "core/base/bits.h"

namespace vmm::config {

namespace {

// The parts between single commas, with ",," already turned into one comma.
std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      parts.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      parts.back() += ',';
      ++i;
    } else {
      parts.emplace_back();
    }
  }
  return parts;
}

}  // namespace

core::Result<std::vector<KeyValue>> split_key_values(std::string_view text, std::string_view implied_key) {
  std::vector<KeyValue> pairs;
  for (const auto& part : split_commas(text)) {
    const auto equals = part.find('=');
    if (equals == std::string::npos && pairs.empty() && !implied_key.empty()) {
      pairs.push_back({std::string(implied_key), part});
    } else if (equals == std::string::npos) {
      pairs.push_back({part, "on"});
    } else {
      pairs.push_back({part.substr(0, equals), part.substr(equals + 1)});
    }
    // The text is not repeated: it may hold a password.
    if (pairs.back().key.empty()) return core::fail("has an empty part: number {}", pairs.size());
  }
  return pairs;
}

core::Result<bool> parse_switch(const KeyValue& pair) {
  const auto& value = pair.value;
  if (value == "on" || value == "yes" || value == "true" || value == "y") return true;
  if (value == "off" || value == "no" || value == "false" || value == "n") return false;
  return core::fail("{}={}: give on or off", pair.key, value);
}

core::Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const auto digits = hex ? text.substr(2) : text;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (error != std::errc{} || end != digits.data() + digits.size() || value < low || value > high) {
    return core::fail("\"{}\" is not a number from {} to {}", text, low, high);
  }
  return value;
}

core::Result<std::chrono::sys_seconds> parse_date(std::string_view text) {
  const std::string copy(text);
  for (const char* form : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"}) {
    std::tm fields{};
    const char* end = ::strptime(copy.c_str(), form, &fields);
    if (end == nullptr || *end != '\0') continue;
    const int year = fields.tm_year + 1900;
    if (year < 1980 || year > 2099) break;
    const std::tm given = fields;
    const std::chrono::seconds seconds(::timegm(&fields));
    // The 31st of April has become the first of May.
    if (fields.tm_mday != given.tm_mday || fields.tm_sec != given.tm_sec) break;
    return std::chrono::sys_seconds(seconds);
  }
  return core::fail("\"{}\" is not a date from 1980 to 2099; write 2020-01-31 or 2020-01-31T23:59:59", text);
}

core::Result<std::uint64_t> parse_size(std::string_view text) {
  unsigned shift = 20;
  auto digits = text;
  if (!text.empty()) {
    constexpr std::string_view kSuffixes = "KMGT";
    const auto suffix = kSuffixes.find(static_cast<char>(text.back() & ~0x20));
    if (suffix != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(suffix) + 1);
      digits.remove_suffix(1);
    }
  }
  const auto value = parse_number(digits, 1, ~std::uint64_t{0} >> 1);
  const auto bytes = value ? core::checked_mul(*value, std::uint64_t{1} << shift) : std::nullopt;
  if (!bytes) return core::fail("\"{}\" is not a size; write 512M or 2G", text);
  return *bytes;
}

}  // namespace vmm::config
