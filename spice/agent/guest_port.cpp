#include "spice/agent/guest_port.h"

#include <algorithm>
#include <utility>

namespace spice::agent {

namespace {
// What is read of an event goes when all of it is read, so it does not grow for ever.
constexpr std::size_t kMostOfEvent = GuestPort::kCapacity / 4;
constexpr std::size_t kMuch = 4096;
}  // namespace

void GuestPort::serve(Host* host) {
  const std::scoped_lock guard(host_mutex_);
  host_ = host;
  if (host != nullptr) news_.ring();
}

void GuestPort::set_present(bool present) {
  if (std::exchange(present_, present) == present) return;
  const std::scoped_lock guard(device_mutex_);
  if (observer_ != nullptr) observer_->peer_changed(present);
}

std::vector<std::uint8_t> GuestPort::read(std::size_t most) {
  std::vector<std::uint8_t> result;
  {
    const std::scoped_lock guard(mutex_);
    if (events_.empty() || events_.front().is_turn()) return result;
    if (turn_left_ == 0) {
      news_.ring();
      return result;
    }
    auto& bytes = events_.front().bytes;
    const auto count = std::min({most, bytes.size() - read_, turn_left_});
    turn_left_ -= count;
    const bool is_rest = read_ + count == bytes.size();
    if (read_ == 0 && is_rest) {
      result = std::move(bytes);
    } else {
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(read_);
      result.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
    }
    read_ += count;
    buffered_ -= count;
    if (is_rest) {
      events_.pop_front();
      read_ = 0;
      if (!events_.empty()) news_.ring();
    }
  }
  offer_room();
  return result;
}

// The guest fills again what is dropped, as long as it has more.
void GuestPort::discard() {
  std::size_t dropped = 0;
  for (auto more = discard_buffered(); more > 0 && dropped < kMostDiscarded; more = discard_buffered()) {
    dropped += more;
    offer_room();
  }
}

std::size_t GuestPort::discard_buffered() {
  const std::scoped_lock guard(mutex_);
  const auto before = buffered_;
  while (!events_.empty() && !events_.front().is_turn()) {
    buffered_ -= events_.front().bytes.size() - std::exchange(read_, 0);
    events_.pop_front();
  }
  if (!events_.empty()) news_.ring();
  return before - buffered_;
}

void GuestPort::offer_room() {
  {
    const std::scoped_lock guard(mutex_);
    if (!is_short_ || buffered_ > kCapacity / 2) return;
    is_short_ = false;
  }
  const std::scoped_lock guard(device_mutex_);
  if (observer_ != nullptr) observer_->room_again();
}

std::size_t GuestPort::give(std::span<const std::uint8_t> bytes) {
  const std::scoped_lock guard(device_mutex_);
  if (!receiver_) return 0;
  batch_given_.ring();
  return receiver_(bytes, core::Batch::GoesOn);
}

void GuestPort::end_batch() {
  const std::scoped_lock guard(device_mutex_);
  if (receiver_) receiver_({}, core::Batch::Ends);
}

std::size_t GuestPort::write(std::span<const std::uint8_t> bytes) {
  write_some(bytes);
  return bytes.size();
}

std::size_t GuestPort::write_some(std::span<const std::uint8_t> bytes) {
  const std::scoped_lock guard(mutex_);
  if (!is_open_ && at_close_ == AtClose::Drop) return bytes.size();
  const auto taken = bytes.first(std::min(bytes.size(), kCapacity - buffered_));
  if (taken.size() < bytes.size()) is_short_ = true;
  if (taken.empty()) return 0;
  if (events_.empty() || events_.back().is_turn() || events_.back().bytes.size() + taken.size() > kMostOfEvent)
    events_.emplace_back();
  auto& end = events_.back().bytes;
  // Who writes so much at a time goes on.
  if (taken.size() >= kMuch) end.reserve(kMostOfEvent);
  end.insert(end.end(), taken.begin(), taken.end());
  buffered_ += taken.size();
  news_.ring();
  return taken.size();
}

void GuestPort::set_observer(core::CharStreamObserver* observer) {
  const std::scoped_lock guard(device_mutex_);
  observer_ = observer;
  if (observer != nullptr) observer->peer_changed(present_);
}

void GuestPort::set_receiver(core::CharReceiver receive) {
  const std::scoped_lock guard(device_mutex_);
  receiver_ = std::move(receive);
}

void GuestPort::guest_opened(bool open) {
  const std::scoped_lock guard(mutex_);
  if (std::exchange(is_open_, open) == open) return;
  if (!open && at_close_ == AtClose::Drop) {
    std::erase_if(events_, [](const Event& event) { return !event.is_turn(); });
    buffered_ = 0;
    read_ = 0;
  }
  events_.push_back({{}, open});
  // Of turns without a byte between them the last two say it all.
  const auto is_turn = [this](std::size_t back) { return events_[events_.size() - back].is_turn(); };
  if (events_.size() >= 4 && is_turn(2) && is_turn(3) && is_turn(4)) events_.resize(events_.size() - 2);
  news_.ring();
}

void GuestPort::ready_to_receive() {
  const std::scoped_lock guard(mutex_);
  has_room_ = true;
  news_.ring();
}

GuestPort::Next GuestPort::take_next() {
  const std::scoped_lock guard(mutex_);
  if (events_.empty()) return Next::Nothing;
  if (!events_.front().is_turn()) return Next::Data;
  const bool open = events_.front().open;
  events_.pop_front();
  return open ? Next::Opened : Next::Closed;
}

void GuestPort::look() {
  turn_left_ = kMostOfTurn;
  offer_room();
  const std::scoped_lock host_guard(host_mutex_);
  if (host_ == nullptr) return;
  auto next = take_next();
  for (; host_ != nullptr && (next == Next::Opened || next == Next::Closed); next = take_next())
    host_->guest_opened(next == Next::Opened);
  if (host_ != nullptr && next == Next::Data) host_->guest_wrote();
  bool room = false;
  {
    const std::scoped_lock guard(mutex_);
    room = std::exchange(has_room_, false);
  }
  if (host_ != nullptr && room) host_->guest_has_room();
}

}  // namespace spice::agent
