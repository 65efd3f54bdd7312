// Parts of the QMP command table that fill files of their own, and what they share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/base/result.h"
#include "vmm/control/qmp.h"

namespace vmm::control {

std::unexpected<QmpError> refuse(std::string description, std::string_view error_class = "GenericError");
QmpResult done(const core::Result<>& result);
// An argument that must be there and is a string.
const std::string& text(const nlohmann::json& arguments, const char* name);

QmpResult run_send_key(Context& context, const nlohmann::json& arguments);
QmpResult run_input_send_event(Context& context, const nlohmann::json& arguments);

QmpResult query_spice(Context& context, const nlohmann::json& arguments);
QmpResult query_spice_clients(Context& context, const nlohmann::json& arguments);
QmpResult query_spice_stats(Context& context, const nlohmann::json& arguments);
QmpResult query_spice_settings(Context& context, const nlohmann::json& arguments);
QmpResult run_set_spice(Context& context, const nlohmann::json& arguments);
QmpResult run_set_password(Context& context, const nlohmann::json& arguments);
QmpResult run_expire_password(Context& context, const nlohmann::json& arguments);
QmpResult run_getfd(Context& context, const nlohmann::json& arguments);
QmpResult run_closefd(Context& context, const nlohmann::json& arguments);
QmpResult run_add_client(Context& context, const nlohmann::json& arguments);

}  // namespace vmm::control
