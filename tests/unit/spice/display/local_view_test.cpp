#include <gmock/gmock.h>
#include <semaphore>

#include "core/ports/view.h"
#include "spice/display/display_worker.h"
#include "tests/unit/spice/display/painted_source.h"
#include "tests/unit/spice/display/scripted_source.h"

namespace {

using core::DisplayView;
using core::Rect;
using core::ViewedPicture;
using display_test::Image;
using display_test::PaintedSource;
using spice::display::DisplayWorker;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kApart = DisplayView::Pointer::Apart;
constexpr auto kInPicture = DisplayView::Pointer::InPicture;

Image image_of(const ViewedPicture& picture) {
  return {picture.width, picture.height, picture.pixels};
}

class LocalView : public ::testing::Test {
 protected:
  LocalView() { worker_.start(); }
  ~LocalView() override { worker_.view().set_listener({}); }

  void listen() {
    worker_.view().set_listener([this] { told_.release(); });
  }
  void settle() { worker_.screenshot(); }
  DisplayView::Changes look(DisplayView::Pointer pointer = kApart) { return worker_.view().look(picture_, pointer); }

  std::counting_semaphore<> told_{0};
  PaintedSource source_;
  DisplayWorker worker_{DisplayWorker::Config{}, source_};
  ViewedPicture picture_;
};

TEST_F(LocalView, first_look_has_everything) {
  source_.paint({3, 4, 20, 30}, 0x00345678);
  const auto changes = look();
  EXPECT_TRUE(changes.reshaped);
  EXPECT_THAT(changes.areas, ElementsAre(picture_.bounds()));
  EXPECT_EQ(image_of(picture_), source_.image());
  EXPECT_EQ(picture_.surface_width, picture_.width);
  EXPECT_EQ(picture_.surface_height, picture_.height);
}

TEST_F(LocalView, later_ones_have_what_has_changed) {
  listen();
  look();
  source_.paint({3, 4, 20, 30}, 0x345678);
  const auto changes = look();
  EXPECT_FALSE(changes.reshaped);
  EXPECT_THAT(changes.areas, ElementsAre(Rect{3, 4, 20, 30}));
  EXPECT_EQ(image_of(picture_), source_.image());
  EXPECT_THAT(look().areas, IsEmpty());
}

TEST_F(LocalView, another_mode_is_another_picture) {
  listen();
  look();
  source_.set_mode(100, 20);
  source_.paint({0, 0, 50, 20}, 0x00654321);
  EXPECT_TRUE(look().reshaped);
  EXPECT_EQ(image_of(picture_), source_.image());
}

TEST_F(LocalView, listener_is_told_once_for_each_look) {
  listen();
  told_.acquire();  // nobody has looked yet
  source_.paint({0, 0, 1, 1}, 1);
  settle();
  EXPECT_FALSE(told_.try_acquire());
  look();
  source_.paint({0, 0, 1, 1}, 2);
  told_.acquire();  // by the refresh that nobody had to ask for
  EXPECT_EQ(look().areas.size(), 1U);
}

// A pointer of one white pixel.
core::CursorShapePtr dot(std::uint8_t alpha = 0xff) {
  return std::make_shared<const core::CursorShape>(core::CursorShape{
      .type = core::CursorType::Alpha, .width = 1, .height = 1, .data = {alpha, alpha, alpha, alpha}});
}

TEST(LocalViewPointer, is_drawn_and_leaves_no_trace) {
  display_test::ScriptedSource source;
  DisplayWorker worker({}, source);
  worker.start();
  ViewedPicture picture;
  const auto at = [&picture](std::int32_t x, std::int32_t y) {
    return picture
        .pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) + static_cast<std::size_t>(x)];
  };
  source.queue([](core::DisplayCanvas& canvas) { canvas.cursor().set(dot(), {2, 3}, true); });
  EXPECT_EQ(worker.view().look(picture, kInPicture).pointer, nullptr);
  EXPECT_EQ(at(2, 3), 0x00ffffffU);

  source.queue([](core::DisplayCanvas& canvas) { canvas.cursor().move({5, 6}); });
  EXPECT_THAT(worker.view().look(picture, kInPicture).areas, ElementsAre(Rect{2, 3, 3, 4}, Rect{5, 6, 6, 7}));
  EXPECT_EQ(at(2, 3), 0U);
  EXPECT_EQ(at(5, 6), 0x00ffffffU);

  const auto apart = worker.view().look(picture, kApart);
  EXPECT_EQ(at(5, 6), 0U);
  ASSERT_NE(apart.pointer, nullptr);
  EXPECT_THAT(apart.pointer->pixels, ElementsAre(0xffffffffU));

  source.queue([](core::DisplayCanvas& canvas) { canvas.cursor().hide(); });
  EXPECT_EQ(worker.view().look(picture, kApart).pointer, nullptr);
}

TEST(LocalViewPointer, is_mixed_with_what_lies_below_once) {
  display_test::ScriptedSource source;
  DisplayWorker worker({}, source);
  worker.start();
  ViewedPicture picture;
  source.queue([](core::DisplayCanvas& canvas) { canvas.cursor().set(dot(0x80), {0, 0}, true); });
  worker.view().look(picture, kInPicture);
  const auto mixed = picture.pixels.front();
  EXPECT_NE(mixed, 0U);
  for (int i = 0; i < 3; ++i)
    worker.view().look(picture, kInPicture);
  EXPECT_EQ(picture.pixels.front(), mixed);
}

}  // namespace
