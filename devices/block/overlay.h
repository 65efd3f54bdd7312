// A disk for snapshot=on: reads come from an image that is never written, writes go to a temporary file without a name
// that vanishes with the process. A cluster belongs to the file from its first write on.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "core/ports/block.h"
#include "devices/block/image_file.h"
#include "devices/block/io_pool.h"

namespace devices::block {

class Overlay final : public core::BlockBackend, private core::VolatileContents {
 public:
  static constexpr std::uint64_t kClusterBytes = 64 * 1024;

  // `base` is opened read-only. The file is made in $TMPDIR, else /var/tmp, and takes only the space that is written.
  // `threads` is 1, as clusters are filled in one request at a time, or 0 (IoPool).
  static core::Result<std::unique_ptr<Overlay>> create(ImageFile base, unsigned threads,
                                                       const core::ThreadStart& start = {});
  ~Overlay() override;
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  std::uint64_t size_bytes() const override { return base_.size_bytes; }
  bool read_only() const override { return false; }
  const std::string& path() const override { return base_.path; }
  void submit(core::BlockRequest request) override;
  void drain() override;
  core::VolatileContents* volatile_contents() override { return this; }

 private:
  Overlay(ImageFile base, core::Fd file, std::unique_ptr<IoPool> pool);
  // VolatileContents: the clusters that were written
  core::Result<> read_all(const Take& take) override;
  void forget_all() override;
  core::Result<> put(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;

  core::Result<> perform(const core::BlockRequest& request);
  core::Result<> read(const core::BlockRequest& request) const;
  core::Result<> write(const core::BlockRequest& request);
  core::Result<> copy_from_base(std::uint64_t start, std::uint64_t end);
  bool is_written(std::uint64_t cluster) const;
  void mark_written(std::uint64_t cluster);

  ImageFile base_;
  core::Fd file_;  // sparse, laid out like the disk
  // 64 clusters a word; only words with a bit set exist, so that a huge disk costs nothing. Pool thread only, or
  // drained.
  std::unordered_map<std::uint64_t, std::uint64_t> written_;
  std::unique_ptr<IoPool> pool_;
};

}  // namespace devices::block
