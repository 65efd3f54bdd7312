// The link stage, before any message: headers, capabilities, the choice of authentication.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "spice/wire/protocol.h"

namespace spice::wire {

constexpr std::uint32_t kLinkMagic = 0x51444552;  // "REDQ"
constexpr std::uint32_t kMajorVersion = 2;
constexpr std::uint32_t kMinorVersion = 2;
constexpr std::size_t kLinkHeaderSize = 16;
constexpr std::size_t kLinkMessageSize = 18;       // without capability words
constexpr std::size_t kMaxLinkMessageSize = 4096;  // with them
constexpr std::size_t kMaxCapWords = 1024;
constexpr std::size_t kPublicKeySize = 162;  // DER SubjectPublicKeyInfo of RSA-1024
constexpr std::size_t kTicketSize = 128;
constexpr std::size_t kMaxPasswordLength = 60;

struct LinkHeader {
  std::uint32_t magic = kLinkMagic;
  std::uint32_t major_version = kMajorVersion;
  std::uint32_t minor_version = kMinorVersion;
  std::uint32_t size = 0;  // of what follows

  template <class IO>
  void wire(IO& io);
};

struct LinkMessage {
  std::uint32_t connection_id = 0;
  ChannelType channel_type{};
  std::uint8_t channel_id = 0;
  std::vector<std::uint32_t> common_caps;
  std::vector<std::uint32_t> channel_caps;

  template <class IO>
  void wire(IO& io);
};

struct LinkReply {
  LinkError error = LinkError::Ok;
  std::array<std::uint8_t, kPublicKeySize> public_key{};
  std::vector<std::uint32_t> common_caps;
  std::vector<std::uint32_t> channel_caps;

  template <class IO>
  void wire(IO& io);
};

// The word by which a client with the capability kAuthSelectionCap chooses, a capability number itself.
enum class AuthMechanism : std::uint32_t { Spice = kAuthSpiceCap, Sasl = kAuthSaslCap };

struct AuthChoice {
  AuthMechanism mechanism{};

  template <class IO>
  void wire(IO& io);
};

struct EncryptedTicket {
  std::array<std::uint8_t, kTicketSize> bytes{};

  template <class IO>
  void wire(IO& io);
};

struct LinkResult {
  LinkError error = LinkError::Ok;

  template <class IO>
  void wire(IO& io);
};

// In front of every message after the link stage; the mini form if both sides have kMiniHeaderCap.
struct MiniHeader {
  static constexpr std::size_t kSize = 6;
  std::uint16_t type = 0;
  std::uint32_t size = 0;

  template <class IO>
  void wire(IO& io);
};

struct FullHeader {
  static constexpr std::size_t kSize = 18;
  std::uint64_t serial = 0;
  std::uint16_t type = 0;
  std::uint32_t size = 0;
  std::uint32_t sub_list = 0;

  template <class IO>
  void wire(IO& io);
};

}  // namespace spice::wire
