// Takes the physical sizes out of a client's wish for monitors on its way to the agent. spice-vdagent (0.22) refuses a
// message that has them, which spice-gtk sends to every agent: no capability says whether they are known.
//
// Piece by piece, so that a piece costs its client one token however much of it is left.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace spice::agent {

class MonitorTrim {
 public:
  // The next piece of such a message; `begins`: it is the first one, with the header. Returns what is left of it, maybe
  // nothing. A message that is not as it should be is left as it is.
  std::vector<std::uint8_t> feed(std::span<const std::uint8_t> piece, bool begins);

 private:
  std::uint32_t left_ = 0;  // of the message's body
};

}  // namespace spice::agent
