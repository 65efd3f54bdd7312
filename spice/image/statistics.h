// What the images of one display channel cost. Counted by its thread, read by any.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "spice/image/method.h"

namespace spice::image {

struct MethodFigures {
  std::uint64_t images = 0;
  std::uint64_t raw_bytes = 0;   // of the pixels
  std::uint64_t sent_bytes = 0;  // of what became of them
  std::uint64_t encoder_ns = 0;
};

struct ImageFigures {
  std::array<MethodFigures, kMethods> methods{};  // by Method
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;  // of images that could be kept
  std::uint64_t cache_drops = 0;

  const MethodFigures& of(Method method) const { return methods[static_cast<std::size_t>(method)]; }
};

class ImageStatistics {
 public:
  void sent(Method method, std::uint64_t raw_bytes, std::uint64_t sent_bytes, std::chrono::nanoseconds encoder) {
    auto& counts = methods_[static_cast<std::size_t>(method)];
    add(counts.images, 1);
    add(counts.raw_bytes, raw_bytes);
    add(counts.sent_bytes, sent_bytes);
    add(counts.encoder_ns, static_cast<std::uint64_t>(encoder.count()));
  }
  void cache_hit() { add(cache_hits_, 1); }
  void cache_miss() { add(cache_misses_, 1); }
  void cache_drops(std::size_t count) { add(cache_drops_, count); }

  // Each figure is true, though not all of the same moment. Any thread.
  ImageFigures figures() const {
    ImageFigures result;
    for (std::size_t method = 0; method < kMethods; ++method) {
      const auto& counts = methods_[method];
      result.methods[method] = {read(counts.images), read(counts.raw_bytes), read(counts.sent_bytes),
                                read(counts.encoder_ns)};
    }
    result.cache_hits = read(cache_hits_);
    result.cache_misses = read(cache_misses_);
    result.cache_drops = read(cache_drops_);
    return result;
  }

 private:
  using Count = std::atomic<std::uint64_t>;
  struct Counts {
    Count images = 0, raw_bytes = 0, sent_bytes = 0, encoder_ns = 0;
  };
  static void add(Count& count, std::uint64_t more) { count.fetch_add(more, std::memory_order_relaxed); }
  static std::uint64_t read(const Count& count) { return count.load(std::memory_order_relaxed); }

  std::array<Counts, kMethods> methods_{};
  Count cache_hits_ = 0, cache_misses_ = 0, cache_drops_ = 0;
};

}  // namespace spice::image
