#include "spice/channel/channel.h"

#include <algorithm>
#include <chrono>

#include "core/base/log.h"
#include "spice/wire/common.h"
#include "spice/wire/table.h"

namespace spice::channel {

namespace {

// From one measurement of the round trip to the next.
std::chrono::nanoseconds latency_interval(wire::ChannelType channel) {
  const bool often = channel == wire::ChannelType::Display || channel == wire::ChannelType::Main;
  return often ? std::chrono::seconds(15) : std::chrono::minutes(5);
}

}  // namespace

Channel::Channel(core::Loop& loop, LinkedConnection linked)
    : key_(linked.key),
      client_caps_(std::move(linked.channel_caps)),
      session_(std::move(linked.session)),
      connection_(
          loop, std::move(linked.stream), {.channel = key_.type, .mini_header = linked.mini_header},
          {.on_message = [this](std::uint16_t type, std::span<const std::uint8_t> body) { received(type, body); },
           .on_writable = [this] { on_writable(); },
           .on_closed = [this](const std::string& reason) { ended(reason); }}) {}

Channel::~Channel() = default;

void Channel::start(std::move_only_function<void()> closed) {
  closed_ = std::move(closed);
  connection_.start();
  on_start();
  if (!measures_line_itself()) start_latency_probe();
}

void Channel::start_latency_probe() {
  if (connection_.remote().family != "unix") connection_.start_latency_probe(latency_interval(key_.type));
}

void Channel::received(std::uint16_t type, std::span<const std::uint8_t> body) {
  const auto table = handlers();
  const auto handler = std::ranges::find(table, type, &Handler::type);
  if (handler != table.end()) {
    if (!handler->call(*this, body)) close(fmt::format("protocol violation: bad message {}", type));
    return;
  }
  if (type == wire::ClientDisconnecting::kType) close("the client says good-bye");
}

void Channel::ended(const std::string& reason) {
  MV_LOG_LIMITED(Debug, "spice", "{} channel {} of {}:{} ended: {}", wire::channel_name(key_.type), key_.id,
                 connection_.remote().host, connection_.remote().port, reason);
  on_closed();
  // It may destroy us.
  if (auto closed = std::move(closed_)) closed();
}

}  // namespace spice::channel
