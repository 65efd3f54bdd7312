// [PCI 3.0 6.7] The linked list of capabilities in a function's config space.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/bus/registers.h"

namespace core::inline pci {

// Lays capabilities out from 40h up and makes the config registers of the whole list: what PciFunction's constructor
// takes as rows.
class CapabilityList {
 public:
  CapabilityList();

  // Appends a capability of `length` bytes, ID and next pointer included; `rows` have offsets from its start, from 2
  // on. Returns its offset in config space.
  std::uint32_t add(std::uint8_t id, std::uint32_t length, std::span<const Register> rows);
  std::span<const Register> rows() const { return rows_; }

 private:
  std::vector<Register> rows_;
  std::size_t pointer_ = 0;  // the row of what points to the next capability
  std::uint32_t end_;
};

}  // namespace core::inline pci
