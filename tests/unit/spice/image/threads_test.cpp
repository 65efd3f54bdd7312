// Displays of one client on threads of their own.
#include <thread>

#include "tests/unit/spice/image/session.h"

namespace {

using namespace image_session;
using spice::image::OnSlowLines;

TEST(ImageSender, displays_on_their_own_threads_keep_one_client_in_step) {
  Session session({.jpeg = OnSlowLines::Always, .zlib_glz = OnSlowLines::Always}, 3, 8000, 20'000);
  {
    std::vector<std::jthread> threads;
    for (auto& channel : session.channels) {
      threads.emplace_back([&channel = *channel] {
        Random random(static_cast<unsigned>(channel.number));
        for (int count = 0; count < 300; ++count) {
          const auto id = static_cast<std::uint32_t>(random() % 16 + 1);
          channel.send(id % 3 == 0 ? photo(id) : text(id, 20 + id),
                       random() % 2 == 0 ? Exactness::MayLose : Exactness::Exact);
          if (random() % 50 == 0) {
            const auto serial = channel.next_serial;
            channel.put(channel.sender.forget_images(serial));
          }
        }
      });
    }
  }
  Random random(5);
  session.drain(random);
  EXPECT_EQ(session.client.error(), "");
  EXPECT_TRUE(session.client.done());
  EXPECT_EQ(session.client.shown(), 900U);
}

}  // namespace
