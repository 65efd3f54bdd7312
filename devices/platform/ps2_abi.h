// Bytes on a PS/2 wire: commands from the host and what keyboards and mice answer. [IBM PS/2 Hardware Interface
// Technical Reference, Keyboard and Auxiliary Device] [Microsoft IntelliMouse and IntelliMouse Explorer data sheets]
#pragma once

#include <cstdint>

namespace devices::platform::ps2_abi {

constexpr std::uint8_t kAck = 0xfa;
constexpr std::uint8_t kResend = 0xfe;
constexpr std::uint8_t kSelfTestPassed = 0xaa;
constexpr std::uint8_t kReset = 0xff;

namespace keyboard {
constexpr std::uint8_t kSetLeds = 0xed;  // the lowest command; option bytes lie below it
constexpr std::uint8_t kEcho = 0xee;
constexpr std::uint8_t kScanCodeSet = 0xf0;
constexpr std::uint8_t kReadId = 0xf2;
constexpr std::uint8_t kSetRate = 0xf3;
constexpr std::uint8_t kEnable = 0xf4;
constexpr std::uint8_t kDisable = 0xf5;
constexpr std::uint8_t kDefaults = 0xf6;
constexpr std::uint8_t kAllTypematic = 0xf7;
constexpr std::uint8_t kAllMakeBreak = 0xf8;
constexpr std::uint8_t kAllMake = 0xf9;
constexpr std::uint8_t kAllTypematicMakeBreak = 0xfa;
constexpr std::uint8_t kKeyTypematic = 0xfb;
constexpr std::uint8_t kKeyMakeBreak = 0xfc;
constexpr std::uint8_t kKeyMake = 0xfd;

constexpr std::uint8_t kId[] = {0xab, 0x83};
constexpr std::uint8_t kDefaultRate = 0x2b;  // 10.9 a second after 500 ms

// Scan codes
constexpr std::uint8_t kExtended = 0xe0;
constexpr std::uint8_t kExtended1 = 0xe1;
constexpr std::uint8_t kBreak = 0xf0;        // sets 2 and 3
constexpr std::uint8_t kSet1Release = 0x80;  // added to the code
}  // namespace keyboard

namespace mouse {
constexpr std::uint8_t kScaling1To1 = 0xe6;
constexpr std::uint8_t kScaling2To1 = 0xe7;
constexpr std::uint8_t kSetResolution = 0xe8;
constexpr std::uint8_t kStatus = 0xe9;
constexpr std::uint8_t kStreamMode = 0xea;
constexpr std::uint8_t kReadData = 0xeb;
constexpr std::uint8_t kEndWrap = 0xec;
constexpr std::uint8_t kWrapMode = 0xee;
constexpr std::uint8_t kRemoteMode = 0xf0;
constexpr std::uint8_t kReadId = 0xf2;
constexpr std::uint8_t kSetRate = 0xf3;
constexpr std::uint8_t kEnable = 0xf4;
constexpr std::uint8_t kDisable = 0xf5;
constexpr std::uint8_t kDefaults = 0xf6;

constexpr std::uint8_t kIdPlain = 0;
constexpr std::uint8_t kIdWheel = 3;
constexpr std::uint8_t kIdFiveButtons = 4;
constexpr std::uint8_t kDefaultRate = 100;
constexpr std::uint8_t kDefaultResolution = 2;  // 4 counts a millimetre
constexpr std::uint8_t kMaxResolution = 3;

// First byte of a packet
constexpr std::uint8_t kPacketButtons = 7;
constexpr std::uint8_t kPacketAlways = 1 << 3;
constexpr std::uint8_t kPacketXNegative = 1 << 4;
constexpr std::uint8_t kPacketYNegative = 1 << 5;

// First byte of the status
constexpr std::uint8_t kStatusScaling = 1 << 4;
constexpr std::uint8_t kStatusEnabled = 1 << 5;
constexpr std::uint8_t kStatusRemote = 1 << 6;
}  // namespace mouse

}  // namespace devices::platform::ps2_abi
