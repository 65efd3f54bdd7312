// Kernel images as small as they can be, with every field the loader reads.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/endian.h"
#include "firmware/linux_abi.h"

namespace tests {

using Bytes = std::vector<std::uint8_t>;

template <class T>
void put(Bytes& file, std::size_t at, T value) {
  if (file.size() < at + sizeof value) file.resize(at + sizeof value);
  core::store_le<T>(file.data() + at, value);
}

// Two set-up sectors behind the boot sector, then 4096 bytes of kernel.
inline Bytes linux_file() {
  using namespace firmware::linux_abi;
  constexpr std::uint8_t kSectors = 2;
  Bytes file((kSectors + 1) * kSectorBytes, 0x90);
  file.resize(file.size() + 4096, 0xcc);
  put<std::uint8_t>(file, SETUP_SECTS, kSectors);
  put<std::uint16_t>(file, JUMP, 0x6aeb);
  put<std::uint32_t>(file, HEADER, kHeaderMagic);
  put<std::uint16_t>(file, VERSION, 0x20f);
  put<std::uint8_t>(file, LOADFLAGS, LOADED_HIGH);
  put<std::uint32_t>(file, INITRD_ADDR_MAX, 0x7fffffff);
  put<std::uint32_t>(file, CMDLINE_SIZE, 2047);
  put<std::uint64_t>(file, PREF_ADDRESS, 0x1000000);
  put<std::uint32_t>(file, INIT_SIZE, 0x200000);
  return file;
}

// One loadable segment of 16 bytes (32 in memory) at 2 MiB, entry 4 bytes in.
constexpr std::uint32_t kElfAddress = 0x200000;
constexpr std::size_t kElfData = 0x100;
constexpr std::size_t kElfNote = 0x180;

inline Bytes elf64_file() {
  Bytes file(0x200);
  const std::uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::memcpy(file.data(), ident, sizeof ident);
  put<std::uint16_t>(file, 16, 2);   // executable
  put<std::uint16_t>(file, 18, 62);  // x86-64
  put<std::uint64_t>(file, 24, 0xffffffff80000004);
  put<std::uint64_t>(file, 32, 64);  // program headers
  put<std::uint16_t>(file, 54, 56);
  put<std::uint16_t>(file, 56, 2);
  put<std::uint32_t>(file, 64, 1);  // PT_LOAD
  put<std::uint64_t>(file, 64 + 8, kElfData);
  put<std::uint64_t>(file, 64 + 16, 0xffffffff80000000);
  put<std::uint64_t>(file, 64 + 24, kElfAddress);
  put<std::uint64_t>(file, 64 + 32, 16);
  put<std::uint64_t>(file, 64 + 40, 32);
  return file;
}

inline Bytes elf32_file() {
  Bytes file(0x200);
  const std::uint8_t ident[] = {0x7f, 'E', 'L', 'F', 1, 1, 1};
  std::memcpy(file.data(), ident, sizeof ident);
  put<std::uint16_t>(file, 16, 2);
  put<std::uint16_t>(file, 18, 3);  // 386
  put<std::uint32_t>(file, 24, kElfAddress + 4);
  put<std::uint32_t>(file, 28, 52);  // program headers
  put<std::uint16_t>(file, 42, 32);
  put<std::uint16_t>(file, 44, 1);
  put<std::uint32_t>(file, 52, 1);  // PT_LOAD
  put<std::uint32_t>(file, 52 + 4, kElfData);
  put<std::uint32_t>(file, 52 + 8, kElfAddress);
  put<std::uint32_t>(file, 52 + 12, kElfAddress);
  put<std::uint32_t>(file, 52 + 16, 16);
  put<std::uint32_t>(file, 52 + 20, 32);
  return file;
}

inline void add_multiboot(Bytes& file, std::size_t at, std::uint32_t flags) {
  constexpr std::uint32_t kMagic = 0x1badb002;
  put<std::uint32_t>(file, at, kMagic);
  put<std::uint32_t>(file, at + 4, flags);
  put<std::uint32_t>(file, at + 8, 0U - kMagic - flags);
}

inline Bytes multiboot_elf() {
  auto file = elf32_file();
  add_multiboot(file, kElfData, 3);
  return file;
}

// Behind another vendor's note, as in a Linux vmlinux.
inline Bytes pvh_elf() {
  auto file = elf64_file();
  put<std::uint32_t>(file, 120, 4);  // PT_NOTE
  put<std::uint64_t>(file, 120 + 8, kElfNote);
  put<std::uint64_t>(file, 120 + 32, 44);
  put<std::uint64_t>(file, 120 + 40, 44);
  const auto note = [&](std::size_t at, const char* name, std::uint32_t size, std::uint32_t type, std::uint64_t value) {
    put<std::uint32_t>(file, at, 4);
    put<std::uint32_t>(file, at + 4, size);
    put<std::uint32_t>(file, at + 8, type);
    std::memcpy(file.data() + at + 12, name, 4);
    if (size == 8) put<std::uint64_t>(file, at + 16, value);
    if (size == 4) put<std::uint32_t>(file, at + 16, static_cast<std::uint32_t>(value));
  };
  note(kElfNote, "GNU", 4, 18, 0xbad);
  note(kElfNote + 20, "Xen", 8, 18, kElfAddress + 8);
  return file;
}

}  // namespace tests
