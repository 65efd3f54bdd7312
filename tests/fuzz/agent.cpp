// The agent between a hostile guest and hostile clients. What reaches either side must be a stream of whole messages,
// whatever the other does and whenever agents and clients come and go, and nobody gets more than there are tokens for.
#include "spice/agent/agent.h"

#include <array>
#include <asio/io_context.hpp>
#include <cstdlib>
#include <optional>

#include "spice/agent/agent_abi.h"
#include "tests/fuzz/input.h"

namespace {

using namespace spice::agent;

void require(bool holds) {
  if (!holds) std::abort();
}

class Client final : public AgentClient {
 public:
  void agent_came() override { stream_ = MessageFilter(FilterRules{}); }
  void agent_went() override {}
  bool takes_agent_data() override { return takes; }
  void agent_data(Bytes piece) override {
    require(credit > 0);
    --credit;
    require(stream_.feed(piece) == MessageFilter::Verdict::Pass);
  }
  void agent_tokens(std::uint32_t count) override { require(count >= TokenBank::kBunch && count <= TokenBank::kMuch); }
  void refuse(const std::string&) override {}

  void starts_anew() { stream_ = MessageFilter(FilterRules{}); }

  bool takes = true;
  std::uint64_t credit = 0;

 private:
  MessageFilter stream_{FilterRules{}};
};

// Reads the port as a guest's agent does.
class Guest {
 public:
  explicit Guest(GuestPort& port) {
    port.set_receiver([this](std::span<const std::uint8_t> bytes, core::Batch) {
      const auto count = std::min(bytes.size(), room);
      room -= count;
      received_.insert(received_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      while (take_chunk()) {
      }
      return count;
    });
  }
  void opens() {
    received_.clear();
    client_ = MessageFilter(FilterRules{});
  }
  std::size_t room = 4096;

 private:
  bool take_chunk() {
    if (received_.size() < 8) return false;
    const auto port = core::load_le<std::uint32_t>(received_.data());
    const auto size = core::load_le<std::uint32_t>(received_.data() + 4);
    require(port == abi::VDP_CLIENT_PORT || port == abi::VDP_SERVER_PORT);
    require(size <= abi::VD_AGENT_MAX_DATA_SIZE);
    if (received_.size() - 8 < size) return false;
    const auto body = std::span<const std::uint8_t>(received_).subspan(8, size);
    if (port == abi::VDP_CLIENT_PORT) {
      require(client_.feed(body) == MessageFilter::Verdict::Pass);
    } else {
      MessageFilter server(FilterRules{});
      require(server.feed(body) == MessageFilter::Verdict::Pass && server.ends());
      if (server.type() == abi::VD_AGENT_CLIENT_DISCONNECTED) client_ = MessageFilter(FilterRules{});
    }
    received_.erase(received_.begin(), received_.begin() + 8 + static_cast<std::ptrdiff_t>(size));
    return true;
  }

  Bytes received_;
  MessageFilter client_{FilterRules{}};
};

class Display final : public core::DisplaySource {
 public:
  bool refresh(core::DisplayCanvas&, bool) override { return false; }
  void set_wake(std::function<void()>) override {}
  bool takes_client_monitors() override { return takes; }
  void set_client_monitors(std::span<const core::ClientMonitor> monitors) override {
    require(monitors.size() <= kMostMonitors);
  }
  bool takes = false;
};

// A message's beginning, or whatever.
Bytes some_bytes(tests::FuzzInput& input) {
  const auto shape = input.u8();
  const auto size = static_cast<std::size_t>(input.u16() % 4200);
  Bytes bytes(size, shape);
  if ((shape & 1) == 0 && size >= sizeof(abi::VDAgentMessage)) {
    core::store_le<std::uint32_t>(bytes.data(), abi::VD_AGENT_PROTOCOL);
    core::store_le<std::uint32_t>(bytes.data() + 4, input.u8() % 18);
    const auto body = static_cast<std::uint32_t>(size - sizeof(abi::VDAgentMessage));
    core::store_le(bytes.data() + 16, (shape & 2) != 0 ? body + input.u8() : body);
    if (size > 30) core::store_le<std::uint32_t>(bytes.data() + 20, shape >> 4);
  }
  return bytes;
}

struct World {
  explicit World(std::uint8_t flags)
      : agent({.copy_paste = (flags & 1) == 0,
               .file_transfer = (flags & 2) == 0,
               .displays = {{0, 0, 0, "pci/0000/02.0"}}},
              {loop, port, {&display}}) {}
  ~World() {
    agent.set_client(nullptr);
    port.set_receiver(nullptr);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void settle() {
    while (loop.context().poll() > 0) {
    }
  }
  void write(std::span<const std::uint8_t> bytes) {
    for (int tries = 0; !bytes.empty() && tries < 4; ++tries) {
      bytes = bytes.subspan(port.write_some(bytes));
      settle();
    }
  }
  void step(tests::FuzzInput& input);

  core::Loop loop;
  GuestPort port{loop, GuestPort::AtClose::Drop};
  Guest guest{port};
  Display display;
  std::array<Client, 2> clients;
  Agent agent;
  std::optional<std::size_t> current;
  bool is_open = false;
};

void World::step(tests::FuzzInput& input) {
  auto* client = current ? &clients.at(*current) : nullptr;
  switch (input.u8() % 10) {
    case 0: {
      const auto body = some_bytes(input);
      std::array<std::uint8_t, 8> header{};
      core::store_le<std::uint32_t>(header.data(), input.u8() % 16 == 0 ? input.u8() % 4 : 1);
      core::store_le(header.data() + 4, static_cast<std::uint32_t>(body.size()));
      write(header);
      return write(body);
    }
    case 1: return write(some_bytes(input));
    case 2: {
      const bool open = (input.u8() & 1) != 0;
      if (open == is_open) return;
      is_open = open;
      port.guest_opened(open);
      // Of the chunk that was under way nothing more comes.
      settle();
      return guest.opens();
    }
    case 3:
      if (client != nullptr && !agent.data(some_bytes(input))) {
        agent.set_client(nullptr);
        current.reset();
      }
      return;
    case 4: {
      const auto tokens = input.u8();
      if (client == nullptr) return;
      if (agent.is_present()) client->credit = tokens;
      return agent.start(tokens);
    }
    case 5: {
      const auto tokens = input.u8();
      if (client == nullptr) return;
      client->credit += tokens;
      return agent.add_tokens(tokens);
    }
    case 6: {
      const auto which = input.u8() % 3U;
      const auto wanted = which < clients.size() ? std::optional<std::size_t>(which) : std::nullopt;
      if (wanted == current) return;
      current = wanted;
      if (current) clients.at(*current).starts_anew();
      return agent.set_client(current ? &clients.at(*current) : nullptr);
    }
    case 7:
      guest.room = input.u16();
      port.ready_to_receive();
      return settle();
    case 8:
      if (client == nullptr) return;
      client->takes = !client->takes;
      return agent.client_ready();
    default:
      display.takes = input.u8() % 2 == 0;
      return agent.point({.x = input.u8(), .y = 0, .buttons = input.u8() & 6U, .display = 0});
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMostInput = 4096;
  if (size < 1 || size > kMostInput) return 0;
  tests::FuzzInput input({data, size});
  World world(input.u8());
  while (!input.empty()) {
    world.step(input);
    world.settle();
  }
  return 0;
}
