#include "tests/unit/spice/display/display_model.h"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>
#include <utility>
#include <vector>

namespace {

std::vector<std::uint8_t> random_bytes(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(2000 + random() % 20'000);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// MINIVMM_MODEL_SEEDS=FIRST:COUNT runs others, for longer.
std::pair<unsigned, unsigned> seeds() {
  unsigned first = 1, count = 200;
  if (const char* wanted = std::getenv("MINIVMM_MODEL_SEEDS")) (void)std::sscanf(wanted, "%u:%u", &first, &count);
  return {first, count};
}

TEST(DisplayModel, screen_and_clients_show_what_was_drawn_whatever_happens) {
  display_test::DisplayModel::Counts all;
  const auto [first, count] = seeds();
  for (auto seed = first; seed < first + count; ++seed) {
    const auto bytes = random_bytes(seed);
    tests::FuzzInput input(bytes);
    display_test::DisplayModel model(input);
    ASSERT_EQ(model.run(), "") << "seed " << seed << ", " << input.rest().size() << " bytes left";
    all.drawings += model.counts().drawings;
    all.client_drawings += model.counts().client_drawings;
    all.comparisons += model.counts().comparisons;
  }
  RecordProperty("drawings", all.drawings);
  RecordProperty("client_drawings", all.client_drawings);
  RecordProperty("comparisons", all.comparisons);
  std::printf("%d drawings, %d drawn by clients, %d comparisons\n", all.drawings, all.client_drawings, all.comparisons);
  EXPECT_GT(all.client_drawings, all.drawings / 50);
}

}  // namespace
