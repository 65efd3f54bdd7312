// Threads that help the displays' workers with images that do not depend on each other. They know nothing of clients:
// whoever asks waits until all is done, so that nothing is reordered, and what comes out does not depend on them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/thread_start.h"
#include "spice/image/compressor.h"

namespace spice::image {

// What one thread encodes with.
class Bench {
 public:
  Compressor& compressor() { return compressor_; }
  // At least so many bytes, kept for the next time unless they are very many.
  std::span<std::uint8_t> room(std::size_t bytes);
  void trim();

 private:
  static constexpr std::size_t kMostKept = std::size_t{1} << 20;
  Compressor compressor_;
  std::vector<std::uint8_t> room_;
};

class EncoderPool {
 public:
  // More are of little use: a client takes what they make at the pace of one line.
  static constexpr unsigned kMostThreads = 3;
  // As many as there are processors beside one for the worker itself; 0: none is worth starting.
  static unsigned sensible_threads();

  // One thread at least.
  EncoderPool(unsigned threads, const core::ThreadStart& start);
  ~EncoderPool();
  EncoderPool(const EncoderPool&) = delete;
  EncoderPool& operator=(const EncoderPool&) = delete;

  std::size_t threads() const { return threads_.size(); }

  using Work = std::function<void(std::size_t index, Bench& bench)>;
  // Calls `work` once for each index below `count`, on this thread with `own` and on those of the pool that are free,
  // in any order; returns when all calls have. It must not throw. Any thread.
  void run(std::size_t count, Bench& own, const Work& work);

 private:
  struct Batch {
    const Work* work = nullptr;
    std::size_t count = 0;
    std::size_t next = 0;
    std::size_t unfinished = 0;
  };

  void help();
  // Does the batch's next piece of work, with the lock given up meanwhile. False if there is none left to begin.
  bool work_on(Batch& batch, Bench& bench, std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable begun_;     // there is a batch, or the end has come
  std::condition_variable finished_;  // of a batch
  std::list<Batch*> batches_;         // that have work left to begin; whoever asked keeps them
  bool is_ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace spice::image
