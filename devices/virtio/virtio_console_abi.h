// The console device and its ports. [virtio 1.2, 5.3]
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::virtio::abi {

constexpr std::uint16_t kConsoleType = 3;

// [5.3.3] Feature bits
constexpr unsigned kConsoleMultiport = 1;
constexpr unsigned kConsoleEmergencyWrite = 2;

// [5.3.4] Configuration layout
struct ConsoleConfig {
  core::le16 columns;
  core::le16 rows;
  core::le32 max_ports;
  core::le32 emergency_write;
};
static_assert(sizeof(ConsoleConfig) == 12);
constexpr std::uint64_t kEmergencyWriteOffset = 8;

// [5.3.2] Queues: two of port 0, two for control messages, then two for each further port.
constexpr unsigned kControlReceive = 2;
constexpr unsigned kControlTransmit = 3;
constexpr unsigned receive_queue(unsigned port) {
  return port == 0 ? 0 : 2 + 2 * port;
}
constexpr unsigned transmit_queue(unsigned port) {
  return receive_queue(port) + 1;
}

// [5.3.6.2] A control message; PORT_NAME is followed by the name.
struct ControlMessage {
  core::le32 port;
  core::le16 event;
  core::le16 value;
};
static_assert(sizeof(ControlMessage) == 8);
constexpr std::uint16_t kDeviceReady = 0;
constexpr std::uint16_t kPortAdd = 1;
constexpr std::uint16_t kPortReady = 3;
constexpr std::uint16_t kConsolePort = 4;
constexpr std::uint16_t kPortOpen = 6;
constexpr std::uint16_t kPortName = 7;

}  // namespace devices::virtio::abi
