// What Tab can make of a monitor's line.
#include <algorithm>

#include "vmm/control/hmp.h"
#include "vmm/control/key_names.h"

namespace vmm::control {

namespace {

Candidates names_of(std::span<const HmpCommand> commands) {
  Candidates names;
  for (const auto& command : commands)
    names.emplace_back(command.name);
  return names;
}

// Without options: "-f" in front changes no argument's place.
std::size_t place(const Arguments& before) {
  return static_cast<std::size_t>(
      std::ranges::count_if(before, [](const auto& word) { return !word.starts_with('-'); }));
}

}  // namespace

Candidates complete_command(Context&, const Arguments& before, std::string_view) {
  return place(before) == 0 ? names_of(hmp_commands()) : Candidates{};
}

Candidates complete_topic(Context& context, const Arguments& before, std::string_view) {
  if (place(before) == 0) return names_of(info_topics());
  return before[0] == "device" ? context.machine.device_names() : Candidates{};
}

Candidates complete_drive(Context& context, const Arguments& before, std::string_view) {
  Candidates names;
  if (place(before) > 0) return names;
  for (const auto& drive : context.machine.drives())
    if (drive.removable) names.push_back(drive.name);
  return names;
}

Candidates complete_keys(Context&, const Arguments& before, std::string_view word) {
  Candidates names;
  if (place(before) > 0) return names;
  const auto dash = word.rfind('-');
  const auto held = word.substr(0, dash == std::string_view::npos ? 0 : dash + 1);
  for (const auto& key : key_names())
    names.push_back(std::string(held) + std::string(key.name));
  return names;
}

Candidates complete_set_password(Context&, const Arguments& before, std::string_view) {
  if (place(before) == 0) return {"spice"};
  return before.size() == 2 ? Candidates{"disconnect", "fail", "keep"} : Candidates{};
}

Candidates complete_set_spice(Context&, const Arguments& before, std::string_view) {
  Candidates names;
  for (const auto& option : config::spice_picture_options()) {
    if (before.empty()) names.emplace_back(option.name);
    if (before.size() == 1 && before[0] == option.name) names.assign(option.values.begin(), option.values.end());
  }
  return names;
}

Candidates complete_expire_password(Context&, const Arguments& before, std::string_view) {
  if (place(before) == 0) return {"spice"};
  return place(before) == 1 ? Candidates{"never", "now"} : Candidates{};
}

Candidates complete_hmp_line(Context& context, std::string_view text) {
  const auto blank = text.find_last_of(" \t");
  const auto word = blank == std::string_view::npos ? text : text.substr(blank + 1);
  const auto before = split_hmp_words(text.substr(0, text.size() - word.size()));
  if (!before) return {};  // inside "..."
  Candidates all;
  if (before->empty()) {
    all = names_of(hmp_commands());
  } else {
    const auto command = std::ranges::find(hmp_commands(), before->front(), &HmpCommand::name);
    if (command == hmp_commands().end() || command->complete == nullptr) return {};
    all = command->complete(context, Arguments(before->begin() + 1, before->end()), word);
  }
  std::erase_if(all, [&](const auto& candidate) { return !candidate.starts_with(word); });
  std::ranges::sort(all);
  return all;
}

}  // namespace vmm::control
