#include "spice/net/tls.h"

#include <algorithm>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string_view>
#include <utility>

#include "spice/net/openssl_reason.h"

namespace spice::net {

namespace {

constexpr std::size_t kRecord = std::size_t{16} * 1024;  // the most that one holds [RFC 8446 5.1]

using Context = std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)>;

constexpr std::string_view kNotPem = "not a usable PEM file";

class TlsLayer final : public Layer {
 public:
  explicit TlsLayer(SSL_CTX* context)
      : ssl_(::SSL_new(context), &::SSL_free), in_(::BIO_new(::BIO_s_mem())), out_(::BIO_new(::BIO_s_mem())) {
    if (!ssl_ || in_ == nullptr || out_ == nullptr) {
      ::BIO_free(in_);
      ::BIO_free(out_);
      is_broken_ = true;
      return;
    }
    ::SSL_set_bio(ssl_.get(), in_, out_);  // which owns them from here on
    ::SSL_set_accept_state(ssl_.get());
  }

  bool receive(std::span<const std::uint8_t> bytes, Bytes& up, Bytes& down) override {
    if (is_broken_) return false;
    ::ERR_clear_error();
    if (::BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size())) {
      is_broken_ = true;
      return false;
    }
    // The handshake goes on in here, too.
    int verdict = SSL_ERROR_NONE;
    while (verdict == SSL_ERROR_NONE)
      verdict = read(up);
    take_output(down);
    is_broken_ = verdict != SSL_ERROR_WANT_READ;
    ::ERR_clear_error();
    return !is_broken_;
  }

  void send(std::span<const std::uint8_t> bytes, Bytes& down) override {
    while (!is_broken_ && !bytes.empty()) {
      const auto piece = bytes.first(std::min(bytes.size(), kRecord));
      ::ERR_clear_error();
      // All or nothing: the buffer below takes everything.
      is_broken_ = ::SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size())) <= 0;
      take_output(down);
      bytes = bytes.subspan(piece.size());
    }
    ::ERR_clear_error();
  }

  void end(Bytes& down) override {
    if (is_broken_ || ::SSL_is_init_finished(ssl_.get()) == 0) return;
    ::SSL_shutdown(ssl_.get());
    take_output(down);
    ::ERR_clear_error();
  }

  bool encrypts() const override { return true; }

 private:
  int read(Bytes& up) {
    const auto there = up.size();
    up.resize(there + kRecord);
    const int count = ::SSL_read(ssl_.get(), up.data() + there, static_cast<int>(kRecord));
    up.resize(there + static_cast<std::size_t>(std::max(count, 0)));
    return count > 0 ? SSL_ERROR_NONE : ::SSL_get_error(ssl_.get(), count);
  }

  void take_output(Bytes& down) {
    const std::uint8_t* bytes = nullptr;  // and no char*, which would be inserted one by one
    const auto count = BIO_get_mem_data(out_, &bytes);
    if (count <= 0) return;
    down.insert(down.end(), bytes, bytes + count);
    static_cast<void>(BIO_reset(out_));
  }

  std::unique_ptr<SSL, decltype(&::SSL_free)> ssl_;
  BIO* in_;
  BIO* out_;
  bool is_broken_ = false;
};

int give_password(char* buffer, int size, int /*writes*/, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.size() > static_cast<std::size_t>(size)) return -1;
  std::ranges::copy(text, buffer);
  return static_cast<int>(text.size());
}

core::Result<> load_certificates(SSL_CTX* context, const TlsConfig& config) {
  if (::SSL_CTX_use_certificate_chain_file(context, config.certificate_file.c_str()) != 1) {
    return core::fail("spice: cannot use the certificate {}: {}", config.certificate_file, openssl_reason(kNotPem));
  }
  ::SSL_CTX_set_default_passwd_cb(context, &give_password);
  ::SSL_CTX_set_default_passwd_cb_userdata(context, const_cast<std::string*>(&config.key_password));
  const bool has_key = ::SSL_CTX_use_PrivateKey_file(context, config.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
  ::SSL_CTX_set_default_passwd_cb(context, nullptr);
  ::SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (!has_key) {
    // Its text says nothing of a password that is missing or wrong.
    return core::fail("spice: cannot use the key {}: {}; a key with a password needs x509-key-password",
                      config.key_file, openssl_reason(kNotPem));
  }
  if (::SSL_CTX_check_private_key(context) != 1) {
    return core::fail("spice: the key {} is not that of the certificate {}", config.key_file, config.certificate_file);
  }
  if (!config.ca_file.empty() && ::SSL_CTX_load_verify_file(context, config.ca_file.c_str()) != 1) {
    return core::fail("spice: cannot use the CA certificate {}: {}", config.ca_file, openssl_reason(kNotPem));
  }
  return {};
}

core::Result<> load_dh(SSL_CTX* context, const std::string& path) {
  if (path.empty()) {
    ::SSL_CTX_set_dh_auto(context, 1);
    return {};
  }
  const std::unique_ptr<BIO, decltype(&::BIO_free)> file(::BIO_new_file(path.c_str(), "r"), &::BIO_free);
  EVP_PKEY* parameters = file ? ::PEM_read_bio_Parameters(file.get(), nullptr) : nullptr;
  if (parameters != nullptr && ::SSL_CTX_set0_tmp_dh_pkey(context, parameters) == 1) return {};
  const auto reason = openssl_reason(kNotPem);
  ::EVP_PKEY_free(parameters);
  return core::fail("spice: cannot use the Diffie-Hellman parameters {}: {}", path, reason);
}

// One option for both kinds of names, where OpenSSL has two.
core::Result<> choose_ciphers(SSL_CTX* context, std::string_view list) {
  std::string older;
  std::string newer;
  while (!list.empty()) {
    const auto end = std::min(list.find(':'), list.size());
    const auto name = list.substr(0, end);
    auto& names = name.starts_with("TLS_") ? newer : older;
    if (!names.empty()) names += ':';
    names += name;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  const bool fine = (older.empty() || ::SSL_CTX_set_cipher_list(context, older.c_str()) == 1) &&
                    (newer.empty() || ::SSL_CTX_set_ciphersuites(context, newer.c_str()) == 1);
  if (fine) return {};
  ::ERR_clear_error();
  return core::fail("spice: tls-ciphers names no cipher that OpenSSL has; see openssl ciphers");
}

}  // namespace

struct TlsContext::Impl {
  Context context{nullptr, &::SSL_CTX_free};
};

core::Result<std::shared_ptr<const TlsContext>> TlsContext::create(const TlsConfig& config) {
  ::ERR_clear_error();
  auto impl = std::make_shared<Impl>();
  impl->context.reset(::SSL_CTX_new(::TLS_server_method()));
  auto* context = impl->context.get();
  if (context == nullptr) return core::fail("spice: OpenSSL has no TLS: {}", openssl_reason());
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(context, 0);
  // Idle connections hold no buffers.
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (auto loaded = load_certificates(context, config); !loaded) return std::unexpected(loaded.error());
  if (auto loaded = load_dh(context, config.dh_file); !loaded) return std::unexpected(loaded.error());
  if (auto chosen = choose_ciphers(context, config.ciphers); !chosen) return std::unexpected(chosen.error());
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

std::unique_ptr<Layer> TlsContext::accept() const {
  return std::make_unique<TlsLayer>(impl_->context.get());
}

}  // namespace spice::net
