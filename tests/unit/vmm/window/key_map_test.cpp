#include "vmm/window/key_map.h"

#include <SDL2/SDL_scancode.h>
#include <gtest/gtest.h>
#include <set>

namespace {

using vmm::window::key_code;

TEST(KeyMap, keys_are_those_of_a_pc) {
  EXPECT_EQ(key_code(SDL_SCANCODE_A), 0x1e);
  EXPECT_EQ(key_code(SDL_SCANCODE_UP), 0xe048);
  EXPECT_EQ(key_code(SDL_SCANCODE_PAUSE), core::kPauseKey);
  EXPECT_EQ(key_code(SDL_SCANCODE_KP_ENTER), 0xe01c);
}

TEST(KeyMap, what_no_keyboard_has_is_nothing) {
  for (const int scancode : {-1, 0, static_cast<int>(SDL_SCANCODE_F24), 511, 512, 100'000})
    EXPECT_EQ(key_code(scancode), std::nullopt) << scancode;
}

// A 105-key board has a place for each of these; none is two keys.
TEST(KeyMap, every_key_of_the_board_is_another_one) {
  std::set<core::KeyCode> codes;
  unsigned keys = 0;
  for (int scancode = SDL_SCANCODE_A; scancode <= SDL_SCANCODE_APPLICATION; ++scancode) {
    if (scancode == SDL_SCANCODE_NONUSHASH) continue;  // the backslash's place on other boards
    codes.insert(key_code(scancode).value_or(0));
    ++keys;
  }
  for (int scancode = SDL_SCANCODE_LCTRL; scancode <= SDL_SCANCODE_RGUI; ++scancode) {
    codes.insert(key_code(scancode).value_or(0));
    ++keys;
  }
  EXPECT_EQ(keys, 105U);
  EXPECT_EQ(codes.size(), 105U);
  EXPECT_FALSE(codes.contains(0));
}

}  // namespace
