// The few objects and properties of QEMU's object model that programs ask for: the balloon's statistics. [QEMU
// docs/interop/virtio-balloon-stats.rst]
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "vmm/control/hmp.h"
#include "vmm/control/qmp.h"

namespace vmm::control {

QmpResult qom_list(Context& context, std::string_view path);
QmpResult qom_get(Context& context, std::string_view path, std::string_view property);
QmpResult qom_set(Context& context, std::string_view path, std::string_view property, const nlohmann::json& value);

// The same for people; what there is to print.
std::string run_qom_list(Context& context, const Arguments& arguments);
std::string run_qom_get(Context& context, const Arguments& arguments);
std::string run_qom_set(Context& context, const Arguments& arguments);

}  // namespace vmm::control
