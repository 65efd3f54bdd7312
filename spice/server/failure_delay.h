// How long an address waits before it is answered: the longer, the more tickets of it failed lately. So passwords are
// guessed slowly, and nobody else waits. Told the time; no I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace spice::server {

class FailureDelay {
 public:
  using Time = std::chrono::nanoseconds;
  static constexpr unsigned kMostSteps = 5;
  static constexpr Time kForgetAfter = std::chrono::minutes(1);
  static constexpr std::size_t kMaxAddresses = 1024;

  explicit FailureDelay(Time step) : step_(step) {}

  // `host` is a numeric address, or empty or a path for those of this host.
  Time delay(const std::string& host, Time now) const;
  static bool same_place(const std::string& host, const std::string& other);
  void failed(const std::string& host, Time now);
  void succeeded(const std::string& host);

 private:
  struct Failures {
    unsigned count = 0;
    Time last{};
  };

  Time step_;
  std::map<std::string, Failures> failures_;  // by address, or by network of IPv6
};

}  // namespace spice::server
