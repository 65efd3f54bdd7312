// QMP over hostile bytes: framer, parser, checks and commands, before a machine that does nothing. Every answer is one
// JSON object of the protocol, and what is answered stays within bounds.
#include "vmm/control/qmp.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/unit/vmm/control/fake_machine.h"

namespace {

void check_answers(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    if (end == std::string_view::npos) std::abort();
    const auto answer = nlohmann::json::parse(text.substr(0, end), nullptr, false);
    if (!answer.is_object() || answer.contains("return") == answer.contains("error")) std::abort();
    text.remove_prefix(end + 2);
  }
}

}  // namespace

// The first byte says how long the pieces are, and whether a descriptor comes with each.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = (data[0] & 0x7f) == 0 ? size : data[0] & 0x7f;
  const bool sends_descriptors = (data[0] & 0x80) != 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  static core::Loop loop;
  tests::FakeMachine machine;
  machine.serve_spice();
  machine.has_balloon = size % 2 == 0;
  vmm::control::Typist typist(loop, machine.keyboard());
  vmm::control::Mouse mouse(machine.mouse());
  tests::TextOutput output;
  vmm::control::QmpSession session({machine, typist, mouse}, output);
  session.receive(R"({"execute":"qmp_capabilities"})");
  while (!input.empty()) {
    if (sends_descriptors) session.receive_descriptor(core::Fd());
    if (!session.receive(input.substr(0, piece))) break;
    input.remove_prefix(std::min(piece, input.size()));
  }
  check_answers(output.all);
  return 0;
}
