#include <algorithm>
#include <string_view>

#include "vmm/config/command_line.h"

namespace vmm::config {

namespace {

constexpr std::string_view kOption = "--spice";
constexpr std::string_view kKey = "password=";  // x509-key-password= ends with it, too

// To the end or to a single comma, as key_values.h splits.
std::size_t end_of_value(std::string_view text, std::size_t begin) {
  for (auto at = begin; at < text.size(); ++at) {
    if (text[at] != ',') continue;
    if (at + 1 == text.size() || text[at + 1] != ',') return at;
    ++at;
  }
  return text.size();
}

void hide(char* argument) {
  const std::string_view text(argument);
  for (auto key = text.find(kKey); key != std::string_view::npos; key = text.find(kKey, key + kKey.size())) {
    const auto begin = key + kKey.size();
    std::fill(argument + begin, argument + end_of_value(text, begin), '*');
  }
}

}  // namespace

void hide_passwords(std::span<char*> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool is_value = i > 0 && arguments[i - 1] == kOption;
    if (is_value || std::string_view(arguments[i]).starts_with(kOption)) hide(arguments[i]);
  }
}

}  // namespace vmm::config
