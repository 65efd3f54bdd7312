#include "spice/display/client_cursor.h"

#include <gmock/gmock.h>
#include <map>
#include <random>

namespace {

using core::CursorShapePtr;
using spice::display::ClientCursor;
using spice::display::Cursor;
using spice::display::CursorState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ClientCursor::Kind;
using Form = ClientCursor::ShapeForm;
using Step = ClientCursor::Step;

CursorShapePtr shape_named(std::uint64_t unique) {
  return std::make_shared<const core::CursorShape>(core::CursorShape{
      .unique = unique, .type = core::CursorType::Alpha, .width = 1, .height = 1, .data = {1, 2, 3, 4}});
}

// What a client makes of the steps, as the protocol has it.
class ModelClient {
 public:
  void apply(const Step& step, const CursorState& now) {
    switch (step.kind) {
      case Kind::InvalidateAll: cache_.clear(); break;
      case Kind::Reset:
        *this = {};
        reset_ = true;
        break;
      case Kind::Init:
        EXPECT_TRUE(reset_) << "INIT comes first, or after a reset";
        reset_ = false;
        cache_.clear();
        trail_length_ = now.trail_length;
        take_shape(step, now);
        break;
      case Kind::InvalidateOne: EXPECT_EQ(cache_.erase(step.unique), 1U); break;
      case Kind::Trail: trail_length_ = now.trail_length; break;
      case Kind::Set: take_shape(step, now); break;
      case Kind::Hide: visible_ = false; break;
      case Kind::Move:
        position_ = now.position;
        visible_ = true;
        break;
    }
    if (step.kind != Kind::InvalidateAll && step.kind != Kind::Reset) {
      EXPECT_FALSE(reset_);
    }
    EXPECT_LE(cache_.size(), ClientCursor::kCachedShapes);
  }
  void expect_shows(const CursorState& now) const {
    EXPECT_EQ(shape_, now.shape);
    EXPECT_EQ(trail_length_, now.trail_length);
    if (now.shape == nullptr) return;
    EXPECT_EQ(visible_, now.visible);
    if (now.visible && !now.client_mouse) {
      EXPECT_EQ(position_, now.position);
    }
  }

 private:
  void take_shape(const Step& step, const CursorState& now) {
    switch (step.form) {
      case Form::None: shape_ = nullptr; break;
      case Form::Plain:
        EXPECT_EQ(now.shape->unique, 0U);
        shape_ = now.shape;
        break;
      case Form::CacheMe:
        EXPECT_NE(step.unique, 0U);
        EXPECT_TRUE(cache_.emplace(step.unique, now.shape).second) << "already there";
        shape_ = now.shape;
        break;
      case Form::FromCache: ASSERT_TRUE(cache_.contains(step.unique)); shape_ = cache_.at(step.unique);
    }
    position_ = now.position;
    visible_ = now.visible;
  }

  bool reset_ = true;
  std::map<std::uint64_t, CursorShapePtr> cache_;
  CursorShapePtr shape_;
  core::Point position_;
  bool visible_ = false;
  std::uint16_t trail_length_ = 0;
};

struct Rig {
  std::vector<Step> steps() {
    std::vector<Step> result;
    while (const auto step = client.next(cursor.state())) {
      model.apply(*step, cursor.state());
      result.push_back(*step);
    }
    model.expect_shows(cursor.state());
    return result;
  }

  Cursor cursor;
  ClientCursor client;
  ModelClient model;
};

TEST(ClientCursor, new_client_gets_the_state) {
  Rig rig;
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Init}));
  EXPECT_THAT(rig.steps(), IsEmpty());
}

TEST(ClientCursor, late_joiner_gets_the_shape) {
  Rig rig;
  rig.cursor.set(shape_named(7), {3, 4}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Init, Form::CacheMe, 7}));
}

TEST(ClientCursor, shape_without_a_name_is_never_kept) {
  Rig rig;
  const auto shape = shape_named(0);
  rig.cursor.set(shape, {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Init, Form::Plain}));
  rig.cursor.set(shape_named(0), {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::Plain}));
  rig.cursor.set(shape, {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::Plain}));
}

TEST(ClientCursor, known_shape_comes_from_the_cache) {
  Rig rig;
  rig.steps();
  const auto first = shape_named(1);
  rig.cursor.set(first, {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::CacheMe, 1}));
  rig.cursor.set(shape_named(2), {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::CacheMe, 2}));
  rig.cursor.set(first, {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::FromCache, 1}));
}

TEST(ClientCursor, full_cache_forgets_the_shape_used_longest_ago) {
  Rig rig;
  rig.steps();
  std::vector<CursorShapePtr> shapes;
  for (std::uint64_t unique = 1; unique <= ClientCursor::kCachedShapes; ++unique) {
    shapes.push_back(shape_named(unique));
    rig.cursor.set(shapes.back(), {}, true);
    EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::CacheMe, unique}));
  }
  rig.cursor.set(shapes[0], {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::FromCache, 1}));
  rig.cursor.set(shape_named(1000), {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::InvalidateOne, Form::None, 2}, Step{Kind::Set, Form::CacheMe, 1000}));
}

TEST(ClientCursor, slow_client_is_told_the_newest_state_only) {
  Rig rig;
  rig.cursor.set(shape_named(1), {}, true);
  rig.steps();
  for (std::int32_t n = 0; n < 1000; ++n)
    rig.cursor.move({n, n});
  rig.cursor.hide();
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Hide}));
  for (std::uint64_t n = 2; n < 1000; ++n)
    rig.cursor.set(shape_named(n), {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::CacheMe, 999}));
}

TEST(ClientCursor, hidden_pointer_that_moves_is_shown) {
  Rig rig;
  rig.cursor.set(shape_named(1), {5, 5}, false);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Init, Form::CacheMe, 1}));
  rig.cursor.move({5, 5});
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Move}));
}

TEST(ClientCursor, client_mouse_is_told_moves_only_when_they_show) {
  Rig rig;
  rig.cursor.set_client_mouse(true);
  rig.cursor.set(shape_named(1), {}, true);
  rig.steps();
  rig.cursor.move({1, 1});
  EXPECT_THAT(rig.steps(), IsEmpty());
  rig.cursor.hide();
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Hide}));
  rig.cursor.move({2, 2});
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Move}));
  rig.cursor.move({3, 3});
  EXPECT_THAT(rig.steps(), IsEmpty());
  rig.cursor.set_client_mouse(false);  // now it has to know
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Move}));
}

TEST(ClientCursor, trail_is_told) {
  Rig rig;
  rig.steps();
  rig.cursor.set_trail(3, 4);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Trail}));
}

TEST(ClientCursor, reset_empties_the_cache) {
  Rig rig;
  const auto shape = shape_named(1);
  rig.cursor.set(shape, {}, true);
  rig.steps();
  rig.cursor.reset();
  rig.cursor.set(shape, {}, true);
  EXPECT_THAT(rig.steps(),
              ElementsAre(Step{Kind::InvalidateAll}, Step{Kind::Reset}, Step{Kind::Init, Form::CacheMe, 1}));
}

TEST(ClientCursor, shape_that_went_is_taken_away) {
  Rig rig;
  rig.cursor.set(shape_named(1), {}, true);
  rig.steps();
  rig.cursor.set(nullptr, {}, true);
  EXPECT_THAT(rig.steps(), ElementsAre(Step{Kind::Set, Form::None}));
}

TEST(ClientCursor, whatever_happens_the_client_shows_the_newest_state) {
  Rig rig;
  std::mt19937 random(1);
  std::map<std::uint64_t, CursorShapePtr> shapes;
  for (std::uint64_t unique = 0; unique < 400; ++unique)
    shapes[unique] = shape_named(unique);
  for (int round = 0; round < 20'000; ++round) {
    const auto number = static_cast<std::int32_t>(random() % 400);
    switch (random() % 40) {
      case 0: rig.cursor.reset(); break;
      case 1: rig.client.start_over(); break;
      case 2: rig.cursor.set_client_mouse(number % 2 == 0); break;
      case 3: rig.cursor.set_trail(static_cast<std::uint16_t>(number % 3), 0); break;
      case 4:
      case 5: rig.cursor.hide(); break;
      case 6: rig.cursor.set(nullptr, {}, true); break;
      case 7:
      case 8:
      case 9: rig.cursor.move({number, number}); break;
      default: rig.cursor.set(shapes[static_cast<std::uint64_t>(number)], {number, 0}, number % 3 != 0);
    }
    // Sometimes the client takes one message, sometimes all.
    if (random() % 2 == 0) {
      if (const auto step = rig.client.next(rig.cursor.state())) rig.model.apply(*step, rig.cursor.state());
    } else {
      rig.steps();
    }
    if (HasFailure()) return;
  }
}

}  // namespace
