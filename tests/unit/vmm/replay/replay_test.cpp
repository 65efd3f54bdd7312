#include "vmm/replay/replay.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

#include "vmm/replay/gzip_file.h"
#include "vmm/replay/input.h"

namespace {

using ::testing::HasSubstr;
using namespace vmm::replay;

// A folder that goes with the test.
struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "replayXXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::filesystem::path path;
};

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

const std::string kSession =
    "SPICE_REPLAY 1\n"
    "event 0 1 20 5\n2 1 -8 32\n0 0 1 0\nbinary 0 data 8:\1\2\3\4\5\6\7\x8\n"
    "event 1 0 3 5\ncursor_cmd\ntype 0\npoint16 1 0\nu.set.visible 1\nheader.unique 0\nheader.type 0\nheader.width 1\n"
    "header.height 1\nheader.hot_spot_x 0\nheader.hot_spot_y 0\ndata_size 4\ndata_chunks 0 4\n"
    "binary 0 cursor 4:\xff\xff\xff\xff\n";

// Of a PPM of the kind that spicy-screenshot writes.
std::vector<std::uint32_t> pixels_of(const std::string& path) {
  auto file = GzipFile::open(path);
  if (!file) return {};
  Input input(**file);
  EXPECT_EQ(input.text_until('\n'), "P6");
  const auto width = std::stoul(std::string(input.text_until(' ')));
  const auto height = std::stoul(std::string(input.text_until('\n')));
  EXPECT_EQ(input.text_until('\n'), "255");
  const auto rgb = input.bytes(width * height * 3);
  std::vector<std::uint32_t> pixels;
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3)
    pixels.push_back(std::uint32_t{rgb[i]} << 16 | std::uint32_t{rgb[i + 1]} << 8 | rgb[i + 2]);
  return pixels;
}

// Plays a session of another server to the moment of its client's picture.
void expect_the_clients_picture(const std::string& name, std::uint64_t calls) {
  const std::string path = MINIVMM_TEST_DATA "/replay/" + name;
  const auto replayed = replay({.recording = path + ".rec.gz", .most_calls = calls});
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->calls, calls);
  for (const auto& tally : replayed->drawings)
    EXPECT_EQ(tally.refused, 0U);
  EXPECT_TRUE(replayed->pixels == pixels_of(path + ".ppm.gz"));
}

TEST(Replay, session_of_a_bare_guest_shows_what_its_client_saw) {
  expect_the_clients_picture("qxl-rig", 127);
}

TEST(Replay, session_of_an_x_server_shows_what_its_client_saw) {
  expect_the_clients_picture("xspice", 684);
}

TEST(Replay, arguments) {
  const auto config = parse_replay_arguments({"a.rec", "--screendump", "b.png", "--pointer", "--calls", "12"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->recording, "a.rec");
  EXPECT_EQ(config->picture, "b.png");
  EXPECT_TRUE(config->with_pointer);
  EXPECT_EQ(config->most_calls, 12U);
  for (const auto& wrong : std::vector<std::vector<std::string>>{
           {}, {"a", "b"}, {"a", "--what"}, {"a", "--screendump"}, {"a", "--calls", "x"}, {"a", "--convert", ""}})
    EXPECT_FALSE(parse_replay_arguments(wrong));
}

TEST(Replay, file_ends_in_a_picture) {
  const Folder folder;
  write(folder.file("session"), kSession);
  const auto replayed = replay({.recording = folder.file("session")});
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->width, 2);
  EXPECT_EQ(replayed->height, 1);
  EXPECT_THAT(replayed->pixels, ::testing::ElementsAre(0x00030201, 0x00070605));
  EXPECT_EQ(replayed->calls, 3U);
  EXPECT_FALSE(replayed->ended_early);
  EXPECT_EQ(replay({.recording = folder.file("session"), .with_pointer = true})->pixels[1], 0x00ffffffU);
  EXPECT_EQ(replay({.recording = folder.file("session"), .most_calls = 1})->pixels[0], 0U);
}

TEST(Replay, converted_recording_plays_the_same) {
  const Folder folder;
  write(folder.file("session"), kSession);
  ASSERT_TRUE(replay({.recording = folder.file("session"), .converted = folder.file("own")}));
  const auto replayed = replay({.recording = folder.file("own")});
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_THAT(replayed->pixels, ::testing::ElementsAre(0x00030201, 0x00070605));
}

TEST(Replay, errors_name_the_file) {
  const Folder folder;
  EXPECT_THAT(replay({.recording = "/nonexistent/rec"}).error().message, HasSubstr("/nonexistent/rec"));
  write(folder.file("empty"), "");
  write(folder.file("other"), "hello");
  write(folder.file("broken"), kSession + "event x\n");
  for (const auto* name : {"empty", "other", "broken"})
    EXPECT_THAT(replay({.recording = folder.file(name)}).error().message, HasSubstr(folder.file(name))) << name;
  EXPECT_FALSE(replay({.recording = folder.path.string()}));
}

TEST(Replay, report_says_what_is_worth_knowing) {
  Replayed replayed{.calls = 10, .ended_early = true};
  replayed.drawings[1] = {.drawings = 4, .refused = 1, .time = std::chrono::milliseconds(2)};
  EXPECT_EQ(report(replayed),
            "10 calls\n"
            "  fill                4 in 0.002000 s of one core, 2000 per second\n"
            "  all drawings        4 in 0.002000 s of one core, 2000 per second\n"
            "1 of them cannot be drawn\n"
            "the recording ends in the middle of a command\n");
}

}  // namespace
