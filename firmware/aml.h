// The few words of AML that a machine's own SSDT needs. [ACPI 6.4 20.2, resources 6.4]
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace firmware::aml {

using Code = std::vector<std::uint8_t>;

Code join(std::initializer_list<Code> parts);

// Paths are absolute or single names, as in ASL: "\_SB.PCI0", "_CRS".
Code name(std::string_view path, const Code& object);
Code scope(std::string_view path, const Code& contents);
Code device(std::string_view path, const Code& contents);
Code processor(std::string_view path, std::uint8_t id);  // without a P_BLK: no C-states beyond C1

Code integer(std::uint32_t value);
Code eisa_id(std::string_view id);  // "PNP0103"
Code buffer(std::span<const std::uint8_t> bytes);

// A resource template is a buffer of descriptors.
Code resources(std::initializer_list<Code> descriptors);
Code bus_numbers(std::uint16_t first, std::uint16_t last);
Code ports(std::uint16_t first, std::uint16_t last);        // decoded by this device itself
Code isa_interrupt(std::uint8_t irq);                       // an edge
Code port_window(std::uint16_t first, std::uint16_t last);  // passed on to devices below
Code memory_window(std::uint32_t first, std::uint32_t last, bool cacheable);
Code memory_window64(std::uint64_t first, std::uint64_t last);
Code fixed_memory(std::uint32_t base, std::uint32_t size);

}  // namespace firmware::aml
