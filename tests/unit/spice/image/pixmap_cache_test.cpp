#include "spice/image/pixmap_cache.h"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "spice/image/palette_cache.h"

namespace {

using spice::image::PaletteCache;
using spice::image::PixmapCache;
using spice::image::PixmapChannel;
using spice::image::PixmapMessage;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint64_t> dropped(const PixmapMessage& message) {
  std::vector<std::uint64_t> ids;
  for (const auto& item : message.invalid())
    ids.push_back(item.id);
  return ids;
}

MATCHER_P2(Wait, channel, serial, "") {
  return arg.id == channel && arg.serial == static_cast<std::uint64_t>(serial);
}

struct OnePixmapChannel : testing::Test {
  std::shared_ptr<PixmapCache> cache = std::make_shared<PixmapCache>(100);
  PixmapChannel channel{cache, 0};
  std::uint64_t serial = 1;

  // A message with one image; what had to be dropped for it.
  std::vector<std::uint64_t> send(std::uint64_t id, std::uint64_t pixels) {
    PixmapMessage message(channel);
    if (!message.find(id)) message.add(id, pixels, false);
    auto ids = dropped(message);
    message.commit(serial++);
    return ids;
  }
  bool has(std::uint64_t id) {
    PixmapMessage message(channel);
    const bool found = message.find(id).has_value();
    message.commit(serial++);
    return found;
  }
};

TEST_F(OnePixmapChannel, least_recently_used_image_goes_first) {
  send(1, 40);
  send(2, 40);
  send(1, 40);
  EXPECT_THAT(send(3, 40), ElementsAre(2));
  EXPECT_TRUE(has(1));
  EXPECT_FALSE(has(2));
}

TEST_F(OnePixmapChannel, images_count_by_their_pixels) {
  send(1, 50);
  EXPECT_THAT(send(2, 50), IsEmpty());
  EXPECT_THAT(send(3, 1), ElementsAre(1));
  EXPECT_THAT(send(4, 100), ElementsAre(2, 3));
}

TEST_F(OnePixmapChannel, larger_image_than_the_cache_drops_nothing) {
  send(1, 50);
  EXPECT_THAT(send(2, 101), IsEmpty());
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(1));
}

TEST_F(OnePixmapChannel, image_of_the_same_message_is_not_dropped) {
  send(1, 30);
  send(2, 60);
  PixmapMessage message(channel);
  EXPECT_TRUE(message.find(2).has_value());
  EXPECT_FALSE(message.add(3, 60, false));
  EXPECT_THAT(dropped(message), ElementsAre(1));  // on the way
  message.commit(serial++);
  EXPECT_TRUE(has(2));
}

TEST_F(OnePixmapChannel, image_that_the_message_drops_is_not_kept_again_by_it) {
  send(1, 60);
  PixmapMessage message(channel);
  EXPECT_TRUE(message.add(2, 60, false));
  EXPECT_FALSE(message.add(1, 10, false));
  message.commit(serial++);
  EXPECT_FALSE(has(1));
}

TEST_F(OnePixmapChannel, lossy_image_can_be_replaced) {
  {
    PixmapMessage message(channel);
    message.add(1, 10, true);
    message.commit(serial++);
  }
  {
    PixmapMessage message(channel);
    EXPECT_TRUE(message.find(1)->is_lossy);
    EXPECT_TRUE(message.replace(1));
    message.commit(serial++);
  }
  PixmapMessage message(channel);
  EXPECT_FALSE(message.find(1)->is_lossy);
  message.commit(serial++);
}

TEST(PixmapCache, nothing_is_kept_without_room_or_cache) {
  for (const std::int64_t pixels : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
    PixmapChannel channel(std::make_shared<PixmapCache>(pixels), 0);
    PixmapMessage message(channel);
    EXPECT_FALSE(message.add(1, 1, false));
  }
  PixmapChannel channel(nullptr, 0);
  PixmapMessage message(channel);
  EXPECT_EQ(message.find(1), std::nullopt);
  EXPECT_FALSE(message.add(1, 1, false));
  message.commit(1);
}

TEST(PixmapCache, number_of_images_is_bounded) {
  PixmapChannel channel(std::make_shared<PixmapCache>(INT64_MAX), 0);
  std::size_t drops = 0;
  constexpr std::size_t kCount = PixmapCache::kMostImages + 10;
  for (std::uint64_t id = 0; id < kCount; ++id) {
    PixmapMessage message(channel);
    EXPECT_TRUE(message.add(id, 1, false));
    drops += message.invalid().size();
    message.commit(id + 1);
  }
  EXPECT_EQ(drops, 10U);
}

struct TwoPixmapChannels : testing::Test {
  std::shared_ptr<PixmapCache> cache = std::make_shared<PixmapCache>(100);
  PixmapChannel first{cache, 0}, second{cache, 1};

  static void send(PixmapChannel& channel, std::uint64_t id, std::uint64_t serial, std::uint64_t pixels = 40) {
    PixmapMessage message(channel);
    if (!message.find(id)) message.add(id, pixels, false);
    message.commit(serial);
  }
};

TEST_F(TwoPixmapChannels, image_of_one_is_found_by_the_other) {
  send(first, 1, 5);
  PixmapMessage message(second);
  EXPECT_TRUE(message.find(1).has_value());
  EXPECT_THAT(message.waits(), IsEmpty());  // the client itself waits for it
}

TEST_F(TwoPixmapChannels, image_is_dropped_behind_its_last_use_by_the_other) {
  send(first, 1, 5);
  send(first, 2, 6);
  send(first, 1, 7);
  PixmapMessage message(second);
  EXPECT_TRUE(message.add(3, 100, false));
  EXPECT_THAT(dropped(message), ElementsAre(2, 1));
  EXPECT_THAT(message.waits(), ElementsAre(Wait(0, 7)));
}

TEST_F(TwoPixmapChannels, image_that_the_other_dropped_is_sent_again_behind_that) {
  send(first, 1, 5);
  send(second, 2, 9, 100);  // drops 1
  PixmapMessage message(first);
  EXPECT_TRUE(message.add(1, 40, false));
  EXPECT_THAT(message.waits(), ElementsAre(Wait(1, 9)));
  message.commit(6);
  send(second, 3, 10, 100);
  PixmapMessage own(second);  // what it dropped itself is in order
  EXPECT_TRUE(own.add(1, 40, false));
  EXPECT_THAT(own.waits(), IsEmpty());
}

TEST_F(TwoPixmapChannels, image_that_the_other_is_dropping_is_not_kept) {
  send(first, 1, 5);
  PixmapMessage dropping(second);
  EXPECT_TRUE(dropping.add(2, 70, false));
  PixmapMessage message(first);
  EXPECT_FALSE(message.add(1, 20, false));
  message.commit(6);
  dropping.commit(9);
  PixmapMessage later(first);
  EXPECT_TRUE(later.add(1, 20, false));
  EXPECT_THAT(later.waits(), ElementsAre(Wait(1, 9)));
}

TEST_F(TwoPixmapChannels, image_in_a_message_of_the_other_is_not_dropped) {
  send(first, 1, 5);
  PixmapMessage message(first);
  EXPECT_TRUE(message.find(1).has_value());
  PixmapMessage other(second);
  EXPECT_FALSE(other.add(2, 100, false));
  EXPECT_THAT(other.invalid(), IsEmpty());
}

TEST_F(TwoPixmapChannels, reset_waits_for_all_uses_and_all_wait_for_the_reset) {
  send(first, 1, 5);
  send(second, 1, 8);
  EXPECT_THAT(first.reset(6), ElementsAre(Wait(1, 8)));
  PixmapMessage message(second);
  EXPECT_EQ(message.find(1), std::nullopt);
  EXPECT_TRUE(message.add(1, 40, false));
  EXPECT_THAT(message.waits(), ElementsAre(Wait(0, 6)));
  message.commit(10);
  PixmapMessage next(second);
  EXPECT_TRUE(next.find(1).has_value());
  EXPECT_THAT(next.waits(), IsEmpty());
}

TEST_F(TwoPixmapChannels, reset_waits_for_a_message_in_the_making) {
  send(second, 1, 3);
  auto message = std::make_unique<PixmapMessage>(second);
  EXPECT_TRUE(message->find(1).has_value());
  std::atomic<bool> is_reset{false};
  std::vector<spice::wire::WaitForChannel> waits;
  std::jthread thread([&] {
    waits = first.reset(6);
    is_reset = true;
  });
  EXPECT_FALSE(is_reset);
  message->commit(4);
  thread.join();
  EXPECT_THAT(waits, ElementsAre(Wait(1, 4)));
}

TEST_F(TwoPixmapChannels, replaced_image_waits_for_the_lossy_one) {
  PixmapMessage lossy(first);
  lossy.add(1, 10, true);
  {
    PixmapMessage early(second);
    EXPECT_TRUE(early.find(1)->is_lossy);
    EXPECT_FALSE(early.replace(1));  // when it is sent is not known yet
    early.commit(2);
  }
  lossy.commit(7);
  PixmapMessage message(second);
  EXPECT_TRUE(message.find(1)->is_lossy);
  EXPECT_TRUE(message.replace(1));
  EXPECT_THAT(message.waits(), ElementsAre(Wait(0, 7)));
}

TEST(PixmapChannels, one_that_opens_while_another_drops_images_waits_for_that) {
  const auto cache = std::make_shared<PixmapCache>(100);
  PixmapChannel first(cache, 0);
  {
    PixmapMessage message(first);
    EXPECT_TRUE(message.add(1, 100, false));
    message.commit(5);
  }
  auto dropping = std::make_unique<PixmapMessage>(first);
  EXPECT_TRUE(dropping->add(2, 70, false));
  std::jthread thread([&] {
    PixmapChannel second(cache, 1);
    PixmapMessage message(second);
    EXPECT_TRUE(message.add(1, 20, false));
    EXPECT_THAT(message.waits(), ElementsAre(Wait(0, 9)));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that it comes in between, if it can
  dropping->commit(9);
}

TEST(PixmapChannels, nobody_waits_for_one_that_has_gone) {
  const auto cache = std::make_shared<PixmapCache>(100);
  PixmapChannel first(cache, 0);
  {
    PixmapChannel second(cache, 1);
    TwoPixmapChannels::send(second, 1, 5);
    second.reset(6);
    TwoPixmapChannels::send(second, 2, 7, 90);
    TwoPixmapChannels::send(second, 3, 8, 90);
  }
  PixmapMessage message(first);
  EXPECT_TRUE(message.add(2, 90, false));
  EXPECT_THAT(dropped(message), ElementsAre(3));
  EXPECT_THAT(message.waits(), IsEmpty());
}

TEST(PixmapChannels, fifth_one_keeps_nothing) {
  const auto cache = std::make_shared<PixmapCache>(100);
  PixmapChannel a(cache, 0), b(cache, 1), c(cache, 2), d(cache, 3), e(cache, 4);
  PixmapMessage fourth(d), fifth(e);
  EXPECT_TRUE(fourth.add(1, 1, false));
  EXPECT_FALSE(fifth.add(2, 1, false));
  EXPECT_THAT(e.reset(1), IsEmpty());
}

TEST(PaletteCache, oldest_of_128_palettes_goes) {
  PaletteCache cache;
  for (std::uint64_t unique = 1; unique <= 128; ++unique)
    EXPECT_EQ(cache.add(unique, 16), std::nullopt);
  EXPECT_EQ(cache.find(1), 16U);
  EXPECT_EQ(cache.add(500, 256), 2U);
  EXPECT_EQ(cache.find(2), std::nullopt);
  EXPECT_EQ(cache.find(500), 256U);
  cache.clear();
  EXPECT_EQ(cache.find(1), std::nullopt);
}

}  // namespace
