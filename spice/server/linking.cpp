#include "spice/server/linking.h"

#include <algorithm>

#include "core/base/log.h"

namespace spice::server {

namespace {
std::chrono::nanoseconds now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}
}  // namespace

Linking::Linking(core::Loop& loop, LinkStage::Host& host, Limits limits, Events events)
    : loop_(loop), host_(host), limits_(limits), events_(std::move(events)), timer_(loop, [this] { sweep(); }) {}

void Linking::add(net::Stream stream) {
  // A real client links within milliseconds: the oldest are those who only hold places.
  if (links_.size() >= limits_.max_links) drop_oldest();
  const auto place = links_.end();
  // The handlers run from the loop, when `link` below has its value.
  auto link = std::make_shared<Place>(place);
  links_.emplace_back(loop_, std::move(stream),
                      net::Socket::Events{.on_input = [this, link] { advance(*link); },
                                          .on_drained = [] {},
                                          .on_closed = [this, link](const std::string&) { drop(*link); }},
                      host_);
  *link = std::prev(links_.end());
  links_.back().deadline = now() + limits_.timeout;
  links_.back().socket.start();
  update_timer();
}

void Linking::begin_answering() {
  is_answering_ = true;
  for (auto link = links_.begin(); link != links_.end();)
    advance(link++);
}

void Linking::advance(Place link) {
  if (!is_answering_) return;
  auto& [socket, stage, deadline] = *link;
  socket.consume(stage.receive(socket.input()));
  if (auto output = stage.take_output()) socket.send(std::move(*output));
  if (stage.state() == LinkStage::State::Linked) {
    auto stream = socket.detach();
    events_.on_linked(std::move(stream), stage);
    links_.erase(link);
    update_timer();
  } else if (stage.state() == LinkStage::State::Refused) {
    // Closing with unread input would take our answer back; the peer closes, or time does.
    socket.consume(socket.input().size());
    socket.shutdown_output();
    MV_LOG_LIMITED(Debug, "spice", "refused {}:{} with error {}", socket.remote().host, socket.remote().port,
                   static_cast<unsigned>(stage.error()));
  }
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
  update_timer();
}

void Linking::update_timer() {
  if (links_.empty()) {
    timer_.cancel();
  } else if (!timer_.armed()) {
    timer_.arm(std::max(links_.front().deadline - now(), std::chrono::nanoseconds::zero()));
  }
}

}  // namespace spice::server
