#include "spice/server/viewer_file.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace spice::server {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const ServerConfig& config, std::uint16_t port, std::uint16_t tls_port) {
  const auto text = viewer_text(config, port, tls_port);
  return text ? *text : text.error().message;
}

TEST(ViewerText, plain_port_on_loopback) {
  ServerConfig config;
  config.name = "guest";
  EXPECT_EQ(text_of(config, 3001, 0), "[virt-viewer]\ntype=spice\ntitle=guest\nhost=localhost\nport=3001\n");
}

TEST(ViewerText, password_and_values_that_need_escapes) {
  ServerConfig config;
  config.addr = "192.0.2.1";
  config.password = " a\\b";
  EXPECT_THAT(text_of(config, 3001, 0), HasSubstr("host=192.0.2.1\n"));
  EXPECT_THAT(text_of(config, 3001, 0), HasSubstr("password=\\sa\\\\b\n"));
  config.disable_ticketing = true;
  EXPECT_THAT(text_of(config, 3001, 0), Not(HasSubstr("password")));
}

TEST(ViewerText, unix_socket_has_no_ports) {
  ServerConfig config;
  config.unix_path = "/run/guest";
  EXPECT_EQ(text_of(config, 0, 0), "[virt-viewer]\ntype=spice\nunix-path=/run/guest\n");
}

TEST(ViewerText, channels_that_need_tls_are_named) {
  ServerConfig config;
  config.default_security = Security::Tls;
  config.channel_security = {{wire::ChannelType::Display, Security::Any}, {wire::ChannelType::Inputs, Security::Tls}};
  EXPECT_THAT(text_of(config, 3001, 3002), HasSubstr("secure-channels=main;inputs;cursor"));
  EXPECT_THAT(text_of(config, 3001, 3002), HasSubstr("tls-port=3002\n"));
  EXPECT_THAT(text_of(config, 0, 3002), Not(HasSubstr("secure-channels")));
}

TEST(ViewerText, ca_is_one_line_and_must_be_readable) {
  const auto path = (std::filesystem::temp_directory_path() / fmt::format("minivmm-ca-{}", ::getpid())).string();
  std::ofstream(path) << "CERT\nIFICATE\n";
  ServerConfig config;
  config.tls.ca_file = path;
  EXPECT_THAT(text_of(config, 0, 3002), HasSubstr("ca=CERT\\nIFICATE\\n\n"));
  EXPECT_THAT(text_of(config, 3001, 0), Not(HasSubstr("ca=")));
  std::filesystem::remove(path);
  EXPECT_THAT(text_of(config, 0, 3002), HasSubstr(path));
}

TEST(ViewerFile, is_its_owners_and_goes) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("minivmm-{}.vv", ::getpid());
  {
    const auto first = ViewerFile::write(path.string(), "[virt-viewer]\ntype=spice\n");
    ASSERT_TRUE(first.has_value()) << first.error().message;
    EXPECT_EQ(std::filesystem::status(path).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_TRUE(ViewerFile::write(path.string(), "[virt-viewer]\ntype=spice\n").has_value());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ViewerFile, other_files_are_left_alone) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("minivmm-notes-{}", ::getpid());
  std::ofstream(path) << "my notes\n";
  const auto written = ViewerFile::write(path.string(), "[virt-viewer]\n");
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error().message, HasSubstr("no .vv file"));
  std::ostringstream kept;
  kept << std::ifstream(path).rdbuf();
  EXPECT_EQ(kept.str(), "my notes\n");
  std::filesystem::remove(path);
  EXPECT_FALSE(ViewerFile::write("/nonexistent/guest.vv", "[virt-viewer]\n").has_value());
}

}  // namespace
}  // namespace spice::server
