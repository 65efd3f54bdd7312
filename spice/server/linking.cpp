#include "spice/server/linking.h"

#include <algorithm>

#include "core/base/log.h"
#include "spice/net/websocket_layer.h"

namespace spice::server {

namespace {

constexpr std::size_t kMaxUnanswered = std::size_t{16} * 1024;

std::chrono::nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

Linking::Linking(core::Loop& loop, Limits limits, Events events)
    : loop_(loop), limits_(limits), events_(std::move(events)), failures_(limits.failure_delay), timer_(loop, [this] {
        sweep();
      }) {}

void Linking::add(net::Stream stream, std::unique_ptr<LinkHost> host) {
  // A real client links within milliseconds: the oldest are those who only hold places.
  if (links_.size() >= limits_.max_links) drop_oldest();
  const auto place = links_.end();
  // The handlers run from the loop, when `link` below has its value.
  auto link = std::make_shared<Place>(place);
  links_.emplace_back(loop_, std::move(stream),
                      net::Socket::Events{.on_input = [this, link] { advance(*link); },
                                          .on_drained = [] {},
                                          .on_closed = [this, link](const std::string&) { drop(*link); }},
                      std::move(host), limits_.pages);
  *link = std::prev(links_.end());
  auto& added = links_.back();
  added.deadline = now() + limits_.timeout;
  const auto delay = failures_.delay(added.socket.remote().host, now());
  added.answer_at = now() + delay;
  added.is_held = delay > std::chrono::nanoseconds::zero();
  added.socket.start();
  update_timer();
}

void Linking::begin_answering() {
  is_answering_ = true;
  for (auto link = links_.begin(); link != links_.end();)
    advance(link++);
}

void Linking::advance(Place link) {
  auto& socket = link->socket;
  auto& stage = link->stage;
  if (!is_answering_ || link->is_held) {
    // Nobody has so much to say before our first word.
    if (socket.input().size() > kMaxUnanswered) drop(link);
    return;
  }
  if (!link->speaks_spice) open(*link);
  if (!link->speaks_spice) return;
  const bool was_finished = stage.finished();
  for (bool more = true; more;) {
    socket.consume(stage.receive(socket.input()));
    if (auto output = stage.take_output()) socket.send(std::move(*output));
    auto layer = stage.take_layer();
    more = layer != nullptr;
    if (more) socket.push(std::move(layer));
  }
  if (stage.state() == LinkStage::State::Linked) {
    // The password to watch is no excuse for guesses at the other.
    if (link->host->role == Role::Operator) failures_.succeeded(socket.remote().host);
    auto stream = socket.detach();
    events_.on_linked(std::move(stream), stage, *link->host);
    links_.erase(link);
    update_timer();
  } else if (stage.state() == LinkStage::State::Refused) {
    if (!was_finished && stage.error() == wire::LinkError::PermissionDenied) {
      failures_.failed(socket.remote().host, now());
      hold_others(link);
    }
    refuse(*link);
    MV_LOG_LIMITED(Debug, "spice", "refused {}:{} with error {}", socket.remote().host, socket.remote().port,
                   static_cast<unsigned>(stage.error()));
  }
}

// Guesses that came together are not answered together.
void Linking::hold_others(Place failed) {
  const auto& host = failed->socket.remote().host;
  const auto answer_at = now() + failures_.delay(host, now());
  for (auto link = links_.begin(); link != links_.end(); ++link) {
    const bool waits_for_answer = !link->is_held && !link->stage.finished();
    if (link == failed || !waits_for_answer || !FailureDelay::same_place(link->socket.remote().host, host)) continue;
    link->is_held = true;
    link->answer_at = answer_at;
  }
  update_timer();
}

// What the first bytes say, and HTTP if they say so.
void Linking::open(Link& link) {
  using Upgrade = net::WebSocketUpgrade;
  auto& socket = link.socket;
  auto& upgrade = link.upgrade;
  const auto opening = Upgrade::opening(socket.input());
  if (upgrade.state() == Upgrade::State::Refused) return refuse(link);
  if (opening == Upgrade::Opening::Other) link.speaks_spice = true;
  if (opening != Upgrade::Opening::Http) return;
  socket.consume(upgrade.receive(socket.input()));
  if (upgrade.state() == Upgrade::State::Reading) return;
  wire::Gather answer;
  answer.append(upgrade.answer());
  socket.send(std::move(answer));
  if (upgrade.state() == Upgrade::State::Refused) return refuse(link);
  socket.push(std::make_unique<net::WebSocketLayer>());
  link.speaks_spice = true;
}

// Closing with unread input would take our answer back; the peer closes, or time does.
void Linking::refuse(Link& link) {
  link.socket.consume(link.socket.input().size());
  link.socket.shutdown_output();
}

void Linking::drop_oldest() {
  if (!links_.empty()) drop(links_.begin());
}

void Linking::drop(Place link) {
  const auto client = link->socket.remote();
  const auto server = link->socket.local();
  links_.erase(link);
  update_timer();
  events_.on_dropped(client, server);
}

void Linking::sweep() {
  while (!links_.empty() && links_.front().deadline <= now()) {
    drop_oldest();
  }
  for (auto link = links_.begin(); link != links_.end();) {
    const auto current = link++;
    if (!current->is_held || current->answer_at > now()) continue;
    current->is_held = false;
    if (!current->socket.input().empty()) advance(current);
  }
  update_timer();
}

// For the next that is to be answered or dropped.
void Linking::update_timer() {
  auto next = std::chrono::nanoseconds::max();
  for (const auto& link : links_) {
    next = std::min(next, link.deadline);
    if (link.is_held) next = std::min(next, link.answer_at);
  }
  if (links_.empty()) {
    timer_.cancel();
  } else if (!timer_.armed() || next < armed_for_) {
    armed_for_ = next;
    timer_.arm(std::max(next - now(), std::chrono::nanoseconds::zero()));
  }
}

}  // namespace spice::server
