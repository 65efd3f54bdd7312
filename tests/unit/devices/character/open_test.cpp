#include "devices/character/open.h"

#include <fcntl.h>
#include <fstream>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/base/fd.h"
#include "tests/unit/devices/character/character_rig.h"

namespace {

using devices::character::open;
using tests::bytes_of;
using tests::Guest;
using tests::read_bytes;
using tests::TemporaryFolder;

std::string error_of(std::string_view spec) {
  const auto stream = open(spec);
  return stream ? "opened" : stream.error().message;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

core::Fd connect_to(const std::string& path) {
  core::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.close();
  return fd;
}

// A listening socket as another process would leave it behind, or hold it.
core::Fd listen_at(const std::string& path) {
  core::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const bool listens = fd.valid() &&
                       ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                       ::listen(fd.get(), 1) == 0;
  EXPECT_TRUE(listens);
  return fd;
}

TEST(Open, unknown_form_names_the_known_ones) {
  EXPECT_EQ(error_of("tcp:1"),
            "\"tcp:1\" is no character stream; use stdio, file:PATH, unix:PATH[,server=on|off], pty or none");
}

TEST(Open, none_takes_everything) {
  for (const auto* spec : {"null", "none"}) {
    const auto stream = open(spec);
    ASSERT_TRUE(stream);
    EXPECT_EQ((*stream)->write(bytes_of("gone")), 4u);
  }
}

TEST(OpenFile, is_emptied_and_gets_all_output) {
  const TemporaryFolder folder;
  const auto path = folder.file("log");
  std::ofstream(path) << "old content that is longer";
  {
    const auto stream = open("file:" + path);
    ASSERT_TRUE(stream);
    (*stream)->write(bytes_of("line 1\n"));
    (*stream)->write(bytes_of("line 2\n"));
  }
  EXPECT_EQ(content_of(path), "line 1\nline 2\n");
}

TEST(OpenFile, error_names_path_and_reason) {
  EXPECT_EQ(
      error_of("file:/nonexistent/log"),
      "cannot open /nonexistent/log: No such file or directory; name a file that can be written, in a folder that "
      "exists");
  EXPECT_NE(error_of("file:/").find("Is a directory"), std::string::npos);
}

TEST(OpenUnix, serves_one_peer_after_another) {
  const TemporaryFolder folder;
  const auto path = folder.file("serial");
  const auto stream = open("unix:" + path);
  ASSERT_TRUE(stream);
  Guest guest(**stream);
  (*stream)->write(bytes_of("before anybody came"));
  {
    const auto peer = connect_to(path);
    ASSERT_EQ(::write(peer.get(), "1", 1), 1);
    EXPECT_EQ(guest.await(1), "1");
    (*stream)->write(bytes_of("first"));
    EXPECT_EQ(read_bytes(peer.get(), 5), "first");
  }
  const auto peer = connect_to(path);
  ASSERT_EQ(::write(peer.get(), "2", 1), 1);
  EXPECT_EQ(guest.await(2), "12");
  (*stream)->write(bytes_of("second"));
  EXPECT_EQ(read_bytes(peer.get(), 6), "second");
}

TEST(OpenUnix, second_peer_waits_until_the_first_leaves) {
  const TemporaryFolder folder;
  const auto path = folder.file("serial");
  const auto stream = open("unix:" + path);
  ASSERT_TRUE(stream);
  Guest guest(**stream);
  auto first = connect_to(path);
  ASSERT_EQ(::write(first.get(), "1", 1), 1);
  EXPECT_EQ(guest.await(1), "1");
  const auto second = connect_to(path);
  ASSERT_EQ(::write(second.get(), "2", 1), 1);
  first.close();
  EXPECT_EQ(guest.await(2), "12");
}

TEST(OpenUnix, peer_of_a_device_that_never_reads_may_leave_and_come_back) {
  const TemporaryFolder folder;
  const auto path = folder.file("console");
  const auto stream = open("unix:" + path);
  ASSERT_TRUE(stream);
  connect_to(path).close();
  connect_to(path).close();
  const auto peer = connect_to(path);
  // Nobody can see when it is served, so output goes on until some arrives.
  std::string got;
  for (pollfd state{peer.get(), POLLIN, 0}; ::poll(&state, 1, 1) == 0;)
    (*stream)->write(bytes_of("x"));
  EXPECT_EQ(read_bytes(peer.get(), 1), "x");
}

TEST(OpenUnix, path_is_removed_in_the_end) {
  const TemporaryFolder folder;
  const auto path = folder.file("serial");
  {
    const auto stream = open("unix:" + path + ",server=on,wait=off");
    ASSERT_TRUE(stream);
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(OpenUnix, stale_socket_is_replaced) {
  const TemporaryFolder folder;
  const auto path = folder.file("serial");
  listen_at(path).close();
  EXPECT_EQ(error_of("unix:" + path), "opened");
}

TEST(OpenUnix, socket_in_use_is_an_error) {
  const TemporaryFolder folder;
  const auto path = folder.file("serial");
  const auto other = listen_at(path);
  EXPECT_EQ(error_of("unix:" + path),
            "cannot listen at " + path + ": another process does; name another path or end that process");
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(OpenUnix, other_file_is_an_error_and_stays) {
  const TemporaryFolder folder;
  const auto path = folder.file("notes");
  std::ofstream(path) << "mine";
  EXPECT_EQ(error_of("unix:" + path),
            "cannot listen at " + path + ": it exists and is not a socket; name another path or remove it");
  EXPECT_EQ(content_of(path), "mine");
}

TEST(OpenUnix, connects_to_a_listener_with_server_off) {
  const TemporaryFolder folder;
  const auto path = folder.file("serial");
  const auto listener = listen_at(path);
  const auto stream = open("unix:" + path + ",server=off");
  ASSERT_TRUE(stream);
  (*stream)->write(bytes_of("hello"));
  const core::Fd peer(::accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(read_bytes(peer.get(), 5), "hello");
}

TEST(OpenUnix, errors_say_what_to_do) {
  const TemporaryFolder folder;
  const auto path = folder.file("nobody");
  EXPECT_EQ(error_of("unix:" + path + ",server=off"),
            "cannot connect to " + path +
                ": No such file or directory; start its listener first, or listen here with server=on");
  EXPECT_EQ(error_of("unix:" + path + ",reconnect=1"),
            "unix:" + path + " has no option \"reconnect=1\"; it takes server=on or server=off");
  EXPECT_NE(error_of("unix:" + std::string(200, 'a')).find("must have 1 to 107 bytes"), std::string::npos);
  EXPECT_NE(error_of("unix:/nonexistent/s").find("No such file or directory; name a path"), std::string::npos);
}

}  // namespace
