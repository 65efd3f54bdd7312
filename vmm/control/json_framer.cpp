#include "vmm/control/json_framer.h"

#include <utility>

namespace vmm::control {

// Follows strings and nesting; true when `c` ends an object (or a line of garbage).
bool JsonFramer::finished(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return false;
  }
  switch (c) {
    case '"': in_string_ = depth_ > 0; return false;
    case '{':
    case '[': ++depth_; return false;
    case '}':
    case ']': return depth_ <= 1 ? (depth_ = 0, true) : (--depth_, false);
    case '\n': return depth_ == 0;
    default: return false;
  }
}

bool JsonFramer::feed(std::string_view bytes, const std::function<void(std::string_view)>& object) {
  constexpr std::string_view kSpace = " \t\r\n";
  for (const char c : bytes) {
    if (pending_.empty() && kSpace.find(c) != std::string_view::npos) continue;
    pending_ += c;
    if (finished(c)) {
      object(std::exchange(pending_, {}));
    } else if (pending_.size() >= kMaxObjectBytes || depth_ > kMaxDepth) {
      return false;
    }
  }
  return true;
}

}  // namespace vmm::control
