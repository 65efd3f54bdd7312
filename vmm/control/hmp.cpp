#include "vmm/control/hmp.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/format.h>
#include <optional>

#include "vmm/control/key_names.h"
#include "vmm/control/keyboard_layout.h"
#include "vmm/control/passwords.h"
#include "vmm/control/qom.h"
#include "vmm/control/screendump.h"

namespace vmm::control {

namespace {

constexpr std::string_view kPrompt = "(minivmm) ";
constexpr std::chrono::milliseconds kDefaultHold{100};

std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string outcome(const core::Result<>& result) {
  return result ? "" : fmt::format("Error: {}\n", result.error().message);
}

std::string run_help(Context&, const Arguments& arguments) {
  std::string text;
  for (const auto& command : hmp_commands()) {
    if (!arguments.empty() && command.name != arguments[0]) continue;
    text += fmt::format("{}{}{} -- {}\n", command.name, command.arguments.empty() ? "" : " ", command.arguments,
                        command.help);
  }
  if (arguments.empty() || arguments[0] == "info") {
    for (const auto& topic : info_topics())
      text += fmt::format("info {}{}{} -- {}\n", topic.name, topic.arguments.empty() ? "" : " ", topic.arguments,
                          topic.help);
  }
  return text.empty() ? fmt::format("unknown command: '{}'\n", arguments[0]) : text;
}

std::string run_info(Context& context, const Arguments& arguments) {
  if (arguments.empty()) return run_help(context, {"info"});
  const auto topic = std::ranges::find(info_topics(), arguments[0], &HmpCommand::name);
  if (topic == info_topics().end()) return fmt::format("unknown command: 'info {}'\n", arguments[0]);
  return topic->run(context, Arguments(arguments.begin() + 1, arguments.end()));
}

constexpr std::string_view kScreendumpArguments = "[-p] [-f ppm|png] FILE [DEVICE [HEAD]]";

std::string run_screendump(Context& context, const Arguments& arguments) {
  // QEMU's form, but that the file's name decides without -f; -p is our own.
  std::optional<PictureFormat> format;
  machine::ScreenshotOf what;
  std::span<const std::string> rest = arguments;
  for (; !rest.empty() && rest[0].starts_with('-'); rest = rest.subspan(1)) {
    if (rest[0] == "-p") {
      what.pointer = true;
      continue;
    }
    if (rest[0] != "-f" || rest.size() < 2) return fmt::format("usage: screendump {}\n", kScreendumpArguments);
    rest = rest.subspan(1);
    if (rest[0] != "ppm" && rest[0] != "png") return fmt::format("Error: unknown format '{}'\n", rest[0]);
    format = rest[0] == "png" ? PictureFormat::Png : PictureFormat::Ppm;
  }
  if (rest.empty() || rest.size() > 3) return fmt::format("usage: screendump {}\n", kScreendumpArguments);
  if (rest.size() > 1) what.device = rest[1];
  if (rest.size() > 2) {
    what.head = number(rest[2]);
    if (!what.head) return fmt::format("Error: '{}' is no number of a head\n", rest[2]);
  }
  const auto picture = context.machine.screenshot(what);
  if (!picture) return outcome(std::unexpected(picture.error()));
  const auto by_name = rest[0].ends_with(".png") ? PictureFormat::Png : PictureFormat::Ppm;
  return outcome(write_picture(*picture, format.value_or(by_name), rest[0]));
}

std::string run_sendkey(Context& context, const Arguments& arguments) {
  std::vector<core::KeyCode> keys;
  std::string_view rest = arguments[0];
  while (!rest.empty()) {
    const auto end = rest.find('-');
    const auto name = rest.substr(0, end);
    const auto key = key_by_name(name == "<" ? "less" : name);
    if (!key) return fmt::format("Error: unknown key: '{}'\n", name);
    keys.push_back(*key);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  auto hold = kDefaultHold;
  if (arguments.size() > 1) {
    const auto time = number(arguments[1]);
    if (!time || *time < 0 || *time > 60'000) return "Error: the hold time is 0 to 60000 ms\n";
    hold = std::chrono::milliseconds(*time);
  }
  if (keys.empty() || keys.size() > 16) return "Error: give 1 to 16 keys\n";
  return context.typist.press(std::move(keys), hold) ? "" : "Error: too many keys wait to be typed\n";
}

std::string run_type(Context& context, const Arguments& arguments) {
  constexpr std::chrono::milliseconds kHold{15};
  const auto characters = characters_of(arguments[0]);
  if (!characters) return outcome(std::unexpected(characters.error()));
  const auto layout = KeyboardLayout::load(arguments.size() > 1 ? arguments[1] : "us");
  if (!layout) return outcome(std::unexpected(layout.error()));
  std::vector<std::vector<core::KeyCode>> presses;
  for (const auto character : *characters) {
    const auto* keys = layout->keys_for(character);
    if (keys == nullptr) {
      return fmt::format("Error: this layout has no key for character {}\n", presses.size() + 1);
    }
    presses.push_back(*keys);
  }
  if (presses.size() > context.typist.room()) return "Error: too many keys wait to be typed\n";
  for (auto& keys : presses)
    context.typist.press(std::move(keys), kHold);
  return "";
}

std::string run_mouse_move(Context& context, const Arguments& arguments) {
  std::int32_t move[3] = {};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto value = number(arguments[i]);
    if (!value || *value < -10'000 || *value > 10'000) return "Error: give numbers from -10000 to 10000\n";
    move[i] = *value;
  }
  // QEMU's wheel goes up, the mouse's down.
  context.mouse.move(move[0], move[1], -move[2], context.mouse.buttons());
  return "";
}

std::string run_mouse_button(Context& context, const Arguments& arguments) {
  const auto state = number(arguments[0]);
  if (!state || *state < 0 || *state > 7) return "Error: the state is 0 to 7 (1=L, 2=M, 4=R)\n";
  std::uint8_t buttons = 0;
  if ((*state & 1) != 0) buttons |= core::kLeftButton;
  if ((*state & 2) != 0) buttons |= core::kMiddleButton;
  if ((*state & 4) != 0) buttons |= core::kRightButton;
  context.mouse.move(0, 0, 0, buttons);
  return "";
}

std::string run_eject(Context& context, const Arguments& arguments) {
  const bool force = arguments[0] == "-f";
  if (force && arguments.size() != 2) return "usage: eject [-f] DEVICE\n";
  return outcome(context.machine.eject(arguments.back(), force));
}

std::string run_change(Context& context, const Arguments& arguments) {
  const bool force = arguments[0] == "-f";
  if (arguments.size() != (force ? 3u : 2u)) return "usage: change [-f] DEVICE FILE\n";
  return outcome(context.machine.change(arguments[force ? 1 : 0], arguments.back(), force));
}

std::string run_balloon(Context& context, const Arguments& arguments) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  const auto size = number(arguments[0]);
  if (!size || *size <= 0) return "Error: give how many MiB the guest shall have left\n";
  return outcome(context.machine.set_balloon(static_cast<std::uint64_t>(*size) * kMebibyte));
}

std::string run_savevm(Context& context, const Arguments& arguments) {
  return outcome(context.machine.save(arguments[0]));
}

std::string run_loadvm(Context& context, const Arguments& arguments) {
  return outcome(context.machine.load(arguments[0]));
}

std::string run_wakeup(Context& context, const Arguments&) {
  return outcome(context.machine.wakeup());
}

std::string run_set_password(Context& context, const Arguments& arguments) {
  if (arguments[0] != "spice") return fmt::format("Error: invalid parameter value: {}\n", arguments[0]);
  const auto action = when_connected_by_name(arguments.size() > 2 ? arguments[2] : "keep");
  if (!action) return fmt::format("Error: invalid parameter value: {}\n", arguments[2]);
  return outcome(set_password(context.machine, arguments[1], *action));
}

std::string run_set_spice(Context& context, const Arguments& arguments) {
  auto pictures = context.machine.spice().pictures;
  const auto set = config::set_spice_picture(pictures, arguments[0], arguments[1]);
  return outcome(set ? context.machine.set_spice_pictures(pictures) : set);
}

std::string run_expire_password(Context& context, const Arguments& arguments) {
  if (arguments[0] != "spice") return fmt::format("Error: invalid parameter value: {}\n", arguments[0]);
  return outcome(expire_password(context.machine, arguments[1]));
}

template <void (machine::Controllable::*Action)()>
std::string run_action(Context& context, const Arguments&) {
  (context.machine.*Action)();
  return "";
}

using machine::Controllable;

constexpr HmpCommand kCommands[] = {
    {"balloon", "MEBIBYTES", "ask the guest to use only so much memory", 1, 1, run_balloon},
    {"change", "[-f] DEVICE FILE", "put another disc into a removable drive", 2, 3, run_change, complete_drive},
    {"cont", "", "resume the guest", 0, 0, run_action<&Controllable::cont>},
    {"c", "", "resume the guest", 0, 0, run_action<&Controllable::cont>},
    {"eject", "[-f] DEVICE", "take the disc out of a removable drive", 1, 2, run_eject, complete_drive},
    {"expire_password", "spice now|never|+SECONDS|TIME", "set until when clients may come with the password", 2, 2,
     run_expire_password, complete_expire_password},
    {"help", "[COMMAND]", "show this help", 0, 1, run_help, complete_command},
    {"info", "[TOPIC]", "show facts about the machine", 0, 2, run_info, complete_topic},
    {"loadvm", "FILE", "go on from a snapshot", 1, 1, run_loadvm},
    {"mouse_button", "STATE", "set the mouse buttons (1=L, 2=M, 4=R)", 1, 1, run_mouse_button},
    {"mouse_move", "DX DY [DZ]", "move the mouse", 2, 3, run_mouse_move},
    {"qom-get", "PATH PROPERTY", "show a property", 2, 2, run_qom_get},
    {"qom-list", "[PATH]", "show the objects and properties there are", 0, 1, run_qom_list},
    {"qom-set", "PATH PROPERTY VALUE", "set a property, like balloon0 guest-stats-polling-interval 2", 3, 3,
     run_qom_set},
    {"quit", "", "end minivmm", 0, 0, run_action<&Controllable::quit>},
    {"q", "", "end minivmm", 0, 0, run_action<&Controllable::quit>},
    {"savevm", "FILE", "save the whole machine as a snapshot", 1, 1, run_savevm},
    {"screendump", kScreendumpArguments,
     "save what a display or one of its monitors shows as a picture, with -p the pointer in it", 1, 6, run_screendump},
    {"sendkey", "KEYS [HOLD_MS]", "press keys, like ctrl-alt-delete", 1, 2, run_sendkey, complete_keys},
    {"set_password", "spice PASSWORD [keep|disconnect|fail]",
     "set what clients must give; those who are connected stay, leave, or keep it from happening", 2, 3,
     run_set_password, complete_set_password},
    {"set_spice", "SETTING VALUE", "set how pictures are sent from now on, like image-compression lz (see info spice)",
     2, 2, run_set_spice, complete_set_spice},
    {"stop", "", "pause the guest", 0, 0, run_action<&Controllable::stop>},
    {"s", "", "pause the guest", 0, 0, run_action<&Controllable::stop>},
    {"system_powerdown", "", "press the power button, which also wakes a suspended guest", 0, 0,
     run_action<&Controllable::powerdown>},
    {"system_reset", "", "reset the machine", 0, 0, run_action<&Controllable::reset>},
    {"system_wakeup", "", "wake a guest that is suspended to RAM", 0, 0, run_wakeup},
    {"type", "TEXT [LAYOUT]", "type a text, on a keyboard of this layout: us, de, de(nodeadkeys)...", 1, 2, run_type},
};

}  // namespace

std::span<const HmpCommand> hmp_commands() {
  return kCommands;
}

std::optional<Arguments> split_hmp_words(std::string_view line) {
  Arguments words;
  bool quoted = false;
  bool in_word = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (!quoted && (c == ' ' || c == '\t')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted && c == '\\' && i + 1 < line.size()) {
      const char escaped = line[++i];
      words.back() += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
    } else {
      words.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return words;
}

std::string run_hmp_line(Context& context, std::string_view line) {
  const auto words = split_hmp_words(line);
  if (!words) return "unterminated string\n";
  if (words->empty()) return "";
  const auto& name = words->front();
  const auto command = std::ranges::find(hmp_commands(), name == "?" ? "help" : name, &HmpCommand::name);
  if (command == hmp_commands().end()) return fmt::format("unknown command: '{}'\n", name);
  const Arguments arguments(words->begin() + 1, words->end());
  if (arguments.size() < command->min_arguments || arguments.size() > command->max_arguments) {
    return fmt::format("usage: {} {}\n", command->name, command->arguments);
  }
  return command->run(context, arguments);
}

HmpSession::HmpSession(Context& context, Output& output)
    : editor_(std::string(kPrompt),
              {.print = [&output](std::string_view text) { output.send(text); },
               .on_line = [&context](const std::string& line) { return run_hmp_line(context, line); },
               .complete = [&context](std::string_view text) { return complete_hmp_line(context, text); }}) {
  if (output.take_keys()) editor_.begin_editing();
}

std::string HmpSession::greeting() {
  return fmt::format("minivmm {} monitor - type 'help' for more information\n{}", MINIVMM_VERSION, kPrompt);
}

}  // namespace vmm::control
