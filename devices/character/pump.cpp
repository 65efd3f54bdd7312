#include "devices/character/pump.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <utility>

#include "core/base/log.h"

namespace devices::character {

namespace {
constexpr std::size_t kReadBytes = 4096;
constexpr int kFlushPatienceMs = 200;  // how long the end of the process waits for a reader that takes nothing
constexpr int kHangUpMs = 500;         // how often to look whether a line that hung up was opened again
constexpr short kGone = POLLHUP | POLLERR | POLLNVAL;

bool try_later(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}
}  // namespace

// What poll() found.
struct Pump::Waiting {
  bool input = false;
  bool output = false;
};

core::Result<std::unique_ptr<Pump>> Pump::start(std::unique_ptr<Endpoint> endpoint, const core::ThreadStart& start) {
  auto wake = core::EventFd::create();
  if (!wake) return std::unexpected(wake.error());
  std::unique_ptr<Pump> pump(new Pump(std::move(endpoint), std::move(*wake)));
  pump->look_for_peer();  // so that the first byte finds who is there already
  pump->thread_ = start(core::ThreadKind::Character, "character", [raw = pump.get()] { raw->run(); });
  return pump;
}

Pump::Pump(std::unique_ptr<Endpoint> endpoint, core::EventFd wake)
    : endpoint_(std::move(endpoint)), name_(endpoint_->name()), wake_(std::move(wake)) {}

Pump::~Pump() {
  stopping_ = true;
  wake_.signal();
  if (thread_.joinable()) thread_.join();
}

// ---- the device's side

std::size_t Pump::keep(std::span<const std::uint8_t> bytes) {
  std::size_t kept = 0;
  bool first = false;
  {
    const std::scoped_lock guard(buffer_mutex_);
    if (!takes_output_) return bytes.size();
    first = buffer_.empty();
    kept = std::min(bytes.size(), kBufferBytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(kept));
    is_short_ = kept < bytes.size();
  }
  if (first) wake_.signal();
  return kept;
}

std::size_t Pump::write_some(std::span<const std::uint8_t> bytes) {
  return keep(bytes);
}

std::size_t Pump::write(std::span<const std::uint8_t> bytes) {
  const auto lost = bytes.size() - keep(bytes);
  if (lost > 0) {
    dropped_ += lost;
    MV_LOG_LIMITED(Warn, "character", "{} is read too slowly; some of the guest's output is lost", name_);
  }
  return bytes.size();
}

void Pump::set_receiver(core::CharReceiver receive) {
  {
    const std::scoped_lock guard(receiver_mutex_);
    receiver_ = std::move(receive);
  }
  ready_to_receive();
}

void Pump::set_observer(core::CharStreamObserver* observer) {
  const std::scoped_lock guard(receiver_mutex_);
  observer_ = observer;
  if (observer_ != nullptr) observer_->peer_changed(connected_);
}

void Pump::ready_to_receive() {
  ready_ = true;
  wake_.signal();
}

// ---- the thread's side

void Pump::run() {
  // Signals are the main thread's; a pipe that broke is an error of write().
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);

  while (!stopping_) {
    look_for_peer();
    const auto waiting = wait(!connected_ ? endpoint_->retry_ms() : hung_up_ ? kHangUpMs : -1);
    wake_.drain();
    if (!pending_.empty() && ready_.exchange(false)) offer_input();
    if (waiting.output) move_output();
    if (waiting.input) move_input();
  }
  flush();
}

// A terminal forgets that it hung up when somebody opens it again; whoever came is somebody else.
bool Pump::peer_was_replaced() const {
  if (!connected_ || !hung_up_ || !endpoint_->input_end_disconnects()) return false;
  pollfd state{endpoint_->input(), 0, 0};
  return ::poll(&state, 1, 0) == 0;
}

void Pump::look_for_peer() {
  if (peer_was_replaced()) lose_peer();
  if (connected_ || !endpoint_->connect()) return;
  input_over_ = false;
  hung_up_ = false;
  {
    const std::scoped_lock guard(buffer_mutex_);
    takes_output_ = endpoint_->output() >= 0;
  }
  tell_peer(true);
}

void Pump::tell_peer(bool present) {
  const std::scoped_lock guard(receiver_mutex_);
  connected_ = present;
  if (observer_ != nullptr) observer_->peer_changed(present);
}

void Pump::tell_room() {
  {
    const std::scoped_lock guard(buffer_mutex_);
    if (!std::exchange(is_short_, false)) return;
  }
  const std::scoped_lock guard(receiver_mutex_);
  if (observer_ != nullptr) observer_->room_again();
}

bool Pump::wants_input() {
  if (!connected_ || input_over_ || endpoint_->input() < 0 || !pending_.empty()) return false;
  const std::scoped_lock guard(receiver_mutex_);
  return receiver_ != nullptr;
}

bool Pump::wants_output() {
  const std::scoped_lock guard(buffer_mutex_);
  return takes_output_ && (sent_ < sending_.size() || !buffer_.empty());
}

Pump::Waiting Pump::wait(int timeout_ms) {
  const bool reads = wants_input();
  const bool writes = wants_output();
  const int in = connected_ ? endpoint_->input() : endpoint_->waits_on();
  const int out = connected_ ? endpoint_->output() : -1;
  const bool duplex = connected_ && in == out;
  const auto wanted = [](bool yes, short event) { return yes ? event : short{0}; };

  // poll() ignores negative descriptors. Input that is not wanted is still watched, for the peer's leaving.
  std::array<pollfd, 3> set{pollfd{wake_.get(), POLLIN, 0}, pollfd{-1, 0, 0}, pollfd{-1, 0, 0}};
  auto& first = set[1];
  first.events = static_cast<short>(wanted(reads || !connected_, POLLIN) | wanted(duplex && writes, POLLOUT));
  if (first.events != 0 || (!hung_up_ && !input_over_)) first.fd = in;
  auto& second = set[2];
  second.events = POLLOUT;
  if (!duplex && writes) second.fd = out;
  if (::poll(set.data(), set.size(), timeout_ms) <= 0 || !connected_) return {};

  if (first.fd >= 0 && (first.revents & kGone) != 0) {
    hung_up_ = true;
    if (duplex) drop_output();
    // Without a receiver nobody will ever read what the peer may have left. Asked again: one may have come since.
    if (duplex && pending_.empty() && !wants_input()) {
      input_ended();
      return {};
    }
  }
  if (second.fd >= 0 && (second.revents & kGone) != 0 && (second.revents & POLLOUT) == 0) drop_output();
  return {.input = reads && (first.revents & (POLLIN | kGone)) != 0,
          .output = writes && ((duplex ? first : second).revents & POLLOUT) != 0};
}

void Pump::move_input() {
  std::array<std::uint8_t, kReadBytes> bytes;
  const auto count = endpoint_->read(bytes);
  if (count < 0 && try_later(errno)) return;
  if (count <= 0) {
    input_ended();
    return;
  }
  look_for_peer();  // whoever sent this may answer at once what the guest says to it
  pending_.assign(bytes.begin(), bytes.begin() + count);
  offer_input();
}

void Pump::offer_input() {
  ready_ = false;  // before asking: the device may find room right after it said no
  const std::scoped_lock guard(receiver_mutex_);
  if (!receiver_) return;
  const auto taken = std::min(receiver_(pending_, core::Batch::Ends), pending_.size());
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
}

void Pump::move_output() {
  if (sent_ == sending_.size()) {
    sending_.clear();
    sent_ = 0;
    {
      const std::scoped_lock guard(buffer_mutex_);
      std::swap(sending_, buffer_);
    }
    tell_room();
  }
  const auto rest = std::span(sending_).subspan(sent_);
  if (rest.empty()) return;
  const auto count = endpoint_->write(rest);
  if (count >= 0) {
    sent_ += static_cast<std::size_t>(count);
  } else if (!try_later(errno)) {
    if (errno == EIO && endpoint_->output() == endpoint_->input()) {
      hung_up_ = true;                                   // what a terminal says that nobody has open at this moment
    } else if (errno != EPIPE && errno != ECONNRESET) {  // somebody who leaves is no news
      MV_LOG_LIMITED(Warn, "character", "{} takes no more output: {}", name_, core::errno_text());
    }
    drop_output();
  }
}

void Pump::input_ended() {
  input_over_ = true;
  if (endpoint_->input_end_disconnects()) lose_peer();
}

void Pump::drop_output() {
  sending_.clear();
  sent_ = 0;
  {
    const std::scoped_lock guard(buffer_mutex_);
    takes_output_ = false;
    buffer_.clear();
  }
  tell_room();
}

void Pump::lose_peer() {
  drop_output();
  endpoint_->disconnect();
  tell_peer(false);
}

void Pump::flush() {
  while (connected_ && wants_output()) {
    pollfd out{endpoint_->output(), POLLOUT, 0};
    const auto found = ::poll(&out, 1, kFlushPatienceMs);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0 || (out.revents & POLLOUT) == 0) return;
    move_output();
  }
}

}  // namespace devices::character
