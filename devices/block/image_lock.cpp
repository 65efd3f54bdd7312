#include "devices/block/image_lock.h"

#include <cerrno>
#include <fcntl.h>

#include "core/base/log.h"

namespace devices::block {

namespace {

constexpr off_t kReads = 100;
constexpr off_t kWrites = 101;
constexpr off_t kForbidsReading = 200;
constexpr off_t kForbidsWriting = 201;

struct flock one_byte(short type, off_t byte) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

bool take(int fd, off_t byte) {
  auto lock = one_byte(F_RDLCK, byte);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

// Whether another open file description holds the byte, shared or not.
bool held_by_other(int fd, off_t byte) {
  auto lock = one_byte(F_WRLCK, byte);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace

core::Result<> lock_image(int fd, const std::string& path, bool writer) {
  const bool taken = take(fd, kReads) && take(fd, kForbidsWriting) && (!writer || take(fd, kWrites));
  if (!taken && errno != EAGAIN && errno != EACCES) {
    core::log(core::LogLevel::Warn, "block",
              "{}: its file system has no locks ({}); nothing keeps another program from writing this image", path,
              core::errno_text());
    return {};
  }
  if (!taken || held_by_other(fd, kWrites) || held_by_other(fd, kForbidsReading)) {
    return core::fail(
        "disk image {} is in use for writing by another program or disk (a minivmm, a QEMU, qemu-img?); stop that one "
        "or give this machine a copy of the image",
        path);
  }
  if (writer && held_by_other(fd, kForbidsWriting)) {
    return core::fail(
        "disk image {} is in use for reading by another program or disk (a minivmm, a QEMU, qemu-img?) and must not "
        "change meanwhile; stop that one, or open it here with snapshot=on or readonly=on",
        path);
  }
  return {};
}

}  // namespace devices::block
