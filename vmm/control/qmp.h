// The monitor for programs: QMP, with QEMU's names and shapes. [QEMU docs/interop/qmp-spec.rst]
//
// One table has every command with the types of its arguments and answer; what is dispatched, checked and told by
// query-commands and query-qmp-schema comes from it. Deliberately missing: out-of-band execution, quotes other than "".
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "vmm/control/context.h"
#include "vmm/control/endpoint.h"
#include "vmm/control/json_framer.h"
#include "vmm/control/passed_descriptors.h"
#include "vmm/control/qmp_types.h"

namespace vmm::control {

// A command's failure as QMP reports it: error class and text.
struct QmpError {
  std::string_view error_class = "GenericError";
  std::string description;
};

using QmpResult = std::expected<nlohmann::json, QmpError>;

struct QmpCommand {
  std::string_view name;
  const Type* arguments = nullptr;
  const Type* answer = nullptr;
  // The arguments are as their type says. nullptr: the session's own.
  QmpResult (*run)(Context& context, const nlohmann::json& arguments) = nullptr;
};

struct QmpEvent {
  machine::EventKind kind{};
  std::string_view name;
  const Type* data = nullptr;  // nothing: events without members have none
  nlohmann::json (*describe)(const machine::Event& event) = nullptr;
};

std::span<const QmpCommand> qmp_commands();
std::span<const QmpEvent> qmp_events();
// What query-qmp-schema answers.
nlohmann::json qmp_schema();
nlohmann::json qmp_version();

class QmpSession final : public Session {
 public:
  QmpSession(const Context& context, Output& output)
      : context_{context.machine, context.typist, context.mouse, &descriptors_}, output_(output) {}
  std::string greeting() override;
  bool receive(std::string_view bytes) override;
  void receive_descriptor(core::Fd descriptor) override { descriptors_.offer(std::move(descriptor)); }
  // Sent once capabilities are negotiated.
  void notify(const machine::Event& event);

 private:
  void execute(std::string_view text);
  QmpResult dispatch(const nlohmann::json& request);
  QmpResult negotiate(const nlohmann::json& arguments);

  PassedDescriptors descriptors_;
  Context context_;
  Output& output_;
  JsonFramer framer_;
  bool negotiated_ = false;
};

}  // namespace vmm::control
