// The monitor for programs: QMP, with QEMU's names and shapes.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "vmm/control/endpoint.h"
#include "vmm/control/hmp.h"
#include "vmm/control/json_framer.h"

namespace vmm::control {

// A command's failure as QMP reports it: error class and text.
struct QmpError {
  std::string_view error_class = "GenericError";
  std::string description;
};

using QmpResult = std::expected<nlohmann::json, QmpError>;

struct QmpCommand {
  std::string_view name;
  QmpResult (*run)(Context& context, const nlohmann::json& arguments) = nullptr;
};

std::span<const QmpCommand> qmp_commands();

class QmpSession final : public Session {
 public:
  QmpSession(Context& context, Output& output) : context_(context), output_(output) {}
  std::string greeting() override;
  bool receive(std::string_view bytes) override;
  // Sent once capabilities are negotiated.
  void notify(const machine::Event& event);

 private:
  void execute(std::string_view text);
  QmpResult dispatch(const nlohmann::json& request);

  Context& context_;
  Output& output_;
  JsonFramer framer_;
  bool negotiated_ = false;
};

}  // namespace vmm::control
