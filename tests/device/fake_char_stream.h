// The host end of a serial line or port in a test's hands: what the device sent, and a way to send to it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/ports/char_stream.h"

namespace tests {

class FakeCharStream final : public core::CharStream {
 public:
  std::size_t write(std::span<const std::uint8_t> bytes) override {
    sent.append(bytes.begin(), bytes.end());
    return bytes.size();
  }
  std::size_t write_some(std::span<const std::uint8_t> bytes) override {
    const auto part = bytes.first(std::min(bytes.size(), room));
    room -= part.size();
    return write(part);
  }
  void set_observer(core::CharStreamObserver* observer) override {
    observer_ = observer;
    if (observer_ != nullptr) observer_->peer_changed(true);
  }
  void set_receiver(core::CharReceiver receive) override { receive_ = std::move(receive); }
  void ready_to_receive() override { ++ready; }
  void guest_opened(bool open) override { turns += open ? '+' : '-'; }

  bool attached() const { return receive_ != nullptr; }
  // Offers the bytes once, as the stream's thread does; returns how many were taken. No device lock may be held.
  std::size_t offer(std::string_view text, core::Batch batch = core::Batch::Ends) {
    return receive_({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, batch);
  }
  void make_room(std::size_t bytes) {
    room += bytes;
    if (observer_ != nullptr) observer_->room_again();
  }
  void set_peer(bool present) {
    if (observer_ != nullptr) observer_->peer_changed(present);
  }

  std::string sent;             // by the device, so far
  unsigned ready = 0;           // how often the device said that it has room again
  std::string turns;            // of the guest's end: opened + and closed -
  std::size_t room = SIZE_MAX;  // for write_some()

 private:
  core::CharStreamObserver* observer_ = nullptr;
  core::CharReceiver receive_;
};

}  // namespace tests
