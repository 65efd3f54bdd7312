// The monitor for people: line-based, names and output as in QEMU's HMP.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/control/endpoint.h"
#include "vmm/control/typist.h"
#include "vmm/machine/machine.h"

namespace vmm::control {

// What commands of both monitors work on.
struct Context {
  machine::Machine& machine;
  Typist& typist;
};

using Arguments = std::vector<std::string>;

struct HmpCommand {
  std::string_view name;
  std::string_view arguments;  // as help shows them
  std::string_view help;
  std::size_t min_arguments = 0;
  std::size_t max_arguments = 0;
  std::string (*run)(Context& context, const Arguments& arguments) = nullptr;  // answers what to print
};

std::span<const HmpCommand> hmp_commands();
std::span<const HmpCommand> info_topics();

// Runs one line; answers its output, lines ended by "\n". Unknown commands and wrong arguments are output too.
std::string run_hmp_line(Context& context, std::string_view line);

class HmpSession final : public Session {
 public:
  HmpSession(Context& context, Output& output) : context_(context), output_(output) {}
  std::string greeting() override;
  bool receive(std::string_view bytes) override;

 private:
  static constexpr std::size_t kMaxLine = 4096;
  Context& context_;
  Output& output_;
  std::string line_;
};

}  // namespace vmm::control
