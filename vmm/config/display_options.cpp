// --display. Names and values are those of QEMU's -display sdl.
#include <algorithm>
#include <iterator>

#include "vmm/config/key_values.h"
#include "vmm/config/options.h"

namespace vmm::config {

namespace {

struct Switch {
  std::string_view name;
  bool WindowConfig::* member;
};

constexpr Switch kSwitches[] = {
    {"full-screen", &WindowConfig::full_screen},
    {"window-close", &WindowConfig::close_ends},
    {"show-cursor", &WindowConfig::shows_arrow},
};

core::Result<> apply_kind(WindowConfig& window, std::string_view kind) {
  if (kind != "none" && kind != "sdl") return core::fail("\"{}\" is not one of none, sdl", kind);
  window.enabled = kind == "sdl";
  return {};
}

core::Result<> apply_grab_keys(WindowConfig& window, std::string_view keys) {
  constexpr std::pair<std::string_view, GrabKeys> kKeys[] = {{"lctrl-lalt", GrabKeys::LeftCtrlAlt},
                                                             {"lshift-lctrl-lalt", GrabKeys::LeftShiftCtrlAlt},
                                                             {"rctrl", GrabKeys::RightCtrl}};
  const auto* const found = std::ranges::find(kKeys, keys, &std::pair<std::string_view, GrabKeys>::first);
  if (found == std::end(kKeys))
    return core::fail("grab-mod: \"{}\" is not one of lctrl-lalt, lshift-lctrl-lalt, rctrl", keys);
  window.grab_keys = found->second;
  return {};
}

}  // namespace

core::Result<> apply_display(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "type");
  if (!pairs) return std::unexpected(pairs.error());
  WindowConfig window;
  for (const auto& pair : *pairs) {
    if (pair.key == "type") {
      if (auto applied = apply_kind(window, pair.value); !applied) return applied;
      continue;
    }
    if (pair.key == "grab-mod") {
      if (auto applied = apply_grab_keys(window, pair.value); !applied) return applied;
      continue;
    }
    const auto* const known = std::ranges::find(kSwitches, pair.key, &Switch::name);
    if (known == std::end(kSwitches))
      return core::fail("\"{}\" is not one of full-screen, window-close, show-cursor, grab-mod", pair.key);
    const auto on = parse_switch(pair);
    if (!on) return std::unexpected(on.error());
    window.*known->member = *on;
  }
  config.window = window;
  return {};
}

}  // namespace vmm::config
