// Cuts a byte stream into JSON objects without parsing them: QMP separates commands by nothing at all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace vmm::control {

class JsonFramer {
 public:
  static constexpr std::size_t kMaxObjectBytes = 1 << 20;
  static constexpr unsigned kMaxDepth = 1024;  // as in QEMU; whoever walks an object does it by recursion

  // Feeds bytes; calls `object` for each complete top-level object. Bytes between objects other than white space come
  // as an "object" of their own up to the end of the line, so that the parser reports them. False once an object
  // exceeds a limit: the stream is lost.
  bool feed(std::string_view bytes, const std::function<void(std::string_view)>& object);

 private:
  bool finished(char c);

  std::string pending_;
  unsigned depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace vmm::control
