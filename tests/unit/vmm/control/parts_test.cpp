#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/control/json_framer.h"
#include "vmm/control/key_names.h"
#include "vmm/control/keyboard_layout.h"
#include "vmm/control/screendump.h"

namespace {

using testing::ElementsAre;

std::vector<std::string> frame(std::initializer_list<std::string_view> pieces) {
  vmm::control::JsonFramer framer;
  std::vector<std::string> objects;
  for (const auto piece : pieces) {
    framer.feed(piece, [&](std::string_view object) { objects.emplace_back(object); });
  }
  return objects;
}

TEST(JsonFramer, object_in_pieces_comes_whole) {
  EXPECT_THAT(frame({"{\"a\"", ": {\"b\":", "1}}"}), ElementsAre("{\"a\": {\"b\":1}}"));
}

TEST(JsonFramer, objects_need_no_separator) {
  EXPECT_THAT(frame({"{}{\"x\":[1,2]}\n {}"}), ElementsAre("{}", "{\"x\":[1,2]}", "{}"));
}

TEST(JsonFramer, braces_in_strings_do_not_count) {
  EXPECT_THAT(frame({R"({"a":"}\"{"})"}), ElementsAre(R"({"a":"}\"{"})"));
}

TEST(JsonFramer, garbage_ends_with_its_line) {
  EXPECT_THAT(frame({"hello\n{}"}), ElementsAre("hello\n", "{}"));
}

TEST(JsonFramer, endless_object_is_refused) {
  vmm::control::JsonFramer framer;
  const std::string piece(4096, '[');
  bool fits = true;
  for (int i = 0; i < 1000 && fits; ++i)
    fits = framer.feed(piece, [](std::string_view) {});
  EXPECT_FALSE(fits);
}

TEST(KeyNames, qemu_names_have_their_scancodes) {
  EXPECT_EQ(vmm::control::key_by_name("ret"), 0x1c);
  EXPECT_EQ(vmm::control::key_by_name("delete"), 0xe053);
  EXPECT_EQ(vmm::control::key_by_name("ctrl_r"), 0xe01d);
  EXPECT_EQ(vmm::control::key_by_name("nonsense"), std::nullopt);
}

std::string contents(const std::string& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file))
    text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

TEST(Screendump, ppm_is_rgb_in_order) {
  const vmm::machine::Picture picture{2, 1, {0x00112233, 0x00aabbcc}};
  const auto path = testing::TempDir() + "/picture.ppm";
  ASSERT_TRUE(vmm::control::write_picture(picture, vmm::control::PictureFormat::Ppm, path));
  EXPECT_EQ(contents(path), std::string("P6\n2 1\n255\n") + "\x11\x22\x33\xaa\xbb\xcc");
}

TEST(Screendump, png_has_its_signature) {
  const vmm::machine::Picture picture{1, 1, {0x00ff0000}};
  const auto path = testing::TempDir() + "/picture.png";
  ASSERT_TRUE(vmm::control::write_picture(picture, vmm::control::PictureFormat::Png, path));
  EXPECT_TRUE(contents(path).starts_with("\x89PNG\r\n"));
}

TEST(Screendump, unwritable_path_is_a_clear_error) {
  const vmm::machine::Picture picture{1, 1, {0}};
  const auto written = vmm::control::write_picture(picture, vmm::control::PictureFormat::Ppm, "/nonexistent/x.ppm");
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, testing::HasSubstr("/nonexistent/x.ppm"));
}

TEST(Screendump, no_picture_yet_is_a_clear_error) {
  EXPECT_FALSE(vmm::control::write_picture({}, vmm::control::PictureFormat::Ppm, "/tmp/x.ppm"));
}

using vmm::control::KeyboardLayout;

KeyboardLayout::Keys keys_of(const char* layout, char32_t character) {
  const auto loaded = KeyboardLayout::load(layout);
  if (!loaded) return {};
  const auto* keys = loaded->keys_for(character);
  return keys != nullptr ? *keys : KeyboardLayout::Keys{};
}

TEST(KeyboardLayout, the_same_character_lies_elsewhere_in_other_countries) {
  EXPECT_THAT(keys_of("us", U'a'), ElementsAre(0x1e));
  EXPECT_THAT(keys_of("us", U'A'), ElementsAre(0x2a, 0x1e));
  EXPECT_THAT(keys_of("us", U'z'), ElementsAre(0x2c));
  EXPECT_THAT(keys_of("de", U'z'), ElementsAre(0x15));
  EXPECT_THAT(keys_of("de", U'\u00e4'), ElementsAre(0x28));
  EXPECT_THAT(keys_of("de", U'@'), ElementsAre(0xe038, 0x10));
  EXPECT_THAT(keys_of("fr", U'1'), ElementsAre(0x2a, 0x02));
  EXPECT_THAT(keys_of("us", U'\n'), ElementsAre(0x1c));
  EXPECT_THAT(keys_of("us", U' '), ElementsAre(0x39));
  EXPECT_THAT(keys_of("us(dvorak)", U'a'), ElementsAre(0x1e));
  EXPECT_THAT(keys_of("us(dvorak)", U's'), ElementsAre(0x27));
}

TEST(KeyboardLayout, what_does_not_exist_is_told) {
  EXPECT_FALSE(KeyboardLayout::load("xx"));
  EXPECT_FALSE(KeyboardLayout::load(""));
  EXPECT_TRUE(keys_of("us", U'\u00e4').empty());
}

TEST(CharactersOf, utf8_and_what_is_none) {
  EXPECT_EQ(*vmm::control::characters_of("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), U"a\u00e4\u20ac\U0001f600");
  for (const auto* bad : {"\xc3", "\x80", "\xff", "\xc3(", "\xe2\x82", "\xc0\x80"})
    EXPECT_FALSE(vmm::control::characters_of(bad)) << bad;
}

}  // namespace
