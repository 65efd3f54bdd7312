// Which mouse modes clients may have, and which one they have: in server mode they send motion, in client mode places.
#pragma once

#include <cstdint>

#include "spice/wire/main.h"

namespace spice::channel {

class MouseModes {
 public:
  struct Facts {
    bool agent_mouse = true;  // the agent may move the pointer
    bool agent = false;       // there is one
    bool tablet = false;      // the guest has set one up
    unsigned displays = 1;
  };

  // True if that changes what clients know. Client mode ends when it is not possible any more; it begins when a client
  // asks for it.
  bool update(const Facts& facts) {
    // A tablet's places are those of one display.
    const bool may = (facts.agent_mouse && facts.agent) || (facts.tablet && facts.displays == 1);
    if (may == may_be_client_) return false;
    may_be_client_ = may;
    current_ = wire::MouseMode::Server;
    return true;
  }
  bool request(wire::MouseMode mode) {
    const bool is_known = mode == wire::MouseMode::Server || mode == wire::MouseMode::Client;
    if (!is_known || mode == current_ || (mode == wire::MouseMode::Client && !may_be_client_)) return false;
    current_ = mode;
    return true;
  }

  wire::MouseMode current() const { return current_; }
  std::uint16_t supported() const {
    constexpr auto kServer = static_cast<std::uint16_t>(wire::MouseMode::Server);
    constexpr auto kBoth = static_cast<std::uint16_t>(kServer | static_cast<std::uint16_t>(wire::MouseMode::Client));
    return may_be_client_ ? kBoth : kServer;
  }

 private:
  bool may_be_client_ = false;
  wire::MouseMode current_ = wire::MouseMode::Server;
};

}  // namespace spice::channel
