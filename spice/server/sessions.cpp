#include "spice/server/sessions.h"

#include <random>

namespace spice::server {

wire::LinkError Sessions::may_link(const wire::LinkMessage& message) const {
  if (message.channel_type == wire::ChannelType::Main) {
    // A number here is a client that migrates to us, which we do not do yet.
    if (message.connection_id != 0) return wire::LinkError::BadConnectionId;
    return sessions_.size() < kMaxSessions ? wire::LinkError::Ok : wire::LinkError::Error;
  }
  const auto session = sessions_.find(message.connection_id);
  if (session == sessions_.end() || !session->second.has_main()) return wire::LinkError::BadConnectionId;
  const bool taken = session->second.channels.contains({message.channel_type, message.channel_id});
  return taken ? wire::LinkError::ChannelNotAvailable : wire::LinkError::Ok;
}

std::shared_ptr<channel::SessionInfo> Sessions::join(const wire::LinkMessage& message) {
  if (message.channel_type != wire::ChannelType::Main) return sessions_.at(message.connection_id).info;
  const auto id = unused_id();
  auto info = std::make_shared<channel::SessionInfo>(id);
  sessions_[id].info = info;
  return info;
}

void Sessions::add(const ChannelInfo& info, std::shared_ptr<net::Tether> tether) {
  sessions_.at(info.connection_id).channels.insert_or_assign(info.key, Record{info, std::move(tether)});
}

std::optional<ChannelInfo> Sessions::remove(std::uint32_t connection_id, wire::ChannelKey key) {
  const auto session = sessions_.find(connection_id);
  if (session == sessions_.end()) return std::nullopt;
  auto node = session->second.channels.extract(key);
  if (!node) return std::nullopt;
  if (session->second.channels.empty()) {
    sessions_.erase(session);
  } else if (key.type == wire::ChannelType::Main) {
    for (auto& [other, record] : session->second.channels)
      record.tether->cut();
  }
  return node.mapped().info;
}

std::vector<ChannelInfo> Sessions::channels() const {
  std::vector<ChannelInfo> all;
  for (const auto& [id, session] : sessions_)
    for (const auto& [key, record] : session.channels)
      all.push_back(record.info);
  return all;
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
