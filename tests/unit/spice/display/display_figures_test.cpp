#include "spice/display/display_figures.h"

#include <gmock/gmock.h>

namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(AllDisplayFigures, figures_are_there_as_long_as_the_channel) {
  spice::display::AllDisplayFigures figures;
  const auto images = std::make_shared<spice::image::ImageStatistics>();
  auto channel = std::make_shared<spice::display::DisplayStatistics>(images);
  figures.watch(7, 2, channel);
  images->cache_hit();
  channel->video().frame_sent(100);
  channel->video().encoder_worked(5us);
  channel->set_queue({.drawings = 3, .drawing_bytes = 400, .pixels = 50});
  const auto list = figures.list();
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0].session, 7U);
  EXPECT_EQ(list[0].channel, 2);
  EXPECT_EQ(list[0].images.cache_hits, 1U);
  EXPECT_EQ(list[0].video.frames, 1U);
  EXPECT_EQ(list[0].video.sent_bytes, 100U);
  EXPECT_EQ(list[0].video.encoder_ns, 5000U);
  EXPECT_EQ(list[0].queue.drawings, 3U);
  EXPECT_EQ(list[0].queue.drawing_bytes, 400U);
  EXPECT_EQ(list[0].queue.pixels, 50U);
  channel.reset();
  EXPECT_THAT(figures.list(), IsEmpty());
}

}  // namespace
