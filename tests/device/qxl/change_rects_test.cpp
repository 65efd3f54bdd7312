#include "devices/qxl/change_rects.h"

#include <gtest/gtest.h>

namespace {

using core::Rect;
using devices::qxl::ChangeRects;
using Rects = std::vector<Rect>;

TEST(ChangeRects, lines_of_one_shape_become_one) {
  ChangeRects changes;
  changes.add({10, 5, 20, 6});
  changes.add({10, 6, 20, 7});
  changes.add({9, 7, 21, 8});
  EXPECT_EQ(changes.rects(), (Rects{{9, 5, 21, 8}}));
}

TEST(ChangeRects, distant_pieces_stay_apart) {
  ChangeRects changes;
  changes.add({0, 0, 10, 1});
  changes.add({500, 0, 510, 1});
  changes.add({0, 1, 10, 2});
  changes.add({500, 1, 510, 2});
  changes.add({0, 90, 10, 91});
  EXPECT_EQ(changes.rects(), (Rects{{0, 0, 10, 2}, {500, 0, 510, 2}, {0, 90, 10, 91}}));
}

TEST(ChangeRects, a_union_that_gains_much_is_not_made) {
  ChangeRects changes;
  changes.add({0, 0, 1000, 10});
  changes.add({0, 10, 10, 300});
  EXPECT_EQ(changes.rects().size(), 2u);
}

TEST(ChangeRects, their_number_is_bounded) {
  ChangeRects changes;
  for (int y = 0; y < 4000; y += 4)
    changes.add({y % 400 * 3, y, y % 400 * 3 + 1, y + 1});
  EXPECT_LE(changes.rects().size(), 64u);
  const auto& last = changes.rects().back();
  EXPECT_EQ(last.bottom, 3997);
}

TEST(ChangeRects, empty_pieces_do_not_count) {
  ChangeRects changes;
  changes.add({5, 5, 5, 9});
  EXPECT_TRUE(changes.empty());
}

}  // namespace
