#include "spice/image/image_buffers.h"

#include <utility>

namespace spice::image {

namespace {

wire::Payload copied(std::span<const std::uint8_t> bytes) {
  return wire::Payload(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

}  // namespace

std::span<std::uint8_t> ImageBuffers::buffer(std::size_t bytes) {
  is_large_ = bytes > kBufferBytes;
  if (is_large_) {
    if (large_ == nullptr || large_bytes_ < bytes) {
      large_ = std::make_unique_for_overwrite<std::uint8_t[]>(bytes);
      large_bytes_ = bytes;
    }
    return {large_.get(), bytes};
  }
  if (current_ == nullptr && !kept_->buffers.empty()) {
    current_ = std::move(kept_->buffers.back());
    kept_->buffers.pop_back();
  }
  if (current_ == nullptr) current_ = std::make_unique_for_overwrite<std::uint8_t[]>(kBufferBytes);
  return {current_.get(), bytes};
}

wire::Payload ImageBuffers::take_large(std::size_t bytes) {
  const std::span<const std::uint8_t> used(large_.get(), bytes);
  if (bytes > large_bytes_ / kSparse) return {std::shared_ptr<std::uint8_t[]>(std::move(large_)), used};
  auto copy = copied(used);
  if (large_bytes_ > kLargestKept) large_.reset();
  return copy;
}

wire::Payload ImageBuffers::take(std::size_t bytes) {
  if (is_large_) return take_large(bytes);
  const std::span<const std::uint8_t> used(current_.get(), bytes);
  if (bytes <= kCopyUpTo) return copied(used);
  const auto give_back = [kept = kept_](std::uint8_t* pointer) {
    Buffer buffer(pointer);
    if (kept->buffers.size() < kMaxKept) kept->buffers.push_back(std::move(buffer));
  };
  return {std::shared_ptr<std::uint8_t>(current_.release(), give_back), used};
}

void ImageBuffers::trim() {
  current_.reset();
  large_.reset();
  kept_->buffers.clear();
}

}  // namespace spice::image
