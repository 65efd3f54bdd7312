#include "spice/image/image_encoder.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

#include "spice/canvas/surface.h"
#include "spice/codec/lz.h"

namespace {

using core::Rect;
using spice::canvas::Surface;
using spice::image::ImageBuffers;
using spice::image::ImageEncoder;
using spice::image::ImageKey;
using spice::image::ImageSource;
using spice::image::Method;

Surface noise(std::int32_t width, std::int32_t height) {
  std::mt19937 random(1);
  Surface surface(width, height);
  for (std::int32_t y = 0; y < height; ++y) {
    for (auto& pixel : surface.view().row(y))
      pixel = static_cast<std::uint32_t>(random()) & 0xffffffU;
  }
  return surface;
}

std::vector<std::uint8_t> packed(const Surface& surface, const Rect& area) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(area.width() * area.height()) * 4);
  pack_pixels(surface, area, bytes);
  return bytes;
}

std::vector<std::uint8_t> bytes_of(const spice::wire::Payload& payload) {
  return {payload.bytes().begin(), payload.bytes().end()};
}

struct Encoder {
  ImageEncoder encoder;

  auto encode(const Surface& surface, const Rect& area, Method method) {
    return encoder.encode(*ImageSource::of_surface(surface.pixels(), area, true), method, ImageKey{.area = area});
  }
};

TEST(ImageEncoder, plain_area_is_lz_and_decodes_to_its_pixels) {
  Surface surface(100, 80);
  surface.view().row(20)[30] = 0x123456;
  const Rect area{10, 10, 90, 70};
  const auto image = Encoder().encode(surface, area, Method::Lz);
  ASSERT_EQ(image.method, Method::Lz);
  EXPECT_LT(image.data.size(), 100U);
  std::vector<std::uint8_t> decoded(80 * 60 * 4);
  ASSERT_TRUE(spice::codec::lz_decode(image.data.bytes(), decoded).has_value());
  EXPECT_EQ(decoded, packed(surface, area));
}

TEST(ImageEncoder, area_that_does_not_shrink_is_raw) {
  const auto surface = noise(64, 64);
  auto wide = noise(400, 300);
  Encoder encoder;
  // Three bytes a pixel and a bit: noise shrinks by dropping the unused byte, so only tiny areas stay raw.
  const auto tiny = encoder.encode(surface, {3, 3, 6, 7}, Method::Lz);
  EXPECT_EQ(tiny.method, Method::Raw);
  EXPECT_EQ(tiny.stride, 12U);
  EXPECT_EQ(bytes_of(tiny.data), packed(surface, {3, 3, 6, 7}));
  EXPECT_EQ(encoder.encode(wide, wide.bounds(), Method::Lz).method, Method::Lz);
}

TEST(ImageEncoder, guests_rows_are_sent_where_they_lie) {
  core::Bitmap bitmap{.format = core::BitmapFormat::Rgb24, .width = 3, .height = 2, .stride = 12};
  bitmap.data.resize(24);
  const auto image = std::make_shared<core::Image>(core::Image{.content = bitmap});
  const auto encoded = ImageEncoder().encode(*ImageSource::of_bitmap(image), Method::Raw);
  EXPECT_EQ(encoded.data.bytes().data(), std::get<core::Bitmap>(image->content).data.data());
  EXPECT_EQ(encoded.stride, 12U);
}

TEST(ImageEncoder, guests_rows_with_a_short_last_one_are_packed) {
  core::Bitmap bitmap{.format = core::BitmapFormat::Rgb24, .width = 3, .height = 2, .stride = 12};
  bitmap.data.resize(21);
  const auto image = std::make_shared<core::Image>(core::Image{.content = bitmap});
  const auto encoded = ImageEncoder().encode(*ImageSource::of_bitmap(image), Method::Raw);
  EXPECT_EQ(encoded.data.size(), 24U);
  EXPECT_EQ(encoded.stride, 12U);
}

TEST(ImageEncoder, earlier_images_keep_their_bytes) {
  const auto surface = noise(256, 256);
  Encoder encoder;
  const auto first = encoder.encode(surface, {0, 0, 256, 128}, Method::Raw);
  const auto second = encoder.encode(surface, {0, 128, 256, 256}, Method::Raw);
  encoder.encoder.trim();
  EXPECT_EQ(bytes_of(first.data), packed(surface, {0, 0, 256, 128}));
  EXPECT_EQ(bytes_of(second.data), packed(surface, {0, 128, 256, 256}));
}

TEST(ImageEncoder, clients_share_an_image_until_the_surface_changes) {
  const auto surface = noise(200, 100);
  const Rect area{0, 0, 200, 100};
  Encoder encoder;
  encoder.encoder.shared().set_clients(2);
  const auto first = encoder.encode(surface, area, Method::Lz);
  EXPECT_EQ(encoder.encode(surface, area, Method::Lz).data.bytes().data(), first.data.bytes().data());
  EXPECT_NE(encoder.encode(surface, area, Method::Raw).data.bytes().data(), first.data.bytes().data());
  EXPECT_NE(encoder.encode(surface, {0, 0, 199, 100}, Method::Lz).data.bytes().data(), first.data.bytes().data());
  encoder.encoder.shared().surfaces_changed();
  EXPECT_NE(encoder.encode(surface, area, Method::Lz).data.bytes().data(), first.data.bytes().data());
}

TEST(ImageEncoder, nothing_is_kept_for_a_single_client) {
  const auto surface = noise(200, 100);
  const Rect area{0, 0, 200, 100};
  Encoder encoder;
  encoder.encoder.shared().set_clients(1);
  const auto first = encoder.encode(surface, area, Method::Lz);
  EXPECT_NE(encoder.encode(surface, area, Method::Lz).data.bytes().data(), first.data.bytes().data());
}

TEST(SharedImages, guests_images_stay_when_surfaces_change_and_memory_is_bounded) {
  spice::image::SharedImages shared;
  shared.set_clients(2);
  const auto image = std::make_shared<core::Image>();
  const spice::image::Encoded encoded{.method = Method::Lz,
                                      .data = spice::wire::Payload(std::vector<std::uint8_t>(3 << 20))};
  shared.add({.image = image}, Method::Lz, encoded);
  shared.surfaces_changed();
  EXPECT_TRUE(shared.find({.image = image}, Method::Lz).has_value());
  shared.add({.surface = 1}, Method::Lz, encoded);
  EXPECT_FALSE(shared.find({.surface = 1}, Method::Lz).has_value());
  shared.set_clients(1);
  EXPECT_FALSE(shared.find({.image = image}, Method::Lz).has_value());
}

TEST(SharedImages, guests_images_are_not_kept_alive) {
  spice::image::SharedImages shared;
  shared.set_clients(2);
  auto image = std::make_shared<core::Image>();
  const std::weak_ptr<core::Image> watched = image;
  shared.add({.image = image}, Method::Lz, {.method = Method::Lz, .data = {}});
  image.reset();
  EXPECT_TRUE(watched.expired());
  EXPECT_FALSE(shared.has({.image = std::make_shared<core::Image>()}, Method::Lz));
}

TEST(ImageBuffers, sent_buffer_is_used_again) {
  ImageBuffers buffers;
  const auto* first = buffers.buffer(ImageBuffers::kBufferBytes).data();
  {
    const auto payload = buffers.take(ImageBuffers::kCopyUpTo + 1);
  }
  EXPECT_EQ(buffers.buffer(ImageBuffers::kBufferBytes).data(), first);
}

TEST(ImageBuffers, small_payload_does_not_hold_the_buffer) {
  ImageBuffers buffers;
  const auto* first = buffers.buffer(1000).data();
  const auto payload = buffers.take(100);
  EXPECT_EQ(payload.size(), 100U);
  EXPECT_EQ(buffers.buffer(1000).data(), first);
}

TEST(ImageBuffers, large_buffer_is_kept_when_little_of_it_is_filled) {
  ImageBuffers buffers;
  const auto large = buffers.buffer(ImageBuffers::kBufferBytes * 8);
  large[0] = 5;
  const auto payload = buffers.take(large.size() / ImageBuffers::kSparse);
  EXPECT_EQ(payload.size(), large.size() / ImageBuffers::kSparse);
  EXPECT_EQ(buffers.buffer(large.size() - 1).data(), large.data());
  large[0] = 6;
  EXPECT_EQ(payload.bytes()[0], 5);
}

TEST(ImageBuffers, payload_outlives_the_pool) {
  spice::wire::Payload payload;
  {
    ImageBuffers buffers;
    buffers.buffer(ImageBuffers::kBufferBytes)[0] = 7;
    payload = buffers.take(ImageBuffers::kBufferBytes);
  }
  EXPECT_EQ(payload.bytes()[0], 7);
}

TEST(ImageBuffers, oversized_buffer_is_not_kept) {
  ImageBuffers buffers;
  const auto large = buffers.buffer(ImageBuffers::kBufferBytes * 4);
  large[large.size() - 1] = 9;
  auto payload = buffers.take(large.size());
  buffers.buffer(1000)[0] = 1;
  EXPECT_EQ(payload.bytes()[large.size() - 1], 9);
  buffers.buffer(ImageBuffers::kBufferBytes * 4)[0] = 2;
  EXPECT_EQ(buffers.take(10).bytes()[0], 2);
}

}  // namespace
