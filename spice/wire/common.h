// Messages that every channel has. Names of client messages start with Client where the server has the same one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spice/wire/payload.h"
#include "spice/wire/protocol.h"

namespace spice::wire {

// A message without fields, one type for each number of a channel.
template <ChannelType Channel, std::uint16_t Type>
struct Empty {
  static constexpr std::uint16_t kType = Type;
  template <class IO>
  void wire(IO&) {}
};

// From the server.

struct Migrate {
  static constexpr std::uint16_t kType = 1;
  std::uint32_t flags = 0;

  template <class IO>
  void wire(IO& io);
};

struct MigrateData {
  static constexpr std::uint16_t kType = 2;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct SetAck {
  static constexpr std::uint16_t kType = 3;
  std::uint32_t generation = 0;
  std::uint32_t window = 0;

  template <class IO>
  void wire(IO& io);
};

struct Ping {
  static constexpr std::uint16_t kType = 4;
  std::uint32_t id = 0;
  std::uint64_t stamp = 0;
  Payload padding;

  template <class IO>
  void wire(IO& io);
};

struct WaitForChannel {
  static constexpr std::size_t kLeastSize = 10;
  ChannelType type{};
  std::uint8_t id = 0;
  std::uint64_t serial = 0;

  template <class IO>
  void wire(IO& io) {
    io.value("type", type);
    io.value("id", id);
    io.value("serial", serial);
  }
};

struct WaitForChannels {
  static constexpr std::uint16_t kType = 5;
  std::vector<WaitForChannel> waits;

  template <class IO>
  void wire(IO& io);
};

struct Disconnecting {
  static constexpr std::uint16_t kType = 6;
  std::uint64_t time = 0;
  std::uint32_t reason = 0;

  template <class IO>
  void wire(IO& io);
};

struct Notify {
  static constexpr std::uint16_t kType = 7;
  enum class Severity : std::uint32_t { Info = 0, Warn = 1, Error = 2 };
  enum class Visibility : std::uint32_t { Low = 0, Medium = 1, High = 2 };
  std::uint64_t time_ns = 0;
  Severity severity = Severity::Info;
  Visibility visibility = Visibility::Low;
  std::uint32_t what = 0;
  std::string text;

  template <class IO>
  void wire(IO& io);
};

// From the client.

struct AckSync {
  static constexpr std::uint16_t kType = 1;
  std::uint32_t generation = 0;

  template <class IO>
  void wire(IO& io);
};

using Ack = Empty<kEveryChannel, 2>;

struct Pong {
  static constexpr std::uint16_t kType = 3;
  std::uint32_t id = 0;
  std::uint64_t stamp = 0;

  template <class IO>
  void wire(IO& io);
};

using MigrateFlushMark = Empty<kEveryChannel, 4>;

struct ClientMigrateData {
  static constexpr std::uint16_t kType = 5;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct ClientDisconnecting {
  static constexpr std::uint16_t kType = 6;
  std::uint64_t time = 0;
  std::uint32_t reason = 0;

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
