// The client's side of TLS over memory, and certificates made for one program of tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <unistd.h>
#include <vector>

#include "spice/net/tls.h"
#include "spice/server/certificates.h"

namespace spice::test {

// Made once, removed at the end.
class Certificates {
 public:
  static const Certificates& shared() {
    static const Certificates kMade;
    return kMade;
  }
  std::string file(const std::string& name) const { return (directory_ / name).string(); }
  net::TlsConfig config() const {
    return {.key_file = file(server::kServerKeyFile),
            .certificate_file = file(server::kServerCertificateFile),
            .ca_file = file(server::kCaCertificateFile),
            .key_password = {},
            .dh_file = {},
            .ciphers = {}};
  }

 private:
  Certificates() : directory_(std::filesystem::temp_directory_path() / fmt::format("minivmm-certs-{}", ::getpid())) {
    std::filesystem::remove_all(directory_);
    const auto made =
        server::make_certificates(directory_.string(), {.dns = {"localhost"}, .addresses = {"127.0.0.1"}});
    EXPECT_TRUE(made.has_value()) << made.error().message;
  }
  ~Certificates() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::filesystem::path directory_;
};

// OpenSSL's client, which trusts our CA.
class TlsClient {
 public:
  using Bytes = std::vector<std::uint8_t>;

  explicit TlsClient(int least_version = TLS1_2_VERSION, int most_version = TLS1_3_VERSION)
      : context_(::SSL_CTX_new(::TLS_client_method()), &::SSL_CTX_free) {
    ::SSL_CTX_set_min_proto_version(context_.get(), least_version);
    ::SSL_CTX_set_max_proto_version(context_.get(), most_version);
    ::SSL_CTX_set_security_level(context_.get(), least_version < TLS1_2_VERSION ? 0 : 1);
    ::SSL_CTX_load_verify_file(context_.get(), Certificates::shared().file(server::kCaCertificateFile).c_str());
    ::SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    ssl_.reset(::SSL_new(context_.get()));
    ::SSL_set1_host(ssl_.get(), "localhost");
    in_ = ::BIO_new(::BIO_s_mem());
    out_ = ::BIO_new(::BIO_s_mem());
    ::SSL_set_bio(ssl_.get(), in_, out_);
    ::SSL_set_connect_state(ssl_.get());
    ::SSL_do_handshake(ssl_.get());
  }

  SSL* ssl() { return ssl_.get(); }
  bool is_ready() const { return ::SSL_is_init_finished(ssl_.get()) == 1; }
  bool is_ended() const { return is_ended_; }

  void write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const int count =
          ::SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)));
      ASSERT_GT(count, 0);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }
  // What the network brought; returns what it holds.
  Bytes take(std::span<const std::uint8_t> bytes) {
    ::BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    Bytes text;
    Bytes piece(16384);
    int count = 0;
    while ((count = ::SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()))) > 0)
      text.insert(text.end(), piece.begin(), piece.begin() + count);
    is_ended_ = ::SSL_get_error(ssl_.get(), count) != SSL_ERROR_WANT_READ;
    ::ERR_clear_error();
    return text;
  }
  // What is for the network.
  Bytes output() {
    Bytes bytes(static_cast<std::size_t>(BIO_pending(out_)));
    if (!bytes.empty()) ::BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&::SSL_free)> ssl_{nullptr, &::SSL_free};
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  bool is_ended_ = false;
};

}  // namespace spice::test
