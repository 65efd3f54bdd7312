#include "vmm/replay/recording_file.h"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

#include "vmm/replay/recording_format.h"

namespace vmm::replay {

core::Result<RecordingFile> RecordingFile::create(const std::string& path) {
  auto fd = core::Fd::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!fd) return std::unexpected(fd.error());
  RecordingFile file(path, std::move(*fd));
  file.append(recording_header());
  if (!file.outcome_) return std::unexpected(file.outcome_.error());
  return file;
}

void RecordingFile::append(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty() && outcome_) {
    const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      outcome_ = core::fail("cannot write {}: {}", path_, core::errno_text());
  }
}

}  // namespace vmm::replay
