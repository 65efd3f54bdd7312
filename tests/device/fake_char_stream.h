// The host end of a serial line in a test's hands: what the device sent, and a way to send to it.
#pragma once

#include <algorithm>
#include <string>

#include "core/ports/char_stream.h"

namespace tests {

class FakeCharStream final : public core::CharStream {
 public:
  std::size_t write(std::span<const std::uint8_t> bytes) override {
    sent.append(bytes.begin(), bytes.end());
    return bytes.size();
  }
  void set_receiver(std::function<std::size_t(std::span<const std::uint8_t>)> receive) override {
    receive_ = std::move(receive);
  }
  void ready_to_receive() override { ++ready; }

  bool attached() const { return receive_ != nullptr; }
  // Offers the bytes once, as the stream's thread does; returns how many were taken. No device lock may be held.
  std::size_t offer(std::string_view text) {
    return receive_({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }

  std::string sent;    // by the device, so far
  unsigned ready = 0;  // how often the device said that it has room again

 private:
  std::function<std::size_t(std::span<const std::uint8_t>)> receive_;
};

}  // namespace tests
