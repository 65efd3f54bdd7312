#include "spice/image/encoder_pool.h"

#include <algorithm>
#include <fmt/core.h>

namespace spice::image {

std::span<std::uint8_t> Bench::room(std::size_t bytes) {
  if (room_.size() < bytes || (room_.size() > kMostKept && bytes <= kMostKept))
    room_ = std::vector<std::uint8_t>(bytes);
  return std::span(room_).first(bytes);
}

void Bench::trim() {
  compressor_.trim();
  room_ = {};
}

unsigned EncoderPool::sensible_threads() {
  const auto processors = std::thread::hardware_concurrency();
  return std::min(kMostThreads, processors > 1 ? processors - 1 : 0);
}

EncoderPool::EncoderPool(unsigned threads, const core::ThreadStart& start) {
  for (unsigned number = 0; number < threads; ++number)
    threads_.push_back(start(core::ThreadKind::Encoder, fmt::format("encoder{}", number), [this] { help(); }));
}

EncoderPool::~EncoderPool() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  begun_.notify_all();
}

void EncoderPool::run(std::size_t count, Bench& own, const Work& work) {
  if (count == 0) return;
  Batch batch{.work = &work, .count = count, .next = 0, .unfinished = count};
  std::unique_lock lock(mutex_);
  batches_.push_back(&batch);
  if (count > 1) begun_.notify_all();
  while (work_on(batch, own, lock)) {
  }
  finished_.wait(lock, [&batch] { return batch.unfinished == 0; });
}

bool EncoderPool::work_on(Batch& batch, Bench& bench, std::unique_lock<std::mutex>& lock) {
  if (batch.next == batch.count) return false;
  const auto index = batch.next++;
  if (batch.next == batch.count) batches_.remove(&batch);
  lock.unlock();
  (*batch.work)(index, bench);
  lock.lock();
  if (--batch.unfinished == 0) finished_.notify_all();
  return true;
}

void EncoderPool::help() {
  Bench bench;
  std::unique_lock lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] { return is_ending_ || !batches_.empty(); });
    if (is_ending_) return;
    work_on(*batches_.front(), bench, lock);
  }
}

}  // namespace spice::image
