// Keys of the host as keys of a PC's keyboard.
#pragma once

#include <optional>

#include "core/ports/input.h"

namespace vmm::window {

// Of an SDL scancode, which is a place on the keyboard whatever its layout: a usage of USB's keyboard page.
// Nothing if a PC's keyboard has no such key. [SDL_scancode.h; HID Usage Tables 10; i8042 scan code set 1]
std::optional<core::KeyCode> key_code(int scancode);

}  // namespace vmm::window
