#include "spice/wire/table.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "spice/wire/common.h"
#include "spice/wire/cursor.h"
#include "spice/wire/display.h"
#include "spice/wire/inputs.h"
#include "spice/wire/main.h"
#include "spice/wire/port.h"
#include "spice/wire/stream.h"

namespace spice::wire {

namespace {

constexpr auto kOut = Direction::ToClient;
constexpr auto kIn = Direction::ToServer;
constexpr int kAny = MessageInfo::kNoCap;

// What we send is bounded by ourselves; a picture has at most 8192 x 8192 pixels.
constexpr std::uint32_t kSmall = 4096;
constexpr std::uint32_t kPicture = 0x1000'0000 + 4096;
constexpr std::uint32_t kMigrationData = 1 << 20;
constexpr std::uint32_t kKeyBytes = 1024;
constexpr std::uint32_t kPortBytes = 1 << 20;

// Sorted by channel, direction and type.
constexpr std::array kMessages{
    MessageInfo{kEveryChannel, kOut, Migrate::kType, "MIGRATE", 4, kAny},
    MessageInfo{kEveryChannel, kOut, MigrateData::kType, "MIGRATE_DATA", kMigrationData, kAny},
    MessageInfo{kEveryChannel, kOut, SetAck::kType, "SET_ACK", 8, kAny},
    MessageInfo{kEveryChannel, kOut, Ping::kType, "PING", 12 + 250 * 1024, kAny},
    MessageInfo{kEveryChannel, kOut, WaitForChannels::kType, "WAIT_FOR_CHANNELS", 1 + 255 * 10, kAny},
    MessageInfo{kEveryChannel, kOut, Disconnecting::kType, "DISCONNECTING", 12, kAny},
    MessageInfo{kEveryChannel, kOut, Notify::kType, "NOTIFY", kSmall, kAny},
    MessageInfo{kEveryChannel, kIn, AckSync::kType, "ACK_SYNC", 4, kAny},
    MessageInfo{kEveryChannel, kIn, Ack::kType, "ACK", 0, kAny},
    MessageInfo{kEveryChannel, kIn, Pong::kType, "PONG", 12, kAny},
    MessageInfo{kEveryChannel, kIn, MigrateFlushMark::kType, "MIGRATE_FLUSH_MARK", 0, kAny},
    MessageInfo{kEveryChannel, kIn, ClientMigrateData::kType, "MIGRATE_DATA", kMigrationData, kAny},
    MessageInfo{kEveryChannel, kIn, ClientDisconnecting::kType, "DISCONNECTING", 12, kAny},

    MessageInfo{ChannelType::Main, kOut, MainInit::kType, "INIT", 32, kAny},
    MessageInfo{ChannelType::Main, kOut, MainChannelsList::kType, "CHANNELS_LIST", kSmall, kAny},
    MessageInfo{ChannelType::Main, kOut, MainMouseMode::kType, "MOUSE_MODE", 4, kAny},
    MessageInfo{ChannelType::Main, kOut, MainMultiMediaTime::kType, "MULTI_MEDIA_TIME", 4, kAny},
    MessageInfo{ChannelType::Main, kOut, MainAgentConnected::kType, "AGENT_CONNECTED", 0, kAny},
    MessageInfo{ChannelType::Main, kOut, MainAgentDisconnected::kType, "AGENT_DISCONNECTED", 4, kAny},
    MessageInfo{ChannelType::Main, kOut, MainAgentData::kType, "AGENT_DATA", MainClientAgentData::kMaxSize, kAny},
    MessageInfo{ChannelType::Main, kOut, MainAgentToken::kType, "AGENT_TOKEN", 4, kAny},
    MessageInfo{ChannelType::Main, kOut, MainName::kType, "NAME", kSmall, kNameAndUuidCap},
    MessageInfo{ChannelType::Main, kOut, MainUuid::kType, "UUID", 16, kNameAndUuidCap},
    MessageInfo{ChannelType::Main, kOut, MainAgentConnectedTokens::kType, "AGENT_CONNECTED_TOKENS", 4,
                kAgentConnectedTokensCap},
    MessageInfo{ChannelType::Main, kIn, MainClientInfo::kType, "CLIENT_INFO", 8, kAny},
    MessageInfo{ChannelType::Main, kIn, MainAttachChannels::kType, "ATTACH_CHANNELS", 0, kAny},
    MessageInfo{ChannelType::Main, kIn, MainMouseModeRequest::kType, "MOUSE_MODE_REQUEST", 2, kAny},
    MessageInfo{ChannelType::Main, kIn, MainAgentStart::kType, "AGENT_START", 4, kAny},
    MessageInfo{ChannelType::Main, kIn, MainClientAgentData::kType, "AGENT_DATA", MainClientAgentData::kMaxSize, kAny},
    MessageInfo{ChannelType::Main, kIn, MainClientAgentToken::kType, "AGENT_TOKEN", 4, kAny},

    MessageInfo{ChannelType::Display, kOut, DisplayMark::kType, "MARK", 0, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayCopyBits::kType, "COPY_BITS", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayInvalList::kType, "INVAL_LIST", 2 + 65535 * 9, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayInvalAllPixmaps::kType, "INVAL_ALL_PIXMAPS", 1 + 255 * 10, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayInvalPalette::kType, "INVAL_PALETTE", 8, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayInvalAllPalettes::kType, "INVAL_ALL_PALETTES", 0, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamCreate::kType, "STREAM_CREATE", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamData::kType, "STREAM_DATA", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamClip::kType, "STREAM_CLIP", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamDestroy::kType, "STREAM_DESTROY", 4, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamDestroyAll::kType, "STREAM_DESTROY_ALL", 0, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawFill::kType, "DRAW_FILL", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawOpaque::kType, "DRAW_OPAQUE", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawCopy::kType, "DRAW_COPY", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawBlend::kType, "DRAW_BLEND", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawBlackness::kType, "DRAW_BLACKNESS", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawWhiteness::kType, "DRAW_WHITENESS", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawInvers::kType, "DRAW_INVERS", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawRop3::kType, "DRAW_ROP3", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawStroke::kType, "DRAW_STROKE", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawText::kType, "DRAW_TEXT", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawTransparent::kType, "DRAW_TRANSPARENT", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawAlphaBlend::kType, "DRAW_ALPHA_BLEND", kPicture, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplaySurfaceCreate::kType, "SURFACE_CREATE", 20, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplaySurfaceDestroy::kType, "SURFACE_DESTROY", 4, kAny},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamDataSized::kType, "STREAM_DATA_SIZED", kPicture,
                kSizedStreamCap},
    MessageInfo{ChannelType::Display, kOut, DisplayMonitorsConfig::kType, "MONITORS_CONFIG", 4 + 256 * 28,
                kMonitorsConfigCap},
    MessageInfo{ChannelType::Display, kOut, DisplayDrawComposite::kType, "DRAW_COMPOSITE", kPicture, kCompositeCap},
    MessageInfo{ChannelType::Display, kOut, DisplayStreamActivateReport::kType, "STREAM_ACTIVATE_REPORT", 16,
                kStreamReportCap},
    MessageInfo{ChannelType::Display, kIn, DisplayInit::kType, "INIT", 14, kAny},
    MessageInfo{ChannelType::Display, kIn, DisplayStreamReport::kType, "STREAM_REPORT", 32, kAny},
    MessageInfo{ChannelType::Display, kIn, DisplayPreferredCompression::kType, "PREFERRED_COMPRESSION", 1, kAny},
    MessageInfo{ChannelType::Display, kIn, DisplayGlDrawDone::kType, "GL_DRAW_DONE", 0, kAny},
    MessageInfo{ChannelType::Display, kIn, DisplayPreferredVideoCodec::kType, "PREFERRED_VIDEO_CODEC_TYPE", 256, kAny},

    MessageInfo{ChannelType::Inputs, kOut, InputsInit::kType, "INIT", 2, kAny},
    MessageInfo{ChannelType::Inputs, kOut, InputsKeyModifiers::kType, "KEY_MODIFIERS", 2, kAny},
    MessageInfo{ChannelType::Inputs, kOut, InputsMotionAck::kType, "MOUSE_MOTION_ACK", 0, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsKeyDown::kType, "KEY_DOWN", 4, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsKeyUp::kType, "KEY_UP", 4, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsClientKeyModifiers::kType, "KEY_MODIFIERS", 2, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsKeyScancode::kType, "KEY_SCANCODE", kKeyBytes, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsMouseMotion::kType, "MOUSE_MOTION", 10, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsMousePosition::kType, "MOUSE_POSITION", 11, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsMousePress::kType, "MOUSE_PRESS", 3, kAny},
    MessageInfo{ChannelType::Inputs, kIn, InputsMouseRelease::kType, "MOUSE_RELEASE", 3, kAny},

    MessageInfo{ChannelType::Cursor, kOut, CursorInit::kType, "INIT", 1 << 20, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorReset::kType, "RESET", 0, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorSet::kType, "SET", 1 << 20, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorMove::kType, "MOVE", 4, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorHide::kType, "HIDE", 0, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorTrail::kType, "TRAIL", 4, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorInvalOne::kType, "INVAL_ONE", 8, kAny},
    MessageInfo{ChannelType::Cursor, kOut, CursorInvalAll::kType, "INVAL_ALL", 0, kAny},

    MessageInfo{ChannelType::Port, kOut, PortData::kType, "DATA", kPortBytes, kAny},
    MessageInfo{ChannelType::Port, kOut, PortCompressedData::kType, "COMPRESSED_DATA", kPortBytes, kPortLz4Cap},
    MessageInfo{ChannelType::Port, kOut, PortInit::kType, "INIT", kSmall, kAny},
    MessageInfo{ChannelType::Port, kOut, PortEvent::kType, "EVENT", 1, kAny},
    MessageInfo{ChannelType::Port, kIn, PortData::kType, "DATA", kPortBytes, kAny},
    MessageInfo{ChannelType::Port, kIn, PortCompressedData::kType, "COMPRESSED_DATA", kPortBytes, kAny},
    MessageInfo{ChannelType::Port, kIn, PortClientEvent::kType, "EVENT", 1, kAny},

    MessageInfo{ChannelType::Webdav, kOut, PortData::kType, "DATA", kPortBytes, kAny},
    MessageInfo{ChannelType::Webdav, kOut, PortCompressedData::kType, "COMPRESSED_DATA", kPortBytes, kPortLz4Cap},
    MessageInfo{ChannelType::Webdav, kOut, PortInit::kType, "INIT", kSmall, kAny},
    MessageInfo{ChannelType::Webdav, kOut, PortEvent::kType, "EVENT", 1, kAny},
    MessageInfo{ChannelType::Webdav, kIn, PortData::kType, "DATA", kPortBytes, kAny},
    MessageInfo{ChannelType::Webdav, kIn, PortCompressedData::kType, "COMPRESSED_DATA", kPortBytes, kAny},
    MessageInfo{ChannelType::Webdav, kIn, PortClientEvent::kType, "EVENT", 1, kAny},
};

constexpr auto key_of(const MessageInfo& info) {
  return std::tuple(info.channel, info.direction, info.type);
}

static_assert(std::ranges::is_sorted(kMessages, {}, key_of));

constexpr std::array<std::string_view, kLastChannelType + 1> kChannelNames{
    "unknown", "main",   "display",   "inputs",   "cursor", "playback",
    "record",  "tunnel", "smartcard", "usbredir", "port",   "webdav",
};

}  // namespace

std::string_view channel_name(ChannelType type) {
  const auto index = static_cast<std::size_t>(type);
  return kChannelNames[index < kChannelNames.size() ? index : 0];
}

std::span<const MessageInfo> all_messages() {
  return kMessages;
}

const MessageInfo* find_message(ChannelType channel, Direction direction, std::uint16_t type) {
  constexpr std::uint16_t kFirstOwnType = 101;
  const auto wanted = std::tuple(type < kFirstOwnType ? kEveryChannel : channel, direction, type);
  const auto* found = std::ranges::lower_bound(kMessages, wanted, {}, key_of);
  return found != kMessages.end() && key_of(*found) == wanted ? &*found : nullptr;
}

}  // namespace spice::wire
