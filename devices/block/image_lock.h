// Keeps two processes, or two disks of one machine, from writing one image: open-file-description locks on the bytes
// QEMU uses, so that it, qemu-img and minivmm respect each other. [QEMU docs/devel, block/file-posix.c: byte 100+n says
// "I use permission n", byte 200+n "I do not let others use it"; 0 is reading, 1 writing.]
#pragma once

#include <string>

#include "core/base/result.h"

namespace devices::block {

// Locks the image behind `fd` until that descriptor is closed. Readers coexist; a writer is alone. A file system
// without such locks is warned of and accepted.
core::Result<> lock_image(int fd, const std::string& path, bool writer);

}  // namespace devices::block
