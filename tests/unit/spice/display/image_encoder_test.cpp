#include "spice/display/image_encoder.h"

#include <gtest/gtest.h>
#include <random>

namespace {

using core::Rect;
using spice::canvas::Surface;
using spice::display::ImageBuffers;
using spice::display::ImageEncoder;

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

TEST(ImageEncoder, plain_area_is_lz_and_decodes_to_its_pixels) {
  Surface surface(100, 80);
  surface.view().row(20)[30] = 0x123456;
  const Rect area{10, 10, 90, 70};
  ImageEncoder encoder;
  const auto image = encoder.encode(surface, area, true);
  ASSERT_TRUE(image.is_lz);
  EXPECT_LT(image.data.size(), 100U);
  std::vector<std::uint8_t> decoded(80 * 60 * 4);
  ASSERT_TRUE(spice::codec::lz_decode(image.data.bytes(), decoded).has_value());
  EXPECT_EQ(decoded, packed(surface, area));
}

TEST(ImageEncoder, area_that_does_not_shrink_is_raw) {
  const auto surface = noise(64, 64);
  auto wide = noise(400, 300);
  ImageEncoder encoder;
  // Three bytes a pixel and a bit: noise shrinks by dropping the unused byte, so only tiny areas stay raw.
  const auto tiny = encoder.encode(surface, {3, 3, 6, 7}, true);
  EXPECT_FALSE(tiny.is_lz);
  EXPECT_EQ(bytes_of(tiny.data), packed(surface, {3, 3, 6, 7}));
  EXPECT_TRUE(encoder.encode(wide, wide.bounds(), true).is_lz);
}

TEST(ImageEncoder, raw_is_raw_when_lz_is_not_wanted) {
  const Surface surface(32, 32);
  ImageEncoder encoder;
  const auto image = encoder.encode(surface, surface.bounds(), false);
  EXPECT_FALSE(image.is_lz);
  EXPECT_EQ(image.data.size(), 32U * 32 * 4);
}

TEST(ImageEncoder, earlier_images_keep_their_bytes) {
  const auto surface = noise(256, 256);
  ImageEncoder encoder;
  const auto first = encoder.encode(surface, {0, 0, 256, 128}, false);
  const auto second = encoder.encode(surface, {0, 128, 256, 256}, false);
  encoder.trim();
  EXPECT_EQ(bytes_of(first.data), packed(surface, {0, 0, 256, 128}));
  EXPECT_EQ(bytes_of(second.data), packed(surface, {0, 128, 256, 256}));
}

TEST(ImageBuffers, sent_buffer_is_used_again) {
  ImageBuffers buffers;
  const auto* first = buffers.buffer(ImageBuffers::kBufferBytes).data();
  {
    const auto payload = buffers.take(ImageBuffers::kCopyUpTo + 1);
  }
  EXPECT_EQ(buffers.buffer(ImageBuffers::kBufferBytes).data(), first);
}

TEST(ImageEncoder, clients_share_an_image_until_the_surface_changes) {
  const auto surface = noise(200, 100);
  const Rect area{0, 0, 200, 100};
  ImageEncoder encoder;
  encoder.set_clients(2);
  const auto first = encoder.encode(surface, area, true);
  EXPECT_EQ(encoder.encode(surface, area, true).data.bytes().data(), first.data.bytes().data());
  EXPECT_NE(encoder.encode(surface, area, false).data.bytes().data(), first.data.bytes().data());
  EXPECT_NE(encoder.encode(surface, {0, 0, 199, 100}, true).data.bytes().data(), first.data.bytes().data());
  encoder.surface_changed();
  EXPECT_NE(encoder.encode(surface, area, true).data.bytes().data(), first.data.bytes().data());
}

TEST(ImageEncoder, nothing_is_kept_for_a_single_client) {
  const auto surface = noise(200, 100);
  const Rect area{0, 0, 200, 100};
  ImageEncoder encoder;
  encoder.set_clients(1);
  const auto first = encoder.encode(surface, area, true);
  EXPECT_NE(encoder.encode(surface, area, true).data.bytes().data(), first.data.bytes().data());
}

TEST(ImageBuffers, small_payload_does_not_hold_the_buffer) {
  ImageBuffers buffers;
  const auto* first = buffers.buffer(1000).data();
  const auto payload = buffers.take(100);
  EXPECT_EQ(payload.size(), 100U);
  EXPECT_EQ(buffers.buffer(1000).data(), first);
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
