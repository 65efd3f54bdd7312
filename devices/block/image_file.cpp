#include "devices/block/image_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "core/base/bits.h"
#include "core/memory/memory_block.h"
#include "devices/block/image_lock.h"

namespace devices::block {

namespace {

// Checked before open(), which would wait for the other end of a pipe.
core::Result<> check_kind(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) {
    const int error = errno;
    if (error == ENOENT) return core::fail("disk image {} does not exist; check the path", path);
    return core::fail("cannot open disk image {}: {}", path, core::errno_text(error));
  }
  if (S_ISDIR(info.st_mode)) return core::fail("disk image {} is a directory; name a file or a block device", path);
  if (!S_ISREG(info.st_mode) && !S_ISBLK(info.st_mode)) {
    return core::fail("disk image {} is neither a file nor a block device", path);
  }
  return {};
}

core::Result<core::Fd> open_file(const std::string& path, bool read_only) {
  const int fd = ::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (fd >= 0) return core::Fd(fd);
  const int error = errno;
  if (!read_only && (error == EACCES || error == EROFS || error == EPERM)) {
    return core::fail(
        "cannot open disk image {} for writing: {}; change its permissions, or add snapshot=on or readonly=on", path,
        core::errno_text(error));
  }
  return core::fail("cannot open disk image {}: {}", path, core::errno_text(error));
}

// A mistake worth a sentence: such a file would boot as a disk of rubbish. The name has to agree, as a guest may write
// any bytes to a raw disk.
core::Result<> refuse_known_format(const ImageFile& image) {
  struct Format {
    std::string_view suffix;
    std::string_view magic;
  };
  constexpr std::array<Format, 3> kFormats{{{".qcow2", "QFI\xfb"}, {".vmdk", "KDMV"}, {".vhdx", "vhdxfile"}}};
  std::array<std::uint8_t, 8> head{};
  if (!read_fully(image.fd.get(), head, 0)) return {};
  const std::string_view start(reinterpret_cast<const char*>(head.data()), head.size());
  for (const auto& format : kFormats) {
    if (!image.path.ends_with(format.suffix) || !start.starts_with(format.magic)) continue;
    return core::fail("disk image {} is in {} format, which is not supported; convert it: qemu-img convert -O raw",
                      image.path, format.suffix.substr(1));
  }
  return {};
}

}  // namespace

core::Result<ImageFile> open_image(const std::string& path, bool read_only) {
  if (auto kind = check_kind(path); !kind) return std::unexpected(kind.error());
  auto fd = open_file(path, read_only);
  if (!fd) return std::unexpected(fd.error());
  if (auto locked = lock_image(fd->get(), path, !read_only); !locked) return std::unexpected(locked.error());
  const auto end = ::lseek(fd->get(), 0, SEEK_END);
  if (end < 0) return core::fail("cannot tell the size of disk image {}: {}", path, core::errno_text());
  const auto size = core::align_down(static_cast<std::uint64_t>(end), kSectorBytes);
  if (size == 0) {
    return core::fail("disk image {} is smaller than a sector; make one with: truncate -s 10G {}", path, path);
  }
  ImageFile image{path, std::move(*fd), size, read_only};
  if (auto raw = refuse_known_format(image); !raw) return std::unexpected(raw.error());
  return image;
}

core::Result<> read_fully(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
  while (!out.empty()) {
    const auto moved = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return core::fail("{}", core::errno_text());
    if (moved == 0) {
      std::ranges::fill(out, std::uint8_t{0});
      return {};
    }
    out = out.subspan(static_cast<std::size_t>(moved));
    offset += static_cast<std::uint64_t>(moved);
  }
  return {};
}

core::Result<> write_fully(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto moved = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return core::fail("{}", core::errno_text());
    if (moved == 0) return core::fail("the file took no more data");
    bytes = bytes.subspan(static_cast<std::size_t>(moved));
    offset += static_cast<std::uint64_t>(moved);
  }
  return {};
}

std::uint64_t request_bytes(const core::BlockRequest& request) {
  return request.guest != nullptr ? request.guest->size() : request.length;
}

bool request_inside(const core::BlockRequest& request, std::uint64_t size_bytes) {
  return core::range_inside(request.offset, request_bytes(request), size_bytes);
}

core::Result<> read_request(int fd, const core::BlockRequest& request) {
  if (request.guest != nullptr) return request.guest->read_file(fd, request.offset);
  return read_fully(fd, std::span(request.buffer, request.length), request.offset);
}

core::Result<> write_request(int fd, const core::BlockRequest& request) {
  if (request.guest != nullptr) return request.guest->write_file(fd, request.offset);
  return write_fully(fd, std::span<const std::uint8_t>(request.buffer, request.length), request.offset);
}

namespace {

// False with errno if the file system cannot.
bool punch_hole(int fd, const core::BlockRequest& request) {
  return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(request.offset),
                     static_cast<off_t>(request.length)) == 0;
}

}  // namespace

core::Result<> zero_request(int fd, const core::BlockRequest& request) {
  constexpr std::uint64_t kChunk = 1 << 20;
  if (request.length == 0 || punch_hole(fd, request)) return {};
  const std::vector<std::uint8_t> zeros(std::min(request.length, kChunk));
  for (std::uint64_t done = 0; done < request.length;) {
    const auto part = std::min(request.length - done, kChunk);
    auto written = write_fully(fd, std::span(zeros).first(part), request.offset + done);
    if (!written) return written;
    done += part;
  }
  return {};
}

core::Result<> discard_request(int fd, const core::BlockRequest& request) {
  if (request.length > 0) punch_hole(fd, request);
  return {};
}

}  // namespace devices::block
