// The law of saved state, the same for every device:
//   1. what a scribbled-on device saves, a fresh one loads, and both then dump and save the same;
//   2. every truncation of a saved state is refused;
//   3. a flipped bit is refused or leaves a device that still takes every access;
//   4. reset equals fresh construction.
//
// A rig is a device in wiring of its own:
//   struct PitRig {
//     tests::FakeClock clock;                       // optional: handed on to the loading rig before it loads
//     devices::platform::Pit device{...};           // a core::Device
//     void scribble();                              // puts the device into unusual states; safe whatever its state is
//     void release_inputs();                        // optional: quietens what comes from outside, before a reset
//   };
//   TEST(Pit, obeys_the_state_law) { tests::check_state_law<PitRig>(); }
#pragma once

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <vector>

#include "core/bus/device.h"
#include "core/state/state.h"

namespace tests {

template <class Rig>
std::vector<std::uint8_t> save_rig(Rig& rig) {
  core::Stateful* const objects[] = {&rig.device};
  const std::scoped_lock guard(rig.device.lock());
  return core::save_state(objects);
}

template <class Rig>
core::Result<> load_rig(Rig& rig, std::span<const std::uint8_t> stream) {
  core::Stateful* const objects[] = {&rig.device};
  const std::scoped_lock guard(rig.device.lock());
  return core::load_state(stream, objects);
}

template <class Rig>
void reset_rig(Rig& rig) {
  const std::scoped_lock guard(rig.device.lock());
  rig.device.reset();
}

namespace detail {

template <class Rig>
void follow_clock(Rig& rig, Rig& original) {
  if constexpr (requires { rig.clock.set_now(original.clock.now()); }) rig.clock.set_now(original.clock.now());
}

// Positions 0..size, all of them while that is cheap, else evenly spread.
inline std::vector<std::size_t> positions(std::size_t size, std::size_t most) {
  std::vector<std::size_t> chosen;
  const auto step = std::max<std::size_t>(1, size / most);
  for (std::size_t at = 0; at < size; at += step)
    chosen.push_back(at);
  return chosen;
}

}  // namespace detail

template <class Rig>
void check_save_and_load() {
  auto original = std::make_unique<Rig>();
  original->scribble();
  const auto saved = save_rig(*original);
  auto copy = std::make_unique<Rig>();
  detail::follow_clock(*copy, *original);
  const auto loaded = load_rig(*copy, saved);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(core::diff_state(original->device, copy->device), "");
  EXPECT_EQ(save_rig(*copy), saved);
}

template <class Rig>
void check_truncated_state() {
  auto original = std::make_unique<Rig>();
  original->scribble();
  const auto saved = save_rig(*original);
  auto copy = std::make_unique<Rig>();
  for (const auto length : detail::positions(saved.size(), 2000)) {
    EXPECT_FALSE(load_rig(*copy, std::span(saved).first(length))) << length << " of " << saved.size() << " bytes";
  }
  reset_rig(*copy);
  copy->scribble();
}

template <class Rig>
void check_damaged_state() {
  auto original = std::make_unique<Rig>();
  original->scribble();
  const auto saved = save_rig(*original);
  for (const auto flip : detail::positions(saved.size() * 8, 4000)) {
    SCOPED_TRACE(testing::Message() << "bit " << flip);
    auto damaged = saved;
    damaged[flip / 8] = static_cast<std::uint8_t>(damaged[flip / 8] ^ (1U << (flip % 8)));
    auto copy = std::make_unique<Rig>();
    detail::follow_clock(*copy, *original);
    if (!load_rig(*copy, damaged)) reset_rig(*copy);
    copy->scribble();
  }
}

template <class Rig>
void check_reset_equals_fresh() {
  auto used = std::make_unique<Rig>();
  used->scribble();
  if constexpr (requires { used->release_inputs(); }) used->release_inputs();
  reset_rig(*used);
  auto fresh = std::make_unique<Rig>();
  EXPECT_EQ(core::diff_state(fresh->device, used->device), "");
}

template <class Rig>
void check_state_law() {
  check_save_and_load<Rig>();
  check_truncated_state<Rig>();
  check_damaged_state<Rig>();
  check_reset_equals_fresh<Rig>();
}

}  // namespace tests
