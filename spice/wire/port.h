// Messages of the port and WebDAV channels. Both carry the bytes of one of the guest's ports.
#pragma once

#include <cstdint>
#include <string_view>

#include "spice/wire/common.h"

namespace spice::wire {

// What becomes of one end of a port, to be known at the other.
enum class PortChange : std::uint8_t { Opened = 0, Closed = 1, Break = 2 };

enum class Compression : std::uint8_t { None = 0, Lz4 = 1 };

// From either side.

struct PortData {
  static constexpr std::uint16_t kType = 101;
  Payload data;

  template <class IO>
  void wire(IO& io);
};

struct PortCompressedData {
  static constexpr std::uint16_t kType = 102;
  Compression compression{};
  std::uint32_t size = 0;  // uncompressed; there only with a compression
  Payload data;

  template <class IO>
  void wire(IO& io);
};

// From the server.

struct PortInit {
  static constexpr std::uint16_t kType = 201;
  struct Name {
    Payload text;  // with its NUL
    std::uint32_t size = 0;

    template <class IO>
    void wire(IO& io) {
      io.payload("text", text, size);
    }
  };
  Name name;
  std::uint8_t is_open = 0;

  static PortInit of(std::string_view name, bool is_open);

  template <class IO>
  void wire(IO& io);
};

struct PortEvent {
  static constexpr std::uint16_t kType = 202;
  PortChange change{};

  template <class IO>
  void wire(IO& io);
};

// From the client.

struct PortClientEvent {
  static constexpr std::uint16_t kType = 201;
  PortChange change{};

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
