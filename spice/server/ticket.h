// Tickets: the RSA key by which clients send their password, and the check of it.
//
// The reference server makes a key for every link; one for the process is as good for the protocol and costs nothing
// when clients come. RSA-1024, OAEP with SHA-1: what the protocol fixes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/result.h"
#include "spice/wire/link.h"

namespace spice::server {

class TicketKey {
 public:
  // Takes some tens of milliseconds. Any thread.
  static core::Result<std::shared_ptr<const TicketKey>> generate();
  // The process's key, made by whoever asks first. Any thread.
  static core::Result<std::shared_ptr<const TicketKey>> of_process();

  const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() const { return public_key_; }
  // What a client encrypted; nullopt if it is not that. Zeros that should lead may have gone to the end.
  std::optional<std::string> decrypt(std::span<const std::uint8_t> ticket) const;

 private:
  struct Key;
  explicit TicketKey(std::shared_ptr<Key> key) : key_(std::move(key)) {}
  std::optional<std::string> decrypt_exactly(std::span<const std::uint8_t> ticket) const;
  std::shared_ptr<Key> key_;
  std::array<std::uint8_t, wire::kPublicKeySize> public_key_{};
};

// Whether `given` (up to its NUL) is the password. Takes the same time for every wrong one. An empty password is
// nobody's.
bool password_matches(const std::string& password, const std::string& given);

}  // namespace spice::server
