#include "spice/display/patience.h"

#include <gtest/gtest.h>

namespace spice::display {
namespace {

constexpr auto kCrowd = Patience::kCrowd;

class PatienceAt : public testing::Test {
 protected:
  bool waits(std::size_t queued) { return patience.waits(queued, now); }

  Patience patience;
  Patience::Time now{std::chrono::seconds(1)};
};

TEST_F(PatienceAt, few_drawings_nobody_waits) {
  EXPECT_FALSE(waits(0));
  EXPECT_FALSE(waits(kCrowd - 1));
  EXPECT_FALSE(patience.has_caught_up(0)) << "nobody had waited";
}

TEST_F(PatienceAt, a_crowd_is_waited_for_until_half_of_it_has_gone) {
  EXPECT_TRUE(waits(kCrowd));
  EXPECT_FALSE(patience.has_caught_up(kCrowd / 2));
  EXPECT_TRUE(patience.has_caught_up(kCrowd / 2 - 1));
  EXPECT_FALSE(patience.has_caught_up(kCrowd / 2 - 1)) << "it is said once";
}

TEST_F(PatienceAt, a_client_that_takes_nothing_is_waited_for_once) {
  EXPECT_TRUE(waits(kCrowd));
  now += Patience::kLongest;
  EXPECT_FALSE(waits(kCrowd));
  now += Patience::kLongest;
  EXPECT_FALSE(waits(kCrowd * 2)) << "nor later";
  EXPECT_FALSE(waits(1));
  EXPECT_FALSE(waits(kCrowd)) << "it has not taken all there is";
}

TEST_F(PatienceAt, a_client_that_has_taken_all_is_waited_for_again) {
  EXPECT_TRUE(waits(kCrowd));
  now += Patience::kLongest;
  EXPECT_FALSE(waits(kCrowd));
  EXPECT_FALSE(waits(0));
  EXPECT_TRUE(waits(kCrowd));
}

TEST_F(PatienceAt, each_crowd_has_its_own_time) {
  EXPECT_TRUE(waits(kCrowd));
  now += Patience::kLongest / 2;
  EXPECT_TRUE(patience.has_caught_up(0));
  now += Patience::kLongest;
  EXPECT_TRUE(waits(kCrowd)) << "the time without a crowd does not count";
}

}  // namespace
}  // namespace spice::display
