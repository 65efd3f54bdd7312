// What a sender makes of pixels, through a client that does as the protocol says and no more.
#include "spice/image/image_sender.h"

#include <gtest/gtest.h>

#include "spice/canvas/source.h"
#include "spice/codec/quic.h"
#include "tests/unit/spice/image/model_client.h"
#include "tests/unit/spice/image/pictures.h"
#include "tests/unit/spice/image/session.h"

namespace {

using namespace image_session;
using spice::image::OnSlowLines;
using spice::wire::ImageCompression;

class EachCompression : public testing::TestWithParam<ImageCompression> {};

TEST_P(EachCompression, any_image_shows_its_pixels) {
  Session session({.compression = GetParam(), .takes_lz4 = true}, 1, 8'000, 10'000);
  Random random(7);
  std::vector<core::ImagePtr> sent;
  for (int count = 0; count < 300; ++count) {
    auto image = pictures::any(random, 50);
    if (!sent.empty() && random() % 3 == 0) {
      image = sent[random() % sent.size()];
    } else if (random() % 2 == 0) {
      auto named = *image;
      named.cacheable = true;
      named.id = random();
      image = std::make_shared<core::Image>(std::move(named));
      sent.push_back(image);
    }
    session.channels[0]->send(image);
    session.drain(random);
    ASSERT_EQ(session.client.error(), "");
    ASSERT_TRUE(session.client.done());
  }
  const auto figures = session.channels[0]->sender.statistics()->figures();
  EXPECT_GT(figures.cache_hits, 20U);
  EXPECT_GT(figures.cache_drops, 10U);
}

TEST_P(EachCompression, any_area_of_any_surface_shows_its_pixels) {
  Session session({.compression = GetParam(), .takes_lz4 = true}, 1, 0, 30'000);
  Random random(8);
  for (const auto format : {core::SurfaceFormat::Xrgb, core::SurfaceFormat::Argb, core::SurfaceFormat::Rgb555,
                            core::SurfaceFormat::Rgb565, core::SurfaceFormat::A8}) {
    spice::canvas::Surface surface(90, 70, format);
    for (int count = 0; count < 60; ++count) {
      const auto bits = random();
      for (std::int32_t y = 0; y < 70; ++y) {
        for (std::ptrdiff_t x = 0; x < surface.stride_bytes(); ++x)
          surface.row(y)[x] = static_cast<std::uint8_t>(count % 3 == 0 ? random() : bits >> (x / 8 + y / 7) % 24);
      }
      const auto left = static_cast<std::int32_t>(random() % 80), top = static_cast<std::int32_t>(random() % 60);
      const core::Rect area{left, top, left + 1 + static_cast<std::int32_t>(random() % 10),
                            top + 1 + static_cast<std::int32_t>(random() % 10)};
      auto message = session.channels[0]->sender.message();
      const auto made = message.of_surface(
          {.surface = 3, .pixels = surface.pixels(), .area = area, .is_whole = count % 2 == 0}, Exactness::Exact);
      ASSERT_TRUE(made.has_value());
      const auto source = spice::image::ImageSource::of_surface(surface.pixels(), area, false);
      session.channels[0]->send(message, *made, model::picture(source->pixels()));
      session.drain(random);
      ASSERT_EQ(session.client.error(), "");
      ASSERT_TRUE(session.client.done());
    }
  }
}

// The order of a client's channels is its own.
TEST_P(EachCompression, displays_of_one_client_share_its_caches) {
  for (unsigned seed = 0; seed < 3; ++seed) {
    Session session({.compression = GetParam(), .jpeg = OnSlowLines::Always, .takes_lz4 = true}, 3, 6000, 9000);
    Random random(seed);
    for (int count = 0; count < 400; ++count) {
      auto& channel = *session.channels[random() % 3];
      const auto id = static_cast<std::uint32_t>(random() % 12 + 1);
      channel.send(id % 2 == 0 ? text(id, 20 + id) : photo(id),
                   random() % 2 == 0 ? Exactness::MayLose : Exactness::Exact);
      if (random() % 64 == 0) {
        const auto serial = channel.next_serial;
        channel.put(channel.sender.forget_images(serial));
      }
      if (random() % 8 == 0) session.drain(random);
      ASSERT_EQ(session.client.error(), "");
    }
    session.drain(random);
    ASSERT_EQ(session.client.error(), "");
    ASSERT_TRUE(session.client.done()) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachCompression,
                         testing::Values(ImageCompression::Off, ImageCompression::AutoGlz, ImageCompression::AutoLz,
                                         ImageCompression::Quic, ImageCompression::Glz, ImageCompression::Lz,
                                         ImageCompression::Lz4));

struct OneChannel : testing::Test {
  Random random{1};
  Session session{{.zlib_glz = OnSlowLines::Never}, 1, 100'000, 100'000};
  Channel& channel = *session.channels[0];

  void finish() {
    session.drain(random);
    EXPECT_EQ(session.client.error(), "");
    EXPECT_TRUE(session.client.done());
  }
};

TEST_F(OneChannel, second_time_comes_from_the_cache) {
  EXPECT_EQ(channel.send(text(1)), ImageType::GlzRgb);
  EXPECT_EQ(channel.send(text(1)), ImageType::FromCache);
  EXPECT_EQ(channel.send(photo(2)), ImageType::Quic);
  finish();
}

TEST_F(OneChannel, slow_line_makes_photos_lossy_and_packs_the_dictionarys_images) {
  channel.sender.set_options({.jpeg = OnSlowLines::Auto, .zlib_glz = OnSlowLines::Auto});
  EXPECT_EQ(channel.send(photo(2), Exactness::MayLose), ImageType::Quic);
  channel.sender.set_slow_line(true);
  EXPECT_EQ(channel.send(text(1)), ImageType::ZlibGlzRgb);
  EXPECT_EQ(channel.send(photo(3), Exactness::MayLose), ImageType::Jpeg);
  EXPECT_EQ(channel.send(photo(4, core::BitmapFormat::Rgba), Exactness::MayLose), ImageType::JpegAlpha);
  EXPECT_EQ(channel.send(photo(5)), ImageType::Quic);
  finish();
}

TEST_F(OneChannel, lossy_image_is_replaced_when_it_must_be_exact) {
  channel.sender.set_options({.jpeg = OnSlowLines::Always});
  EXPECT_EQ(channel.send(photo(3), Exactness::MayLose), ImageType::Jpeg);
  EXPECT_EQ(channel.send(photo(3), Exactness::MayLose), ImageType::FromCache);
  EXPECT_EQ(channel.send(photo(3)), ImageType::Quic);
  EXPECT_EQ(channel.send(photo(3)), ImageType::FromCacheLossless);
  EXPECT_EQ(channel.send(photo(3), Exactness::MayLose), ImageType::FromCacheLossless);
  finish();
}

TEST_F(OneChannel, exact_successor_of_a_lossy_image_is_named_as_such_when_nothing_is_lossy_any_more) {
  channel.sender.set_options({.jpeg = OnSlowLines::Always});
  EXPECT_EQ(channel.send(photo(3), Exactness::MayLose), ImageType::Jpeg);
  channel.sender.set_options({.jpeg = OnSlowLines::Never});
  EXPECT_EQ(channel.send(photo(3), Exactness::MayLose), ImageType::FromCache);
  EXPECT_EQ(channel.send(photo(3)), ImageType::Quic);
  EXPECT_EQ(channel.send(photo(3)), ImageType::FromCacheLossless);
  EXPECT_EQ(channel.send(photo(4)), ImageType::Quic);
  EXPECT_EQ(channel.send(photo(4)), ImageType::FromCache);
  finish();
}

TEST_F(OneChannel, clients_wish_counts_from_the_next_image_on) {
  EXPECT_EQ(channel.send(text(1)), ImageType::GlzRgb);
  channel.sender.set_compression(ImageCompression::Off);
  EXPECT_EQ(channel.send(text(2)), ImageType::Bitmap);
  channel.sender.set_compression(ImageCompression::Lz);
  EXPECT_EQ(channel.send(text(3)), ImageType::LzRgb);
  finish();
}

TEST_F(OneChannel, guests_quic_is_passed_on) {
  const auto source = photo(1);
  const auto& bitmap = std::get<core::Bitmap>(source->content);
  core::QuicBitmap quic{std::vector<std::uint8_t>(20'000)};
  spice::codec::QuicScratch scratch;
  const auto size = spice::codec::quic_encode({.type = spice::codec::QuicType::Rgb32,
                                               .width = bitmap.width,
                                               .height = bitmap.height,
                                               .rows = bitmap.data.data(),
                                               .stride = bitmap.stride},
                                              quic.data, scratch);
  quic.data.resize(*size);
  const auto image = std::make_shared<core::Image>(core::Image{.id = 9, .cacheable = true, .content = quic});
  for (const auto type : {ImageType::Quic, ImageType::FromCache}) {
    auto message = channel.sender.message();
    const auto made = message.of_image(image, Exactness::Exact);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->image.type, type);
    channel.send(message, *made, pictures::shown(bitmap));
  }
  finish();
}

TEST_F(OneChannel, guests_gray_quic_is_decoded) {
  std::vector<std::uint8_t> gray(50 * 40);
  for (std::size_t at = 0; at < gray.size(); ++at)
    gray[at] = static_cast<std::uint8_t>(at / 9);
  core::QuicBitmap quic{std::vector<std::uint8_t>(20'000)};
  spice::codec::QuicScratch scratch;
  const auto size = spice::codec::quic_encode(
      {.type = spice::codec::QuicType::Gray, .width = 50, .height = 40, .rows = gray.data(), .stride = 50}, quic.data,
      scratch);
  quic.data.resize(*size);
  auto message = channel.sender.message();
  const auto made = message.of_image(std::make_shared<core::Image>(core::Image{.content = quic}), Exactness::Exact);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->image.type, ImageType::LzRgb);
  channel.send(message, *made, {50, 40, {gray.begin(), gray.end()}});
  finish();
}

TEST_F(OneChannel, nonsense_makes_no_image) {
  auto message = channel.sender.message();
  const auto of = [&](auto content) {
    return message.of_image(std::make_shared<core::Image>(core::Image{.content = std::move(content)}), Exactness::Exact)
        .has_value();
  };
  EXPECT_FALSE(of(core::QuicBitmap{}));
  EXPECT_FALSE(of(core::QuicBitmap{std::vector<std::uint8_t>(100)}));
  EXPECT_FALSE(of(core::SurfacePixels{}));
  EXPECT_FALSE(of(core::Bitmap{}));
  EXPECT_FALSE(message.of_image(nullptr, Exactness::Exact).has_value());
  EXPECT_FALSE(message.of_mask(nullptr).has_value());
}

TEST_F(OneChannel, mask_is_raw_and_needs_no_palette) {
  auto bitmap = pictures::bitmap(random, core::BitmapFormat::Le1, pictures::Kind::Plain, 100, 100);
  bitmap.palette = nullptr;
  const auto image = std::make_shared<core::Image>(core::Image{.content = bitmap});
  auto message = channel.sender.message();
  const auto made = message.of_mask(image);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->image.type, ImageType::Bitmap);
  channel.send(message, *made, pictures::shown(bitmap));
  finish();
}

TEST_F(OneChannel, message_of_several_images_keeps_what_it_uses) {
  Session small({.compression = ImageCompression::Lz}, 1, 4000, 0);
  auto& to = *small.channels[0];
  to.send(text(1));
  to.send(text(2));
  auto message = to.sender.message();
  const auto first = message.of_image(text(1), Exactness::Exact), second = message.of_image(text(3), Exactness::Exact);
  EXPECT_EQ(first->image.type, ImageType::FromCache);
  EXPECT_NE(second->image.flags & spice::wire::kImageCacheMe, 0);  // in the place of 2
  message.send_before(to.next_serial, [&](const auto& before) { to.put(before); });
  to.put(model::Drawing{first->image, pictures::shown(std::get<core::Bitmap>(text(1)->content))});
  to.put(model::Drawing{second->image, pictures::shown(std::get<core::Bitmap>(text(3)->content))});
  small.drain(random);
  EXPECT_EQ(small.client.error(), "");
}

TEST_F(OneChannel, figures_tell_images_and_bytes_by_method) {
  channel.send(text(1));
  channel.send(text(1));
  const auto figures = channel.sender.statistics()->figures();
  const auto& glz = figures.of(spice::image::Method::Glz);
  EXPECT_EQ(glz.images, 1U);
  EXPECT_EQ(glz.raw_bytes, 40U * 40 * 4);
  EXPECT_GT(glz.sent_bytes, 0U);
  EXPECT_LT(glz.sent_bytes, glz.raw_bytes);
  EXPECT_EQ(figures.cache_hits, 1U);
  EXPECT_EQ(figures.cache_misses, 1U);
}

TEST(ImageSender, before_init_nothing_is_kept) {
  ImageEncoder encoder;
  ImageSender sender(encoder, {});
  auto message = sender.message();
  const auto made = message.of_image(text(1), Exactness::Exact);
  EXPECT_EQ(made->image.type, ImageType::LzRgb);
  EXPECT_EQ(made->image.flags, 0);
  EXPECT_TRUE(sender.forget_images(1).waits.empty());
}

TEST(Clients, channels_of_a_session_find_each_other_and_leave_nothing_behind) {
  spice::image::Clients clients;
  auto first = clients.of(7);
  EXPECT_EQ(clients.of(7), first);
  EXPECT_NE(clients.of(8), first);
  EXPECT_EQ(first->cache(init(1, 1)), first->cache(init(9, 9)));
  EXPECT_EQ(first->dictionary(init(1, -5))->window_pixels(), first->dictionary(init(1, 7))->window_pixels());
  auto second = init(1, 1), third = init(1, 1);
  second.cache_id = second.dictionary_id = 2;
  third.cache_id = third.dictionary_id = 3;
  EXPECT_NE(first->dictionary(second), first->dictionary(init(1, 1)));
  EXPECT_NE(first->cache(second), first->cache(init(1, 1)));
  EXPECT_EQ(first->dictionary(third), nullptr);
  EXPECT_EQ(first->cache(third), nullptr);
}

}  // namespace
