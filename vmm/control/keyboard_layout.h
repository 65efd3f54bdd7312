// Which keys make which characters on a keyboard of some layout, as the X keyboard extension's database has it
// (packages libxkbcommon0 and xkb-data, loaded when they are first needed).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/ports/input.h"

namespace vmm::control {

class KeyboardLayout {
 public:
  using Keys = std::vector<core::KeyCode>;  // held together, modifiers first

  // "us", "de", "de(nodeadkeys)". The error is one line.
  static core::Result<KeyboardLayout> load(const std::string& name);

  // nullptr: no keys make it. Enter is '\n', Tab '\t'.
  const Keys* keys_for(char32_t character) const;

 private:
  std::map<char32_t, Keys> keys_;
};

// UTF-8 to characters; an error if it is none.
core::Result<std::u32string> characters_of(std::string_view text);

}  // namespace vmm::control
