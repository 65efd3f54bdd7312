// The monitor for people: line-based, names and output as in QEMU's HMP.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/control/context.h"
#include "vmm/control/endpoint.h"
#include "vmm/control/line_editor.h"

namespace vmm::control {

using Arguments = std::vector<std::string>;
using Candidates = std::vector<std::string>;

struct HmpCommand {
  std::string_view name;
  std::string_view arguments;  // as help shows them
  std::string_view help;
  std::size_t min_arguments = 0;
  std::size_t max_arguments = 0;
  std::string (*run)(Context& context, const Arguments& arguments) = nullptr;  // answers what to print
  // What the argument behind `before` may be, of which `word` is typed; others are left out by the caller.
  Candidates (*complete)(Context& context, const Arguments& before, std::string_view word) = nullptr;
};

std::span<const HmpCommand> hmp_commands();
std::span<const HmpCommand> info_topics();

// Runs one line; answers its output, lines ended by "\n". Unknown commands and wrong arguments are output too.
std::string run_hmp_line(Context& context, std::string_view line);

// Words separated by blanks; "..." keeps blanks; in it \n and \t are newline and tab, \" and \\ themselves. nullopt: a
// " is open.
std::optional<Arguments> split_hmp_words(std::string_view line);

// What the last word of this line can become, in order.
Candidates complete_hmp_line(Context& context, std::string_view text);
Candidates complete_command(Context& context, const Arguments& before, std::string_view word);
Candidates complete_topic(Context& context, const Arguments& before, std::string_view word);
Candidates complete_drive(Context& context, const Arguments& before, std::string_view word);
Candidates complete_keys(Context& context, const Arguments& before, std::string_view word);
Candidates complete_set_password(Context& context, const Arguments& before, std::string_view word);
Candidates complete_set_spice(Context& context, const Arguments& before, std::string_view word);
Candidates complete_expire_password(Context& context, const Arguments& before, std::string_view word);

class HmpSession final : public Session {
 public:
  HmpSession(Context& context, Output& output);
  std::string greeting() override;
  bool receive(std::string_view bytes) override { return editor_.feed(bytes); }

 private:
  LineEditor editor_;
};

}  // namespace vmm::control
