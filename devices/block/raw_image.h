// A disk whose sectors are the bytes of a file or a block device. Data moves between the file and guest memory
// directly.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "core/ports/block.h"
#include "devices/block/image_file.h"
#include "devices/block/io_pool.h"

namespace devices::block {

// fdatasync(2), or a test's.
using SyncCall = int (*)(int fd);
int data_sync(int fd);

class RawImage final : public core::BlockBackend {
 public:
  RawImage(ImageFile image, std::unique_ptr<IoPool> pool, SyncCall sync = data_sync);
  ~RawImage() override;  // ends what was submitted and puts it on the disk
  RawImage(const RawImage&) = delete;
  RawImage& operator=(const RawImage&) = delete;

  std::uint64_t size_bytes() const override { return image_.size_bytes; }
  bool read_only() const override { return image_.read_only; }
  const std::string& path() const override { return image_.path; }
  void submit(core::BlockRequest request) override;
  bool read_at_once(const core::BlockRequest& request) override;
  void drain() override;

 private:
  void do_writes();
  void do_request(const core::BlockRequest& request);
  core::Result<> perform(const core::BlockRequest& request);
  core::Result<> flush();

  ImageFile image_;
  SyncCall sync_;
  std::atomic<bool> unsynced_{false};  // written since the last successful flush began
  // File systems let one thread at a time write to a file: others would only wait for it, awake. So a single task of
  // the pool does what is here.
  std::mutex writes_mutex_;
  std::deque<core::BlockRequest> writes_;
  bool writing_ = false;          // there is that task
  std::unique_ptr<IoPool> pool_;  // last: its threads use the rest
};

}  // namespace devices::block
