// Which passwords open the server, and until when. Whoever gives the password may type; whoever gives the view-only
// password may watch.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace spice::server {

enum class Role : std::uint8_t { Operator, Watcher };

class Tickets {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Not `wanted`: everybody is let in, to everything.
  Tickets(bool wanted, std::string password, std::string view_only_password)
      : wanted_(wanted), password_(std::move(password)), view_only_password_(std::move(view_only_password)) {}

  bool wanted() const { return wanted_; }
  // What the holder of this ticket may do; nullopt: nothing. Takes the same time for every wrong one.
  std::optional<Role> role_of(const std::string& given, Time now) const;

  // The time at which the password expires stays as it was set before.
  void set_password(std::string password) { password_ = std::move(password); }
  // Good up to this time and no longer; nullopt: for ever. The view-only password is not concerned.
  void set_expiry(std::optional<Time> expiry) { expiry_ = expiry; }

 private:
  bool wanted_;
  std::string password_;
  std::string view_only_password_;
  std::optional<Time> expiry_;
};

}  // namespace spice::server
