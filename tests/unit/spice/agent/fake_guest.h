// What programs in the guest do with a GuestPort, and a client of the agent that remembers.
#pragma once

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/event/worker.h"
#include "spice/agent/agent.h"
#include "spice/agent/agent_abi.h"
#include "tests/unit/spice/loop_fixture.h"

namespace spice::agent::test {

using spice::test::on_loop;

inline Bytes message(std::uint32_t type, std::size_t size, std::uint8_t fill = 0x55) {
  Bytes bytes(sizeof(abi::VDAgentMessage) + size, fill);
  core::store_le<std::uint32_t>(bytes.data(), 1);
  core::store_le(bytes.data() + 4, type);
  core::store_le<std::uint64_t>(bytes.data() + 8, 0);
  core::store_le(bytes.data() + 16, static_cast<std::uint32_t>(size));
  return bytes;
}

inline Bytes chunk(std::uint32_t port, std::span<const std::uint8_t> body) {
  Bytes bytes(8);
  core::store_le(bytes.data(), port);
  core::store_le(bytes.data() + 4, static_cast<std::uint32_t>(body.size()));
  bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

inline std::uint32_t type_of(const Bytes& message) {
  return message.size() < 8 ? 0 : core::load_le<std::uint32_t>(message.data() + 4);
}

// The device's side of a port: takes `room` more bytes from the host.
class FakeGuest {
 public:
  explicit FakeGuest(GuestPort& port) : port_(port) {
    port_.set_receiver([this](std::span<const std::uint8_t> bytes, core::Batch) {
      const auto count = std::min(bytes.size(), room);
      room -= count;
      received.insert(received.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      return count;
    });
  }
  ~FakeGuest() { port_.set_receiver(nullptr); }
  FakeGuest(const FakeGuest&) = delete;
  FakeGuest& operator=(const FakeGuest&) = delete;

  void make_room(std::size_t bytes) {
    room = bytes;
    port_.ready_to_receive();
  }
  // The chunks received since the last call: their ports and bodies; what is left over stays.
  struct Chunk {
    std::uint32_t port = 0;
    Bytes body;
  };
  std::vector<Chunk> chunks() {
    std::vector<Chunk> all;
    std::size_t at = 0;
    while (received.size() - at >= 8) {
      const auto size = core::load_le<std::uint32_t>(received.data() + at + 4);
      if (received.size() - at - 8 < size) break;
      const auto body = received.begin() + static_cast<std::ptrdiff_t>(at) + 8;
      all.push_back({core::load_le<std::uint32_t>(received.data() + at), Bytes(body, body + size)});
      at += 8 + size;
    }
    received.erase(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(at));
    return all;
  }

  Bytes received;
  std::size_t room = 1 << 20;

 private:
  GuestPort& port_;
};

class FakeClient final : public AgentClient {
 public:
  void agent_came() override { log.emplace_back("came"); }
  void agent_went() override { log.emplace_back("went"); }
  bool takes_agent_data() override { return takes; }
  void agent_data(Bytes piece) override { pieces.push_back(std::move(piece)); }
  void agent_tokens(std::uint32_t count) override { tokens.push_back(count); }
  void refuse(const std::string&) override { log.emplace_back("refused"); }

  std::vector<std::string> log;
  std::vector<Bytes> pieces;
  std::vector<std::uint32_t> tokens;
  bool takes = true;
};

}  // namespace spice::agent::test
