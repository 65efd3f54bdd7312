#include "spice/display/screen.h"

#include <functional>
#include <gtest/gtest.h>
#include <utility>

namespace {

using core::Rect;
using spice::canvas::Region;
using spice::display::Screen;

struct ScriptedSource final : core::DisplaySource {
  std::function<void(core::DisplayCanvas&, bool)> script;
  bool refresh(core::DisplayCanvas& canvas, bool full) override {
    script(canvas, full);
    return true;
  }
  void set_wake(std::function<void()>) override {}
};

TEST(Screen, source_that_changes_nothing_gives_no_changes) {
  Screen screen;
  ScriptedSource source;
  source.script = [](core::DisplayCanvas&, bool) {};
  EXPECT_FALSE(screen.refresh(source, false).any());
  EXPECT_EQ(screen.surface().bounds(), (Rect{0, 0, Screen::kFirstWidth, Screen::kFirstHeight}));
}

TEST(Screen, changed_rectangles_are_collected_and_clipped) {
  Screen screen;
  ScriptedSource source;
  source.script = [](core::DisplayCanvas& canvas, bool) {
    canvas.pixels().row(0)[0] = 5;
    canvas.changed({-3, -3, 1, 1});
    canvas.changed({719, 399, 9000, 9000});
  };
  const auto changes = screen.refresh(source, false);
  Region expected(Rect{0, 0, 1, 1});
  expected.add(Rect{719, 399, 720, 400});
  EXPECT_EQ(changes.region, expected);
  EXPECT_FALSE(changes.mode_set);
  EXPECT_EQ(*screen.surface().at(0, 0), 5U);
}

TEST(Screen, mode_set_gives_a_black_surface_that_has_changed_as_a_whole) {
  Screen screen;
  ScriptedSource source;
  source.script = [](core::DisplayCanvas& canvas, bool) {
    canvas.changed({0, 0, 720, 400});
    const auto view = canvas.set_mode(640, 200);
    EXPECT_EQ(view.width, 640);
    EXPECT_EQ(view.height, 200);
    EXPECT_EQ(view.row(199)[639], 0U);
  };
  const auto changes = screen.refresh(source, true);
  EXPECT_TRUE(changes.mode_set);
  EXPECT_EQ(changes.region, Region(Rect{0, 0, 640, 200}));
}

TEST(Screen, impossible_mode_sizes_are_clamped) {
  Screen screen;
  ScriptedSource source;
  source.script = [](core::DisplayCanvas& canvas, bool) { canvas.set_mode(0, 100000); };
  screen.refresh(source, true);
  EXPECT_EQ(screen.surface().bounds(), (Rect{0, 0, 1, 8192}));
}

TEST(Screen, source_that_reports_single_pixels_is_bounded) {
  Screen screen;
  ScriptedSource source;
  source.script = [](core::DisplayCanvas& canvas, bool) {
    for (std::int32_t y = 0; y < 400; y += 3) {
      for (std::int32_t x = 0; x < 720; x += 3)
        canvas.changed({x, y, x + 1, y + 1});
    }
  };
  const auto changes = screen.refresh(source, false);
  EXPECT_LE(changes.region.rect_count(), 512U);
  EXPECT_GE(changes.region.area(), 240 * 133);
}

}  // namespace
