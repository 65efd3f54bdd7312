// The client's side of a ticket.
#pragma once

#include <cstdint>
#include <memory>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <span>
#include <string>

#include "spice/wire/link.h"

namespace spice::test {

inline wire::EncryptedTicket encrypt_ticket(std::span<const std::uint8_t> public_key, const std::string& password) {
  const auto* der = public_key.data();
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(
      ::d2i_PUBKEY(nullptr, &der, static_cast<long>(public_key.size())), &::EVP_PKEY_free);
  wire::EncryptedTicket ticket;
  if (!key) return ticket;
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&::EVP_PKEY_CTX_free)> context(::EVP_PKEY_CTX_new(key.get(), nullptr),
                                                                              &::EVP_PKEY_CTX_free);
  ::EVP_PKEY_encrypt_init(context.get());
  ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING);
  auto size = ticket.bytes.size();
  // With its NUL, as clients send it.
  ::EVP_PKEY_encrypt(context.get(), ticket.bytes.data(), &size, reinterpret_cast<const std::uint8_t*>(password.c_str()),
                     password.size() + 1);
  return ticket;
}

}  // namespace spice::test
