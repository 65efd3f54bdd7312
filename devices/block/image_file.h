// An opened and locked image file, and whole reads and writes of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/ports/block.h"

namespace devices::block {

constexpr std::uint64_t kSectorBytes = 512;

struct ImageFile {
  std::string path;
  core::Fd fd;
  std::uint64_t size_bytes = 0;  // rounded down to whole sectors
  bool read_only = false;
};

// A regular file or a block device; anything else, an empty one and one in use are errors that say what to do.
core::Result<ImageFile> open_image(const std::string& path, bool read_only);

// The whole span at `offset`; reading past the end of the file gives zeros. The error is errno's text.
core::Result<> read_fully(int fd, std::span<std::uint8_t> out, std::uint64_t offset);
core::Result<> write_fully(int fd, std::span<const std::uint8_t> bytes, std::uint64_t offset);

// How many bytes a request is about, and whether it lies in a disk of `size_bytes`.
std::uint64_t request_bytes(const core::BlockRequest& request);
bool request_inside(const core::BlockRequest& request, std::uint64_t size_bytes);
// The request's data from or to a file, at the request's offset.
core::Result<> read_request(int fd, const core::BlockRequest& request);
core::Result<> write_request(int fd, const core::BlockRequest& request);
// WriteZeroes: gives the range's space back where the file system can, else writes zeros.
core::Result<> zero_request(int fd, const core::BlockRequest& request);
// Discard: gives the range's space back where the file system can.
core::Result<> discard_request(int fd, const core::BlockRequest& request);

}  // namespace devices::block
