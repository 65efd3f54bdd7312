#include "firmware/host_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"

namespace firmware {

core::Result<std::vector<std::uint8_t>> read_host_file(const std::string& path, std::string_view what,
                                                       std::uint64_t max_bytes) {
  auto file = core::Fd::open(path, O_RDONLY);
  if (!file) return core::fail_with(what, file);
  struct stat status{};
  if (::fstat(file->get(), &status) != 0)
    return core::fail("{} {}: cannot read its size: {}", what, path, core::errno_text());
  if (!S_ISREG(status.st_mode)) return core::fail("{} {} is not a regular file", what, path);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes)
    return core::fail("{} {} has {} bytes; at most {} MiB are possible", what, path, size, max_bytes >> 20);

  std::vector<std::uint8_t> bytes(size);
  for (std::size_t done = 0; done < bytes.size();) {
    const auto count = ::read(file->get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return core::fail("{} {}: read failed: {}", what, path, core::errno_text());
    if (count == 0) return core::fail("{} {} became shorter while it was read; start again", what, path);
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace firmware
