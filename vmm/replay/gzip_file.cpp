#include "vmm/replay/gzip_file.h"

#include <algorithm>
#include <fcntl.h>
#include <zlib.h>

#include "core/base/fd.h"

namespace vmm::replay {
namespace {

constexpr unsigned kBufferBytes = 256 * 1024;

}  // namespace

void GzipFile::Close::operator()(gzFile_s* file) const {
  gzclose_r(file);
}

core::Result<std::unique_ptr<GzipFile>> GzipFile::open(const std::string& path) {
  auto fd = core::Fd::open(path, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  auto* const file = gzdopen(fd->get(), "rb");
  if (file == nullptr) return core::fail("cannot read {}: no memory", path);
  fd->release();
  gzbuffer(file, kBufferBytes);
  return std::unique_ptr<GzipFile>(new GzipFile(path, file));
}

core::Result<std::size_t> GzipFile::read(std::span<std::uint8_t> to) {
  constexpr std::size_t kMost = std::size_t{1} << 30;
  const int got = gzread(file_.get(), to.data(), static_cast<unsigned>(std::min(to.size(), kMost)));
  int code = Z_OK;
  const char* const text = gzerror(file_.get(), &code);
  // A recording that was cut off ends where it ends.
  if (got < 0 && code == Z_BUF_ERROR) return std::size_t{0};
  if (got < 0) return core::fail("cannot read {}: {}", path_, code == Z_ERRNO ? core::errno_text() : text);
  return static_cast<std::size_t>(got);
}

}  // namespace vmm::replay
