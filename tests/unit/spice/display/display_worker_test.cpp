#include "spice/display/display_worker.h"

#include <gmock/gmock.h>
#include <random>

#include "spice/wire/cursor.h"
#include "tests/unit/spice/display/painted_source.h"
#include "tests/unit/spice/display/raw_client.h"

namespace {

using core::Rect;
using display_test::Image;
using display_test::PaintedSource;
using display_test::RawClient;
using spice::display::DisplayWorker;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
namespace wire = spice::wire;

// A worker over a painted source.
struct Rig {
  explicit Rig(const DisplayWorker::Config& config = {}) : worker(config, source) { worker.start(); }
  // Everything painted so far is on the surface when this returns, and offered to the clients.
  void settle() { worker.screenshot(); }

  PaintedSource source;
  DisplayWorker worker;
};

Image image_of(const spice::display::Picture& picture) {
  return {picture.width, picture.height, picture.pixels};
}

TEST(DisplayWorker, screenshot_shows_the_source) {
  Rig rig;
  rig.source.paint({3, 4, 20, 30}, 0x12345678);
  EXPECT_EQ(image_of(rig.worker.screenshot()), rig.source.image());
  rig.source.set_mode(100, 20);
  rig.source.paint({0, 0, 50, 20}, 0x87654321);
  EXPECT_EQ(image_of(rig.worker.screenshot()), rig.source.image());
}

TEST(DisplayWorker, unwatched_display_is_looked_at_for_screenshots_only) {
  Rig rig;
  rig.worker.screenshot();
  rig.worker.screenshot();
  EXPECT_EQ(rig.source.refreshes(), 3);  // and once at the start
}

TEST(DisplayWorker, redraw_asks_the_source_for_everything) {
  Rig rig;
  rig.settle();
  EXPECT_EQ(rig.source.full_refreshes(), 1);
  rig.worker.redraw();
  rig.settle();
  EXPECT_EQ(rig.source.full_refreshes(), 2);
}

TEST(DisplayWorker, connecting_client_gets_the_recorded_sequence) {
  Rig rig;
  rig.source.paint({0, 0, 10, 10}, 0x11223344);
  RawClient client(rig.worker.display_provider());
  client.init();
  EXPECT_THAT(client.types(6),
              ElementsAre(wire::SetAck::kType, wire::DisplayInvalAllPalettes::kType, wire::DisplaySurfaceCreate::kType,
                          wire::DisplayDrawCopy::kType, wire::DisplayMonitorsConfig::kType, wire::DisplayMark::kType));
  EXPECT_EQ(client.shown(), rig.source.image());
}

TEST(DisplayWorker, connecting_client_gets_the_golden_bytes) {
  Rig rig;
  rig.source.set_mode(2, 1);
  rig.source.paint({0, 0, 1, 1}, 0x11223344);
  RawClient client(rig.worker.display_provider());
  client.init();
  std::vector<display_test::Bytes> bodies;
  for (int i = 0; i < 6; ++i)
    bodies.push_back(client.receive()->body);
  EXPECT_THAT(bodies[0], ElementsAre(1, 0, 0, 0,     // generation
                                     20, 0, 0, 0));  // window
  EXPECT_THAT(bodies[1], ElementsAre());
  EXPECT_THAT(bodies[2], ElementsAre(0, 0, 0, 0,    // surface
                                     2, 0, 0, 0,    // width
                                     1, 0, 0, 0,    // height
                                     32, 0, 0, 0,   // format: xRGB
                                     1, 0, 0, 0));  // flags: primary
  EXPECT_THAT(bodies[3], ElementsAreArray(std::to_array<std::uint8_t>({
                             0,    0,    0,    0,                                      // surface
                             0,    0,    0,    0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,  // top, left, bottom, right
                             0,                                                        // no clip
                             57,   0,    0,    0,                                      // offset of the image
                             0,    0,    0,    0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,  // area of the image
                             8,    0,                                                  // ROP: put
                             0,                                                        // scale mode
                             0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0,           // no mask
                             1,    0,    0,    0, 1, 0, 0, 0,                          // image: group 1, number 1
                             0,    0,    2,    0, 0, 0, 1, 0, 0, 0,                    // bitmap, no flags, 2 x 1
                             8,    4,    2,    0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0,  // 32 bits, top-down, 2 x 1, stride 8
                             0,    0,    0,    0,                                // no palette
                             0x33, 0x22, 0x11, 0, 0, 0, 0, 0,                    // the pixels
                         })));
  EXPECT_THAT(bodies[4], ElementsAreArray(std::to_array<std::uint8_t>({
                             1, 0, 1, 0,                          // one monitor of at most one
                             0, 0, 0, 0, 0, 0, 0, 0,              // number, surface
                             2, 0, 0, 0, 1, 0, 0, 0,              // width, height
                             0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  // position, flags
                         })));
  EXPECT_THAT(bodies[5], ElementsAre());
}

TEST(DisplayWorker, client_without_capabilities_gets_no_monitors) {
  Rig rig;
  RawClient client(rig.worker.display_provider(), {.caps = {}});
  client.init();
  EXPECT_THAT(client.types(5),
              ElementsAre(wire::SetAck::kType, wire::DisplayInvalAllPalettes::kType, wire::DisplaySurfaceCreate::kType,
                          wire::DisplayDrawCopy::kType, wire::DisplayMark::kType));
}

TEST(DisplayWorker, mode_switch_sends_the_recorded_sequence) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.source.set_mode(80, 25);
  rig.source.wake();
  EXPECT_THAT(client.types(7),
              ElementsAre(wire::DisplaySurfaceDestroy::kType, wire::DisplayInvalAllPalettes::kType,
                          wire::DisplayStreamDestroyAll::kType, wire::DisplaySurfaceCreate::kType,
                          wire::DisplayMonitorsConfig::kType, wire::DisplayMark::kType, wire::DisplayDrawCopy::kType));
  EXPECT_EQ(client.shown(), rig.source.image());
}

TEST(DisplayWorker, switch_to_the_same_size_sends_the_picture_only) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.source.set_mode(64, 48);
  rig.source.paint({1, 1, 5, 5}, 0x55555555);
  rig.source.wake();
  EXPECT_THAT(client.types(1), ElementsAre(wire::DisplayDrawCopy::kType));
  EXPECT_EQ(client.shown(), rig.source.image());
}

TEST(DisplayWorker, wake_brings_a_change_in_one_tight_drawing) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.source.paint({9, 16, 18, 32}, 0xabcdef12);
  rig.source.wake();
  const auto message = client.receive();
  const auto draw = wire::decode<wire::DisplayDrawCopy>(message->body);
  EXPECT_EQ(draw->base.box, (wire::Rect{.top = 16, .left = 9, .bottom = 32, .right = 18}));
}

TEST(DisplayWorker, watched_display_is_refreshed_by_itself) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.source.paint({0, 0, 64, 48}, 0x01020304);
  EXPECT_TRUE(client.draw_until_equal(rig.source.image()));
}

TEST(DisplayWorker, client_sees_the_guests_pixels_after_random_damage_and_switches) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  std::mt19937 engine(1);
  const auto random = [&engine](std::uint32_t below) { return static_cast<std::int32_t>(engine() % below); };
  for (int round = 0; round < 300; ++round) {
    if (random(20) == 0) rig.source.set_mode(1 + random(400), 1 + random(300));
    const Rect rect{random(300), random(200), random(400), random(300)};
    rig.source.paint(rect, static_cast<std::uint32_t>(engine()), random(4) == 0);
    if (random(3) != 0) rig.source.wake();
    if (random(3) == 0) {
      rig.settle();
      ASSERT_TRUE(client.draw_until_equal(rig.source.image())) << round;
    }
  }
  rig.settle();
  EXPECT_TRUE(client.draw_until_equal(rig.source.image()));
  EXPECT_TRUE(client.marked());
}

TEST(DisplayWorker, large_noisy_screen_arrives_in_bounded_messages) {
  Rig rig;
  rig.source.set_mode(1920, 1080);
  rig.source.paint({0, 0, 1920, 1080}, 7, true);
  RawClient client(rig.worker.display_provider());
  client.init();
  std::size_t largest = 0;
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.source.paint({0, 0, 1920, 1080}, 8, true);
  rig.source.wake();
  while (client.shown() != rig.source.image()) {
    const auto message = client.receive();
    ASSERT_TRUE(message.has_value());
    largest = std::max(largest, message->body.size());
    client.draw(*message);
  }
  EXPECT_LE(largest, std::size_t{1} << 20);
}

TEST(DisplayWorker, slow_client_costs_nothing_and_ends_with_the_right_picture) {
  Rig rig;
  rig.source.set_mode(160, 100);
  RawClient slow(rig.worker.display_provider(), {.server_send_buffer = 4096});
  RawClient quick(rig.worker.display_provider());
  slow.init();
  quick.init();
  for (std::uint32_t i = 0; i < 40; ++i) {  // the slow one reads nothing meanwhile
    rig.source.paint({0, 0, 160, 100}, i, true);
    rig.settle();
    ASSERT_TRUE(quick.draw_until_equal(rig.source.image()));
  }
  ASSERT_TRUE(slow.draw_until_equal(rig.source.image()));
  // What lay in the socket, one message queued, and two pictures at most.
  EXPECT_LT(slow.received_bytes(), 6U * 160 * 100 * 4);
  EXPECT_GT(quick.received_bytes(), 20U * 160 * 100 * 3);
}

TEST(DisplayWorker, client_that_never_acknowledges_gets_two_windows) {
  Rig rig;
  RawClient client(rig.worker.display_provider(), {.acknowledges = false});
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  for (std::int32_t i = 0; i < 100; ++i) {
    rig.source.paint({0, 0, 64, 48}, static_cast<std::uint32_t>(i) << 16);
    rig.settle();
  }
  rig.worker.stop();  // so that the end of the stream tells that nothing more comes
  EXPECT_TRUE(client.is_dropped());
  EXPECT_LE(client.received(), 45U);
  EXPECT_GE(client.received(), 40U);
}

TEST(DisplayWorker, preferred_compression_changes_that_client_only) {
  Rig rig;
  RawClient raw(rig.worker.display_provider());
  RawClient other(rig.worker.display_provider());
  raw.send(wire::DisplayPreferredCompression{wire::ImageCompression::Off});
  raw.init();
  other.init();
  rig.source.paint({0, 0, 64, 48}, 0x12345678);
  rig.settle();
  ASSERT_TRUE(raw.draw_until_equal(rig.source.image()));
  ASSERT_TRUE(other.draw_until_equal(rig.source.image()));
  EXPECT_EQ(raw.lz_images(), 0);
  EXPECT_EQ(other.bitmaps(), 0);
}

TEST(DisplayWorker, pictures_are_sent_as_was_set_last_unless_the_client_has_a_wish) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  RawClient wishing(rig.worker.display_provider());
  wishing.send(wire::DisplayPreferredCompression{wire::ImageCompression::Lz});
  client.init();
  wishing.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  ASSERT_TRUE(wishing.draw_until([&] { return wishing.marked(); }));
  ASSERT_EQ(client.bitmaps(), 0);
  rig.worker.set_pictures({.compression = wire::ImageCompression::Off}, spice::video::StreamingMode::Off);
  rig.source.paint({0, 0, 64, 48}, 0x12345678);
  rig.settle();
  ASSERT_TRUE(client.draw_until_equal(rig.source.image()));
  ASSERT_TRUE(wishing.draw_until_equal(rig.source.image()));
  EXPECT_GT(client.bitmaps(), 0);
  EXPECT_EQ(wishing.bitmaps(), 0);
  RawClient late(rig.worker.display_provider());
  late.init();
  ASSERT_TRUE(late.draw_until([&] { return late.marked(); }));
  EXPECT_EQ(late.lz_images(), 0);
}

TEST(DisplayWorker, compression_off_and_unix_sockets_get_bitmaps) {
  Rig rig({.images = {.compression = wire::ImageCompression::Off}});
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  EXPECT_EQ(client.lz_images(), 0);
  Rig compressing;
  RawClient local(compressing.worker.display_provider(), {.family = "unix"});
  local.init();
  ASSERT_TRUE(local.draw_until([&] { return local.marked(); }));
  EXPECT_EQ(local.lz_images(), 0);
}

TEST(DisplayWorker, protocol_violations_drop_that_client_only) {
  Rig rig;
  RawClient good(rig.worker.display_provider());
  RawClient twice(rig.worker.display_provider());
  RawClient truncated(rig.worker.display_provider());
  RawClient unknown_compression(rig.worker.display_provider());
  RawClient gl_draw_done(rig.worker.display_provider());
  good.init();
  twice.init();
  twice.init();
  truncated.send_bytes(wire::DisplayInit::kType, {1, 2, 3});
  unknown_compression.send_bytes(wire::DisplayPreferredCompression::kType, {0});
  gl_draw_done.send(wire::DisplayGlDrawDone{});
  EXPECT_TRUE(twice.is_dropped());
  EXPECT_TRUE(truncated.is_dropped());
  EXPECT_TRUE(unknown_compression.is_dropped());
  EXPECT_TRUE(gl_draw_done.is_dropped());
  EXPECT_TRUE(good.draw_until([&] { return good.marked(); }));
}

TEST(DisplayWorker, reports_of_streams_that_are_none_are_ignored) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.send_bytes(102, display_test::Bytes(32));
  client.send(wire::DisplayPreferredVideoCodec{{1, 2}});
  client.init();
  EXPECT_TRUE(client.draw_until([&] { return client.marked(); }));
}

TEST(DisplayWorker, report_of_an_impossible_stream_drops_the_client) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  client.send(wire::DisplayStreamReport{.id = 50});
  EXPECT_TRUE(client.is_dropped());
}

TEST(DisplayWorker, client_without_init_is_dropped_in_the_end) {
  Rig rig({.init_timeout = std::chrono::milliseconds(1)});
  RawClient client(rig.worker.display_provider());
  EXPECT_TRUE(client.is_dropped());
  EXPECT_EQ(client.received(), 0U);
}

TEST(DisplayWorker, clients_come_and_go_while_the_picture_moves) {
  Rig rig;
  for (std::uint32_t i = 0; i < 50; ++i) {
    rig.source.paint({0, 0, 64, 48}, i * 77777, i % 2 == 0);
    RawClient client(rig.worker.display_provider());
    client.init();
    if (i % 3 == 0) continue;  // gone in the middle of it
    rig.settle();
    ASSERT_TRUE(client.draw_until_equal(rig.source.image()));
  }
}

// CVE-2013-4130: a client that failed while all were sent something was taken out of the list that was walked.
TEST(DisplayWorker, cve_2013_4130_clients_that_fail_while_all_are_sent_to_leave_the_others_alone) {
  Rig rig;
  RawClient first(rig.worker.display_provider());
  first.init();
  for (int round = 0; round < 10; ++round) {
    {
      std::vector<RawClient> failing;
      for (int i = 0; i < 4; ++i)
        failing.emplace_back(rig.worker.display_provider()).init();
      rig.settle();
    }
    rig.source.paint({0, 0, 64, 48}, 0x10101 * static_cast<std::uint32_t>(round + 1));
    rig.settle();
    ASSERT_TRUE(first.draw_until_equal(rig.source.image()));
  }
}

TEST(DisplayWorker, held_worker_leaves_the_source_alone_and_goes_on_afterwards) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.worker.hold(false);
  const auto refreshes = rig.source.refreshes();
  rig.source.paint({0, 0, 8, 8}, 0x99999999);
  rig.source.wake();
  rig.worker.expect_change();
  rig.settle();
  EXPECT_EQ(rig.source.refreshes(), refreshes);
  rig.worker.release();
  EXPECT_TRUE(client.draw_until_equal(rig.source.image()));
}

TEST(DisplayWorker, stop_drops_the_clients_and_may_be_repeated) {
  Rig rig;
  RawClient client(rig.worker.display_provider());
  client.init();
  ASSERT_TRUE(client.draw_until([&] { return client.marked(); }));
  rig.worker.stop();
  rig.worker.stop();
  EXPECT_TRUE(client.is_dropped());
}

TEST(CursorChannel, connecting_client_gets_an_empty_visible_cursor) {
  Rig rig;
  RawClient client(rig.worker.cursor_provider(), {.type = wire::ChannelType::Cursor, .caps = {}});
  EXPECT_EQ(client.receive()->type, wire::SetAck::kType);
  const auto init = client.receive();
  EXPECT_EQ(init->type, wire::CursorInit::kType);
  EXPECT_THAT(init->body, ElementsAre(0, 0, 0, 0,  // position
                                      0, 0, 0, 0,  // trail
                                      1,           // visible
                                      1, 0));      // no shape
}

TEST(CursorChannel, mode_switch_resets_the_cursor) {
  Rig rig;
  rig.settle();
  RawClient client(rig.worker.cursor_provider(), {.type = wire::ChannelType::Cursor, .caps = {}});
  EXPECT_EQ(client.types(2).size(), 2U);
  rig.source.set_mode(99, 99);
  rig.source.wake();
  EXPECT_THAT(client.types(3),
              ElementsAre(wire::CursorInvalAll::kType, wire::CursorReset::kType, wire::CursorInit::kType));
}

}  // namespace
