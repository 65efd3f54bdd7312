// Numbers of the SPICE protocol, version 2.2: channels, capabilities, errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spice::wire {

enum class ChannelType : std::uint8_t {
  Main = 1,
  Display = 2,
  Inputs = 3,
  Cursor = 4,
  Playback = 5,
  Record = 6,
  Tunnel = 7,  // obsolete
  Smartcard = 8,
  Usbredir = 9,
  Port = 10,
  Webdav = 11,
};
constexpr std::uint8_t kLastChannelType = 11;
constexpr ChannelType kEveryChannel{};  // in tables: the messages that all channels have

std::string_view channel_name(ChannelType type);  // "main"; "unknown" for what has no name

// Which channel of a client: its type and its number among those of the type.
struct ChannelKey {
  ChannelType type{};
  std::uint8_t id = 0;
  auto operator<=>(const ChannelKey&) const = default;
};

enum class LinkError : std::uint32_t {
  Ok = 0,
  Error = 1,
  InvalidMagic = 2,
  InvalidData = 3,
  VersionMismatch = 4,
  NeedSecured = 5,
  NeedUnsecured = 6,
  PermissionDenied = 7,
  BadConnectionId = 8,
  ChannelNotAvailable = 9,
};

// Capabilities are bit numbers.
enum CommonCap : unsigned { kAuthSelectionCap = 0, kAuthSpiceCap = 1, kAuthSaslCap = 2, kMiniHeaderCap = 3 };
enum MainCap : unsigned {
  kSemiSeamlessCap = 0,
  kNameAndUuidCap = 1,
  kAgentConnectedTokensCap = 2,
  kSeamlessCap = 3,
};
enum DisplayCap : unsigned {
  kSizedStreamCap = 0,
  kMonitorsConfigCap = 1,
  kCompositeCap = 2,
  kA8SurfaceCap = 3,
  kStreamReportCap = 4,
  kLz4Cap = 5,
  kPreferredCompressionCap = 6,
  kGlScanoutCap = 7,
  kMultiCodecCap = 8,
  kMjpegCap = 9,
  kVp8Cap = 10,
  kH264Cap = 11,
  kPreferredVideoCodecCap = 12,
  kVp9Cap = 13,
  kH265Cap = 14,
};
enum InputsCap : unsigned { kKeyScancodeCap = 0 };
enum PortCap : unsigned { kPortLz4Cap = 0 };  // of all channels that carry the bytes of a port

}  // namespace spice::wire
