// A message against its golden bytes: both directions, its size, and every truncation.
#pragma once

#include <cstdint>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <initializer_list>
#include <vector>

#include "spice/wire/coding.h"

namespace spice::wire {

using Golden = std::vector<std::uint8_t>;

inline Golden joined(std::initializer_list<Golden> fields) {
  Golden all;
  for (const auto& field : fields)
    all.insert(all.end(), field.begin(), field.end());
  return all;
}

inline Golden u8(std::uint8_t value) {
  return {value};
}
inline Golden u16(std::uint16_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8)};
}
inline Golden u32(std::uint32_t value) {
  return joined({u16(static_cast<std::uint16_t>(value)), u16(static_cast<std::uint16_t>(value >> 16))});
}
inline Golden u64(std::uint64_t value) {
  return joined({u32(static_cast<std::uint32_t>(value)), u32(static_cast<std::uint32_t>(value >> 32))});
}
inline Golden text(std::string_view value) {
  return {value.begin(), value.end()};
}
inline Golden zeros(std::size_t count) {
  return Golden(count);
}

// Decodes the bytes, encodes them again, and tries every strict prefix: those shorter than `least` must fail, longer
// ones (of a message that ends in a run of any length) may pass.
template <class M>
M check_golden(const Golden& bytes, std::size_t least) {
  auto message = decode<M>(bytes);
  EXPECT_TRUE(message.has_value());
  if (!message) return {};
  EXPECT_THAT(encode(*message).flatten(), testing::ElementsAreArray(bytes));
  EXPECT_EQ(wire_size(*message), bytes.size());
  EXPECT_EQ(to_text(*message).empty(), bytes.empty());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const bool decodes = decode<M>(std::span(bytes).first(size)).has_value();
    EXPECT_TRUE(!decodes || size >= least) << "a truncation to " << size << " bytes is taken for the message";
  }
  return *message;
}

template <class M>
M check_golden(const Golden& bytes) {
  return check_golden<M>(bytes, bytes.size());
}

}  // namespace spice::wire
