#include "spice/server/tickets.h"

#include "spice/server/ticket.h"

namespace spice::server {

std::optional<Role> Tickets::role_of(const std::string& given, Time now) const {
  if (!wanted_) return Role::Operator;
  // Both are compared whatever comes of the first.
  const bool may_type = password_matches(password_, given);
  const bool may_watch = password_matches(view_only_password_, given);
  if (may_type && (!expiry_ || now <= *expiry_)) return Role::Operator;
  return may_watch ? std::optional(Role::Watcher) : std::nullopt;
}

}  // namespace spice::server
