// What QMP commands take and answer and what events say, with QEMU's names. Members that QEMU has and we do not are
// left out: the schema tells what there is. [QEMU qapi/*.json]
#pragma once

#include "vmm/config/spice_pictures.h"
#include "vmm/control/key_names.h"
#include "vmm/control/qmp_types.h"

namespace vmm::control::api {

// Of many commands

inline constexpr std::string_view kOnlySpice[] = {"spice"};
inline constexpr Type kDisplayProtocol = enumeration("DisplayProtocol", kOnlySpice);

// Session

inline constexpr std::string_view kCapabilityNames[] = {"oob"};
inline constexpr Type kCapability = enumeration("QMPCapability", kCapabilityNames);
inline constexpr Type kCapabilities = array_of(kCapability);
inline constexpr Member kCapabilitiesMembers[] = {{"enable", &kCapabilities, true}};
inline constexpr Type kCapabilitiesArg = object("qmp_capabilities-arg", kCapabilitiesMembers);

inline constexpr Member kCommandInfoMembers[] = {{"name", &kString}};
inline constexpr Type kCommandInfo = object("CommandInfo", kCommandInfoMembers);
inline constexpr Type kCommandInfos = array_of(kCommandInfo);

inline constexpr Member kVersionTripleMembers[] = {{"major", &kInteger}, {"minor", &kInteger}, {"micro", &kInteger}};
inline constexpr Type kVersionTriple = object("VersionTriple", kVersionTripleMembers);
inline constexpr Member kVersionInfoMembers[] = {{"qemu", &kVersionTriple}, {"package", &kString}};
inline constexpr Type kVersionInfo = object("VersionInfo", kVersionInfoMembers);

inline constexpr Member kHmpMembers[] = {{"command-line", &kString}, {"cpu-index", &kInteger, true}};
inline constexpr Type kHmpArg = object("human-monitor-command-arg", kHmpMembers);

// Introspection

inline constexpr std::string_view kMetaTypeNames[] = {"builtin", "enum", "array", "object", "command", "event"};
inline constexpr Type kMetaType = enumeration("SchemaMetaType", kMetaTypeNames);
inline constexpr std::string_view kJsonTypeNames[] = {"string", "int", "boolean", "value"};
inline constexpr Type kJsonType = enumeration("JSONType", kJsonTypeNames);
inline constexpr Member kSchemaBuiltinMembers[] = {{"json-type", &kJsonType}};
inline constexpr Type kSchemaBuiltin = object("SchemaInfoBuiltin", kSchemaBuiltinMembers);
inline constexpr Member kSchemaEnumMemberMembers[] = {{"name", &kString}};
inline constexpr Type kSchemaEnumMember = object("SchemaInfoEnumMember", kSchemaEnumMemberMembers);
inline constexpr Type kSchemaEnumMemberList = array_of(kSchemaEnumMember);
inline constexpr Type kStrings = array_of(kString);
inline constexpr Member kSchemaEnumMembers[] = {{"members", &kSchemaEnumMemberList}, {"values", &kStrings}};
inline constexpr Type kSchemaEnum = object("SchemaInfoEnum", kSchemaEnumMembers);
inline constexpr Member kSchemaArrayMembers[] = {{"element-type", &kString}};
inline constexpr Type kSchemaArray = object("SchemaInfoArray", kSchemaArrayMembers);
inline constexpr Member kSchemaMemberMembers[] = {{"name", &kString}, {"type", &kString}, {"default", &kAny, true}};
inline constexpr Type kSchemaMember = object("SchemaInfoObjectMember", kSchemaMemberMembers);
inline constexpr Type kSchemaMemberList = array_of(kSchemaMember);
inline constexpr Member kSchemaVariantMembers[] = {{"case", &kString}, {"type", &kString}};
inline constexpr Type kSchemaVariant = object("SchemaInfoObjectVariant", kSchemaVariantMembers);
inline constexpr Type kSchemaVariantList = array_of(kSchemaVariant);
inline constexpr Member kSchemaObjectMembers[] = {
    {"members", &kSchemaMemberList}, {"tag", &kString, true}, {"variants", &kSchemaVariantList, true}};
inline constexpr Type kSchemaObject = object("SchemaInfoObject", kSchemaObjectMembers);
inline constexpr Member kSchemaCommandMembers[] = {{"arg-type", &kString}, {"ret-type", &kString}};
inline constexpr Type kSchemaCommand = object("SchemaInfoCommand", kSchemaCommandMembers);
inline constexpr Member kSchemaEventMembers[] = {{"arg-type", &kString}};
inline constexpr Type kSchemaEvent = object("SchemaInfoEvent", kSchemaEventMembers);
inline constexpr Member kSchemaInfoMembers[] = {{"name", &kString}, {"meta-type", &kMetaType}};
inline constexpr Variant kSchemaInfoVariants[] = {{"builtin", &kSchemaBuiltin}, {"enum", &kSchemaEnum},
                                                  {"array", &kSchemaArray},     {"object", &kSchemaObject},
                                                  {"command", &kSchemaCommand}, {"event", &kSchemaEvent}};
inline constexpr Type kSchemaInfo = tagged("SchemaInfo", kSchemaInfoMembers, "meta-type", kSchemaInfoVariants);
inline constexpr Type kSchemaInfos = array_of(kSchemaInfo);

// The machine

inline constexpr std::string_view kRunStateNames[] = {"prelaunch",      "running",        "suspended", "paused",
                                                      "internal-error", "guest-panicked", "shutdown"};
inline constexpr Type kRunState = enumeration("RunState", kRunStateNames);
inline constexpr Member kStatusMembers[] = {{"running", &kBoolean}, {"singlestep", &kBoolean}, {"status", &kRunState}};
inline constexpr Type kStatus = object("StatusInfo", kStatusMembers);

inline constexpr Member kNameMembers[] = {{"name", &kString, true}};
inline constexpr Type kName = object("NameInfo", kNameMembers);
inline constexpr Member kUuidMembers[] = {{"UUID", &kString}};
inline constexpr Type kUuid = object("UuidInfo", kUuidMembers);
inline constexpr Member kKvmMembers[] = {{"enabled", &kBoolean}, {"present", &kBoolean}};
inline constexpr Type kKvm = object("KvmInfo", kKvmMembers);
inline constexpr Member kCurrentMachineMembers[] = {{"wakeup-suspend-support", &kBoolean}, {"acpi", &kBoolean}};
inline constexpr Type kCurrentMachine = object("CurrentMachineParams", kCurrentMachineMembers);
inline constexpr Member kCpuMembers[] = {{"cpu-index", &kInteger}, {"qom-path", &kString}, {"target", &kString}};
inline constexpr Type kCpu = object("CpuInfoFast", kCpuMembers);
inline constexpr Type kCpus = array_of(kCpu);

inline constexpr Member kPciClassMembers[] = {{"class", &kInteger}};
inline constexpr Type kPciClass = object("PciDeviceClass", kPciClassMembers);
inline constexpr Member kPciIdMembers[] = {{"device", &kInteger},
                                           {"vendor", &kInteger},
                                           {"subsystem", &kInteger, true},
                                           {"subsystem-vendor", &kInteger, true}};
inline constexpr Type kPciId = object("PciDeviceId", kPciIdMembers);
inline constexpr Member kPciRegionMembers[] = {{"bar", &kInteger},
                                               {"type", &kString},
                                               {"address", &kInteger},
                                               {"size", &kInteger},
                                               {"prefetch", &kBoolean, true},
                                               {"mem_type_64", &kBoolean, true}};
inline constexpr Type kPciRegion = object("PciMemoryRegion", kPciRegionMembers);
inline constexpr Type kPciRegions = array_of(kPciRegion);
inline constexpr Member kPciDeviceMembers[] = {
    {"bus", &kInteger},         {"slot", &kInteger},   {"function", &kInteger},
    {"class_info", &kPciClass}, {"id", &kPciId},       {"irq", &kInteger, true},
    {"irq_pin", &kInteger},     {"qdev_id", &kString}, {"regions", &kPciRegions}};
inline constexpr Type kPciDevice = object("PciDeviceInfo", kPciDeviceMembers);
inline constexpr Type kPciDevices = array_of(kPciDevice);
inline constexpr Member kPciMembers[] = {{"bus", &kInteger}, {"devices", &kPciDevices}};
inline constexpr Type kPci = object("PciInfo", kPciMembers);
inline constexpr Type kPciBuses = array_of(kPci);

// Disks

inline constexpr Member kBlockMediumMembers[] = {
    {"file", &kString}, {"drv", &kString}, {"ro", &kBoolean}, {"encrypted", &kBoolean}};
inline constexpr Type kBlockMedium = object("BlockDeviceInfo", kBlockMediumMembers);
inline constexpr Member kBlockMembers[] = {{"device", &kString},           {"type", &kString},
                                           {"removable", &kBoolean},       {"locked", &kBoolean},
                                           {"tray_open", &kBoolean, true}, {"inserted", &kBlockMedium, true}};
inline constexpr Type kBlock = object("BlockInfo", kBlockMembers);
inline constexpr Type kBlocks = array_of(kBlock);
inline constexpr Member kEjectMembers[] = {
    {"device", &kString, true}, {"id", &kString, true}, {"force", &kBoolean, true}};
inline constexpr Type kEjectArg = object("eject-arg", kEjectMembers);
inline constexpr Member kChangeMembers[] = {
    {"device", &kString, true}, {"id", &kString, true}, {"filename", &kString}, {"force", &kBoolean, true}};
inline constexpr Type kChangeArg = object("blockdev-change-medium-arg", kChangeMembers);

// The balloon and the object model

inline constexpr Member kBalloonArgMembers[] = {{"value", &kInteger}};
inline constexpr Type kBalloonArg = object("balloon-arg", kBalloonArgMembers);
inline constexpr Member kBalloonMembers[] = {{"actual", &kInteger}};
inline constexpr Type kBalloon = object("BalloonInfo", kBalloonMembers);
inline constexpr Member kQomListMembers[] = {{"path", &kString}};
inline constexpr Type kQomListArg = object("qom-list-arg", kQomListMembers);
inline constexpr Member kQomGetMembers[] = {{"path", &kString}, {"property", &kString}};
inline constexpr Type kQomGetArg = object("qom-get-arg", kQomGetMembers);
inline constexpr Member kQomSetMembers[] = {{"path", &kString}, {"property", &kString}, {"value", &kAny}};
inline constexpr Type kQomSetArg = object("qom-set-arg", kQomSetMembers);
inline constexpr Member kPropertyMembers[] = {{"name", &kString}, {"type", &kString}};
inline constexpr Type kProperty = object("ObjectPropertyInfo", kPropertyMembers);
inline constexpr Type kProperties = array_of(kProperty);

// Screen and input

inline constexpr std::string_view kImageFormatNames[] = {"ppm", "png"};
inline constexpr Type kImageFormat = enumeration("ImageFormat", kImageFormatNames);
inline constexpr Member kScreendumpMembers[] = {{"filename", &kString},
                                                {"device", &kString, true},
                                                {"head", &kInteger, true},
                                                {"format", &kImageFormat, true},
                                                {"pointer", &kBoolean, true}};
inline constexpr Type kScreendumpArg = object("screendump-arg", kScreendumpMembers);

inline constexpr Type kQKeyCode{.kind = Type::Kind::Enumeration, .name = "QKeyCode", .listed_values = [] {
                                  std::vector<std::string_view> names;
                                  for (const auto& key : key_names())
                                    names.push_back(key.name);
                                  return names;
                                }};
inline constexpr std::string_view kKeyKindNames[] = {"number", "qcode"};
inline constexpr Type kKeyKind = enumeration("KeyValueKind", kKeyKindNames);
inline constexpr Member kKeyNumberMembers[] = {{"data", &kInteger}};
inline constexpr Type kKeyNumber = object("IntWrapper", kKeyNumberMembers);
inline constexpr Member kKeyCodeMembers[] = {{"data", &kQKeyCode}};
inline constexpr Type kKeyCode = object("QKeyCodeWrapper", kKeyCodeMembers);
inline constexpr Member kKeyMembers[] = {{"type", &kKeyKind}};
inline constexpr Variant kKeyVariants[] = {{"number", &kKeyNumber}, {"qcode", &kKeyCode}};
inline constexpr Type kKey = tagged("KeyValue", kKeyMembers, "type", kKeyVariants);
inline constexpr Type kKeys = array_of(kKey);
inline constexpr Member kSendKeyMembers[] = {{"keys", &kKeys}, {"hold-time", &kInteger, true}};
inline constexpr Type kSendKeyArg = object("send-key-arg", kSendKeyMembers);

inline constexpr std::string_view kButtonNames[] = {"left",       "middle", "right", "wheel-up",
                                                    "wheel-down", "side",   "extra"};
inline constexpr Type kButton = enumeration("InputButton", kButtonNames);
inline constexpr std::string_view kAxisNames[] = {"x", "y"};
inline constexpr Type kAxis = enumeration("InputAxis", kAxisNames);
inline constexpr Member kKeyEventMembers[] = {{"key", &kKey}, {"down", &kBoolean}};
inline constexpr Type kKeyEvent = object("InputKeyEvent", kKeyEventMembers);
inline constexpr Member kButtonEventMembers[] = {{"button", &kButton}, {"down", &kBoolean}};
inline constexpr Type kButtonEvent = object("InputBtnEvent", kButtonEventMembers);
inline constexpr Member kMoveEventMembers[] = {{"axis", &kAxis}, {"value", &kInteger}};
inline constexpr Type kMoveEvent = object("InputMoveEvent", kMoveEventMembers);
inline constexpr Member kKeyWrapperMembers[] = {{"data", &kKeyEvent}};
inline constexpr Type kKeyWrapper = object("InputKeyEventWrapper", kKeyWrapperMembers);
inline constexpr Member kButtonWrapperMembers[] = {{"data", &kButtonEvent}};
inline constexpr Type kButtonWrapper = object("InputBtnEventWrapper", kButtonWrapperMembers);
inline constexpr Member kMoveWrapperMembers[] = {{"data", &kMoveEvent}};
inline constexpr Type kMoveWrapper = object("InputMoveEventWrapper", kMoveWrapperMembers);
inline constexpr std::string_view kInputKindNames[] = {"key", "btn", "rel"};
inline constexpr Type kInputKind = enumeration("InputEventKind", kInputKindNames);
inline constexpr Member kInputEventMembers[] = {{"type", &kInputKind}};
inline constexpr Variant kInputEventVariants[] = {
    {"key", &kKeyWrapper}, {"btn", &kButtonWrapper}, {"rel", &kMoveWrapper}};
inline constexpr Type kInputEvent = tagged("InputEvent", kInputEventMembers, "type", kInputEventVariants);
inline constexpr Type kInputEvents = array_of(kInputEvent);
inline constexpr Member kInputSendMembers[] = {
    {"device", &kString, true}, {"head", &kInteger, true}, {"events", &kInputEvents}};
inline constexpr Type kInputSendArg = object("input-send-event-arg", kInputSendMembers);

// SPICE

inline constexpr std::string_view kFamilyNames[] = {"ipv4", "ipv6", "unix", "unknown"};
inline constexpr Type kFamily = enumeration("NetworkAddressFamily", kFamilyNames);
inline constexpr std::string_view kMouseModeNames[] = {"client", "server", "unknown"};
inline constexpr Type kMouseMode = enumeration("SpiceQueryMouseMode", kMouseModeNames);
inline constexpr Member kSpicePeerMembers[] = {{"host", &kString}, {"port", &kString}, {"family", &kFamily}};
inline constexpr Type kSpicePeer = object("SpiceBasicInfo", kSpicePeerMembers);
inline constexpr Member kSpiceServerMembers[] = {
    {"host", &kString}, {"port", &kString}, {"family", &kFamily}, {"auth", &kString, true}};
inline constexpr Type kSpiceServer = object("SpiceServerInfo", kSpiceServerMembers);
inline constexpr Member kSpiceChannelMembers[] = {
    {"host", &kString},          {"port", &kString},        {"family", &kFamily}, {"connection-id", &kInteger},
    {"channel-type", &kInteger}, {"channel-id", &kInteger}, {"tls", &kBoolean}};
inline constexpr Type kSpiceChannel = object("SpiceChannel", kSpiceChannelMembers);
inline constexpr Type kSpiceChannels = array_of(kSpiceChannel);
inline constexpr Member kSpiceMembers[] = {{"enabled", &kBoolean},
                                           {"migrated", &kBoolean},
                                           {"host", &kString, true},
                                           {"port", &kInteger, true},
                                           {"tls-port", &kInteger, true},
                                           {"auth", &kString, true},
                                           {"compiled-version", &kString, true},
                                           {"mouse-mode", &kMouseMode},
                                           {"channels", &kSpiceChannels, true}};
inline constexpr Type kSpice = object("SpiceInfo", kSpiceMembers);

// Our own: who is there, in which role, and how their lines do.
inline constexpr Member kSpiceLineMembers[] = {{"channel-type", &kInteger},
                                               {"channel-id", &kInteger},
                                               {"tls", &kBoolean},
                                               {"bytes-sent", &kInteger, true},
                                               {"bytes-received", &kInteger, true},
                                               {"bytes-queued", &kInteger, true},
                                               {"round-trip-us", &kInteger, true},
                                               {"bytes-per-second", &kInteger, true}};
inline constexpr Type kSpiceLine = object("SpiceClientChannel", kSpiceLineMembers);
inline constexpr Type kSpiceLines = array_of(kSpiceLine);
inline constexpr Member kSpiceClientMembers[] = {
    {"host", &kString},   {"port", &kString},       {"family", &kFamily},      {"connection-id", &kInteger},
    {"owner", &kBoolean}, {"view-only", &kBoolean}, {"channels", &kSpiceLines}};
inline constexpr Type kSpiceClient = object("SpiceClient", kSpiceClientMembers);
inline constexpr Type kSpiceClients = array_of(kSpiceClient);

// Our own: what each client was sent so far, and what waits.
inline constexpr Member kSpiceMethodMembers[] = {{"name", &kString},
                                                 {"images", &kInteger},
                                                 {"bytes-raw", &kInteger},
                                                 {"bytes-sent", &kInteger},
                                                 {"encoder-us", &kInteger}};
inline constexpr Type kSpiceMethod = object("SpiceMethodStats", kSpiceMethodMembers);
inline constexpr Type kSpiceMethods = array_of(kSpiceMethod);
inline constexpr Member kSpiceVideoMembers[] = {{"streams", &kInteger},         {"frames", &kInteger},
                                                {"frames-left-out", &kInteger}, {"frames-replaced", &kInteger},
                                                {"bytes-sent", &kInteger},      {"encoder-us", &kInteger}};
inline constexpr Type kSpiceVideo = object("SpiceVideoStats", kSpiceVideoMembers);
inline constexpr Member kSpiceQueueMembers[] = {
    {"drawings", &kInteger}, {"drawing-bytes", &kInteger}, {"pixels", &kInteger}};
inline constexpr Type kSpiceQueue = object("SpiceQueueStats", kSpiceQueueMembers);
inline constexpr Member kSpiceDisplayMembers[] = {{"methods", &kSpiceMethods}, {"cache-hits", &kInteger},
                                                  {"cache-misses", &kInteger}, {"cache-drops", &kInteger},
                                                  {"video", &kSpiceVideo},     {"queue", &kSpiceQueue}};
inline constexpr Type kSpiceDisplay = object("SpiceDisplayStats", kSpiceDisplayMembers);
inline constexpr Member kSpiceChannelStatsMembers[] = {{"channel-type", &kInteger},
                                                       {"channel-id", &kInteger},
                                                       {"tls", &kBoolean},
                                                       {"bytes-sent", &kInteger, true},
                                                       {"bytes-received", &kInteger, true},
                                                       {"bytes-queued", &kInteger, true},
                                                       {"round-trip-us", &kInteger, true},
                                                       {"bytes-per-second", &kInteger, true},
                                                       {"display", &kSpiceDisplay, true}};
inline constexpr Type kSpiceChannelStats = object("SpiceChannelStats", kSpiceChannelStatsMembers);
inline constexpr Type kSpiceChannelStatsList = array_of(kSpiceChannelStats);
inline constexpr Member kSpiceClientStatsMembers[] = {{"connection-id", &kInteger},
                                                      {"bytes-sent", &kInteger},
                                                      {"bytes-received", &kInteger},
                                                      {"line-bit-rate", &kInteger, true},
                                                      {"channels", &kSpiceChannelStatsList}};
inline constexpr Type kSpiceClientStats = object("SpiceClientStats", kSpiceClientStatsMembers);
inline constexpr Type kSpiceStats = array_of(kSpiceClientStats);

// Our own: how pictures are sent. What set-spice is not given stays as it is.
inline constexpr Type kSpiceCompression = enumeration("SpiceImageCompression", config::kSpiceCompressionNames);
inline constexpr Type kSpiceOnSlowLines = enumeration("SpiceWanCompression", config::kSpiceOnSlowLinesNames);
inline constexpr Type kSpiceStreaming = enumeration("SpiceStreamingVideo", config::kSpiceStreamingNames);
inline constexpr Member kSetSpiceMembers[] = {{"image-compression", &kSpiceCompression, true},
                                              {"jpeg-wan-compression", &kSpiceOnSlowLines, true},
                                              {"streaming-video", &kSpiceStreaming, true},
                                              {"zlib-glz-wan-compression", &kSpiceOnSlowLines, true}};
inline constexpr Type kSetSpiceArg = object("set-spice-arg", kSetSpiceMembers);
inline constexpr Member kSpiceSettingsMembers[] = {{"image-compression", &kSpiceCompression},
                                                   {"jpeg-wan-compression", &kSpiceOnSlowLines},
                                                   {"streaming-video", &kSpiceStreaming},
                                                   {"zlib-glz-wan-compression", &kSpiceOnSlowLines}};
inline constexpr Type kSpiceSettings = object("SpiceSettings", kSpiceSettingsMembers);

inline constexpr std::string_view kWhenConnectedNames[] = {"keep", "fail", "disconnect"};
inline constexpr Type kWhenConnected = enumeration("SetPasswordAction", kWhenConnectedNames);
inline constexpr Member kSetPasswordMembers[] = {
    {"protocol", &kDisplayProtocol}, {"password", &kString}, {"connected", &kWhenConnected, true}};
inline constexpr Type kSetPasswordArg = object("set_password-arg", kSetPasswordMembers);
inline constexpr Member kExpirePasswordMembers[] = {{"protocol", &kDisplayProtocol}, {"time", &kString}};
inline constexpr Type kExpirePasswordArg = object("expire_password-arg", kExpirePasswordMembers);
inline constexpr Member kFdnameMembers[] = {{"fdname", &kString}};
inline constexpr Type kGetfdArg = object("getfd-arg", kFdnameMembers);
inline constexpr Type kClosefdArg = object("closefd-arg", kFdnameMembers);
inline constexpr Member kAddClientMembers[] = {
    {"protocol", &kString}, {"fdname", &kString}, {"skipauth", &kBoolean, true}, {"tls", &kBoolean, true}};
inline constexpr Type kAddClientArg = object("add_client-arg", kAddClientMembers);

// What events say

inline constexpr std::string_view kCauseNames[] = {"host-qmp-quit",  "host-qmp-system-reset", "host-signal",
                                                   "guest-shutdown", "guest-reset",           "guest-panic"};
inline constexpr Type kCause = enumeration("ShutdownCause", kCauseNames);
inline constexpr Member kEndMembers[] = {{"guest", &kBoolean}, {"reason", &kCause}};
inline constexpr Type kShutdownArg = object("SHUTDOWN-arg", kEndMembers);
inline constexpr Type kResetArg = object("RESET-arg", kEndMembers);
inline constexpr std::string_view kPanicActionNames[] = {"pause", "poweroff", "run"};
inline constexpr Type kPanicAction = enumeration("GuestPanicAction", kPanicActionNames);
inline constexpr Member kPanicMembers[] = {{"action", &kPanicAction}};
inline constexpr Type kPanicArg = object("GUEST_PANICKED-arg", kPanicMembers);
inline constexpr Type kCrashLoadedArg = object("GUEST_CRASHLOADED-arg", kPanicMembers);
inline constexpr Member kTrayMembers[] = {{"device", &kString}, {"id", &kString}, {"tray-open", &kBoolean}};
inline constexpr Type kTrayArg = object("DEVICE_TRAY_MOVED-arg", kTrayMembers);
inline constexpr Member kBothEndsMembers[] = {{"server", &kSpicePeer}, {"client", &kSpicePeer}};
inline constexpr Type kConnectedArg = object("SPICE_CONNECTED-arg", kBothEndsMembers);
inline constexpr Type kDisconnectedArg = object("SPICE_DISCONNECTED-arg", kBothEndsMembers);
inline constexpr Member kInitializedMembers[] = {{"server", &kSpiceServer}, {"client", &kSpiceChannel}};
inline constexpr Type kInitializedArg = object("SPICE_INITIALIZED-arg", kInitializedMembers);
inline constexpr Member kOwnerMembers[] = {{"client", &kSpicePeer}, {"connection-id", &kInteger}};
inline constexpr Type kOwnerArg = object("SPICE_OWNER_CHANGED-arg", kOwnerMembers);

}  // namespace vmm::control::api
