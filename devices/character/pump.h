// A character stream over an endpoint. The guest's side never blocks: it fills a bounded buffer, and a thread of the
// pump's own does all reading and writing.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/base/thread_start.h"
#include "core/ports/char_stream.h"
#include "devices/character/endpoint.h"

namespace devices::character {

class Pump final : public core::CharStream {
 public:
  static constexpr std::size_t kBufferBytes = 1 << 20;  // a boot's whole log, so that a slow reader loses nothing of it

  static core::Result<std::unique_ptr<Pump>> start(std::unique_ptr<Endpoint> endpoint,
                                                   const core::ThreadStart& start = {});
  // Writes what is buffered while the other side takes it, then ends the thread. The receiver must be detached.
  ~Pump() override;

  std::size_t write(std::span<const std::uint8_t> bytes) override;
  std::size_t write_some(std::span<const std::uint8_t> bytes) override;
  void set_observer(core::CharStreamObserver* observer) override;
  // Returns when the old receiver is not running; no device lock may be held.
  void set_receiver(core::CharReceiver receive) override;
  void ready_to_receive() override;

  bool connected() const { return connected_; }       // any thread
  std::uint64_t dropped() const { return dropped_; }  // bytes lost because the buffer was full; any thread

 private:
  Pump(std::unique_ptr<Endpoint> endpoint, core::EventFd wake);

  std::size_t keep(std::span<const std::uint8_t> bytes);

  // All on the pump's thread.
  struct Waiting;
  void run();
  bool peer_was_replaced() const;
  void look_for_peer();
  Waiting wait(int timeout_ms);
  bool wants_input();
  bool wants_output();
  void move_input();
  void offer_input();
  void move_output();
  void input_ended();
  void drop_output();
  void lose_peer();
  void flush();
  void tell_peer(bool present);
  void tell_room();

  std::unique_ptr<Endpoint> endpoint_;
  const std::string name_;
  core::EventFd wake_;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> ready_{false};
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex buffer_mutex_;           // a leaf; guards the next three
  std::vector<std::uint8_t> buffer_;  // written by the device, not yet seen by the thread
  bool takes_output_ = false;
  bool is_short_ = false;  // write_some() did not take everything

  std::mutex receiver_mutex_;  // held while the receiver or the observer runs
  core::CharStreamObserver* observer_ = nullptr;
  core::CharReceiver receiver_;

  // The thread's own.
  std::vector<std::uint8_t> sending_;
  std::size_t sent_ = 0;
  std::vector<std::uint8_t> pending_;  // read, not yet taken by the device
  bool input_over_ = false;
  bool hung_up_ = false;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace devices::character
