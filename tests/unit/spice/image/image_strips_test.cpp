// Large images in strips: together they are the image.
#include "spice/image/image_strips.h"

#include <gtest/gtest.h>

#include "tests/unit/spice/image/session.h"

namespace {

using namespace image_session;
using spice::image::ImageSource;
using spice::image::ImageStrips;
using spice::image::Method;
using spice::image::OnSlowLines;
using spice::wire::ImageCompression;

constexpr std::uint32_t kWidth = 1000, kHeight = 1001;

core::ImagePtr large(core::BitmapFormat format, bool top_down, pictures::Kind kind = pictures::Kind::Gradient) {
  Random random(5);
  auto bitmap = pictures::bitmap(random, format, kind, kWidth, kHeight);
  bitmap.top_down = top_down;
  return std::make_shared<core::Image>(core::Image{.id = 1, .content = std::move(bitmap)});
}

std::optional<ImageStrips> cut(const core::ImagePtr& image, Method method = Method::Quic) {
  return ImageStrips::cut(*ImageSource::of_bitmap(image), method);
}

TEST(ImageStrips, lie_below_each_other_and_are_all_of_the_image) {
  const auto strips = cut(large(core::BitmapFormat::Rgb32, true));
  ASSERT_TRUE(strips);
  ASSERT_EQ(strips->count(), 3U);
  EXPECT_EQ(strips->area(0), (core::Rect{0, 0, 1000, 272}));
  EXPECT_EQ(strips->area(1), (core::Rect{0, 272, 1000, 544}));
  EXPECT_EQ(strips->area(2), (core::Rect{0, 544, 1000, 1001}));
}

TEST(ImageStrips, have_the_pixels_that_are_there_whichever_row_comes_first) {
  for (const bool top_down : {true, false}) {
    const auto image = large(core::BitmapFormat::Rgb24, top_down);
    const auto strips = cut(image);
    ASSERT_TRUE(strips);
    model::Picture all{.width = kWidth, .height = 0, .pixels = {}};
    for (std::size_t strip = 0; strip < strips->count(); ++strip) {
      const auto part = model::picture(strips->source(strip).pixels());
      all.pixels.insert(all.pixels.end(), part.pixels.begin(), part.pixels.end());
      all.height += part.height;
    }
    EXPECT_EQ(all, model::picture(ImageSource::of_bitmap(image)->pixels()));
  }
}

TEST(ImageStrips, only_where_a_cut_costs_little) {
  const auto image = large(core::BitmapFormat::Rgb32, true);
  EXPECT_TRUE(cut(image, Method::Jpeg));
  EXPECT_TRUE(cut(image, Method::Lz4));
  for (const auto method : {Method::Raw, Method::Lz, Method::Glz, Method::ZlibGlz})
    EXPECT_FALSE(cut(image, method));
  EXPECT_FALSE(cut(photo(1)));
}

class EachCut : public testing::TestWithParam<std::pair<ImageCompression, ImageType>> {};

TEST_P(EachCut, shows_its_pixels) {
  const auto [compression, type] = GetParam();
  Session session({.compression = compression, .takes_lz4 = true}, 1, 1 << 22, 1 << 22);
  Random random(1);
  auto& channel = *session.channels[0];
  for (const bool top_down : {true, false}) {
    const auto image = large(core::BitmapFormat::Rgb32, top_down);
    const auto strips = channel.sender.strips(image, false);
    ASSERT_TRUE(strips);
    for (std::size_t strip = 0; strip < strips->count(); ++strip) {
      auto message = channel.sender.message();
      const auto made = message.of_strip(image, *strips, strip);
      EXPECT_EQ(made.image.type, type);
      channel.send(message, made, model::picture(strips->source(strip).pixels()));
    }
  }
  session.drain(random);
  EXPECT_EQ(session.client.error(), "");
  EXPECT_TRUE(session.client.done());
}

INSTANTIATE_TEST_SUITE_P(All, EachCut,
                         testing::Values(std::pair(ImageCompression::AutoGlz, ImageType::Quic),
                                         std::pair(ImageCompression::AutoLz, ImageType::Quic),
                                         std::pair(ImageCompression::Quic, ImageType::Quic),
                                         std::pair(ImageCompression::Lz4, ImageType::Lz4)));

TEST(ImageStrips, of_a_jpeg_show_what_the_whole_would) {
  Session session({.jpeg = OnSlowLines::Always}, 1, 1 << 22, 1 << 22);
  Random random(1);
  auto& channel = *session.channels[0];
  const auto image = large(core::BitmapFormat::Rgb32, true);
  EXPECT_EQ(channel.send(image, Exactness::MayLose), ImageType::Jpeg);
  session.drain(random);
  const auto whole = session.client.last();
  const auto strips = channel.sender.strips(image, true);
  ASSERT_TRUE(strips);
  std::vector<std::uint32_t> pixels;
  for (std::size_t strip = 0; strip < strips->count(); ++strip) {
    auto message = channel.sender.message();
    const auto made = message.of_strip(image, *strips, strip);
    EXPECT_TRUE(made.is_lossy);
    channel.send(message, made, {});
    session.drain(random);
    const auto& part = session.client.last().pixels;
    pixels.insert(pixels.end(), part.begin(), part.end());
  }
  EXPECT_EQ(session.client.error(), "");
  // Beside a cut the decoder has no neighbour to smooth halved colours with.
  std::size_t others = 0;
  ASSERT_EQ(pixels.size(), whole.pixels.size());
  for (std::size_t at = 0; at < pixels.size(); ++at)
    others += pixels[at] != whole.pixels[at] ? 1U : 0U;
  EXPECT_LE(others, kWidth * 2 * (strips->count() - 1));
}

TEST(ImageStrips, of_an_image_that_the_client_keeps_there_are_none) {
  Session session({}, 1, 1 << 22, 1 << 22);
  auto kept = *large(core::BitmapFormat::Rgb32, true);
  kept.cacheable = true;
  const auto image = std::make_shared<core::Image>(std::move(kept));
  EXPECT_FALSE(session.channels[0]->sender.strips(image, false));
}

TEST(ImageStrips, have_the_same_bytes_however_many_threads_encode_them) {
  spice::image::EncoderPool pool(3, {});
  const auto bytes = [](spice::image::EncoderPool* threads) {
    ImageEncoder encoder(threads);
    ImageSender sender(encoder, {.compression = ImageCompression::Quic});
    const auto image = large(core::BitmapFormat::Rgb32, true, pictures::Kind::Noise);
    const auto strips = sender.strips(image, false);
    std::vector<std::vector<std::uint8_t>> all;
    const std::vector<std::size_t> numbers{0, 1, 2};
    for (std::span upcoming(numbers); !upcoming.empty(); upcoming = upcoming.subspan(1)) {
      sender.prepare(image, *strips, upcoming);
      auto message = sender.message();
      const auto made = message.of_strip(image, *strips, upcoming.front());
      const auto* const quic = std::get_if<spice::wire::CompressedData>(&made.image.data);
      if (quic != nullptr) all.emplace_back(quic->data.bytes().begin(), quic->data.bytes().end());
      message.send_before(1, [](const auto&) {});
    }
    return all;
  };
  EXPECT_EQ(bytes(&pool), bytes(nullptr));
}

}  // namespace
