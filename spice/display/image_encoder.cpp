#include "spice/display/image_encoder.h"

#include <algorithm>
#include <utility>

namespace spice::display {

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

void ImageEncoder::set_clients(std::size_t count) {
  shares_ = count > 1;
  if (!shares_) surface_changed();
}

void ImageEncoder::surface_changed() {
  shared_.clear();
  shared_bytes_ = 0;
}

ImageEncoder::Image ImageEncoder::encode(const canvas::Surface& surface, const core::Rect& area, bool lz_wanted) {
  const auto known = std::ranges::find_if(
      shared_, [&](const Shared& shared) { return shared.area == area && shared.lz_wanted == lz_wanted; });
  if (known != shared_.end()) return known->image;
  auto image = encode_new(surface, area, lz_wanted);
  if (shares_ && shared_bytes_ + image.data.size() <= kMostSharedBytes) {
    shared_bytes_ += image.data.size();
    shared_.push_back({area, lz_wanted, image});
  }
  return image;
}

ImageEncoder::Image ImageEncoder::encode_new(const canvas::Surface& surface, const core::Rect& area, bool lz_wanted) {
  const auto width = static_cast<std::uint32_t>(area.width());
  const auto height = static_cast<std::uint32_t>(area.height());
  const auto raw_bytes = std::size_t{width} * height * 4;
  const auto buffer = buffers_.buffer(raw_bytes);
  if (lz_wanted && raw_bytes >= kLeastForLz) {
    if (scratch_ == nullptr) scratch_ = std::make_unique<codec::LzScratch>();
    const auto* rows = reinterpret_cast<const std::uint8_t*>(surface.at(area.left, area.top));
    const codec::LzImage image{codec::LzType::Rgb32, width, height, rows, surface.stride_bytes(), true};
    if (const auto bytes = codec::lz_encode(image, buffer, *scratch_)) return {true, buffers_.take(*bytes)};
  }
  canvas::pack_pixels(surface, area, buffer);
  return {false, buffers_.take(raw_bytes)};
}

void ImageEncoder::trim() {
  surface_changed();
  buffers_.trim();
  scratch_.reset();
}

}  // namespace spice::display
