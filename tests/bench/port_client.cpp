// A SPICE client at the other end of guest/port_bench: how fast the agent's port and a plain one carry bytes.
//
//   port_client PORT MIB        after it has seen the agent; a line each: name, MB/s
#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <string>
#include <vector>

#include "spice/wire/port.h"
#include "tests/bench/spice_channel.h"

namespace {

using namespace bench;

constexpr std::uint32_t kMib = 1 << 20;
constexpr std::size_t kAgentPiece = wire::MainClientAgentData::kMaxSize;
constexpr std::size_t kPortPiece = std::size_t{64} << 10;
constexpr std::size_t kChunkHeader = 8;     // that the server puts before each piece of the agent's
constexpr std::size_t kMessageHeader = 20;  // of the agent's messages
constexpr std::uint32_t kClipboard = 4;

void append(Bytes& bytes, std::initializer_list<std::uint32_t> words) {
  for (const auto word : words) {
    for (unsigned shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
}

Bytes agent_message(std::uint32_t size) {
  Bytes bytes;
  append(bytes, {1, kClipboard, 0, 0, size});
  return bytes;
}

void report(const std::string& name, std::uint64_t bytes, Clock::time_point begun) {
  fmt::print("{} {:.2f}\n", name, static_cast<double>(bytes) / 1000 / ms_since(begun));
}

// The agent's pieces on a main channel, within the tokens it has.
class AgentLine {
 public:
  AgentLine(Channel& main, std::uint32_t tokens) : main_(main), tokens_(tokens) {
    constexpr std::uint32_t kEndless = 0xffff'ffff;
    main_.send(wire::MainAgentStart{kEndless});
  }
  void give(std::span<const std::uint8_t> piece) {
    give_encoded(Channel::encoded(wire::MainClientAgentData{wire::Payload::borrowed(piece)}));
  }
  void give_encoded(const Bytes& piece) {
    while (tokens_ == 0)
      receive();
    --tokens_;
    main_.send_encoded(piece);
  }
  // The size of the next piece from the agent.
  std::size_t take() {
    for (;;) {
      if (const auto size = receive()) return size;
    }
  }

 private:
  std::size_t receive() {
    const auto message = main_.receive();
    if (message.type == wire::MainAgentToken::kType) {
      tokens_ += wire::decode<wire::MainAgentToken>(message.body)->tokens;
    }
    return message.type == wire::MainAgentData::kType ? message.body.size() : 0;
  }

  Channel& main_;
  std::uint32_t tokens_;
};

void command(AgentLine& line, char kind, std::uint32_t amount) {
  auto message = agent_message(2 * sizeof(std::uint32_t));
  append(message, {static_cast<std::uint32_t>(kind), amount});
  line.give(message);
}

void measure_agent(AgentLine& line, std::uint32_t mib) {
  const auto bytes = std::uint64_t{mib} * (kMib + kMessageHeader);
  auto begun = Clock::now();
  command(line, 's', mib);
  for (std::uint64_t taken = 0; taken < bytes;)
    taken += line.take();
  report("agent_to_client", bytes, begun);

  auto message = agent_message(mib * kMib);
  message.resize(message.size() + std::size_t{mib} * kMib);
  const auto pieces = (message.size() + kAgentPiece - 1) / kAgentPiece;
  begun = Clock::now();
  command(line, 't', static_cast<std::uint32_t>(message.size() + pieces * kChunkHeader));
  line.give(std::span(message).first(kAgentPiece));
  const auto zeros = Channel::encoded(wire::MainClientAgentData{wire::Payload(Bytes(kAgentPiece))});
  for (std::size_t piece = 2; piece < pieces; ++piece)
    line.give_encoded(zeros);
  line.give(std::span(message).subspan((pieces - 1) * kAgentPiece));
  line.take();
  report("agent_from_client", message.size(), begun);
}

void measure_port(Channel& port, std::uint32_t mib) {
  const auto command = [&port](char kind, std::uint32_t amount) {
    Bytes bytes;
    append(bytes, {static_cast<std::uint32_t>(kind), amount});
    port.send(wire::PortData{wire::Payload(std::move(bytes))});
  };
  const auto bytes = std::uint64_t{mib} * kMib;
  auto begun = Clock::now();
  command('s', mib);
  for (std::uint64_t taken = 0; taken < bytes;)
    taken += port.receive_until(wire::PortData::kType).body.size();
  report("port_to_client", bytes, begun);

  const auto piece = Channel::encoded(wire::PortData{wire::Payload(Bytes(kPortPiece))});
  begun = Clock::now();
  command('t', static_cast<std::uint32_t>(bytes));
  for (std::uint64_t given = 0; given < bytes; given += kPortPiece)
    port.send_encoded(piece);
  port.receive_until(wire::PortData::kType);
  report("port_from_client", bytes, begun);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 2) fail("see the head of its source");
  const auto mib = static_cast<std::uint32_t>(std::stoul(arguments[1]));
  const auto target = target_of(arguments[0]);
  Channel main(target, wire::ChannelType::Main, 0);
  const auto init = *wire::decode<wire::MainInit>(main.receive_until(wire::MainInit::kType).body);
  if (init.agent_connected == 0) fail("there is no agent");
  AgentLine line(main, init.agent_tokens);
  measure_agent(line, mib);
  Channel port(target, wire::ChannelType::Port, init.session_id);
  measure_port(port, mib);
  return 0;
}
