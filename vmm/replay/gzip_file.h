// A file that may be compressed with gzip.
#pragma once

#include <memory>
#include <string>

#include "vmm/replay/byte_source.h"

struct gzFile_s;

namespace vmm::replay {

class GzipFile final : public ByteSource {
 public:
  static core::Result<std::unique_ptr<GzipFile>> open(const std::string& path);
  core::Result<std::size_t> read(std::span<std::uint8_t> to) override;

 private:
  struct Close {
    void operator()(gzFile_s* file) const;
  };
  GzipFile(std::string path, gzFile_s* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

}  // namespace vmm::replay
