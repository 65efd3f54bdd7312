#include "spice/server/ticket.h"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <vector>

#include "spice/net/openssl_reason.h"

namespace spice::server {

namespace {

constexpr unsigned kKeyBits = 1024;
constexpr int kMaxLostZeros = 2;  // each costs whoever sends garbage another turn of ours

struct KeyDeleter {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
struct ContextDeleter {
  void operator()(EVP_PKEY_CTX* context) const { ::EVP_PKEY_CTX_free(context); }
};

}  // namespace

struct TicketKey::Key {
  std::unique_ptr<EVP_PKEY, KeyDeleter> pkey;
};

core::Result<std::shared_ptr<const TicketKey>> TicketKey::generate() {
  auto key = std::make_shared<Key>();
  key->pkey.reset(EVP_RSA_gen(kKeyBits));
  if (!key->pkey) return core::fail("spice: cannot make an RSA key: {}", net::openssl_reason());
  const auto size = ::i2d_PUBKEY(key->pkey.get(), nullptr);
  if (size != static_cast<int>(wire::kPublicKeySize)) {
    return core::fail("spice: the RSA key takes {} bytes instead of {}", size, wire::kPublicKeySize);
  }
  std::shared_ptr<TicketKey> made(new TicketKey(std::move(key)));
  auto* out = made->public_key_.data();
  ::i2d_PUBKEY(made->key_->pkey.get(), &out);
  return made;
}

core::Result<std::shared_ptr<const TicketKey>> TicketKey::of_process() {
  static const auto kKey = generate();
  return kKey;
}

std::optional<std::string> TicketKey::decrypt_exactly(std::span<const std::uint8_t> ticket) const {
  const std::unique_ptr<EVP_PKEY_CTX, ContextDeleter> context(::EVP_PKEY_CTX_new(key_->pkey.get(), nullptr));
  if (!context || ::EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      ::EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0) {
    return std::nullopt;
  }
  std::array<std::uint8_t, wire::kTicketSize> plain{};
  std::size_t size = plain.size();
  if (::EVP_PKEY_decrypt(context.get(), plain.data(), &size, ticket.data(), ticket.size()) <= 0) {
    ::ERR_clear_error();
    return std::nullopt;
  }
  std::string text(plain.begin(), plain.begin() + static_cast<std::ptrdiff_t>(size));
  ::OPENSSL_cleanse(plain.data(), plain.size());
  if (const auto end = text.find('\0'); end != std::string::npos) text.resize(end);
  return text;
}

// spice-html5 (0.3.0) sends a number that is a byte shorter, as every 256th is, from the first byte on, with its zero
// at the end.
std::optional<std::string> TicketKey::decrypt(std::span<const std::uint8_t> ticket) const {
  auto text = decrypt_exactly(ticket);
  std::vector<std::uint8_t> moved(ticket.begin(), ticket.end());
  for (int lost = 0; !text && lost < kMaxLostZeros && !moved.empty() && moved.back() == 0; ++lost) {
    std::ranges::rotate(moved, moved.end() - 1);
    text = decrypt_exactly(moved);
  }
  return text;
}

bool password_matches(const std::string& password, const std::string& given) {
  std::array<char, wire::kTicketSize> wanted{};
  std::array<char, wire::kTicketSize> offered{};
  std::ranges::copy(password.substr(0, wanted.size()), wanted.begin());
  std::ranges::copy(given.substr(0, offered.size()), offered.begin());
  const bool same = ::CRYPTO_memcmp(wanted.data(), offered.data(), wanted.size()) == 0;
  return same && !password.empty();
}

}  // namespace spice::server
