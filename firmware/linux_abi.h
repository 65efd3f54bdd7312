// The set-up header of a Linux image, and the zero page. [Linux Documentation/arch/x86/boot.rst, zero-page.rst] The
// header's offsets are the same in both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace firmware::linux_abi {

constexpr std::size_t SETUP_SECTS = 0x1f1;
constexpr std::size_t VID_MODE = 0x1fa;
constexpr std::size_t JUMP = 0x200;  // its second byte: where the header ends, counted from 202h
constexpr std::size_t HEADER = 0x202;
constexpr std::size_t VERSION = 0x206;
constexpr std::size_t TYPE_OF_LOADER = 0x210;
constexpr std::size_t LOADFLAGS = 0x211;
constexpr std::size_t RAMDISK_IMAGE = 0x218;
constexpr std::size_t RAMDISK_SIZE = 0x21c;
constexpr std::size_t HEAP_END_PTR = 0x224;
constexpr std::size_t CMD_LINE_PTR = 0x228;
constexpr std::size_t INITRD_ADDR_MAX = 0x22c;
constexpr std::size_t CMDLINE_SIZE = 0x238;
constexpr std::size_t PREF_ADDRESS = 0x258;
constexpr std::size_t INIT_SIZE = 0x260;
constexpr std::size_t kHeaderEnd = 0x268;  // of protocol 2.15; every bzImage is longer

constexpr std::uint32_t kHeaderMagic = 0x53726448;  // "HdrS"
constexpr std::uint16_t kOldestProtocol = 0x202;
constexpr std::uint8_t LOADED_HIGH = 1 << 0;
constexpr std::uint8_t CAN_USE_HEAP = 1 << 7;
constexpr std::uint8_t kLoaderUndefined = 0xff;
constexpr unsigned kDefaultSetupSectors = 4;
constexpr unsigned kSectorBytes = 512;
constexpr std::uint32_t kMaxSetupBytes = 0xe000;  // leaves room for heap and stack in its segment
constexpr std::uint32_t kOldInitrdMax = 0x37ffffff;
constexpr std::uint32_t kOldCommandLineMax = 255;

// Modes of VID_MODE that "vga=" names by word.
constexpr std::uint16_t kVideoNormal = 0xffff;
constexpr std::uint16_t kVideoExtended = 0xfffe;
constexpr std::uint16_t kVideoAsk = 0xfffd;

// The zero page only.
constexpr std::size_t E820_ENTRIES = 0x1e8;
constexpr std::size_t E820_TABLE = 0x2d0;
constexpr std::size_t kE820Max = 128;
constexpr std::size_t kZeroPageBytes = 4096;

}  // namespace firmware::linux_abi
