// Images of recorded sessions of the reference server: a model client shows them, and a sender that is given the same
// pixels makes images of the same types.
#include <gtest/gtest.h>
#include <string>
#include <zlib.h>

#include "spice/image/image_sender.h"
#include "spice/wire/coding.h"
#include "spice/wire/link.h"
#include "tests/unit/spice/image/model_client.h"

namespace {

namespace wire = spice::wire;
using Bytes = std::vector<std::uint8_t>;
using spice::image::ImageMessage;
using wire::ImageCompression;

constexpr std::uint32_t kWindow = 16 << 20;

Bytes read_gzip(const std::string& path) {
  Bytes bytes;
  auto* file = ::gzopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  std::array<std::uint8_t, 65536> chunk;
  for (int count = 0; (count = ::gzread(file, chunk.data(), chunk.size())) > 0;)
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + count);
  ::gzclose(file);
  return bytes;
}

// What was drawn on the display channel, in order.
std::vector<wire::Image> images_of(std::span<const std::uint8_t> stream) {
  std::vector<wire::Image> images;
  const auto link = wire::decode<wire::LinkHeader>(stream);
  if (!link) return images;
  stream = stream.subspan(wire::kLinkHeaderSize + link->size + sizeof(wire::LinkError));
  while (!stream.empty()) {
    const auto header = wire::decode<wire::MiniHeader>(stream);
    if (!header || stream.size() < wire::MiniHeader::kSize + header->size) break;
    const auto body = stream.subspan(wire::MiniHeader::kSize, header->size);
    stream = stream.subspan(wire::MiniHeader::kSize + header->size);
    if (header->type != wire::DisplayDrawCopy::kType) continue;
    if (auto draw = wire::decode<wire::DisplayDrawCopy>(body)) images.push_back(std::move(draw->source));
  }
  return images;
}

class EachSession : public testing::TestWithParam<std::pair<const char*, ImageCompression>> {};

TEST_P(EachSession, images_get_the_types_they_had) {
  const auto& [name, compression] = GetParam();
  const auto bytes = read_gzip(std::string(MINIVMM_TEST_DATA "/captures/") + name + "-1.s2c.gz");
  model::Client client(0, kWindow, 1);
  spice::image::ClientImages caches;
  spice::image::ImageEncoder encoder;
  spice::image::ImageSender sender(encoder, {});  // the client's preference follows the first image
  sender.open(caches, 0, {.dictionary_window_pixels = kWindow});
  std::size_t count = 0;
  for (const auto& image : images_of(bytes)) {
    client.receive(0, model::Drawing{image, {}});
    ASSERT_TRUE(client.step(0)) << client.error();
    const auto& shown = client.last();
    const core::Pixels pixels{reinterpret_cast<const std::uint8_t*>(shown.pixels.data()),
                              static_cast<std::ptrdiff_t>(shown.width) * 4, static_cast<std::int32_t>(shown.width),
                              static_cast<std::int32_t>(shown.height)};
    auto message = sender.message();
    const auto made = message.of_surface({.pixels = pixels, .area = pixels.bounds(), .is_whole = count == 0},
                                         ImageMessage::Exactness::Exact);
    message.send_before(count + 1, [](const auto&) { FAIL(); });
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->image.type, image.type) << "image " << count << ": " << shown.width << 'x' << shown.height;
    sender.set_compression(compression);
    ++count;
  }
  EXPECT_GT(count, 100U);
}

INSTANTIATE_TEST_SUITE_P(All, EachSession,
                         testing::Values(std::pair("auto-glz", ImageCompression::AutoGlz),
                                         std::pair("quic", ImageCompression::Quic),
                                         std::pair("lz", ImageCompression::Lz),
                                         std::pair("off", ImageCompression::Off)),
                         [](const auto& session) {
                           std::string name = session.param.first;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
