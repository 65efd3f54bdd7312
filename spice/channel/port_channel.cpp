#include "spice/channel/port_channel.h"

#include <algorithm>
#include <utility>

#include "spice/codec/lz4_block.h"

namespace spice::channel {

namespace {
constexpr std::size_t kDropped = 65536;  // bytes at a time
}

PortChannel::PortChannel(core::Loop& loop, LinkedConnection linked, SharedPort& shared)
    : Channel(loop, std::move(linked)), shared_(shared), compresses_(client_caps().has(wire::kPortLz4Cap)) {}

std::span<const Channel::Handler> PortChannel::handlers() const {
  static constexpr std::array kHandlers{on<&PortChannel::data>, on<&PortChannel::compressed_data>,
                                        on<&PortChannel::event>};
  return kHandlers;
}

void PortChannel::on_start() {
  is_owner_ = session().owner;
  told_open_ = is_owner_ && shared_.is_open();
  send(wire::PortInit::of(shared_.name(), told_open_));
}

void PortChannel::set_owner(bool is_owner) {
  if (std::exchange(is_owner_, is_owner) == is_owner) return;
  // Nobody would take it any more, and a connection that is not read does not see its end.
  if (!is_owner) forget_waiting();
  tell(is_owner && shared_.is_open());
}

void PortChannel::guest_opened(bool open) {
  forget_waiting();
  tell(open);
}

void PortChannel::forget_waiting() {
  waiting_.clear();
  waiting_bytes_ = 0;
  given_ = 0;
  connection().hold_input(false);
}

void PortChannel::tell(bool is_open) {
  if (std::exchange(told_open_, is_open) == is_open) return;
  send(wire::PortEvent{is_open ? wire::PortChange::Opened : wire::PortChange::Closed});
}

// --- from the guest --------------------------------------------------------------------------------------------------

void PortChannel::take_from_guest() {
  while (is_owner_ && writable()) {
    auto bytes = shared_.port().read(kDataBytes);
    if (bytes.empty()) return;
    send_data(std::move(bytes));
  }
}

void PortChannel::send_data(std::vector<std::uint8_t> bytes) {
  if (compresses_ && bytes.size() > kLeastCompressed) {
    std::vector<std::uint8_t> packed(bytes.size() - 1);
    if (const auto size = codec::lz4_block_encode(bytes, packed)) {
      packed.resize(*size);
      return send(wire::PortCompressedData{wire::Compression::Lz4, static_cast<std::uint32_t>(bytes.size()),
                                           wire::Payload(std::move(packed))});
    }
  }
  send(wire::PortData{wire::Payload(std::move(bytes))});
}

// --- to the guest ----------------------------------------------------------------------------------------------------

void PortChannel::data(const wire::PortData& message) {
  accept(message.data.bytes());
}

bool PortChannel::compressed_data(const wire::PortCompressedData& message) {
  if (message.compression != wire::Compression::Lz4 || message.size > kMostData) return false;
  std::vector<std::uint8_t> bytes(message.size);
  if (!codec::lz4_block_decode(message.data.bytes(), bytes)) return false;
  accept(bytes);
  return true;
}

// To a port that is closed for this client there is nothing to say.
void PortChannel::accept(std::span<const std::uint8_t> bytes) {
  if (!told_open_ || bytes.empty()) return;
  if (waiting_.empty()) bytes = bytes.subspan(shared_.port().give(bytes));
  if (bytes.empty()) return;
  waiting_bytes_ += bytes.size();
  waiting_.emplace_back(bytes.begin(), bytes.end());
  give_to_guest();
}

void PortChannel::give_to_guest() {
  while (!waiting_.empty()) {
    const auto rest = std::span<const std::uint8_t>(waiting_.front()).subspan(given_);
    const auto taken = shared_.port().give(rest);
    given_ += taken;
    waiting_bytes_ -= taken;
    if (taken < rest.size()) break;
    waiting_.pop_front();
    given_ = 0;
  }
  connection().hold_input(waiting_.size() >= kMostWaiting || waiting_bytes_ >= kMostWaitingBytes);
}

// --- all clients -----------------------------------------------------------------------------------------------------

PortProvider::PortProvider(core::Loop& loop, agent::GuestPort& port, std::string name)
    : loop_(loop), port_(port), name_(std::move(name)) {
  port_.serve(this);
}

PortProvider::~PortProvider() {
  port_.serve(nullptr);
}

void PortProvider::accept(LinkedConnection connection) {
  SharedPort& shared = *this;
  channels_.add(std::make_unique<PortChannel>(loop_, std::move(connection), shared));
  owner_changed();
}

void PortProvider::owner_changed() {
  PortChannel* now = nullptr;
  channels_.for_each([&now](PortChannel& channel) {
    channel.set_owner(channel.session().owner && std::as_const(channel).connection().is_open());
    if (channel.is_owner()) now = &channel;
  });
  if (now == owner_) return;
  if (owner_ != nullptr) {
    // What the guest said to the client that left is for no other, and it shall begin anew with that.
    port_.discard();
    port_.set_present(false);
    is_stale_ = is_open_;
  }
  owner_ = now;
  if (owner_ == nullptr) return;
  if (std::exchange(is_stale_, false)) port_.discard();
  port_.set_present(true);
  owner_->take_from_guest();
}

void PortProvider::guest_opened(bool open) {
  is_open_ = open;
  is_stale_ = false;
  if (owner_ != nullptr) owner_->guest_opened(open);
}

void PortProvider::guest_wrote() {
  if (owner_ != nullptr) return owner_->take_from_guest();
  while (is_stale_ && !port_.read(kDropped).empty()) {
  }
}

void PortProvider::guest_has_room() {
  if (owner_ != nullptr) owner_->give_to_guest();
}

}  // namespace spice::channel
