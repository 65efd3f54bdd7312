#include "spice/server/sessions.h"

#include <algorithm>
#include <random>

namespace spice::server {

namespace {
constexpr wire::ChannelKey kMain{wire::ChannelType::Main, 0};
}

wire::LinkError Sessions::may_link(const wire::LinkMessage& message, Role role) const {
  if (message.channel_type == wire::ChannelType::Main) {
    // A number here is a client that migrates to us, which we do not do yet.
    if (message.connection_id != 0) return wire::LinkError::BadConnectionId;
    return has_room(role) ? wire::LinkError::Ok : wire::LinkError::Error;
  }
  const auto session = sessions_.find(message.connection_id);
  if (session == sessions_.end() || !session->second.stays()) return wire::LinkError::BadConnectionId;
  // A ticket to watch is none for the session of somebody who may do more.
  if (role == Role::Watcher && !session->second.info->view_only) return wire::LinkError::BadConnectionId;
  const bool taken = session->second.channels.contains({message.channel_type, message.channel_id});
  return taken ? wire::LinkError::ChannelNotAvailable : wire::LinkError::Ok;
}

bool Sessions::has_room(Role role) const {
  if (role == Role::Operator) return sessions_.size() < kMaxSessions;
  return std::ranges::count_if(sessions_, [](const auto& pair) { return pair.second.info->view_only; }) <
         static_cast<std::ptrdiff_t>(kMaxWatchers);
}

std::shared_ptr<channel::SessionInfo> Sessions::join(const wire::LinkMessage& message, Role role) {
  if (message.channel_type != wire::ChannelType::Main) return sessions_.at(message.connection_id).info;
  const auto id = unused_id();
  auto info = std::make_shared<channel::SessionInfo>(id, role == Role::Watcher);
  auto& session = sessions_[id];
  session.info = info;
  session.arrival = ++arrivals_;
  return info;
}

void Sessions::add(const ChannelInfo& info, std::shared_ptr<net::Tether> tether) {
  sessions_.at(info.connection_id).channels.insert_or_assign(info.key, Record{info, std::move(tether)});
  update_owner();
}

std::optional<ChannelInfo> Sessions::remove(std::uint32_t connection_id, wire::ChannelKey key) {
  const auto session = sessions_.find(connection_id);
  if (session == sessions_.end()) return std::nullopt;
  auto node = session->second.channels.extract(key);
  if (!node) return std::nullopt;
  if (session->second.channels.empty()) {
    sessions_.erase(session);
  } else if (key == kMain) {
    cut(session->second);
  }
  update_owner();
  return node.mapped().info;
}

void Sessions::cut_all() {
  for (auto& [id, session] : sessions_)
    cut(session);
  update_owner();
}

void Sessions::cut_operators() {
  for (auto& [id, session] : sessions_)
    if (!session.info->view_only) cut(session);
  update_owner();
}

bool Sessions::has_operator() const {
  return std::ranges::any_of(sessions_,
                             [](const auto& pair) { return pair.second.stays() && !pair.second.info->view_only; });
}

bool Sessions::has_client() const {
  return std::ranges::any_of(sessions_, [](const auto& pair) { return pair.second.stays(); });
}

std::optional<ChannelInfo> Sessions::main_channel(std::uint32_t connection_id) const {
  const auto session = sessions_.find(connection_id);
  if (session == sessions_.end()) return std::nullopt;
  const auto record = session->second.channels.find(kMain);
  return record == session->second.channels.end() ? std::nullopt : std::optional(record->second.info);
}

std::vector<ChannelInfo> Sessions::channels() const {
  std::vector<ChannelInfo> all;
  for (const auto& [id, session] : sessions_)
    for (const auto& [key, record] : session.channels)
      all.push_back(record.info);
  return all;
}

std::vector<ClientInfo> Sessions::clients() const {
  std::vector<ClientInfo> all;
  for (const auto* session : in_order()) {
    const auto main = session->channels.find(kMain);
    if (main == session->channels.end()) continue;
    ClientInfo client{.client = main->second.info.client,
                      .connection_id = session->info->id,
                      .owner = session->info->owner,
                      .view_only = session->info->view_only,
                      .bit_rate = session->info->bit_rate,
                      .lines = {}};
    for (const auto& [key, record] : session->channels)
      client.lines.push_back({key, record.info.tls, record.tether->facts()});
    all.push_back(std::move(client));
  }
  return all;
}

void Sessions::cut(Session& session) {
  session.is_leaving = true;
  for (auto& [key, record] : session.channels)
    record.tether->cut();
}

std::vector<const Sessions::Session*> Sessions::in_order() const {
  std::vector<const Session*> all;
  all.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_)
    all.push_back(&session);
  std::ranges::sort(all, {}, &Session::arrival);
  return all;
}

void Sessions::update_owner() {
  owner_ = 0;
  for (const auto* session : in_order()) {
    const bool is_first = owner_ == 0 && session->stays() && !session->info->view_only;
    session->info->owner = is_first;
    if (is_first) owner_ = session->info->id;
  }
}

// Guessing one lets a stranger join a session (with the password), so they are random.
std::uint32_t Sessions::unused_id() const {
  std::random_device random;
  std::uint32_t id = 0;
  while (id == 0 || sessions_.contains(id))
    id = random();
  return id;
}

}  // namespace spice::server
