#include "core/state/state.h"

#include <gtest/gtest.h>

namespace {

enum class Mode : std::uint8_t { Off, On };

class Lamp final : public core::Stateful {
 public:
  Mode mode = Mode::Off;
  bool hot = false;
  std::array<std::uint16_t, 3> steps{};
  std::vector<std::uint8_t> queue;

  std::string_view state_name() const override { return "lamp"; }
  unsigned state_version() const override { return 2; }
  void visit_state(core::StateVisitor& v) override {
    v.field("mode", mode);
    v.field("hot", hot);
    v.field("steps", steps);
    v.field("queue", queue, 16);
  }
  core::Result<> state_loaded() override {
    if (mode > Mode::On) return core::fail("mode {} does not exist", static_cast<int>(mode));
    return {};
  }
};

Lamp lit_lamp() {
  Lamp lamp;
  lamp.mode = Mode::On;
  lamp.hot = true;
  lamp.steps = {1, 0x203, 0xffff};
  lamp.queue = {7, 8, 9};
  return lamp;
}

std::vector<std::uint8_t> save(Lamp& lamp) {
  core::Stateful* objects[] = {&lamp};
  return core::save_state(objects);
}

bool loads(std::span<const std::uint8_t> bytes, Lamp& lamp) {
  core::Stateful* objects[] = {&lamp};
  return core::load_state(bytes, objects).has_value();
}

TEST(State, save_load_round_trips) {
  auto lamp = lit_lamp();
  Lamp other;
  ASSERT_TRUE(loads(save(lamp), other));
  EXPECT_EQ(core::dump_state(lamp), core::dump_state(other));
  EXPECT_EQ(core::diff_state(lamp, other), "");
}

TEST(State, every_truncation_is_refused) {
  auto lamp = lit_lamp();
  const auto bytes = save(lamp);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    Lamp other;
    EXPECT_FALSE(loads(std::span(bytes).first(length), other)) << length;
  }
}

TEST(State, foreign_version_is_refused) {
  auto lamp = lit_lamp();
  auto bytes = save(lamp);
  bytes[4 + 4] = 3;  // name length, "lamp", version
  EXPECT_FALSE(loads(bytes, lamp));
}

TEST(State, count_above_cap_is_refused) {
  auto lamp = lit_lamp();
  lamp.queue.resize(17);
  Lamp other;
  EXPECT_FALSE(loads(save(lamp), other));
}

TEST(State, object_validates_what_it_was_given) {
  auto lamp = lit_lamp();
  auto bytes = save(lamp);
  bytes[4 + 4 + 4 + 4] = 9;  // the mode
  EXPECT_FALSE(loads(bytes, lamp));
}

TEST(State, diff_names_the_field) {
  auto lamp = lit_lamp();
  Lamp other = lit_lamp();
  other.steps[1] = 4;
  EXPECT_EQ(core::diff_state(lamp, other), "- lamp.steps.1 = 0x203\n+ lamp.steps.1 = 0x4\n");
}

}  // namespace
