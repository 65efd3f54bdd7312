#include "spice/display/unseen.h"

#include <gtest/gtest.h>

namespace spice::display {
namespace {

using core::Rect;
using Seen = std::vector<bool>;

constexpr SurfaceKey kSurface = 1;
constexpr SurfaceKey kOther = 2;

// Drawings in order, and what is said of them.
class UnseenOf : public testing::Test {
 protected:
  void fill(const Rect& area, SurfaceKey surface = kSurface) { add(surface, area, core::DrawFill{}, true, {}); }
  void blend(const Rect& area) { add(kSurface, area, core::DrawText{}, false, {}); }
  void copy(const Rect& area, SurfaceKey from, const Rect& read) {
    add(kSurface, area, core::DrawCopy{}, true, {{from, read}});
  }
  void move(const Rect& to, const Rect& from) {
    add(kSurface, to, core::DrawCopyBits{{from.left, from.top}}, true, {{kSurface, from}});
  }
  Seen unseen() const { return display::unseen(entries); }

  std::vector<DrawingList::Entry> entries;

 private:
  template <class Operation>
  void add(SurfaceKey surface, const Rect& area, Operation operation, bool covers,
           std::vector<PlacedDrawing::Read> reads) {
    auto drawing = std::make_shared<core::Drawing>();
    drawing->operation = std::move(operation);
    const bool has_reads = !reads.empty();
    auto placed =
        std::make_shared<const PlacedDrawing>(entries.size() + 1, std::move(drawing), surface, canvas::Region(area),
                                              covers, std::move(reads), DrawingMemory::Share(memory.counter(), 1));
    entries.push_back({area, surface, has_reads, std::move(placed)});
  }
  DrawingMemory memory;
};

TEST_F(UnseenOf, nothing_is_nothing) {
  EXPECT_EQ(unseen(), Seen{});
}

TEST_F(UnseenOf, what_several_cover_together) {
  fill({0, 0, 20, 10});
  blend({5, 0, 15, 10});
  fill({0, 0, 10, 10});
  fill({10, 0, 20, 10});
  EXPECT_EQ(unseen(), (Seen{true, true, false, false}));
}

TEST_F(UnseenOf, a_pixel_that_is_left_counts) {
  fill({0, 0, 20, 10});
  fill({0, 0, 19, 10});
  EXPECT_EQ(unseen(), (Seen{false, false}));
}

TEST_F(UnseenOf, what_does_not_cover_hides_nothing) {
  fill({0, 0, 10, 10});
  blend({0, 0, 10, 10});
  EXPECT_EQ(unseen(), (Seen{false, false}));
}

TEST_F(UnseenOf, surfaces_are_told_apart) {
  fill({0, 0, 10, 10}, kOther);
  fill({0, 0, 10, 10});
  EXPECT_EQ(unseen(), (Seen{false, false}));
}

TEST_F(UnseenOf, what_somebody_reads_before_it_is_covered_is_seen) {
  fill({0, 0, 10, 10}, kOther);
  copy({50, 0, 60, 10}, kOther, {0, 0, 10, 10});
  fill({0, 0, 10, 10}, kOther);
  EXPECT_EQ(unseen(), (Seen{false, false, false}));
}

TEST_F(UnseenOf, who_is_unseen_reads_nothing) {
  fill({0, 0, 10, 10}, kOther);
  copy({50, 0, 60, 10}, kOther, {0, 0, 10, 10});
  fill({0, 0, 10, 10}, kOther);
  fill({50, 0, 60, 10});
  EXPECT_EQ(unseen(), (Seen{true, true, false, false}));
}

TEST_F(UnseenOf, what_was_moved_beyond_the_edge) {
  constexpr Rect kAll{0, 0, 10, 40}, kUpper{0, 0, 10, 30}, kLower{0, 10, 10, 40}, kLast{0, 30, 10, 40};
  fill(kAll);
  for (int i = 0; i < 3; ++i) {
    move(kUpper, kLower);
    fill(kLast);
  }
  EXPECT_EQ(unseen(), (Seen{false, false, false, false, false, false, false}));
  move(kUpper, kLower);
  fill(kLast);
  EXPECT_EQ(unseen(), (Seen{true, true, false, false, false, false, false, false, false}))
      << "the first of the last four lines was filled after the first move";
  move(kUpper, kLower);
  fill(kLast);
  EXPECT_EQ(unseen(), (Seen{true, true, true, true, false, false, false, false, false, false, false}));
}

TEST_F(UnseenOf, very_many_pieces_are_bounded) {
  fill({0, 0, 4000, 4000});
  for (std::int32_t i = 0; i < 2000; ++i)
    fill({i * 2, i % 500 * 4, i * 2 + 1, i % 500 * 4 + 1});
  EXPECT_EQ(unseen(), Seen(2001));
  fill({0, 0, 4000, 4000});
  auto expected = Seen(2002, true);
  expected.back() = false;
  EXPECT_EQ(unseen(), expected);
}

}  // namespace
}  // namespace spice::display
