// Fields of libspice-server's recordings: one a line, a label and numbers, or "binary 0 LABEL SIZE:" with raw bytes
// behind it. They come in a fixed order, so the caller always says which one must be next.
#pragma once

#include <array>
#include <concepts>
#include <string_view>
#include <vector>

#include "vmm/replay/input.h"

namespace vmm::replay {

class TextFields {
 public:
  explicit TextFields(Input& input) : input_(input) {}

  bool ok() const { return input_.ok(); }
  void fail(std::string_view what) { input_.fail(what); }

  void word(std::string_view label) { fields(label, {}); }
  // An empty label: the line begins with the number. The writer does not always print a number with its own sign: what
  // counts are its lowest 32 bits.
  std::uint32_t number(std::string_view label);
  template <std::size_t N>
  std::array<std::int32_t, N> numbers(std::string_view label) {
    std::array<std::uint64_t, N> wide{};
    fields(label, wide);
    std::array<std::int32_t, N> result{};
    for (std::size_t i = 0; i < N; ++i)
      result[i] = static_cast<std::int32_t>(narrow(wide[i]));
    return result;
  }
  std::uint64_t wide_number(std::string_view label);
  void wide_numbers(std::string_view label, std::span<std::uint64_t> values) { fields(label, values); }
  std::vector<std::uint8_t> binary(std::string_view label);
  // Several binaries as one. The first line says how many follow the first and how long they are together.
  std::vector<std::uint8_t> chunks(std::string_view label);
  // Reads a line and says which of these labels it has; the numbers behind it are left to value().
  std::size_t which(std::span<const std::string_view> labels);
  std::uint32_t value() const { return value_; }

 private:
  // What one command may bring along, and in how many pieces.
  static constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kMostChunks = std::uint64_t{1} << 21;

  void fields(std::string_view label, std::span<std::uint64_t> values);
  void parse(std::string_view line, std::string_view label, std::span<std::uint64_t> values);
  void append_binary(std::string_view label, std::vector<std::uint8_t>& to);
  std::uint32_t narrow(std::uint64_t value);

  Input& input_;
  std::uint32_t value_ = 0;
};

}  // namespace vmm::replay
