// What guests see of a universal host controller. [UHCI] Universal Host Controller Interface Design Guide 1.1
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::usb::abi::uhci {

constexpr unsigned kPorts = 2;
constexpr std::uint32_t kRegisterBytes = 0x20;

// [UHCI 2.1] registers, by offset
enum Register : std::uint32_t {
  USBCMD = 0x00,
  USBSTS = 0x02,
  USBINTR = 0x04,
  FRNUM = 0x06,
  FRBASEADD = 0x08,
  SOFMOD = 0x0c,
  PORTSC1 = 0x10,
  PORTSC2 = 0x12,
};

// [UHCI 2.1.1] USBCMD
constexpr std::uint16_t CMD_RS = 1 << 0;
constexpr std::uint16_t CMD_HCRESET = 1 << 1;
constexpr std::uint16_t CMD_GRESET = 1 << 2;
constexpr std::uint16_t CMD_EGSM = 1 << 3;

// [UHCI 2.1.2] USBSTS
constexpr std::uint16_t STS_USBINT = 1 << 0;
constexpr std::uint16_t STS_ERROR = 1 << 1;
constexpr std::uint16_t STS_RESUME = 1 << 2;
constexpr std::uint16_t STS_HOST_ERROR = 1 << 3;
constexpr std::uint16_t STS_PROCESS_ERROR = 1 << 4;
constexpr std::uint16_t STS_HALTED = 1 << 5;

// [UHCI 2.1.3] USBINTR
constexpr std::uint16_t INTR_ERROR = 1 << 0;
constexpr std::uint16_t INTR_RESUME = 1 << 1;
constexpr std::uint16_t INTR_IOC = 1 << 2;
constexpr std::uint16_t INTR_SHORT = 1 << 3;

constexpr std::uint16_t kFrameNumber = 0x7ff;  // [UHCI 2.1.4]
constexpr std::uint32_t kListFrames = 1024;

// [UHCI 2.1.7] PORTSC
constexpr std::uint16_t PORT_CCS = 1 << 0;
constexpr std::uint16_t PORT_CSC = 1 << 1;
constexpr std::uint16_t PORT_PE = 1 << 2;
constexpr std::uint16_t PORT_PEC = 1 << 3;
constexpr std::uint16_t PORT_D_PLUS = 1 << 4;
constexpr std::uint16_t PORT_D_MINUS = 1 << 5;
constexpr std::uint16_t PORT_RD = 1 << 6;
constexpr std::uint16_t PORT_ALWAYS = 1 << 7;
constexpr std::uint16_t PORT_LOW_SPEED = 1 << 8;
constexpr std::uint16_t PORT_RESET = 1 << 9;
constexpr std::uint16_t PORT_SUSPEND = 1 << 12;

// [UHCI 3.1, 3.2, 3.3] links
constexpr std::uint32_t kTerminate = 1U << 0;
constexpr std::uint32_t kQueueHead = 1U << 1;
constexpr std::uint32_t kDepthFirst = 1U << 2;
constexpr std::uint32_t kLinkAddress = ~0xfU;

// [UHCI 3.2] transfer descriptor
struct TransferDescriptor {
  core::le32 link;
  core::le32 status;
  core::le32 token;
  core::le32 buffer;
};
static_assert(sizeof(TransferDescriptor) == 16);
constexpr std::uint64_t kStatusOffset = 4;

// [UHCI 3.2.2] control and status
constexpr std::uint32_t TD_ACTUAL = 0x7ff;  // bytes - 1
constexpr std::uint32_t TD_TIMEOUT = 1U << 18;
constexpr std::uint32_t TD_NAK = 1U << 19;
constexpr std::uint32_t TD_BABBLE = 1U << 20;
constexpr std::uint32_t TD_BUFFER_ERROR = 1U << 21;
constexpr std::uint32_t TD_STALLED = 1U << 22;
constexpr std::uint32_t TD_ACTIVE = 1U << 23;
constexpr std::uint32_t TD_IOC = 1U << 24;
constexpr std::uint32_t TD_ISOCHRONOUS = 1U << 25;
constexpr unsigned TD_ERRORS_SHIFT = 27;  // left until the descriptor is retired; 0: no limit
constexpr std::uint32_t TD_ERRORS = 3U << TD_ERRORS_SHIFT;
constexpr std::uint32_t TD_SHORT_PACKET = 1U << 29;
constexpr std::uint32_t TD_RESULTS = TD_TIMEOUT | TD_NAK | TD_BABBLE | TD_BUFFER_ERROR | TD_STALLED | (1U << 17);

// [UHCI 3.2.3] token
constexpr std::uint32_t kLongestPacket = 1280;
constexpr std::uint32_t kEmptyPacket = 0x7ff;

// [UHCI 3.3] queue head
struct QueueHead {
  core::le32 head;     // the next queue
  core::le32 element;  // the first descriptor
};
static_assert(sizeof(QueueHead) == 8);
constexpr std::uint64_t kElementOffset = 4;

}  // namespace devices::usb::abi::uhci
