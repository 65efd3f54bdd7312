// A session of one client for tests: its display channels' senders, and a model client at the other end.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "spice/image/image_sender.h"
#include "tests/unit/spice/image/model_client.h"
#include "tests/unit/spice/image/pictures.h"

namespace image_session {

using pictures::Random;
using spice::image::ClientImages;
using spice::image::ImageEncoder;
using spice::image::ImageMessage;
using spice::image::ImageOptions;
using spice::image::ImageSender;
using spice::wire::ImageType;
using Exactness = ImageMessage::Exactness;

inline spice::wire::DisplayInit init(std::int64_t cache_pixels, std::int32_t window_pixels) {
  return {.cache_id = 1, .cache_pixels = cache_pixels, .dictionary_id = 1, .dictionary_window_pixels = window_pixels};
}

// A display channel: its sender, and a model client at the other end.
struct Channel {
  std::size_t number;
  ImageEncoder encoder;
  ImageSender sender;
  std::uint64_t next_serial = 1;
  model::Client& client;
  std::mutex& client_mutex;

  Channel(std::size_t channel, const ImageOptions& options, ClientImages& images,
          const spice::wire::DisplayInit& opened, model::Client& to, std::mutex& mutex)
      : number(channel), sender(encoder, options), client(to), client_mutex(mutex) {
    sender.open(images, static_cast<std::uint8_t>(channel), opened);
  }

  void put(model::Message message) {
    const std::lock_guard lock(client_mutex);
    client.receive(number, std::move(message));
    ++next_serial;
  }
  void send(ImageMessage& message, const ImageMessage::Made& made, const model::Picture& expected) {
    message.send_before(next_serial, [this](const auto& before) { put(before); });
    std::optional<model::Picture> shown;
    if (!made.is_lossy) shown = expected;
    put(model::Drawing{made.image, std::move(shown)});
  }
  ImageType send(const core::ImagePtr& image, Exactness exactness = Exactness::Exact) {
    auto message = sender.message();
    const auto made = message.of_image(image, exactness);
    EXPECT_TRUE(made.has_value());
    if (!made) return ImageType::Surface;
    send(message, *made, pictures::shown(std::get<core::Bitmap>(image->content)));
    return made->image.type;
  }
};

struct Session {
  // A client drops images when their successors have come, later than the server.
  static constexpr std::uint32_t kWindows = 8;
  std::mutex mutex;
  ClientImages images;
  model::Client client;
  std::vector<std::unique_ptr<Channel>> channels;

  Session(const ImageOptions& options, std::size_t count, std::int64_t cache_pixels, std::int32_t window_pixels)
      : client(cache_pixels, static_cast<std::uint32_t>(window_pixels) * kWindows, count) {
    for (std::size_t number = 0; number < count; ++number)
      channels.push_back(
          std::make_unique<Channel>(number, options, images, init(cache_pixels, window_pixels), client, mutex));
  }
  // The client works off what there is, its channels in any order.
  void drain(Random& random) {
    std::vector<std::size_t> order(channels.size());
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t number = 0; number < order.size(); ++number)
        order[number] = number;
      std::ranges::shuffle(order, random);
      for (const auto number : order) {
        if (client.step(number)) {
          moved = true;
          break;
        }
      }
    }
  }
};

inline core::ImagePtr text(std::uint64_t id, std::uint32_t side = 40) {
  Random random(static_cast<unsigned>(id));
  return std::make_shared<core::Image>(
      core::Image{.id = id,
                  .cacheable = true,
                  .content = pictures::bitmap(random, core::BitmapFormat::Rgb32, pictures::Kind::Windows, side, side)});
}

inline core::ImagePtr photo(std::uint64_t id, core::BitmapFormat format = core::BitmapFormat::Rgb32) {
  Random random(static_cast<unsigned>(id));
  return std::make_shared<core::Image>(core::Image{
      .id = id, .cacheable = true, .content = pictures::bitmap(random, format, pictures::Kind::Gradient, 60, 50)});
}

}  // namespace image_session
