#include "spice/image/image_buffers.h"

#include <algorithm>
#include <utility>

namespace spice::image {

std::span<std::uint8_t> ImageBuffers::buffer(std::size_t bytes) {
  if (current_ == nullptr && bytes <= kBufferBytes && !kept_->buffers.empty()) {
    current_ = std::move(kept_->buffers.back());
    current_bytes_ = kBufferBytes;
    kept_->buffers.pop_back();
  }
  if (current_ == nullptr || current_bytes_ < bytes) {
    current_bytes_ = std::max(bytes, kBufferBytes);
    current_ = std::make_unique_for_overwrite<std::uint8_t[]>(current_bytes_);
  }
  return {current_.get(), bytes};
}

wire::Payload ImageBuffers::take(std::size_t bytes) {
  const std::span<const std::uint8_t> used(current_.get(), bytes);
  const bool is_used_once = current_bytes_ > kBufferBytes;
  if (bytes <= kCopyUpTo) {
    wire::Payload copy(std::vector<std::uint8_t>(used.begin(), used.end()));
    if (is_used_once) current_.reset();
    return copy;
  }
  if (is_used_once) return {std::shared_ptr<std::uint8_t[]>(std::move(current_)), used};
  const auto give_back = [kept = kept_](std::uint8_t* pointer) {
    Buffer buffer(pointer);
    if (kept->buffers.size() < kMaxKept) kept->buffers.push_back(std::move(buffer));
  };
  return {std::shared_ptr<std::uint8_t>(current_.release(), give_back), used};
}

void ImageBuffers::trim() {
  current_.reset();
  kept_->buffers.clear();
}

}  // namespace spice::image
