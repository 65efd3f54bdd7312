// The monitor for people over a fake machine: lines, editing, completion.
#include "vmm/control/hmp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vmm/control/fake_machine.h"

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace vmm::control;

class HmpTest : public testing::Test {
 protected:
  HmpTest() { machine_.serve_spice(); }
  std::string run(std::string_view line) { return run_hmp_line(context_, line); }

  tests::FakeMachine machine_;
  core::Loop loop_;
  Typist typist_{loop_, machine_.keyboard()};
  Mouse mouse_{machine_.mouse()};
  Context context_{machine_, typist_, mouse_};
};

TEST_F(HmpTest, every_command_has_help) {
  for (const auto& command : hmp_commands()) {
    const auto help = run(fmt::format("help {}", command.name));
    EXPECT_TRUE(help.starts_with(command.name)) << help;
    EXPECT_THAT(run("help"), HasSubstr(help.substr(0, help.find('\n'))));
  }
  EXPECT_THAT(run("info"), HasSubstr("info spice -- "));
  EXPECT_THAT(run("help nonsense"), HasSubstr("unknown command"));
}

TEST_F(HmpTest, every_topic_answers) {
  for (const auto& topic : info_topics()) {
    if (topic.name == "pci") continue;  // the fake has none
    EXPECT_NE(run(fmt::format("info {}", topic.name)), "") << topic.name;
  }
}

TEST_F(HmpTest, mouse_moves_with_its_buttons_held_and_its_wheel_goes_up) {
  run("mouse_button 1");
  run("mouse_move 50 -3 2");
  run("mouse_button 0");
  EXPECT_THAT(machine_.told, ElementsAre("move 0 0 0 1", "move 50 -3 -2 1", "move 0 0 0 0"));
}

TEST_F(HmpTest, screendump_takes_options_a_display_and_a_head) {
  EXPECT_EQ(run("screendump /tmp/x"), "Error: no picture of  head any\n");
  EXPECT_EQ(run("screendump -p -f png /tmp/x qxl1 2"), "Error: no picture of qxl1 head 2 with its pointer\n");
  EXPECT_EQ(run("screendump /tmp/x qxl1 two"), "Error: 'two' is no number of a head\n");
  EXPECT_EQ(run("screendump -f bmp /tmp/x"), "Error: unknown format 'bmp'\n");
  EXPECT_THAT(run("screendump -f png"), HasSubstr("usage: screendump [-p]"));
  EXPECT_THAT(run("screendump -q /tmp/x"), HasSubstr("usage: screendump [-p]"));
}

TEST_F(HmpTest, info_spice_names_clients_with_their_roles) {
  EXPECT_EQ(run("info spice"),
            "Server:\n     address: 127.0.0.1:5900\n    migrated: false\n        auth: spice\n    compiled: 0.1.0\n"
            "  mouse-mode: server\n     clients: share\n"
            "     image-compression: auto_glz\n     jpeg-wan-compression: auto\n     streaming-video: off\n"
            "     zlib-glz-wan-compression: auto\n"
            "Client 127.0.0.1:40000: owner\n     session: 77\n"
            "     channel: main 0, sent 2.0 KiB, received 100 B, queued 0 B, round trip 0.2 ms\n"
            "     channel: display 0, sent 4.0 KiB, received 50 B, queued 7 B, round trip 0.3 ms\n"
            "     channel: inputs 0\n");
  machine_.clients.clear();
  EXPECT_THAT(run("info spice"), HasSubstr("Clients: none\n"));
  machine_.spice_status = {};
  EXPECT_EQ(run("info spice"), "Server: disabled\n");
}

TEST_F(HmpTest, info_spice_stats_tells_what_clients_were_sent) {
  EXPECT_EQ(run("info spice-stats"),
            "Client 127.0.0.1:40000: session 77, sent 6.0 KiB, received 150 B, line 50.0 Mbit/s\n"
            "     channel: main 0, sent 2.0 KiB, received 100 B, queued 0 B, round trip 0.2 ms, takes 10.0 KiB/s\n"
            "     channel: display 0, sent 4.0 KiB, received 50 B, queued 7 B, round trip 0.3 ms, takes 20.0 KiB/s\n"
            "       cache: 3 images from it, 9 into it, 1 dropped\n"
            "         glz: 12 images, 3.9 MiB of pixels as 80.0 KiB (1:50.0), 2.5 ms\n"
            "       video: 1 streams, 30 frames as 10.0 KiB, 2 left out, 4 replaced, 1.5 ms\n"
            "       waits: 5 drawings of 1.0 KiB, 77 pixels\n"
            "     channel: inputs 0\n");
  machine_.clients.clear();
  EXPECT_EQ(run("info spice-stats"), "Clients: none\n");
}

TEST_F(HmpTest, how_pictures_are_sent_is_set_by_the_names_of_the_command_line) {
  EXPECT_EQ(run("set_spice image-compression lz"), "");
  EXPECT_EQ(run("set_spice streaming-video all"), "");
  EXPECT_EQ(machine_.spice_status.pictures.compression, vmm::config::SpiceCompression::Lz);
  EXPECT_EQ(machine_.spice_status.pictures.streaming, vmm::config::SpiceStreaming::All);
  EXPECT_EQ(machine_.spice_status.pictures.jpeg, vmm::config::SpiceOnSlowLines::Auto);
  EXPECT_THAT(run("info spice"), HasSubstr("image-compression: lz\n"));
  EXPECT_EQ(run("set_spice jpeg-wan-compression on"), "Error: jpeg-wan-compression=on: give auto, never or always\n");
  EXPECT_THAT(run("set_spice port 1"), HasSubstr("no setting \"port\"; give image-compression, "));
  EXPECT_THAT(run("set_spice streaming-video"), HasSubstr("usage: set_spice"));
  machine_.spice_status = {};
  EXPECT_EQ(run("set_spice image-compression lz"), "Error: SPICE is not in use\n");
}

TEST_F(HmpTest, passwords) {
  EXPECT_EQ(run("set_password spice new disconnect"), "");
  EXPECT_EQ(run("expire_password spice never"), "");
  EXPECT_THAT(machine_.told, ElementsAre("password new 1", "expire never"));
  EXPECT_EQ(run("set_password foo bar"), "Error: invalid parameter value: foo\n");
  EXPECT_EQ(run("set_password spice bar baz"), "Error: invalid parameter value: baz\n");
  EXPECT_THAT(run("set_password spice"), HasSubstr("usage: set_password"));
  EXPECT_THAT(run("expire_password spice soon"), HasSubstr("Error: Could not set password expire time"));
}

TEST_F(HmpTest, text_is_typed_or_refused_as_a_whole) {
  EXPECT_EQ(run("type \"A b\\n\" us"), "");
  EXPECT_THAT(machine_.told, ElementsAre("key 2a+", "key 1e+"));
  EXPECT_THAT(run("type \xc3\xa4"), HasSubstr("no key for character 1"));
  EXPECT_THAT(run("type x xx"), HasSubstr("no keyboard layout \"xx\""));
  EXPECT_THAT(run("type \xff"), HasSubstr("not UTF-8"));
  EXPECT_THAT(run("type " + std::string(257, 'x')), HasSubstr("too many keys"));
}

TEST_F(HmpTest, completion) {
  const auto complete = [this](std::string_view text) { return complete_hmp_line(context_, text); };
  EXPECT_THAT(complete("syst"), ElementsAre("system_powerdown", "system_reset", "system_wakeup"));
  EXPECT_THAT(complete("info sp"), ElementsAre("spice", "spice-stats"));
  EXPECT_THAT(complete("info device "), ElementsAre("ide", "pic", "pit"));
  EXPECT_THAT(complete("help expi"), ElementsAre("expire_password"));
  EXPECT_THAT(complete("eject -f "), ElementsAre("ide1-cd0"));
  EXPECT_THAT(complete("sendkey ctrl-alt-delet"), ElementsAre("ctrl-alt-delete"));
  EXPECT_THAT(complete("set_password "), ElementsAre("spice"));
  EXPECT_THAT(complete("set_password spice secret "), ElementsAre("disconnect", "fail", "keep"));
  EXPECT_THAT(complete("set_password spice "), IsEmpty());
  EXPECT_THAT(complete("set_spice j"), ElementsAre("jpeg-wan-compression"));
  EXPECT_THAT(complete("set_spice streaming-video "), ElementsAre("all", "filter", "off"));
  EXPECT_THAT(complete("nonsense "), IsEmpty());
  EXPECT_THAT(complete("change \"a b"), IsEmpty());
}

class SessionTest : public HmpTest {
 protected:
  // What comes back for these bytes.
  std::string type(std::string_view bytes) {
    session().receive(bytes);
    return output_.take();
  }
  HmpSession& session() {
    if (!session_) session_.emplace(context_, output_);
    return *session_;
  }
  tests::TextOutput output_;
  std::optional<HmpSession> session_;
};

TEST_F(SessionTest, script_gets_no_echo) {
  EXPECT_EQ(type("info na"), "");
  EXPECT_EQ(type("me\ninfo name\r\n"), "fake\n(minivmm) fake\n(minivmm) ");
}

TEST_F(SessionTest, script_without_line_ends_is_dropped) {
  EXPECT_FALSE(session().receive(std::string(LineEditor::kMaxLine + 1, 'x')));
}

TEST_F(SessionTest, terminal_gets_echo_and_returns) {
  output_.is_terminal = true;
  EXPECT_EQ(type("info name"), "info name");
  EXPECT_EQ(type("\r"), "\r\nfake\r\n(minivmm) ");
}

TEST_F(SessionTest, first_editing_key_shows_what_was_typed) {
  EXPECT_EQ(type("info na"), "");
  EXPECT_EQ(type("\t"), "\r(minivmm) info na\x1b[Kme ");
  EXPECT_EQ(type("\n"), "\r\nfake\r\n(minivmm) ");
}

TEST_F(SessionTest, return_alone_is_a_terminals) {
  EXPECT_EQ(type("stop\r"), "(minivmm) ");
  EXPECT_EQ(type("s"), "\r(minivmm) \x1b[Ks");
}

class EditingTest : public SessionTest {
 protected:
  EditingTest() { output_.is_terminal = true; }
  // The line that Enter hands on, seen as the unknown command that it is.
  std::string line_of(std::string_view keys) {
    type(keys);
    const auto answer = type("\r");
    constexpr std::string_view kBefore = "unknown command: '";
    const auto start = answer.find(kBefore) + kBefore.size();
    return answer.substr(start, answer.find('\'', start) - start);
  }
};

TEST_F(EditingTest, keys) {
  EXPECT_EQ(line_of("abd\x1b[Dc"), "abcd");  // left
  EXPECT_EQ(line_of("bc\x01"
                    "a\x05"
                    "d"),
            "abcd");                               // Ctrl-A, Ctrl-E
  EXPECT_EQ(line_of("xabc\x1b[H\x1b[3~"), "abc");  // Home, Delete
  EXPECT_EQ(line_of("ab\x02\x06"
                    "c"),
            "abc");  // Ctrl-B, Ctrl-F
  EXPECT_EQ(line_of("junk\x15"
                    "abc"),
            "abc");                                          // Ctrl-U
  EXPECT_EQ(line_of("abcjunk\x02\x02\x02\x02\x0b"), "abc");  // Ctrl-K
  EXPECT_EQ(line_of("two words\x17\x17"
                    "abc"),
            "abc");  // Ctrl-W twice
  EXPECT_EQ(line_of("abx\x7f"
                    "cy\b"),
            "abc");  // both kinds of Backspace
  EXPECT_EQ(line_of("ab\x1bOHx\x1bOF"
                    "c"),
            "xabc");                             // Home, End in application mode
  EXPECT_EQ(line_of("a\x1b[99;5Qb\x04"), "ab");  // what nobody knows; Ctrl-D at the end
}

TEST_F(EditingTest, history) {
  type("first\rsecond\rsecond\r");
  EXPECT_EQ(line_of("\x1b[A"), "second");
  EXPECT_EQ(line_of("\x10\x10"), "first");
  EXPECT_EQ(line_of("typed\x1b[A\x1b[B"), "typed");
  EXPECT_EQ(line_of(std::string("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A")), "first");
}

TEST_F(EditingTest, history_has_no_passwords) {
  type("before\rset_password spice secret\r");
  EXPECT_EQ(line_of("\x1b[A"), "before");
}

TEST_F(EditingTest, completion_inserts_or_lists) {
  EXPECT_EQ(type("sys\t"), "system_");
  const auto list = type("\t");
  EXPECT_THAT(list, HasSubstr("system_powerdown  system_reset      system_wakeup"));
  EXPECT_THAT(list, HasSubstr("(minivmm) system_"));
  EXPECT_EQ(type("w\t"), "wakeup ");
  EXPECT_EQ(type("\t"), "\a");
}

TEST_F(EditingTest, line_has_an_end) {
  EXPECT_TRUE(session().receive(std::string(LineEditor::kMaxLine + 100, 'x')));
  EXPECT_THAT(output_.take(), HasSubstr("\a"));
}

}  // namespace
