// What guests see of an enhanced host controller. [EHCI] Enhanced Host Controller Interface Specification 1.0
#pragma once

#include <cstdint>

#include "core/base/endian.h"

namespace devices::usb::abi::ehci {

constexpr unsigned kPorts = 6;
constexpr unsigned kPortsEach = 2;  // of a companion
constexpr unsigned kCompanions = kPorts / kPortsEach;
constexpr std::uint32_t kRegisterBytes = 0x100;
constexpr std::uint8_t kOperational = 0x20;  // where the operational registers begin

// [EHCI 2.2, 2.3] by offset in the BAR
enum Register : std::uint32_t {
  CAPLENGTH = 0x00,
  HCIVERSION = 0x02,
  HCSPARAMS = 0x04,
  HCCPARAMS = 0x08,
  USBCMD = 0x20,
  USBSTS = 0x24,
  USBINTR = 0x28,
  FRINDEX = 0x2c,
  CTRLDSSEGMENT = 0x30,
  PERIODICLISTBASE = 0x34,
  ASYNCLISTADDR = 0x38,
  CONFIGFLAG = 0x60,
  PORTSC = 0x64,  // and one more for each port
};

// [EHCI 2.3.1] USBCMD
constexpr std::uint32_t CMD_RS = 1U << 0;
constexpr std::uint32_t CMD_HCRESET = 1U << 1;
constexpr std::uint32_t CMD_PSE = 1U << 4;
constexpr std::uint32_t CMD_ASE = 1U << 5;
constexpr std::uint32_t CMD_IAAD = 1U << 6;
constexpr std::uint32_t CMD_THRESHOLD = 0xffU << 16;

// [EHCI 2.3.2] USBSTS; USBINTR has the low six
constexpr std::uint32_t STS_USBINT = 1U << 0;
constexpr std::uint32_t STS_ERROR = 1U << 1;
constexpr std::uint32_t STS_PORT_CHANGE = 1U << 2;
constexpr std::uint32_t STS_ROLLOVER = 1U << 3;
constexpr std::uint32_t STS_HOST_ERROR = 1U << 4;
constexpr std::uint32_t STS_ASYNC_ADVANCE = 1U << 5;
constexpr std::uint32_t STS_HALTED = 1U << 12;
constexpr std::uint32_t STS_PERIODIC = 1U << 14;
constexpr std::uint32_t STS_ASYNC = 1U << 15;
constexpr std::uint32_t kInterrupts = 0x3f;

constexpr std::uint32_t kFrameIndex = 0x3fff;  // [EHCI 2.3.4] microframes
constexpr std::uint32_t kListFrames = 1024;
constexpr unsigned kMicroframes = 8;  // a frame

// [EHCI 2.3.9] PORTSC
constexpr std::uint32_t PORT_CCS = 1U << 0;
constexpr std::uint32_t PORT_CSC = 1U << 1;
constexpr std::uint32_t PORT_PED = 1U << 2;
constexpr std::uint32_t PORT_PEDC = 1U << 3;
constexpr std::uint32_t PORT_OCC = 1U << 5;
constexpr std::uint32_t PORT_FPR = 1U << 6;
constexpr std::uint32_t PORT_SUSPEND = 1U << 7;
constexpr std::uint32_t PORT_RESET = 1U << 8;
constexpr std::uint32_t PORT_K_STATE = 1U << 10;
constexpr std::uint32_t PORT_J_STATE = 1U << 11;
constexpr std::uint32_t PORT_POWER = 1U << 12;
constexpr std::uint32_t PORT_OWNER = 1U << 13;
constexpr std::uint32_t PORT_WAKE_AND_TEST = 0x007f'c000;

// [EHCI 3.1] links: type and address
constexpr std::uint32_t kTerminate = 1U << 0;
constexpr std::uint32_t kLinkAddress = ~0x1fU;
enum class LinkType : std::uint8_t { Isochronous = 0, Queue = 1, SplitIsochronous = 2, FrameSpan = 3 };

// [EHCI 3.3] isochronous transfer descriptor
struct IsochronousTd {
  core::le32 next;
  core::le32 transaction[8];
  core::le32 buffer[7];
};
static_assert(sizeof(IsochronousTd) == 64);
constexpr std::uint32_t ITD_ACTIVE = 1U << 31;
constexpr std::uint32_t ITD_BUFFER_ERROR = 1U << 30;
constexpr std::uint32_t ITD_BABBLE = 1U << 29;
constexpr std::uint32_t ITD_ERROR = 1U << 28;
constexpr std::uint32_t ITD_LENGTH = 0xfffU << 16;
constexpr std::uint32_t ITD_IOC = 1U << 15;
constexpr std::uint32_t ITD_IN = 1U << 11;  // buffer[1]
constexpr std::uint32_t kLongestTransaction = 3072;

// [EHCI 3.4] split transaction isochronous transfer descriptor
struct SplitIsochronousTd {
  core::le32 next;
  core::le32 endpoint;
  core::le32 schedule;
  core::le32 state;
  core::le32 buffer[2];
  core::le32 back;
};
static_assert(sizeof(SplitIsochronousTd) == 28);
constexpr std::uint64_t kSplitStateOffset = 12;
constexpr std::uint32_t SITD_IN = 1U << 31;  // endpoint
constexpr std::uint32_t SITD_IOC = 1U << 31;
constexpr std::uint32_t SITD_ACTIVE = 1U << 7;
constexpr std::uint32_t SITD_ERROR = 1U << 6;
constexpr std::uint32_t SITD_BUFFER_ERROR = 1U << 5;
constexpr std::uint32_t SITD_BABBLE = 1U << 4;
constexpr std::uint32_t SITD_TRANSACTION_ERROR = 1U << 3;
constexpr std::uint32_t kLongestSplit = 1023;

// [EHCI 3.5] queue element transfer descriptor; also the transfer overlay of a queue head
constexpr unsigned kBuffers = 5;
struct TransferDescriptor {
  core::le32 next;
  core::le32 alternate;
  core::le32 token;
  core::le32 buffer[kBuffers];
};
static_assert(sizeof(TransferDescriptor) == 32);
constexpr std::uint64_t kTokenOffset = 8;

constexpr std::uint32_t QTD_PING = 1U << 0;
constexpr std::uint32_t QTD_ERROR = 1U << 3;
constexpr std::uint32_t QTD_BABBLE = 1U << 4;
constexpr std::uint32_t QTD_BUFFER_ERROR = 1U << 5;
constexpr std::uint32_t QTD_HALTED = 1U << 6;
constexpr std::uint32_t QTD_ACTIVE = 1U << 7;
constexpr unsigned QTD_PID_SHIFT = 8;
constexpr std::uint32_t QTD_ERRORS_LEFT = 3U << 10;
constexpr unsigned QTD_PAGE_SHIFT = 12;
constexpr std::uint32_t QTD_PAGE = 7U << QTD_PAGE_SHIFT;
constexpr std::uint32_t QTD_IOC = 1U << 15;
constexpr unsigned QTD_BYTES_SHIFT = 16;
constexpr std::uint32_t QTD_BYTES = 0x7fffU << QTD_BYTES_SHIFT;
constexpr std::uint32_t QTD_TOGGLE = 1U << 31;

// [EHCI 3.6] queue head
struct QueueHead {
  core::le32 next;
  core::le32 endpoint;
  core::le32 capabilities;
  core::le32 current;
  TransferDescriptor overlay;
};
static_assert(sizeof(QueueHead) == 48);
constexpr std::uint64_t kCurrentOffset = 12;
constexpr std::uint32_t QH_TOGGLE_FROM_QTD = 1U << 14;
constexpr std::uint32_t QH_HEAD = 1U << 15;
constexpr std::uint32_t QH_START_MASK = 0xff;  // capabilities
constexpr std::uint32_t QH_NAK_COUNT = 0x1e;   // overlay.alternate

}  // namespace devices::usb::abi::ehci
