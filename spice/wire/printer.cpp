#include "spice/wire/printer.h"

#include <fmt/core.h>

namespace spice::wire {

void Printer::put(const char* name, const std::string& what) {
  if (!text_.empty() && text_.back() != '{' && text_.back() != '[') text_ += ' ';
  if (*name != '\0') text_ += fmt::format("{}=", name);
  text_ += what;
}

void Printer::open(const char* name, char bracket) {
  put(name, std::string(1, bracket));
}

void Printer::bytes(const char* name, const Payload& field) {
  constexpr std::size_t kShown = 16;
  std::string hex;
  for (const auto byte : field.bytes().first(std::min(kShown, field.size())))
    hex += fmt::format("{:02x}", byte);
  put(name, fmt::format("{}{}({} bytes)", hex, field.size() > kShown ? "..." : "", field.size()));
}

void Printer::text32(const char* name, const std::string& field) {
  std::string shown;
  for (const auto c : field)
    shown += c >= ' ' && c < 0x7f && c != '"' ? c : '?';
  put(name, fmt::format("\"{}\"", shown));
}

}  // namespace spice::wire
