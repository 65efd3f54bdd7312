// Registers as data: a device lists its registers in one constexpr table; RegisterFile does masking, partial-width
// access, write-1-to-clear, read-only bits and reset. The device adds side effects only.
//
//   constexpr core::Register kRegisters[] = {
//     {.name = "CMD", .offset = 0x04, .width = 2, .reset = 0, .writable = 0x0547},
//     {.name = "STS", .offset = 0x06, .width = 2, .reset = 0x0280, .clear_on_one = 0xf900},  // [PCI 3.0 6.2.3]
//   };
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/state/state.h"

namespace core::inline bus {

struct Register {
  std::string_view name;
  std::uint32_t offset = 0;
  unsigned width = 1;  // bytes: 1, 2, 4, 8
  std::uint64_t reset = 0;
  std::uint64_t writable = 0;
  std::uint64_t clear_on_one = 0;
};

// The bytes behind a register table. Bytes no register covers read as zero and ignore writes.
class RegisterFile {
 public:
  // `table` must outlive the file (it is constexpr data); registers must not overlap and must lie below `size`.
  RegisterFile(std::span<const Register> table, std::size_t size);

  void reset();
  // Guest accesses of any width and alignment inside [0, size); beyond it reads are zero and writes vanish.
  std::uint64_t read(std::uint64_t offset, unsigned width) const;
  void write(std::uint64_t offset, unsigned width, std::uint64_t value);

  // The device's own accesses by the register's offset: no masks apply.
  std::uint64_t value(std::uint32_t offset, unsigned width) const { return read(offset, width); }
  void set(std::uint32_t offset, unsigned width, std::uint64_t value);

  // The register that covers a byte, or nullptr.
  const Register* at(std::uint64_t offset) const;
  // Widens what guests may write, where an instance differs from its table (PCI BARs, capabilities).
  void set_writable(std::uint32_t offset, unsigned width, std::uint64_t mask);
  void visit(StateVisitor& visitor) { visitor.block("bytes", bytes_); }

 private:
  std::span<const Register> table_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> writable_;
  std::vector<std::uint8_t> clear_on_one_;
};

}  // namespace core::inline bus
