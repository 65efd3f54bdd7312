// A disk. [virtio 1.2, 5.2] Several queues, flush, discard, write zeroes, a write cache that the driver may turn off.
//
// Missing on purpose: lifetime, secure erase and zoned storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/event/guest_clock.h"
#include "core/ports/block.h"
#include "devices/virtio/virtio_device.h"

namespace devices::virtio {

class VirtioBlk final : public VirtioDevice {
 public:
  struct Config {
    std::unique_ptr<core::BlockBackend> disk;
    std::string serial;   // at most 20 bytes are told
    unsigned queues = 1;  // one a CPU serves them best
  };
  VirtioBlk(Config config, core::GuestClock& clock);
  ~VirtioBlk() override;

  std::uint16_t type() const override;
  std::string_view name() const override { return "virtio-blk"; }
  std::uint32_t class_code() const override { return 0x010000; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override;
  std::vector<std::uint8_t> config() const override;
  void write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;
  void queue_notified(unsigned queue) override;
  void reset() override;
  void drain() override;
  void visit(core::StateVisitor& visitor) override;

  core::BlockBackend& disk() const { return *disk_; }

 private:
  struct Request;
  using RequestPointer = std::shared_ptr<Request>;

  void start(unsigned queue, Chain chain);
  // What is wrong with a request, or kBlkOk after filling in what to ask of the disk.
  std::uint8_t plan_transfer(Request& request, bool write);
  std::uint8_t plan_range(Request& request, std::uint32_t type);
  std::uint8_t plan(Request& request, std::uint32_t type);
  void answer_id(Request& request);
  // Has a transfer wait for others of the same notification that go on where it ends.
  void join(const RequestPointer& request, core::BlockOp op);
  void submit_joined();
  void submit(const RequestPointer& request, core::BlockOp op);
  bool read_at_once(const core::BlockRequest& work);
  void finished(const RequestPointer& request, core::BlockOp op, bool succeeded);
  // Gives a request's chain back, and those of the requests that joined it; the driver is not told yet.
  void give_back(Request& request, std::uint8_t status);
  bool is_write_through() const;

  std::unique_ptr<core::BlockBackend> disk_;
  const std::string serial_;
  const std::uint64_t sectors_;
  const unsigned queues_;
  core::GuestClock& clock_;
  bool write_cache_ = true;
  std::uint64_t started_ = 0;
  std::uint64_t at_once_left_ = 0;  // bytes
  std::vector<RequestPointer> in_flight_;
  RequestPointer joined_;  // waits for others to join it; null outside queue_notified()
  core::BlockOp joined_op_ = core::BlockOp::Read;
  // Those of requests that have ended: making one for each would cost more than many a request.
  std::vector<std::shared_ptr<core::Completion>> spare_;
};

}  // namespace devices::virtio
