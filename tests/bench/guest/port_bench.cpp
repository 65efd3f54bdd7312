// The agent's port and a plain one as ../port_client asks for it: a command, of which there are two, and then the
// bytes. Port 1 is the agent's, and what goes there is wrapped as its protocol wants it; port 2 is plain.
//
//   's' MIB: sends so many MiB.   't' BYTES: takes so many bytes, then sends one.
#include "tests/bench/guest/virtio_console.h"
#include "tests/guest/bare/bare.h"

namespace {

using namespace bench;

VirtioPort agent_port;
VirtioPort plain_port;

constexpr std::uint32_t kMib = 1 << 20;

struct Command {
  std::uint32_t kind;
  std::uint32_t amount;
};

// [vd_agent.h] VDIChunkHeader and VDAgentMessage.
struct AgentHeader {
  std::uint32_t port;
  std::uint32_t chunk_size;
  std::uint32_t protocol;
  std::uint32_t type;
  std::uint32_t opaque[2];
  std::uint32_t size;
};
static_assert(sizeof(AgentHeader) == 28);
constexpr std::uint32_t kClientPort = 1;
constexpr std::uint32_t kClipboard = 4;
constexpr std::uint32_t kMessageHeaderBytes = sizeof(AgentHeader) - 8;

// Puts the bytes of a stream together, of buffers as they come.
class Reader {
 public:
  explicit Reader(VirtioPort& port) : port_(port) {}
  bool has_something() const { return at_ < here_.size || port_.has_received(); }
  void read(void* to, std::uint32_t size) {
    auto* bytes = static_cast<std::uint8_t*>(to);
    for (std::uint32_t i = 0; i < size; ++i) {
      while (at_ == here_.size)
        next();
      bytes[i] = here_.bytes[at_++];
    }
  }
  void skip(std::uint64_t size) {
    while (size > 0) {
      if (at_ == here_.size) next();
      const auto left = here_.size - at_;
      const auto part = size < left ? static_cast<std::uint32_t>(size) : left;
      at_ += part;
      size -= part;
    }
  }

 private:
  void next() {
    here_ = port_.receive();
    at_ = 0;
  }

  VirtioPort& port_;
  VirtioPort::Received here_;
  std::uint32_t at_ = 0;
};

// `head` and then `size` bytes of anything.
void send(VirtioPort& port, const void* head, std::uint32_t head_bytes, std::uint32_t size) {
  for (auto left = head_bytes + size; left > 0;) {
    auto* buffer = port.buffer_to_send();
    if (left == head_bytes + size) __builtin_memcpy(buffer, head, head_bytes);
    const auto part = left < VirtioPort::kSendBytes ? left : VirtioPort::kSendBytes;
    port.send(part);
    left -= part;
  }
}

void send_agent_message(std::uint32_t size) {
  const AgentHeader header{kClientPort, kMessageHeaderBytes + size, 1, kClipboard, {}, size};
  send(agent_port, &header, sizeof header, size);
}

// One chunk after the other, until one is a client's message with a command.
void serve_agent(Reader& reader) {
  AgentHeader header;
  reader.read(&header, 8);
  if (header.port != kClientPort) return reader.skip(header.chunk_size);
  reader.read(&header.protocol, kMessageHeaderBytes);
  Command command;
  reader.read(&command, sizeof command);
  if (command.kind == 's') {
    for (std::uint32_t i = 0; i < command.amount; ++i)
      send_agent_message(kMib);
  } else {
    reader.skip(command.amount);
    send_agent_message(1);
  }
}

void serve_plain(Reader& reader) {
  Command command;
  reader.read(&command, sizeof command);
  if (command.kind == 's') {
    for (std::uint32_t i = 0; i < command.amount; ++i)
      send(plain_port, nullptr, 0, kMib);
  } else {
    reader.skip(command.amount);
    send(plain_port, &command, 1, 0);
  }
}

}  // namespace

void guest_main() {
  open_ports(agent_port, plain_port);
  Reader agent(agent_port);
  Reader plain(plain_port);
  for (;;) {
    if (agent.has_something()) serve_agent(agent);
    if (plain.has_something()) serve_plain(plain);
    bare::relax();
  }
}
