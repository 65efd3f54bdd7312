#include "tests/unit/spice/display/display_model.h"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <ostream>
#include <random>
#include <set>
#include <string>
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

using spice::image::ImageOptions;
using spice::image::OnSlowLines;
using spice::wire::ImageCompression;

struct Mode {
  const char* name;
  ImageOptions images;
  std::set<spice::wire::ImageType> types;  // that there must be among those of its clients
};
void PrintTo(const Mode& mode, std::ostream* out) {
  *out << mode.name;
}

// Two displays with the same clients.
class ModelOfTwo {
 public:
  ModelOfTwo(tests::FuzzInput& input, const display_test::ModelSettings& settings)
      : input_(input), left_(input, settings, sessions_, 0), right_(input, settings, sessions_, 1) {
    left_.on_settle = right_.on_settle = [this] {
      const bool left = left_.settle();
      return right_.settle() || left;
    };
  }
  std::string run() {
    std::string failure;
    while (!input_.empty() && failure.empty())
      failure = (input_.u8() % 2 == 0 ? left_ : right_).step();
    if (failure.empty()) failure = left_.finish();
    return failure.empty() ? right_.finish() : failure;
  }
  std::set<spice::wire::ImageType> types() const {
    auto types = left_.counts().types;
    types.merge(std::set(right_.counts().types));
    return types;
  }

 private:
  tests::FuzzInput& input_;
  display_test::ModelSessions sessions_;
  display_test::DisplayModel left_, right_;
};

class DisplayModelOf : public testing::TestWithParam<Mode> {};

TEST_P(DisplayModelOf, two_displays_of_clients_that_keep_images) {
  spice::image::EncoderPool pool(2, {});
  std::set<spice::wire::ImageType> types;
  const auto [first, count] = seeds();
  for (auto seed = first; seed < first + count / 4; ++seed) {
    const auto bytes = random_bytes(seed);
    tests::FuzzInput input(bytes);
    ModelOfTwo model(input, {.images = GetParam().images,
                             .cache_pixels = seed % 3 == 0 ? 100'000 : 3000,  // the largest images have 5340
                             .window_pixels = seed % 2 == 0 ? 100'000 : 8000,
                             .pool = seed % 5 == 0 ? &pool : nullptr});
    ASSERT_EQ(model.run(), "") << "seed " << seed << ", " << input.rest().size() << " bytes left";
    types.merge(model.types());
  }
  for (const auto type : GetParam().types)
    EXPECT_TRUE(types.contains(type)) << static_cast<int>(type);
}

using enum spice::wire::ImageType;
const Mode kModes[] = {
    {"off", {.compression = ImageCompression::Off}, {Bitmap, FromCache}},
    {"lz", {.compression = ImageCompression::Lz}, {LzRgb, LzPlt, FromCache}},
    {"lz4", {.compression = ImageCompression::Lz4, .takes_lz4 = true}, {Lz4, LzPlt, FromCache}},
    {"quic", {.compression = ImageCompression::Quic}, {Quic, FromCache}},
    {"glz", {.compression = ImageCompression::Glz}, {GlzRgb, LzRgb, FromCache}},
    {"auto_lz", {.compression = ImageCompression::AutoLz}, {Quic, LzRgb, FromCache}},
    {"auto_glz", {.compression = ImageCompression::AutoGlz}, {Quic, GlzRgb, FromCache}},
    {"packed",
     {.compression = ImageCompression::Glz, .jpeg = OnSlowLines::Always, .zlib_glz = OnSlowLines::Always},
     {GlzRgb, ZlibGlzRgb, FromCacheLossless}},
    {"lossy",
     {.compression = ImageCompression::AutoGlz, .jpeg = OnSlowLines::Always, .zlib_glz = OnSlowLines::Always},
     {Jpeg, GlzRgb, FromCacheLossless}},
};
INSTANTIATE_TEST_SUITE_P(Modes, DisplayModelOf, testing::ValuesIn(kModes),
                         [](const auto& mode) { return std::string(mode.param.name); });

}  // namespace
