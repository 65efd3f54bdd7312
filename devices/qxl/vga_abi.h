// VGA and Bochs VBE register indices and bits.
//
// [VGA n] is IBM, "PS/2 Hardware Interface Technical Reference: Video Subsystem" (1992), as restated by FreeVGA's
// "VGA/SVGA Video Programming"; [VBE DISPI] is the Bochs VBE display API, version B0C5.
#pragma once

#include <cstdint>

namespace devices::qxl::abi {

// I/O ports. [VGA 2, register summary]
constexpr std::uint16_t kMonoPorts = 0x3b0;  // 3B0-3BB, used while MISC bit 0 is clear
constexpr std::uint16_t kMonoPortsSize = 0x0c;
constexpr std::uint16_t kColourPorts = 0x3c0;  // 3C0-3CF always, 3D0-3DF while MISC bit 0 is set
constexpr std::uint16_t kColourPortsSize = 0x20;
constexpr std::uint16_t kVbePorts = 0x1ce;  // [VBE DISPI] 1CE index, 1CF data, 1D0 data for hosts without odd words
constexpr std::uint16_t kVbePortsSize = 4;

// The window in guest memory. [VGA 2.2]
constexpr std::uint64_t kWindow = 0xa0000;
constexpr std::uint64_t kWindowSize = 0x20000;
// Four planes of 64 KiB.
constexpr std::uint32_t kVgaMemory = 256 << 10;

// Miscellaneous output. [VGA 2.3.1]
constexpr std::uint8_t kMiscColour = 1 << 0;
constexpr std::uint8_t kMiscRamEnable = 1 << 1;
constexpr unsigned kMiscClockShift = 2;  // 0: 25.175 MHz, 1: 28.322 MHz

// Input status 1. [VGA 2.3.2]
constexpr std::uint8_t kStatusDisplayOff = 1 << 0;
constexpr std::uint8_t kStatusRetrace = 1 << 3;

// Sequencer. [VGA 2.4]
constexpr unsigned kSeqReset = 0;
constexpr unsigned kSeqClocking = 1;
constexpr std::uint8_t kClockingEightDots = 1 << 0;
constexpr std::uint8_t kClockingHalf = 1 << 3;
constexpr std::uint8_t kClockingScreenOff = 1 << 5;
constexpr unsigned kSeqMapMask = 2;
constexpr unsigned kSeqCharacterMap = 3;
constexpr unsigned kSeqMemoryMode = 4;
constexpr std::uint8_t kMemoryExtended = 1 << 1;
constexpr std::uint8_t kMemoryOddEvenOff = 1 << 2;
constexpr std::uint8_t kMemoryChain4 = 1 << 3;
constexpr unsigned kSeqCount = 5;

// CRT controller. [VGA 2.5]
constexpr unsigned kCrtHorizontalTotal = 0x00;
constexpr unsigned kCrtHorizontalEnd = 0x01;
constexpr unsigned kCrtVerticalTotal = 0x06;
constexpr unsigned kCrtOverflow = 0x07;
constexpr unsigned kCrtPresetRowScan = 0x08;
constexpr unsigned kCrtMaximumScan = 0x09;
constexpr unsigned kCrtCursorStart = 0x0a;
constexpr std::uint8_t kCursorOff = 1 << 5;
constexpr unsigned kCrtCursorEnd = 0x0b;
constexpr unsigned kCrtStartHigh = 0x0c;
constexpr unsigned kCrtStartLow = 0x0d;
constexpr unsigned kCrtCursorHigh = 0x0e;
constexpr unsigned kCrtCursorLow = 0x0f;
constexpr unsigned kCrtVerticalRetraceEnd = 0x11;
constexpr std::uint8_t kRetraceEndProtect = 1 << 7;
constexpr unsigned kCrtVerticalEnd = 0x12;
constexpr unsigned kCrtOffset = 0x13;
constexpr unsigned kCrtUnderline = 0x14;
constexpr std::uint8_t kUnderlineDoubleWord = 1 << 6;
constexpr unsigned kCrtModeControl = 0x17;
constexpr std::uint8_t kModeControlAddress13 = 1 << 0;
constexpr std::uint8_t kModeControlAddress14 = 1 << 1;
constexpr std::uint8_t kModeControlByte = 1 << 6;
constexpr unsigned kCrtLineCompare = 0x18;
constexpr unsigned kCrtCount = 0x19;

// Graphics controller. [VGA 2.6]
constexpr unsigned kGfxSetReset = 0;
constexpr unsigned kGfxEnableSetReset = 1;
constexpr unsigned kGfxColourCompare = 2;
constexpr unsigned kGfxRotate = 3;
constexpr unsigned kGfxReadMap = 4;
constexpr unsigned kGfxMode = 5;
constexpr std::uint8_t kModeReadCompare = 1 << 3;
constexpr std::uint8_t kModeOddEven = 1 << 4;
constexpr std::uint8_t kModeInterleave = 1 << 5;
constexpr std::uint8_t kMode256 = 1 << 6;
constexpr unsigned kGfxMisc = 6;
constexpr std::uint8_t kMiscGraphics = 1 << 0;
constexpr unsigned kGfxColourCare = 7;
constexpr unsigned kGfxBitMask = 8;
constexpr unsigned kGfxCount = 9;

// Attribute controller. [VGA 2.7]
constexpr std::uint8_t kAttrScreenOn = 1 << 5;  // of the index: palette address source
constexpr unsigned kAttrMode = 0x10;
constexpr std::uint8_t kAttrModeLineGraphics = 1 << 2;
constexpr std::uint8_t kAttrModeBlink = 1 << 3;
constexpr std::uint8_t kAttrModePanCompatible = 1 << 5;
constexpr std::uint8_t kAttrModeColourSelect = 1 << 7;
constexpr unsigned kAttrPlaneEnable = 0x12;
constexpr unsigned kAttrPan = 0x13;
constexpr unsigned kAttrColourSelect = 0x14;
constexpr unsigned kAttrCount = 0x15;

// [VBE DISPI]
constexpr std::uint16_t kVbeIdFirst = 0xb0c0;
constexpr std::uint16_t kVbeIdLast = 0xb0c5;
constexpr std::uint16_t kVbeEnabled = 1 << 0;
constexpr std::uint16_t kVbeCapabilities = 1 << 1;
constexpr std::uint16_t kVbeDac8Bit = 1 << 5;
constexpr std::uint16_t kVbeLinear = 1 << 6;
constexpr std::uint16_t kVbeKeepMemory = 1 << 7;

enum class VbeIndex : std::uint16_t {
  Id = 0,
  XRes = 1,
  YRes = 2,
  Bpp = 3,
  Enable = 4,
  Bank = 5,
  VirtualWidth = 6,
  VirtualHeight = 7,
  XOffset = 8,
  YOffset = 9,
  Memory64K = 10,
};

}  // namespace devices::qxl::abi
