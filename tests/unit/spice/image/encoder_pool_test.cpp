// Encoding by several threads: all of it, once, and with the bytes that one thread makes.
#include "spice/image/encoder_pool.h"

#include <atomic>
#include <gmock/gmock.h>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "spice/image/image_encoder.h"
#include "tests/unit/spice/image/pictures.h"

namespace {

using spice::image::Bench;
using spice::image::EncoderPool;
using spice::image::ImageEncoder;
using spice::image::ImageSource;
using spice::image::Method;
using ::testing::Each;

// Works off `count` pieces and says how often each was.
std::vector<int> worked_on(EncoderPool& pool, std::size_t count) {
  std::vector<std::atomic<int>> times(count);
  Bench own;
  pool.run(count, own, [&times](std::size_t index, Bench&) { ++times[index]; });
  return {times.begin(), times.end()};
}

TEST(EncoderPool, every_piece_is_worked_on_once) {
  EncoderPool pool(3, {});
  EXPECT_EQ(pool.threads(), 3U);
  for (const std::size_t count : {0, 1, 2, 3, 4, 5, 1000})
    EXPECT_THAT(worked_on(pool, count), Each(1)) << count;
}

TEST(EncoderPool, several_threads_may_ask_at_once) {
  EncoderPool pool(2, {});
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&pool] {
      for (std::size_t count = 0; count < 100; ++count)
        EXPECT_THAT(worked_on(pool, count), Each(1));
    });
  }
}

TEST(EncoderPool, benches_belong_to_one_thread) {
  EncoderPool pool(3, {});
  std::mutex mutex;
  std::map<Bench*, std::thread::id> users;
  Bench own;
  pool.run(500, own, [&](std::size_t, Bench& bench) {
    const std::scoped_lock lock(mutex);
    const auto [user, is_new] = users.emplace(&bench, std::this_thread::get_id());
    EXPECT_EQ(user->second, std::this_thread::get_id());
  });
  ASSERT_TRUE(users.contains(&own));
  EXPECT_EQ(users[&own], std::this_thread::get_id());
}

std::vector<ImageEncoder::Expected> all_sorts() {
  pictures::Random random(3);
  std::vector<ImageEncoder::Expected> all;
  for (int count = 0; count < 40; ++count) {
    const auto image = pictures::any(random, 90);
    auto source = ImageSource::of_bitmap(image);
    if (!source) continue;
    for (const auto method : {Method::Lz, Method::Quic, Method::Jpeg, Method::Lz4}) {
      const auto format = source->pixels().format;
      if (method == Method::Lz || spice::image::is_color(format)) all.push_back({*source, method, {.image = image}});
    }
  }
  return all;
}

std::vector<std::uint8_t> bytes_of(const spice::image::Encoded& encoded) {
  return {encoded.data.bytes().begin(), encoded.data.bytes().end()};
}

TEST(EncoderPool, prepared_images_have_the_bytes_that_one_thread_makes) {
  EncoderPool pool(3, {});
  ImageEncoder several(&pool), alone;
  const auto all = all_sorts();
  ASSERT_GT(all.size(), 60U);
  for (std::size_t begin = 0; begin < all.size(); begin += 20) {
    const auto part = std::span(all).subspan(begin, std::min<std::size_t>(20, all.size() - begin));
    several.prepare(part);
    for (const auto& one : part) {
      EXPECT_TRUE(several.shared().has(one.key, one.method));
      const auto prepared = several.encode(one.source, one.method, one.key);
      const auto made = alone.encode(one.source, one.method, one.key);
      EXPECT_EQ(prepared.method, made.method);
      EXPECT_EQ(prepared.jpeg_bytes, made.jpeg_bytes);
      EXPECT_EQ(prepared.stride, made.stride);
      EXPECT_EQ(bytes_of(prepared), bytes_of(made));
      EXPECT_FALSE(several.shared().has(one.key, one.method)) << "for one client";
    }
  }
}

TEST(EncoderPool, what_nobody_asks_for_is_dropped_by_the_next) {
  EncoderPool pool(1, {});
  ImageEncoder encoder(&pool);
  const auto all = all_sorts();
  encoder.prepare(std::span(all).first(2));
  EXPECT_TRUE(encoder.shared().has(all[0].key, all[0].method));
  encoder.prepare(std::span(all).subspan(10, 2));
  EXPECT_FALSE(encoder.shared().has(all[0].key, all[0].method));
  EXPECT_TRUE(encoder.shared().has(all[10].key, all[10].method));
}

}  // namespace
