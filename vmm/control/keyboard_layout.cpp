#include "vmm/control/keyboard_layout.h"

#include <array>
#include <dlfcn.h>
#include <memory>
#include <optional>
#include <xkbcommon/xkbcommon.h>

namespace vmm::control {

namespace {

constexpr core::KeyCode kShift = 0x2a;
constexpr core::KeyCode kAltGr = 0xe038;
constexpr core::KeyCode kEnter = 0x1c;
constexpr core::KeyCode kTab = 0x0f;

// The library, which stays loaded.
struct Library {
  decltype(&xkb_context_new) context_new = nullptr;
  decltype(&xkb_context_unref) context_unref = nullptr;
  decltype(&xkb_context_set_log_level) set_log_level = nullptr;
  decltype(&xkb_keymap_new_from_names) keymap_new = nullptr;
  decltype(&xkb_keymap_unref) keymap_unref = nullptr;
  decltype(&xkb_keymap_num_levels_for_key) levels = nullptr;
  decltype(&xkb_keymap_key_get_syms_by_level) symbols = nullptr;
  decltype(&xkb_keymap_key_get_mods_for_level) modifiers = nullptr;
  decltype(&xkb_keymap_mod_get_index) modifier_index = nullptr;
  decltype(&xkb_keysym_to_utf32) to_utf32 = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

std::optional<Library> open_library() {
  auto* handle = ::dlopen("libxkbcommon.so.0", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return std::nullopt;
  Library found;
  const bool is_whole = find(handle, "xkb_context_new", found.context_new) &&
                        find(handle, "xkb_context_unref", found.context_unref) &&
                        find(handle, "xkb_context_set_log_level", found.set_log_level) &&
                        find(handle, "xkb_keymap_new_from_names", found.keymap_new) &&
                        find(handle, "xkb_keymap_unref", found.keymap_unref) &&
                        find(handle, "xkb_keymap_num_levels_for_key", found.levels) &&
                        find(handle, "xkb_keymap_key_get_syms_by_level", found.symbols) &&
                        find(handle, "xkb_keymap_key_get_mods_for_level", found.modifiers) &&
                        find(handle, "xkb_keymap_mod_get_index", found.modifier_index) &&
                        find(handle, "xkb_keysym_to_utf32", found.to_utf32);
  return is_whole ? std::optional(found) : std::nullopt;
}

// The keys that type characters, without the keypad: X's number, which is Linux's plus 8, and the scancode.
struct TypingKey {
  xkb_keycode_t number;
  core::KeyCode code;
};

std::vector<TypingKey> typing_keys() {
  constexpr xkb_keycode_t kOffset = 8;
  std::vector<TypingKey> keys;
  const auto add_range = [&keys](core::KeyCode first, core::KeyCode last) {
    for (auto code = first; code <= last; ++code)
      keys.push_back({code + kOffset, code});
  };
  add_range(0x02, 0x0d);  // digits
  add_range(0x10, 0x1b);
  add_range(0x1e, 0x29);
  add_range(0x2b, 0x35);
  keys.push_back({0x39 + kOffset, 0x39});  // space
  keys.push_back({0x56 + kOffset, 0x56});  // beside the left shift
  keys.push_back({89 + kOffset, 0x73});    // Japanese and Brazilian ones
  keys.push_back({124 + kOffset, 0x7d});
  return keys;
}

using Keymap = std::unique_ptr<xkb_keymap, void (*)(xkb_keymap*)>;

class Reader {
 public:
  Reader(const Library& library, xkb_keymap* keymap)
      : library_(library), keymap_(keymap), shift_(bit(XKB_MOD_NAME_SHIFT)), alt_gr_(bit("Mod5")) {}

  void read(const TypingKey& key, std::map<char32_t, KeyboardLayout::Keys>& to) const {
    const auto levels = library_.levels(keymap_, key.number, 0);
    for (xkb_level_index_t level = 0; level < levels; ++level) {
      const xkb_keysym_t* symbols = nullptr;
      if (library_.symbols(keymap_, key.number, 0, level, &symbols) != 1) continue;
      const char32_t character = library_.to_utf32(symbols[0]);
      const auto held = held_for(key, level);
      if (character == 0 || !held) continue;
      auto keys = *held;
      keys.push_back(key.code);
      const auto [place, is_new] = to.try_emplace(character, keys);
      if (!is_new && keys.size() < place->second.size()) place->second = keys;
    }
  }

 private:
  xkb_mod_mask_t bit(const char* name) const {
    const auto index = library_.modifier_index(keymap_, name);
    return index == XKB_MOD_INVALID ? 0 : xkb_mod_mask_t{1} << index;
  }

  // With shift and AltGr alone.
  std::optional<KeyboardLayout::Keys> held_for(const TypingKey& key, xkb_level_index_t level) const {
    constexpr std::size_t kMostMasks = 16;
    std::array<xkb_mod_mask_t, kMostMasks> masks{};
    const auto count = library_.modifiers(keymap_, key.number, 0, level, masks.data(), masks.size());
    for (std::size_t i = 0; i < std::min(count, masks.size()); ++i) {
      if ((masks[i] & ~(shift_ | alt_gr_)) != 0) continue;
      KeyboardLayout::Keys held;
      if ((masks[i] & shift_) != 0) held.push_back(kShift);
      if ((masks[i] & alt_gr_) != 0) held.push_back(kAltGr);
      return held;
    }
    return std::nullopt;
  }

  const Library& library_;
  xkb_keymap* keymap_;
  const xkb_mod_mask_t shift_;
  const xkb_mod_mask_t alt_gr_;
};

}  // namespace

core::Result<KeyboardLayout> KeyboardLayout::load(const std::string& name) {
  static const auto library = open_library();
  if (!library) return core::fail("layouts need the package libxkbcommon0");
  const std::unique_ptr<xkb_context, void (*)(xkb_context*)> context(library->context_new(XKB_CONTEXT_NO_FLAGS),
                                                                     library->context_unref);
  const auto bracket = name.find('(');
  const auto layout = name.substr(0, bracket);
  std::string variant;
  if (bracket != std::string::npos && name.ends_with(')')) {
    variant = name.substr(bracket + 1, name.size() - bracket - 2);
  }
  const xkb_rule_names names{
      .rules = "evdev", .model = "pc105", .layout = layout.c_str(), .variant = variant.c_str(), .options = ""};
  if (!context) return core::fail("layouts need the package xkb-data");
  library->set_log_level(context.get(), XKB_LOG_LEVEL_CRITICAL);  // what fails, the caller says
  const Keymap keymap(library->keymap_new(context.get(), &names, XKB_KEYMAP_COMPILE_NO_FLAGS), library->keymap_unref);
  if (layout.empty() || !keymap) return core::fail("there is no keyboard layout \"{}\"", name);
  KeyboardLayout result;
  const Reader reader(*library, keymap.get());
  for (const auto& key : typing_keys())
    reader.read(key, result.keys_);
  result.keys_[U'\n'] = {kEnter};
  result.keys_[U'\t'] = {kTab};
  return result;
}

const KeyboardLayout::Keys* KeyboardLayout::keys_for(char32_t character) const {
  const auto found = keys_.find(character);
  return found == keys_.end() ? nullptr : &found->second;
}

core::Result<std::u32string> characters_of(std::string_view text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<std::uint8_t>(text[at++]);
    const unsigned more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    const bool is_start = first < 0x80 || (first >= 0xc2 && first < 0xf5);
    if (!is_start || text.size() - at < more) return core::fail("the text is not UTF-8");
    char32_t character = more == 0 ? first : first & (0x3fU >> more);
    for (unsigned i = 0; i < more; ++i) {
      const auto next = static_cast<std::uint8_t>(text[at++]);
      if ((next & 0xc0) != 0x80) return core::fail("the text is not UTF-8");
      character = character << 6 | (next & 0x3f);
    }
    result.push_back(character);
  }
  return result;
}

}  // namespace vmm::control
