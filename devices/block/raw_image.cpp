#include "devices/block/raw_image.h"

#include <unistd.h>
#include <utility>

#include "core/base/log.h"
#include "core/memory/memory_block.h"

namespace devices::block {

int data_sync(int fd) {
  return ::fdatasync(fd);
}

RawImage::RawImage(ImageFile image, std::unique_ptr<IoPool> pool, SyncCall sync)
    : image_(std::move(image)), sync_(sync), pool_(std::move(pool)) {}

RawImage::~RawImage() {
  pool_->drain();
  if (!unsynced_) return;
  if (auto flushed = flush(); !flushed) {
    core::log(core::LogLevel::Error, "block", "{}: data may be lost: {}", image_.path, flushed.error().message);
  }
}

void RawImage::submit(core::BlockRequest request) {
  if (request.op != core::BlockOp::Write) {
    pool_->submit([this, held = std::move(request)] { do_request(held); });
    return;
  }
  {
    const std::scoped_lock guard(writes_mutex_);
    writes_.push_back(std::move(request));
    if (std::exchange(writing_, true)) return;
  }
  pool_->submit([this] { do_writes(); });
}

void RawImage::do_writes() {
  for (;;) {
    core::BlockRequest request;
    {
      const std::scoped_lock guard(writes_mutex_);
      writing_ = !writes_.empty();
      if (!writing_) return;
      request = std::move(writes_.front());
      writes_.pop_front();
    }
    do_request(request);
  }
}

void RawImage::do_request(const core::BlockRequest& request) {
  request.done(perform(request));
}

bool RawImage::read_at_once(const core::BlockRequest& request) {
  if (request.op != core::BlockOp::Read || request.guest == nullptr) return false;
  if (!request_inside(request, image_.size_bytes)) return false;
  return request.guest->read_cached_file(image_.fd.get(), request.offset);
}

void RawImage::drain() {
  pool_->drain();
}

core::Result<> RawImage::perform(const core::BlockRequest& request) {
  if (request.op == core::BlockOp::Flush) return flush();
  if (!request_inside(request, image_.size_bytes)) return core::fail("the request reaches beyond the disk");
  if (request.op == core::BlockOp::Read) return read_request(image_.fd.get(), request);
  if (image_.read_only) return core::fail("the disk is read-only");
  unsynced_ = true;
  switch (request.op) {
    case core::BlockOp::WriteZeroes: return zero_request(image_.fd.get(), request);
    case core::BlockOp::Discard: return discard_request(image_.fd.get(), request);
    default: return write_request(image_.fd.get(), request);
  }
}

core::Result<> RawImage::flush() {
  if (image_.read_only) return {};
  unsynced_ = false;
  if (sync_(image_.fd.get()) == 0) return {};
  unsynced_ = true;
  return core::fail("{}", core::errno_text());
}

}  // namespace devices::block
