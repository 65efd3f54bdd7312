// A read-only run of bytes that keeps its memory alive: image data shared by the messages of several clients.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace spice::wire {

class Payload {
 public:
  Payload() = default;
  // Owns the bytes.
  explicit Payload(std::vector<std::uint8_t> bytes) {
    auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
    bytes_ = *owner;
    owner_ = std::move(owner);
  }
  // Shares `owner`, whose memory holds the bytes.
  Payload(std::shared_ptr<const void> owner, std::span<const std::uint8_t> bytes)
      : owner_(std::move(owner)), bytes_(bytes) {}
  // Refers to bytes that somebody else keeps: a message being decoded, constants.
  static Payload borrowed(std::span<const std::uint8_t> bytes) { return {nullptr, bytes}; }

  std::span<const std::uint8_t> bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::uint8_t> bytes_;
};

}  // namespace spice::wire
