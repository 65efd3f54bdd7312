// Every case of tests/data/render, drawn and compared with what the reference drew. Each case says how far a channel
// may be off: not at all, save for alpha (1), JPEG (2) and interpolation (3).
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/vectors/render.h"

namespace {

using nlohmann::json;
using Bytes = std::vector<std::uint8_t>;

int worst_of_bytes(const Bytes& drawn, const Bytes& expected, bool unused_byte) {
  int worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!unused_byte || i % 4 != 3) worst = std::max(worst, std::abs(drawn[i] - expected[i]));
  }
  return worst;
}

int worst_of_words(const Bytes& drawn, const Bytes& expected, unsigned green_bits) {
  int worst = 0;
  for (std::size_t i = 0; i + 2 <= expected.size(); i += 2) {
    const auto word = [i](const Bytes& bytes) { return bytes[i] | bytes[i + 1] << 8; };
    const auto difference = [&](unsigned shift, unsigned bits) {
      const int mask = (1 << bits) - 1;
      return std::abs((word(drawn) >> shift & mask) - (word(expected) >> shift & mask));
    };
    worst = std::max({worst, difference(0, 5), difference(5, green_bits), difference(5 + green_bits, 5)});
  }
  return worst;
}

int worst_difference(const json& description, const Bytes& drawn, const Bytes& expected) {
  const std::string format = description.at("surface").at("format");
  if (format == "555" || format == "565") return worst_of_words(drawn, expected, format == "555" ? 5 : 6);
  return worst_of_bytes(drawn, expected, description.at("ignore_pad_byte"));
}

TEST(RenderVectors, every_case_is_drawn_as_the_reference_draws_it) {
  const std::string folder = MINIVMM_TEST_DATA "/render";
  std::ifstream file(folder + "/cases.json");
  const auto all = json::parse(file);
  int drawn_cases = 0;
  for (const auto& description : all.at("cases")) {
    const std::string name = description.at("name");
    try {
      const auto drawn = vectors::rendered(description, all.at("images"), folder);
      const auto expected = vectors::read_gzip(folder + "/" + description.at("expected").get<std::string>());
      ASSERT_EQ(drawn.size(), expected.size()) << name;
      EXPECT_LE(worst_difference(description, drawn, expected), description.at("tolerance").get<int>()) << name;
      ++drawn_cases;
    } catch (const std::exception& problem) {
      ADD_FAILURE() << name << ": " << problem.what();
    }
  }
  EXPECT_EQ(drawn_cases, 192);
}

}  // namespace
