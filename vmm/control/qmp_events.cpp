// QMP events: QEMU's names and members.
#include <nlohmann/json.hpp>

#include "vmm/control/qmp.h"
#include "vmm/control/qmp_api.h"

namespace vmm::control {

using machine::Event;
using machine::EventKind;
using nlohmann::json;

namespace {

json no_data(const Event&) {
  return nullptr;
}

json cause(const Event& event) {
  return {{"guest", event.by_guest}, {"reason", event.reason}};
}

json panic_action(const Event& event) {
  return {{"action", event.reason}};
}

json tray(const Event& event) {
  return {{"device", event.device}, {"id", event.device}, {"tray-open", event.tray_open}};
}

json balloon(const Event& event) {
  return {{"actual", event.bytes}};
}

json peer_object(const machine::SpicePeer& peer) {
  return {{"host", peer.host}, {"port", peer.port}, {"family", peer.family}};
}

json both_ends(const Event& event) {
  return {{"client", peer_object(event.client)}, {"server", peer_object(event.server)}};
}

json initialized(const Event& event) {
  auto data = both_ends(event);
  data["client"]["connection-id"] = event.connection_id;
  data["client"]["channel-type"] = event.channel_type;
  data["client"]["channel-id"] = event.channel_id;
  data["client"]["tls"] = event.tls;
  data["server"]["auth"] = event.reason;
  return data;
}

json new_owner(const Event& event) {
  return {{"client", peer_object(event.client)}, {"connection-id", event.connection_id}};
}

constexpr QmpEvent kEvents[] = {
    {EventKind::Stop, "STOP", &kNothing, no_data},
    {EventKind::Resume, "RESUME", &kNothing, no_data},
    {EventKind::Reset, "RESET", &api::kResetArg, cause},
    {EventKind::Powerdown, "POWERDOWN", &kNothing, no_data},
    {EventKind::Suspend, "SUSPEND", &kNothing, no_data},
    {EventKind::SuspendDisk, "SUSPEND_DISK", &kNothing, no_data},
    {EventKind::Wakeup, "WAKEUP", &kNothing, no_data},
    {EventKind::Shutdown, "SHUTDOWN", &api::kShutdownArg, cause},
    {EventKind::GuestPanicked, "GUEST_PANICKED", &api::kPanicArg, panic_action},
    {EventKind::GuestCrashLoaded, "GUEST_CRASHLOADED", &api::kCrashLoadedArg, panic_action},
    {EventKind::TrayMoved, "DEVICE_TRAY_MOVED", &api::kTrayArg, tray},
    {EventKind::BalloonChange, "BALLOON_CHANGE", &api::kBalloon, balloon},
    {EventKind::SpiceConnected, "SPICE_CONNECTED", &api::kConnectedArg, both_ends},
    {EventKind::SpiceInitialized, "SPICE_INITIALIZED", &api::kInitializedArg, initialized},
    {EventKind::SpiceDisconnected, "SPICE_DISCONNECTED", &api::kDisconnectedArg, both_ends},
    // Our own: what only one client can have passed to this one.
    {EventKind::SpiceOwnerChanged, "SPICE_OWNER_CHANGED", &api::kOwnerArg, new_owner},
};

}  // namespace

std::span<const QmpEvent> qmp_events() {
  return kEvents;
}

}  // namespace vmm::control
