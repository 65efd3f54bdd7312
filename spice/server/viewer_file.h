// A .vv file: how remote-viewer finds a server, and what it needs to trust it. [virt-viewer: remote-viewer(1),
// CONNECTION FILE]
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "spice/server/config.h"

namespace spice::server {

// The lines of one, for a server that has these ports.
core::Result<std::string> viewer_text(const ServerConfig& config, std::uint16_t port, std::uint16_t tls_port);

// The file itself, which only its owner may read and which goes when we do.
class ViewerFile {
 public:
  // Replaces another .vv file, and nothing else.
  static core::Result<ViewerFile> write(const std::string& path, const std::string& text);
  ViewerFile(ViewerFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ViewerFile& operator=(ViewerFile&& other) = delete;
  ~ViewerFile();

 private:
  explicit ViewerFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace spice::server
