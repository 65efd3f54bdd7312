#include "spice/server/viewer_file.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

#include "core/base/fd.h"

namespace spice::server {

namespace {

constexpr std::string_view kFirstLine = "[virt-viewer]\n";
constexpr std::size_t kMaxCaBytes = 64 * 1024;

// Values are those of GLib's key files: one line, with escapes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\\': out += "\\\\"; break;
      case ' ': out += out.empty() ? "\\s" : " "; break;
      default: out += c;
    }
  }
  return out;
}

// By what name clients get to us, as far as we know.
std::string host_for_clients(const ServerConfig& config) {
  const bool is_any = config.addr == "0.0.0.0" || config.addr == "::";
  if (!config.addr.empty() && !is_any) return config.addr;
  if (!is_any && !config.password && !config.disable_ticketing && !config.sasl) return "localhost";
  std::array<char, NI_MAXHOST> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

core::Result<std::string> read_start(const std::string& path, std::size_t most) {
  const auto fd = core::Fd::open(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return std::unexpected(fd.error());
  std::string text(most, '\0');
  const auto count = ::read(fd->get(), text.data(), text.size());
  if (count < 0) return core::fail("cannot read {}: {}", path, core::errno_text());
  text.resize(static_cast<std::size_t>(count));
  return text;
}

std::string secure_channels(const ServerConfig& config) {
  std::string list;
  for (std::uint8_t type = 1; type <= wire::kLastChannelType; ++type) {
    const auto channel = static_cast<wire::ChannelType>(type);
    const auto own = config.channel_security.find(channel);
    const auto wanted = own == config.channel_security.end() ? config.default_security : own->second;
    if (wanted == Security::Tls) list += fmt::format("{}{}", list.empty() ? "" : ";", wire::channel_name(channel));
  }
  return list;
}

}  // namespace

core::Result<std::string> viewer_text(const ServerConfig& config, std::uint16_t port, std::uint16_t tls_port) {
  std::string text(kFirstLine);
  const auto add = [&text](std::string_view key, std::string_view value) {
    if (!value.empty()) text += fmt::format("{}={}\n", key, escaped(value));
  };
  add("type", "spice");
  add("title", config.name);
  if (!config.unix_path.empty()) {
    add("unix-path", config.unix_path);
  } else {
    add("host", host_for_clients(config));
    if (port != 0) add("port", fmt::format("{}", port));
    if (tls_port != 0) add("tls-port", fmt::format("{}", tls_port));
  }
  if (port != 0 && tls_port != 0) add("secure-channels", secure_channels(config));
  if (config.password && !config.disable_ticketing) add("password", *config.password);
  if (tls_port != 0 && !config.tls.ca_file.empty()) {
    const auto ca = read_start(config.tls.ca_file, kMaxCaBytes);
    if (!ca) return std::unexpected(ca.error());
    add("ca", *ca);
  }
  return text;
}

core::Result<ViewerFile> ViewerFile::write(const std::string& path, const std::string& text) {
  if (::access(path.c_str(), F_OK) == 0) {
    const auto there = read_start(path, kFirstLine.size());
    if (!there) return std::unexpected(there.error());
    if (*there != kFirstLine) return core::fail("{} exists already and is no .vv file; it is not overwritten", path);
  }
  // Nobody sees half of it, nor with another mode.
  std::string name = path + ".XXXXXX";
  const core::Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd.valid()) return core::fail("cannot write {}: {}", path, core::errno_text());
  const bool written = ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (!written || ::rename(name.c_str(), path.c_str()) != 0) {
    const auto reason = core::errno_text();
    ::unlink(name.c_str());
    return core::fail("cannot write {}: {}", path, reason);
  }
  return ViewerFile(path);
}

ViewerFile::~ViewerFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace spice::server
