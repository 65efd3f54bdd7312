#include "devices/virtio/virtio_blk.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "core/base/bits.h"
#include "core/base/log.h"
#include "devices/virtio/virtio_blk_abi.h"

namespace devices::virtio {

using namespace abi;

namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint16_t kQueueSize = 256;
constexpr std::uint32_t kMaxSegments = kQueueSize - 2;  // beside header and status
constexpr std::uint32_t kMaxRangeSectors = 65536;       // of a discard or write-zeroes request: 32 MiB

// What is read at once in one go, lest others wait for the lock or the thread: a host copies it in 0.2 ms. More is
// better spread over several threads.
constexpr std::uint64_t kAtOnceBytes = 1 << 20;
constexpr std::uint64_t kMaxJoinedBytes = 1 << 20;

constexpr std::uint64_t feature(unsigned bit) {
  return std::uint64_t{1} << bit;
}

// How long a disk takes in a clock that does not follow the host's: a flash drive's access and 1 GB/s.
core::GuestTime latency(std::uint64_t bytes) {
  return core::GuestTime(50'000 + static_cast<std::int64_t>(bytes));
}

}  // namespace

// One request under way. It owns what the disk reads or fills until the disk is done with it, whatever becomes of the
// queue meanwhile.
struct VirtioBlk::Request {
  unsigned queue = 0;
  Chain chain;
  core::GuestIoVector data;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;               // of a range without data
  std::uint64_t filled = 0;               // bytes of the guest's buffers
  std::vector<RequestPointer> followers;  // done with this one, whose data has theirs at its end
  std::shared_ptr<core::Completion> completion;
  bool abandoned = false;
};

VirtioBlk::VirtioBlk(Config config, core::GuestClock& clock)
    : disk_(std::move(config.disk)),
      serial_(std::move(config.serial)),
      sectors_(disk_->size_bytes() / kSectorBytes),
      queues_(config.queues),
      clock_(clock) {}

VirtioBlk::~VirtioBlk() {
  drain();
}

std::uint16_t VirtioBlk::type() const {
  return kBlockType;
}

std::uint64_t VirtioBlk::features() const {
  auto bits = feature(kBlkSegMax) | feature(kBlkBlockSize) | feature(kBlkFlush) | feature(kBlkTopology) |
              feature(kBlkConfigWce);
  if (queues_ > 1) bits |= feature(kBlkMultiQueue);
  return bits | (disk_->read_only() ? feature(kBlkReadOnly) : feature(kBlkDiscard) | feature(kBlkWriteZeroes));
}

std::vector<std::uint16_t> VirtioBlk::queue_sizes() const {
  return std::vector<std::uint16_t>(queues_, kQueueSize);
}

std::vector<std::uint8_t> VirtioBlk::config() const {
  BlockConfig config{};
  config.capacity = sectors_;
  config.seg_max = kMaxSegments;
  config.block_size = kSectorBytes;
  config.minimum_io_size = 1;
  config.writeback = write_cache_ ? 1 : 0;
  config.queues = static_cast<std::uint16_t>(queues_);
  config.max_discard_sectors = kMaxRangeSectors;
  config.max_discard_segments = 1;
  config.discard_sector_alignment = 8;
  config.max_write_zeroes_sectors = kMaxRangeSectors;
  config.max_write_zeroes_segments = 1;
  config.write_zeroes_may_unmap = 1;
  const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof config>>(config);
  return {bytes.begin(), bytes.end()};
}

// [5.2.5.2] The driver may turn the write cache on and off.
void VirtioBlk::write_config(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  if (offset == kWritebackOffset && !bytes.empty() && host().has_feature(kBlkConfigWce)) write_cache_ = bytes[0] != 0;
}

// [5.2.6.2] A driver that knows nothing of a cache must find none.
bool VirtioBlk::is_write_through() const {
  return !host().has_feature(kBlkFlush) || !write_cache_;
}

void VirtioBlk::queue_notified(unsigned queue) {
  // Requests that need no disk are answered at once: a driver that never runs out of them must not keep the lock.
  at_once_left_ = host().is_off_cpu() ? kAtOnceBytes : 0;
  unsigned started = 0;
  for (Chain chain; pop(queue, chain);) {
    start(queue, std::move(chain));
    if (++started % kQueueSize == 0 && host().serve_later(queue)) break;
  }
  submit_joined();
  host().notify_used(queue);
}

void VirtioBlk::start(unsigned queue, Chain chain) {
  BlockHeader header{};
  std::array<std::uint8_t, sizeof header> bytes{};
  if (!chain.readable.read(0, bytes) || chain.writable.size() == 0) return host().need_reset();
  header = std::bit_cast<BlockHeader>(bytes);
  auto request = std::make_shared<Request>();
  request->queue = queue;
  request->chain = std::move(chain);
  request->offset = header.sector;
  in_flight_.push_back(request);
  const std::uint32_t type = header.type;
  if (const auto status = plan(*request, type); status != kBlkOk) return give_back(*request, status);
  switch (type) {
    case kBlkIn: return join(request, core::BlockOp::Read);
    case kBlkOut: return join(request, core::BlockOp::Write);
    case kBlkFlushRequest: return submit(request, core::BlockOp::Flush);
    case kBlkDiscardRequest: return submit(request, core::BlockOp::Discard);
    case kBlkWriteZeroesRequest: return submit(request, core::BlockOp::WriteZeroes);
    default: answer_id(*request);
  }
}

std::uint8_t VirtioBlk::plan(Request& request, std::uint32_t type) {
  switch (type) {
    case kBlkIn:
    case kBlkOut: return plan_transfer(request, type == kBlkOut);
    case kBlkDiscardRequest:
    case kBlkWriteZeroesRequest: return plan_range(request, type);
    case kBlkFlushRequest:
    case kBlkGetId: return kBlkOk;
    default: return kBlkUnsupported;
  }
}

std::uint8_t VirtioBlk::plan_transfer(Request& request, bool write) {
  const auto& chain = request.chain;
  const auto data = write ? chain.readable.part(sizeof(BlockHeader), chain.readable.size() - sizeof(BlockHeader))
                          : chain.writable.part(0, chain.writable.size() - 1);
  if (!data || data->size() % kSectorBytes != 0 || (write && disk_->read_only())) return kBlkIoError;
  if (!core::range_inside(request.offset, data->size() / kSectorBytes, sectors_)) return kBlkIoError;
  request.data = *data;
  request.offset *= kSectorBytes;
  request.filled = write ? 0 : data->size();
  return kBlkOk;
}

std::uint8_t VirtioBlk::plan_range(Request& request, std::uint32_t type) {
  if (disk_->read_only()) return kBlkIoError;
  std::array<std::uint8_t, sizeof(BlockRange)> bytes{};
  const auto& readable = request.chain.readable;
  if (readable.size() != sizeof(BlockHeader) + sizeof(BlockRange)) return kBlkUnsupported;
  readable.read(sizeof(BlockHeader), bytes);
  const auto range = std::bit_cast<BlockRange>(bytes);
  const std::uint64_t sectors = range.sectors;
  // [5.2.6.2] Flags that are not known are refused; a discard knows none.
  const std::uint32_t known = type == kBlkWriteZeroesRequest ? kBlkUnmap : 0;
  if ((range.flags & ~known) != 0) return kBlkUnsupported;
  if (sectors > kMaxRangeSectors || !core::range_inside<std::uint64_t>(range.sector, sectors, sectors_)) {
    return kBlkIoError;
  }
  request.offset = range.sector * kSectorBytes;
  request.length = sectors * kSectorBytes;
  return kBlkOk;
}

void VirtioBlk::answer_id(Request& request) {
  std::array<std::uint8_t, kBlkIdBytes> id{};
  std::copy_n(serial_.begin(), std::min<std::size_t>(serial_.size(), id.size()), id.begin());
  const auto bytes = std::min<std::uint64_t>(request.chain.writable.size() - 1, id.size());
  request.chain.writable.write(0, std::span(id).first(bytes));
  request.filled = bytes;
  give_back(request, kBlkOk);
}

// A sequence of small transfers costs the host more than one large one.
void VirtioBlk::join(const RequestPointer& request, core::BlockOp op) {
  const bool fits = joined_ && joined_op_ == op && joined_->offset + joined_->data.size() == request->offset &&
                    joined_->data.size() + request->data.size() <= kMaxJoinedBytes;
  if (fits) {
    joined_->data.append(request->data);
    joined_->followers.push_back(request);
    return;
  }
  submit_joined();
  joined_ = request;
  joined_op_ = op;
}

void VirtioBlk::submit_joined() {
  if (const auto request = std::exchange(joined_, nullptr)) submit(request, joined_op_);
}

void VirtioBlk::submit(const RequestPointer& request, core::BlockOp op) {
  const bool moves = op == core::BlockOp::Read || op == core::BlockOp::Write;
  core::BlockRequest work;
  work.op = op;
  work.offset = op == core::BlockOp::Flush ? 0 : request->offset;
  if (moves && request->data.size() > 0) work.guest = &request->data;
  if (!moves && op != core::BlockOp::Flush) work.length = request->length;
  if (read_at_once(work)) return give_back(*request, kBlkOk);
  if (!request->completion) {
    if (spare_.empty()) spare_.push_back(clock_.create_completion(host().device_lock()));
    request->completion = std::move(spare_.back());
    spare_.pop_back();
  }
  ++started_;
  request->completion->issue(latency(moves ? request->data.size() : 0));
  work.done = [this, request, op](const core::Result<>& result) {
    const bool succeeded = result.has_value();
    if (!succeeded) MV_LOG_LIMITED(Warn, "virtio-blk", "{}: {}", disk_->path(), result.error().message);
    request->completion->post([this, request, op, succeeded] { finished(request, op, succeeded); });
  };
  disk_->submit(std::move(work));
}

// To hand a request over and back costs more than most reads of what the host has in its page cache.
bool VirtioBlk::read_at_once(const core::BlockRequest& work) {
  if (work.op != core::BlockOp::Read || work.guest == nullptr || work.guest->size() > at_once_left_) return false;
  at_once_left_ -= work.guest->size();
  return disk_->read_at_once(work);
}

void VirtioBlk::finished(const RequestPointer& request, core::BlockOp op, bool succeeded) {
  const bool changes = op != core::BlockOp::Read && op != core::BlockOp::Flush;
  if (succeeded && changes && !request->abandoned && is_write_through()) return submit(request, core::BlockOp::Flush);
  spare_.push_back(std::move(request->completion));
  if (request->abandoned) return;  // and with it those that joined it
  give_back(*request, succeeded ? kBlkOk : kBlkIoError);
  host().notify_used(request->queue);
}

void VirtioBlk::give_back(Request& request, std::uint8_t status) {
  for (const auto& follower : request.followers)
    give_back(*follower, status);
  const auto& chain = request.chain;
  const auto filled = status == kBlkOk ? request.filled : 0;
  chain.writable.write(chain.writable.size() - 1, std::span(&status, 1));
  push(request.queue, chain, filled + 1);
  std::erase_if(in_flight_, [&request](const RequestPointer& other) { return other.get() == &request; });
}

void VirtioBlk::reset() {
  for (const auto& request : in_flight_)
    request->abandoned = true;
  in_flight_.clear();
  write_cache_ = true;
}

// What completes may make the driver's next request start at once, so once is not enough.
void VirtioBlk::drain() {
  const auto started = [this] {
    const std::scoped_lock guard(host().device_lock());
    return started_;
  };
  for (auto before = started();; before = started()) {
    disk_->drain();
    if (started() == before) return;
  }
}

void VirtioBlk::visit(core::StateVisitor& visitor) {
  visitor.field("write_cache", write_cache_);
}

}  // namespace devices::virtio
