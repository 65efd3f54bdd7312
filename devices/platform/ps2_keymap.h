// Scan code sets. A key is named by its set 1 code (core::KeyCode); sets 2 and 3 follow from it. [IBM PS/2 HITR,
// Keyboard (101- and 102-Key), Scan Code Sets]
#pragma once

#include <cstdint>

#include "core/ports/input.h"

namespace devices::platform {

// What a keyboard controller makes of a set 2 byte other than F0h: the set 1 code. Bytes from 85h on stay as they are.
std::uint8_t translated(std::uint8_t set2);
// The set 2 code of a set 1 code 01h..7Fh; E0 prefixes stay. 0: none.
std::uint8_t set2_code(std::uint8_t set1);
// The set 3 code of a key; 0: the key has none.
std::uint8_t set3_code(core::KeyCode key);

}  // namespace devices::platform
