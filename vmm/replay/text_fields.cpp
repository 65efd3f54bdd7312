#include "vmm/replay/text_fields.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace vmm::replay {
namespace {

void skip_spaces(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

// A number at the front of `text`, which it is taken off; negative ones as their complement.
bool take_number(std::string_view& text, std::uint64_t& value) {
  skip_spaces(text);
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  if (is_negative) value = -value;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::uint32_t TextFields::narrow(std::uint64_t value) {
  const auto signed_value = static_cast<std::int64_t>(value);
  if (signed_value < std::numeric_limits<std::int32_t>::min() ||
      signed_value > std::numeric_limits<std::uint32_t>::max()) {
    input_.fail("a number has more than 32 bits");
    return 0;
  }
  return static_cast<std::uint32_t>(value);
}

void TextFields::fields(std::string_view label, std::span<std::uint64_t> values) {
  parse(input_.text_until('\n'), label, values);
}

void TextFields::parse(std::string_view line, std::string_view label, std::span<std::uint64_t> values) {
  if (!ok()) return;
  auto rest = line;
  bool fits = rest.starts_with(label);
  if (fits) rest.remove_prefix(label.size());
  bool needs_space = !label.empty();
  for (auto& value : values) {
    fits = fits && (!needs_space || rest.starts_with(' ')) && take_number(rest, value);
    needs_space = true;
  }
  if (fits && rest.empty()) return;
  std::ranges::fill(values, 0);
  input_.fail(fmt::format("\"{}\" is not \"{}\" with {} numbers", line, label, values.size()));
}

std::uint32_t TextFields::number(std::string_view label) {
  return narrow(wide_number(label));
}

std::uint64_t TextFields::wide_number(std::string_view label) {
  std::array<std::uint64_t, 1> value{};
  fields(label, value);
  return value[0];
}

std::size_t TextFields::which(std::span<const std::string_view> labels) {
  const auto line = input_.text_until('\n');
  for (std::size_t i = 0; i < labels.size(); ++i) {
    auto rest = line;
    if (!rest.starts_with(labels[i])) continue;
    rest.remove_prefix(labels[i].size());
    std::uint64_t value = 0;
    if (!rest.starts_with(' ') || !take_number(rest, value) || !rest.empty()) continue;
    value_ = narrow(value);
    return i;
  }
  if (ok()) input_.fail(fmt::format("\"{}\" was not to be expected here", line));
  return labels.size();
}

void TextFields::append_binary(std::string_view label, std::vector<std::uint8_t>& to) {
  const std::string start = fmt::format("binary 0 {}", label);
  std::array<std::uint64_t, 1> size{};
  parse(input_.text_until(':'), start, size);
  if (size[0] > kMostBytes - std::min<std::uint64_t>(to.size(), kMostBytes)) input_.fail("there are too many bytes");
  if (!ok()) return;
  auto bytes = input_.bytes(size[0]);
  if (!input_.text_until('\n').empty()) input_.fail("bytes do not end where they should");
  if (to.empty())
    to = std::move(bytes);
  else
    to.insert(to.end(), bytes.begin(), bytes.end());
}

std::vector<std::uint8_t> TextFields::binary(std::string_view label) {
  std::vector<std::uint8_t> result;
  append_binary(label, result);
  return result;
}

std::vector<std::uint8_t> TextFields::chunks(std::string_view label) {
  std::array<std::uint64_t, 2> head{};  // chunks after the first, bytes
  fields("data_chunks", head);
  if (head[0] > kMostChunks) input_.fail("there are too many chunks");
  std::vector<std::uint8_t> result;
  for (std::uint64_t left = head[0] + 1; left > 0 && ok(); --left)
    append_binary(label, result);
  if (ok() && result.size() != head[1]) input_.fail("chunks have another size together than they should");
  return result;
}

}  // namespace vmm::replay
