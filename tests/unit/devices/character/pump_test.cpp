#include "devices/character/pump.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <termios.h>

#include "devices/character/pty_end.h"
#include "devices/character/stdio_end.h"
#include "tests/unit/devices/character/character_rig.h"

namespace {

using devices::character::Endpoint;
using devices::character::Pump;
using tests::bytes_of;
using tests::Guest;
using tests::read_bytes;

// A connected pair: the pump has one socket, the test the other.
class SocketEnd final : public Endpoint {
 public:
  explicit SocketEnd(int fd) : fd_(fd) {}
  std::string name() const override { return "socket"; }
  bool connect() override { return fd_.valid(); }
  int input() const override { return fd_.get(); }
  int output() const override { return fd_.get(); }
  std::int64_t read(std::span<std::uint8_t> bytes) override {
    return ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  }
  std::int64_t write(std::span<const std::uint8_t> bytes) override {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  bool input_end_disconnects() const override { return true; }
  void disconnect() override { fd_.close(); }

 private:
  core::Fd fd_;
};

class PumpTest : public testing::Test {
 protected:
  void SetUp() override {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    peer = core::Fd(pair[1]);
    auto started = Pump::start(std::make_unique<SocketEnd>(pair[0]));
    ASSERT_TRUE(started);
    pump = std::move(*started);
  }

  void send(std::string_view text) {
    ASSERT_EQ(::write(peer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  core::Fd peer;
  std::unique_ptr<Pump> pump;
};

TEST_F(PumpTest, bytes_go_both_ways) {
  Guest guest(*pump);
  send("to the guest");
  EXPECT_EQ(guest.await(12), "to the guest");
  EXPECT_EQ(pump->write(bytes_of("to the host")), 11u);
  EXPECT_EQ(read_bytes(peer.get(), 11), "to the host");
}

TEST_F(PumpTest, device_without_room_gets_the_rest_when_it_has_some) {
  Guest guest(*pump, 4);
  send("0123456789");
  EXPECT_EQ(guest.await(4), "0123");
  guest.make_room(3);
  EXPECT_EQ(guest.await(7), "0123456");
  guest.make_room(3);
  EXPECT_EQ(guest.await(10), "0123456789");
}

TEST_F(PumpTest, input_before_the_peer_left_still_arrives) {
  Guest guest(*pump, 2);
  send("last words");
  peer.close();
  EXPECT_EQ(guest.await(2), "la");
  guest.make_room(100);
  EXPECT_EQ(guest.await(10), "last words");
}

TEST_F(PumpTest, input_waits_for_a_receiver) {
  send("early");
  Guest guest(*pump);
  EXPECT_EQ(guest.await(5), "early");
}

TEST_F(PumpTest, full_buffer_drops_the_newest_and_counts) {
  constexpr std::size_t kTotal = 4 * Pump::kBufferBytes;
  std::string sent;
  for (std::size_t i = 0; i < kTotal; i += 8)
    sent += fmt::format("{:08x}", i);
  for (std::size_t at = 0; at < kTotal; at += 65536)
    EXPECT_EQ(pump->write(bytes_of(std::string_view(sent).substr(at, 65536))), 65536u);
  const auto dropped = pump->dropped();
  EXPECT_GT(dropped, 0u);
  EXPECT_LE(dropped, kTotal - Pump::kBufferBytes);
  const auto got = read_bytes(peer.get(), kTotal - dropped);
  EXPECT_EQ(got.size(), kTotal - dropped);
  EXPECT_EQ(std::string_view(got).substr(0, Pump::kBufferBytes), std::string_view(sent).substr(0, Pump::kBufferBytes));
}

TEST_F(PumpTest, what_is_buffered_is_written_before_the_end) {
  pump->write(bytes_of("the last line"));
  pump.reset();
  EXPECT_EQ(read_bytes(peer.get(), 100), "the last line");
}

TEST_F(PumpTest, end_does_not_wait_for_a_reader_that_takes_nothing) {
  pump->write(bytes_of(std::string(Pump::kBufferBytes, 'x')));
  pump.reset();
  EXPECT_FALSE(read_bytes(peer.get(), 1).empty());
}

TEST_F(PumpTest, output_to_a_peer_that_left_vanishes) {
  peer.close();
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(pump->write(bytes_of("nobody")), 6u);
  EXPECT_EQ(pump->dropped(), 0u);
}

TEST_F(PumpTest, detached_receiver_is_not_called_again) {
  {
    Guest guest(*pump);
    send("a");
    EXPECT_EQ(guest.await(1), "a");
  }
  send("b");
  Guest next(*pump);
  EXPECT_EQ(next.await(1), "b");
}

// ---- pseudo-terminals

core::Fd open_line(const Pump&, const std::string& path) {
  return core::Fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
}

struct PtyRig {
  PtyRig() {
    auto end = devices::character::open_pty_end();
    EXPECT_TRUE(end) << end.error().message;
    path = (*end)->name().substr(4);
    pump = *Pump::start(std::move(*end));
  }
  std::string path;
  std::unique_ptr<Pump> pump;
};

TEST(Pty, bytes_pass_unchanged_both_ways) {
  PtyRig rig;
  Guest guest(*rig.pump);
  const auto line = open_line(*rig.pump, rig.path);
  ASSERT_TRUE(line.valid());
  ASSERT_EQ(::write(line.get(), "a\r\n\x03", 4), 4);
  EXPECT_EQ(guest.await(4), "a\r\n\x03");
  rig.pump->write(bytes_of("b\n"));
  EXPECT_EQ(read_bytes(line.get(), 2), "b\n");
}

TEST(Pty, can_be_opened_again) {
  PtyRig rig;
  Guest guest(*rig.pump);
  {
    const auto line = open_line(*rig.pump, rig.path);
    ASSERT_EQ(::write(line.get(), "1", 1), 1);
    EXPECT_EQ(guest.await(1), "1");
  }
  const auto line = open_line(*rig.pump, rig.path);
  ASSERT_EQ(::write(line.get(), "2", 1), 1);
  EXPECT_EQ(guest.await(2), "12");
  rig.pump->write(bytes_of("3"));
  EXPECT_EQ(read_bytes(line.get(), 1), "3");
}

// A line that somebody else opens again between the hang-up and the first look at what was left in it.
class ReopenedEnd final : public Endpoint {
 public:
  enum class When { Read, Write };
  // The second opener writes `sends` at once.
  ReopenedEnd(std::unique_ptr<Endpoint> line, When when, std::string sends = "")
      : line_(std::move(line)), when_(when), sends_(std::move(sends)) {}

  void open_first() { first_ = open_again(); }
  void close_first() { first_.close(); }
  int second() const { return second_.get(); }  // once reopened
  bool reopened() const { return reopened_; }

  std::string name() const override { return line_->name(); }
  bool connect() override { return line_->connect(); }
  int waits_on() const override { return line_->waits_on(); }
  int retry_ms() const override { return line_->retry_ms(); }
  int input() const override { return line_->input(); }
  int output() const override { return line_->output(); }
  std::int64_t read(std::span<std::uint8_t> bytes) override {
    if (when_ == When::Read) reopen();
    return line_->read(bytes);
  }
  std::int64_t write(std::span<const std::uint8_t> bytes) override {
    if (when_ == When::Read || reopened_) return line_->write(bytes);
    first_.close();
    const auto result = line_->write(bytes);
    const auto error = errno;
    reopen();
    errno = error;
    return result;
  }
  bool input_end_disconnects() const override { return line_->input_end_disconnects(); }
  void disconnect() override { line_->disconnect(); }

 private:
  void reopen() {
    pollfd state{line_->input(), 0, 0};
    if (reopened_ || ::poll(&state, 1, 0) == 0) return;
    second_ = open_again();
    EXPECT_EQ(::write(second_.get(), sends_.data(), sends_.size()), static_cast<ssize_t>(sends_.size()));
    reopened_ = true;
  }
  core::Fd open_again() const {
    return core::Fd(::open(line_->name().substr(4).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  }

  std::unique_ptr<Endpoint> line_;
  When when_;
  std::string sends_;
  core::Fd first_;
  core::Fd second_;
  std::atomic<bool> reopened_{false};
};

class ReopenedPty : public testing::TestWithParam<ReopenedEnd::When> {};

TEST(Pty, next_opener_is_answered) {
  auto line = devices::character::open_pty_end();
  ASSERT_TRUE(line) << line.error().message;
  auto end = std::make_unique<ReopenedEnd>(std::move(*line), ReopenedEnd::When::Read, "?");
  auto& reopened = *end;
  reopened.open_first();
  auto pump = *Pump::start(std::move(end));
  Guest guest(*pump);
  reopened.close_first();
  ASSERT_EQ(guest.await(1), "?");
  pump->write(bytes_of("!"));
  EXPECT_EQ(read_bytes(reopened.second(), 1), "!");
}

TEST_P(ReopenedPty, next_opener_gets_output) {
  auto line = devices::character::open_pty_end();
  ASSERT_TRUE(line) << line.error().message;
  auto end = std::make_unique<ReopenedEnd>(std::move(*line), GetParam());
  auto& reopened = *end;
  reopened.open_first();
  auto pump = *Pump::start(std::move(end));
  Guest guest(*pump);
  if (GetParam() == ReopenedEnd::When::Read) {
    reopened.close_first();
  } else {
    pump->write(bytes_of("lost"));
  }
  ASSERT_TRUE(tests::eventually([&] { return reopened.reopened() && pump->connected(); }));
  ASSERT_TRUE(tests::eventually([&] {
    pump->write(bytes_of("x"));
    char byte = 0;
    return ::read(reopened.second(), &byte, 1) == 1;
  }));
}

INSTANTIATE_TEST_SUITE_P(At, ReopenedPty, testing::Values(ReopenedEnd::When::Read, ReopenedEnd::When::Write),
                         [](const auto& which) { return which.param == ReopenedEnd::When::Read ? "read" : "write"; });

TEST(Pty, output_with_nobody_there_is_dropped) {
  PtyRig rig;
  EXPECT_FALSE(rig.pump->connected());
  EXPECT_EQ(rig.pump->write(bytes_of("hello")), 5u);
  EXPECT_EQ(rig.pump->dropped(), 0u);
}

// ---- standard input and output

class StdioTest : public testing::Test {
 protected:
  void SetUp() override {
    terminal = core::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    char path[128];
    ASSERT_EQ(::grantpt(terminal.get()), 0);
    ASSERT_EQ(::unlockpt(terminal.get()), 0);
    ASSERT_EQ(::ptsname_r(terminal.get(), path, sizeof path), 0);
    line = core::Fd(::open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(line.valid());
  }
  termios mode() const {
    termios now{};
    EXPECT_EQ(::tcgetattr(line.get(), &now), 0);
    return now;
  }

  core::Fd terminal;
  core::Fd line;
};

TEST_F(StdioTest, terminal_is_raw_with_interrupts_and_restored_afterwards) {
  const auto before = mode();
  {
    const auto end = devices::character::open_stdio_end(line.get(), line.get());
    ASSERT_TRUE(end);
    EXPECT_EQ(mode().c_lflag & (ECHO | ICANON | IEXTEN), 0u);
    EXPECT_NE(mode().c_lflag & ISIG, 0u);
    EXPECT_EQ(mode().c_cc[VINTR], before.c_cc[VINTR]);
    EXPECT_EQ(mode().c_iflag & ICRNL, 0u);
  }
  EXPECT_EQ(mode().c_lflag, before.c_lflag);
  EXPECT_EQ(mode().c_iflag, before.c_iflag);
}

TEST_F(StdioTest, keys_and_output_pass) {
  auto pump = *Pump::start(*devices::character::open_stdio_end(line.get(), line.get()));
  Guest guest(*pump);
  ASSERT_EQ(::write(terminal.get(), "k\r", 2), 2);
  EXPECT_EQ(guest.await(2), "k\r");
  pump->write(bytes_of("out"));
  EXPECT_EQ(read_bytes(terminal.get(), 3), "out");
}

TEST_F(StdioTest, non_blocking_mode_stays_off_the_shared_description) {
  const auto end = devices::character::open_stdio_end(line.get(), line.get());
  EXPECT_EQ(::fcntl(line.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(StdioTest, second_use_is_an_error) {
  const auto first = devices::character::open_stdio_end(line.get(), line.get());
  ASSERT_TRUE(first);
  const auto second = devices::character::open_stdio_end(line.get(), line.get());
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("stdio is used twice"), std::string::npos);
}

TEST(Stdio, pipes_work_and_end_of_input_keeps_output) {
  int in[2];
  int out[2];
  ASSERT_EQ(::pipe2(in, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
  auto pump = *Pump::start(*devices::character::open_stdio_end(in[0], out[1]));
  ASSERT_EQ(::write(in[1], "piped", 5), 5);
  ::close(in[1]);
  Guest guest(*pump);
  EXPECT_EQ(guest.await(5), "piped");
  pump->write(bytes_of("answer"));
  EXPECT_EQ(read_bytes(out[0], 6), "answer");
  for (const int fd : {in[0], out[0], out[1]})
    ::close(fd);
}

}  // namespace
