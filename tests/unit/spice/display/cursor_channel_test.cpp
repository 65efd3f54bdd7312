#include "spice/display/cursor_channel.h"

#include <gmock/gmock.h>

#include "spice/display/display_worker.h"
#include "tests/unit/spice/display/raw_client.h"

namespace {

using display_test::RawClient;
using spice::display::DisplayWorker;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
namespace wire = spice::wire;

// A device that does to its pointer what the test says.
class PointerSource final : public core::DisplaySource {
 public:
  using Act = std::function<void(core::CursorSink&)>;

  bool refresh(core::DisplayCanvas& canvas, bool) override {
    const std::scoped_lock lock(mutex_);
    for (auto& act : std::exchange(acts_, {}))
      act(canvas.cursor());
    return false;
  }
  void set_wake(std::function<void()>) override {}
  void then(Act act) {
    const std::scoped_lock lock(mutex_);
    acts_.push_back(std::move(act));
  }

 private:
  std::mutex mutex_;
  std::vector<Act> acts_;
};

struct Rig {
  Rig() : worker({}, source) { worker.start(); }
  RawClient client() { return RawClient(worker.cursor_provider(), {.type = wire::ChannelType::Cursor, .caps = {}}); }
  void act(PointerSource::Act act) {
    source.then(std::move(act));
    worker.screenshot();  // refreshes
  }

  PointerSource source;
  DisplayWorker worker;
};

core::CursorShapePtr pixel(std::uint64_t unique, core::CursorType type = core::CursorType::Alpha) {
  core::CursorShape shape{.unique = unique, .type = type, .width = 1, .height = 1, .hot_spot = {1, 0}};
  shape.data.assign(*spice::display::cursor_bytes(type, 1, 1), 0x55);
  return std::make_shared<const core::CursorShape>(std::move(shape));
}

TEST(CursorChannel, set_has_the_golden_bytes) {
  Rig rig;
  auto client = rig.client();
  EXPECT_THAT(client.types(2), ElementsAre(wire::SetAck::kType, wire::CursorInit::kType));
  rig.act([](core::CursorSink& cursor) { cursor.set(pixel(0x0102030405060708), {-2, 300}, true); });
  const auto message = client.receive();
  EXPECT_EQ(message->type, wire::CursorSet::kType);
  EXPECT_THAT(message->body,
              ElementsAreArray(std::to_array<std::uint8_t>({0xfe, 0xff, 0x2c, 0x01,              // position
                                                            1,                                   // visible
                                                            2,    0,                             // flags: keep it
                                                            8,    7,    6,    5,    4, 3, 2, 1,  // its name
                                                            0,                                   // type: alpha
                                                            1,    0,    1,    0,                 // width, height
                                                            1,    0,    0,    0,                 // hot spot
                                                            0x55, 0x55, 0x55, 0x55})));          // pixels
}

TEST(CursorChannel, known_shape_travels_without_pixels) {
  Rig rig;
  auto client = rig.client();
  client.types(2);
  const auto first = pixel(1);
  rig.act([&](core::CursorSink& cursor) { cursor.set(first, {}, true); });
  rig.act([&](core::CursorSink& cursor) { cursor.set(pixel(2), {}, true); });
  rig.act([&](core::CursorSink& cursor) { cursor.set(first, {}, true); });
  EXPECT_EQ(client.receive()->body.size(), 28U);
  EXPECT_EQ(client.receive()->body.size(), 28U);
  const auto again = *wire::decode<wire::CursorSet>(client.receive()->body);
  EXPECT_EQ(again.shape.flags, wire::kCursorFromCache);
  EXPECT_EQ(again.shape.unique, 1U);
  EXPECT_EQ(again.shape.data.size(), 0U);
}

TEST(CursorChannel, every_type_travels_with_all_its_data) {
  Rig rig;
  auto client = rig.client();
  client.types(2);
  for (std::uint8_t type = 0; type <= 6; ++type) {
    const auto shape = pixel(0, static_cast<core::CursorType>(type));
    rig.act([&](core::CursorSink& cursor) { cursor.set(shape, {}, true); });
    const auto message = client.receive();
    const auto set = *wire::decode<wire::CursorSet>(message->body);
    EXPECT_EQ(static_cast<std::uint8_t>(set.shape.type), type);
    EXPECT_EQ(set.shape.flags, 0);
    EXPECT_THAT(set.shape.data.bytes(), ElementsAreArray(shape->data));
  }
}

TEST(CursorChannel, pointer_is_moved_hidden_and_trailed) {
  Rig rig;
  auto client = rig.client();
  client.types(2);
  rig.act([](core::CursorSink& cursor) { cursor.set(pixel(1), {}, true); });
  rig.act([](core::CursorSink& cursor) { cursor.move({100'000, -100'000}); });
  rig.act([](core::CursorSink& cursor) { cursor.hide(); });
  rig.act([](core::CursorSink& cursor) { cursor.set_trail(0x0102, 0x0304); });
  EXPECT_EQ(client.receive()->type, wire::CursorSet::kType);
  const auto move = client.receive();
  EXPECT_EQ(move->type, wire::CursorMove::kType);
  EXPECT_THAT(move->body, ElementsAre(0xff, 0x7f, 0x00, 0x80));  // as far as 16 bits go
  EXPECT_EQ(client.receive()->type, wire::CursorHide::kType);
  const auto trail = client.receive();
  EXPECT_EQ(trail->type, wire::CursorTrail::kType);
  EXPECT_THAT(trail->body, ElementsAre(2, 1, 4, 3));
}

TEST(CursorChannel, late_joiner_gets_shape_and_place) {
  Rig rig;
  rig.act([](core::CursorSink& cursor) {
    cursor.set(pixel(1), {}, true);
    cursor.move({7, 8});
    cursor.set_trail(1, 2);
  });
  auto client = rig.client();
  EXPECT_EQ(client.receive()->type, wire::SetAck::kType);
  const auto message = client.receive();
  ASSERT_EQ(message->type, wire::CursorInit::kType);
  const auto init = *wire::decode<wire::CursorInit>(message->body);
  EXPECT_EQ(init.position, (wire::Point16{7, 8}));
  EXPECT_EQ(init.trail_length, 1);
  EXPECT_EQ(init.visible, 1);
  EXPECT_EQ(init.shape.flags, wire::kCursorCacheMe);
  EXPECT_EQ(init.shape.data.size(), 4U);
}

TEST(CursorChannel, client_that_does_not_read_gets_no_more_than_its_window_and_then_the_newest) {
  Rig rig;
  auto client = rig.client();
  for (std::int32_t n = 1; n < 300; ++n)
    rig.act([n](core::CursorSink& cursor) { cursor.set(pixel(0), {n, n}, true); });
  std::int16_t last = 0;
  while (last != 299) {
    const auto message = client.receive();
    ASSERT_TRUE(message.has_value());
    if (message->type == wire::CursorSet::kType) last = wire::decode<wire::CursorSet>(message->body)->position.x;
  }
  EXPECT_LE(client.received(), 2 * spice::display::CursorChannel::kAckWindow + 4);
}

TEST(CursorChannel, client_mouse_gets_no_moves) {
  Rig rig;
  auto client = rig.client();
  client.types(2);
  rig.worker.set_client_mouse(true);
  rig.act([](core::CursorSink& cursor) { cursor.set(pixel(1), {}, true); });
  rig.act([](core::CursorSink& cursor) { cursor.move({1, 1}); });
  rig.act([](core::CursorSink& cursor) { cursor.hide(); });
  EXPECT_THAT(client.types(2), ElementsAre(wire::CursorSet::kType, wire::CursorHide::kType));
}

TEST(CursorChannel, screenshot_has_the_pointer_only_if_asked) {
  Rig rig;
  rig.act([](core::CursorSink& cursor) { cursor.set(pixel(1), {1, 0}, true); });
  EXPECT_EQ(rig.worker.screenshot().pixels[0], 0U);
  EXPECT_EQ(rig.worker.screenshot(spice::display::Pointer::Drawn).pixels[0], 0x00555555U);
}

}  // namespace
