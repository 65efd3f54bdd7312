// Follows the messages of one direction of the agent's stream, piece by piece, and says what is to become of each
// piece. A message begins with a piece that holds its whole header, and what becomes of that becomes of the rest.
#pragma once

#include <cstdint>
#include <span>

namespace spice::agent {

struct FilterRules {
  bool copy_paste = true;
  bool file_transfer = true;
  bool from_client = false;  // what only the server says to the agent is then no message to it
};

class MessageFilter {
 public:
  enum class Verdict : std::uint8_t {
    Pass,
    Discard,
    Monitors,  // for whoever arranges monitors, not for the agent
    Broken,    // not a piece of such a stream
  };

  explicit MessageFilter(const FilterRules& rules) : rules_(rules) {}

  // `takes_monitors`: whether a wish for monitors that begins here is not for the agent.
  Verdict feed(std::span<const std::uint8_t> piece, bool takes_monitors = false);
  // Everything, until it is switched off and the message then under way has ended.
  void discard(bool on);

  // Of the message under way, or the last one.
  std::uint32_t type() const { return type_; }
  bool begins() const { return begins_; }            // with the last piece
  bool ends() const { return left_ == 0; }           // with the last piece
  std::uint32_t body_size() const { return size_; }  // without the header

 private:
  Verdict verdict_of_type(bool takes_monitors) const;

  FilterRules rules_;
  bool discards_ = false;
  Verdict verdict_ = Verdict::Pass;
  std::uint32_t type_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t left_ = 0;
  bool begins_ = false;
};

}  // namespace spice::agent
