#include "devices/block/overlay.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/base/bits.h"
#include "core/memory/memory_block.h"

namespace devices::block {

namespace {

core::Result<core::Fd> temporary_file(std::uint64_t size) {
  const char* chosen = std::getenv("TMPDIR");
  const std::string folder = chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
  auto name = folder + "/minivmm-snapshot-XXXXXX";
  const int raw = ::mkostemp(name.data(), O_CLOEXEC);
  if (raw < 0) {
    return core::fail("cannot make a temporary file for snapshot=on in {}: {}; set TMPDIR to a folder with space",
                      folder, core::errno_text());
  }
  core::Fd fd(raw);
  ::unlink(name.c_str());
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return core::fail("the file system of {} cannot hold a file of {} bytes for snapshot=on: {}; set TMPDIR to another",
                      folder, size, core::errno_text());
  }
  return fd;
}

}  // namespace

core::Result<std::unique_ptr<Overlay>> Overlay::create(ImageFile base, unsigned threads,
                                                       const core::ThreadStart& start) {
  auto file = temporary_file(base.size_bytes);
  if (!file) return std::unexpected(file.error());
  auto pool = IoPool::create(threads, start);
  if (!pool) return std::unexpected(pool.error());
  return std::unique_ptr<Overlay>(new Overlay(std::move(base), std::move(*file), std::move(*pool)));
}

Overlay::Overlay(ImageFile base, core::Fd file, std::unique_ptr<IoPool> pool)
    : base_(std::move(base)), file_(std::move(file)), pool_(std::move(pool)) {}

Overlay::~Overlay() {
  pool_->drain();
}

void Overlay::submit(core::BlockRequest request) {
  pool_->submit([this, held = std::move(request)]() mutable {
    auto result = perform(held);
    held.done(std::move(result));
  });
}

void Overlay::drain() {
  pool_->drain();
}

core::Result<> Overlay::perform(const core::BlockRequest& request) {
  // Nothing outlives the process, so there is nothing to put on a disk.
  if (request.op == core::BlockOp::Flush) return {};
  if (!request_inside(request, base_.size_bytes)) return core::fail("the request reaches beyond the disk");
  // The temporary file has no space to give back that would be worth a copy of what lies around it.
  if (request_bytes(request) == 0 || request.op == core::BlockOp::Discard) return {};
  return request.op == core::BlockOp::Read ? read(request) : write(request);
}

core::Result<> Overlay::read(const core::BlockRequest& request) const {
  const auto end = request.offset + request_bytes(request);
  const auto first = request.offset / kClusterBytes;
  const auto last = (end - 1) / kClusterBytes;
  bool any_written = false;
  bool all_written = true;
  for (auto cluster = first; cluster <= last; ++cluster) {
    const bool written = is_written(cluster);
    any_written = any_written || written;
    all_written = all_written && written;
  }
  if (!any_written) return read_request(base_.fd.get(), request);
  if (all_written) return read_request(file_.get(), request);
  std::vector<std::uint8_t> bounce(kClusterBytes);
  for (auto at = request.offset; at < end;) {
    const auto cluster = at / kClusterBytes;
    const auto part = std::span(bounce).first(std::min(end, (cluster + 1) * kClusterBytes) - at);
    const auto& source = is_written(cluster) ? file_ : base_.fd;
    if (auto done = read_fully(source.get(), part, at); !done) return done;
    if (request.guest != nullptr) {
      request.guest->write(at - request.offset, part);
    } else {
      std::ranges::copy(part, request.buffer + (at - request.offset));
    }
    at += part.size();
  }
  return {};
}

core::Result<> Overlay::write(const core::BlockRequest& request) {
  const auto end = request.offset + request_bytes(request);
  const auto first = request.offset / kClusterBytes;
  const auto last = (end - 1) / kClusterBytes;
  // The parts of the outer clusters that this request leaves alone keep what the image has there.
  if (!is_written(first)) {
    if (auto copied = copy_from_base(first * kClusterBytes, request.offset); !copied) return copied;
  }
  if (!is_written(last)) {
    const auto cluster_end = std::min((last + 1) * kClusterBytes, base_.size_bytes);
    if (auto copied = copy_from_base(end, cluster_end); !copied) return copied;
  }
  const bool zero = request.op == core::BlockOp::WriteZeroes;
  const auto written = zero ? zero_request(file_.get(), request) : write_request(file_.get(), request);
  if (!written) return written;
  for (auto cluster = first; cluster <= last; ++cluster)
    mark_written(cluster);
  return {};
}

core::Result<> Overlay::copy_from_base(std::uint64_t start, std::uint64_t end) {
  if (start >= end) return {};
  std::vector<std::uint8_t> bytes(end - start);  // less than a cluster
  if (auto done = read_fully(base_.fd.get(), bytes, start); !done) return done;
  return write_fully(file_.get(), bytes, start);
}

core::Result<> Overlay::read_all(const Take& take) {
  std::vector<std::uint64_t> words;
  words.reserve(written_.size());
  for (const auto& [word, bits] : written_)
    words.push_back(word);
  std::ranges::sort(words);
  std::vector<std::uint8_t> bytes;
  for (const auto word : words) {
    for (auto cluster = word * 64; cluster < (word + 1) * 64; ++cluster) {
      if (!is_written(cluster)) continue;
      const auto start = cluster * kClusterBytes;
      bytes.resize(std::min(kClusterBytes, base_.size_bytes - start));
      if (auto done = read_fully(file_.get(), bytes, start); !done) return done;
      if (auto taken = take(start, bytes); !taken) return taken;
    }
  }
  return {};
}

void Overlay::forget_all() {
  written_.clear();
}

core::Result<> Overlay::put(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  const bool whole = offset % kClusterBytes == 0 && offset < base_.size_bytes &&
                     bytes.size() == std::min(kClusterBytes, base_.size_bytes - offset);
  if (!whole) return core::fail("{} has no such cluster", base_.path);
  if (auto written = write_fully(file_.get(), bytes, offset); !written) return written;
  mark_written(offset / kClusterBytes);
  return {};
}

bool Overlay::is_written(std::uint64_t cluster) const {
  const auto word = written_.find(cluster / 64);
  return word != written_.end() && core::bit(word->second, static_cast<unsigned>(cluster % 64));
}

void Overlay::mark_written(std::uint64_t cluster) {
  auto& word = written_[cluster / 64];
  word = core::with_bit(word, static_cast<unsigned>(cluster % 64), true);
}

}  // namespace devices::block
