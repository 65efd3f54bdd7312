// The TLS layer against OpenSSL's client, over memory.
#include "spice/net/tls.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tests/unit/spice/tls_client.h"

namespace spice::net {
namespace {

using test::Certificates;
using test::TlsClient;
using testing::HasSubstr;

Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

class TlsTest : public testing::Test {
 protected:
  void open(const TlsConfig& config = Certificates::shared().config()) {
    const auto context = TlsContext::create(config);
    ASSERT_TRUE(context.has_value()) << context.error().message;
    layer_ = (*context)->accept();
  }
  // Passes on what both have to say, in pieces of so many bytes, until they are silent. False if the layer gave up.
  bool talk(TlsClient& client, std::size_t piece = 65536) {
    for (;;) {
      const auto bytes = client.output();
      if (bytes.empty()) return true;
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        Bytes down;
        const bool fine =
            layer_->receive(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), received_, down);
        const auto text = client.take(down);
        client_received_.insert(client_received_.end(), text.begin(), text.end());
        if (!fine) return false;
      }
    }
  }

  std::unique_ptr<Layer> layer_;
  Bytes received_;
  Bytes client_received_;
};

TEST_F(TlsTest, bytes_go_both_ways_however_they_are_cut) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{65536}}) {
    open();
    TlsClient client;
    ASSERT_TRUE(talk(client, piece));
    ASSERT_TRUE(client.is_ready());
    EXPECT_TRUE(layer_->encrypts());
    received_.clear();
    client.write(bytes_of("REDQ"));
    ASSERT_TRUE(talk(client, piece));
    EXPECT_EQ(received_, bytes_of("REDQ"));
    Bytes down;
    layer_->send(bytes_of("answer"), down);
    EXPECT_EQ(client.take(down), bytes_of("answer"));
  }
}

TEST_F(TlsTest, large_messages_arrive_whole) {
  open();
  TlsClient client;
  ASSERT_TRUE(talk(client));
  Bytes large(3'000'001);
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<std::uint8_t>(i * 7);
  client.write(large);
  ASSERT_TRUE(talk(client));
  EXPECT_EQ(received_, large);
  Bytes down;
  layer_->send(large, down);
  EXPECT_EQ(client.take(down), large);
}

TEST_F(TlsTest, garbage_ends_it) {
  for (const auto& garbage : {bytes_of("REDQ\2\0\0\0"), bytes_of("GET / HTTP/1.1\r\n"), Bytes(64, 0xff)}) {
    open();
    Bytes down;
    EXPECT_FALSE(layer_->receive(garbage, received_, down));
    EXPECT_FALSE(layer_->receive(garbage, received_, down));
    EXPECT_TRUE(received_.empty());
  }
}

TEST_F(TlsTest, forged_record_ends_it) {
  open();
  TlsClient client;
  ASSERT_TRUE(talk(client));
  client.write(bytes_of("text"));
  auto record = client.output();
  record.back() ^= 1;
  Bytes down;
  EXPECT_FALSE(layer_->receive(record, received_, down));
  EXPECT_TRUE(received_.empty());
}

TEST_F(TlsTest, versions_before_1_2_are_refused) {
  open();
  TlsClient client(TLS1_VERSION, TLS1_1_VERSION);
  EXPECT_FALSE(talk(client));
  EXPECT_FALSE(client.is_ready());
  EXPECT_TRUE(client.is_ended());  // by an alert
}

TEST_F(TlsTest, versions_1_2_and_1_3_are_spoken) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    open();
    TlsClient client(version, version);
    EXPECT_TRUE(talk(client));
    EXPECT_TRUE(client.is_ready());
    EXPECT_EQ(::SSL_version(client.ssl()), version);
  }
}

TEST_F(TlsTest, ciphers_are_those_told) {
  auto config = Certificates::shared().config();
  config.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_CHACHA20_POLY1305_SHA256";
  open(config);
  TlsClient older(TLS1_2_VERSION, TLS1_2_VERSION);
  ASSERT_TRUE(talk(older));
  EXPECT_STREQ(::SSL_get_cipher(older.ssl()), "ECDHE-ECDSA-AES128-GCM-SHA256");
  open(config);
  TlsClient newer;
  ASSERT_TRUE(talk(newer));
  EXPECT_STREQ(::SSL_get_cipher(newer.ssl()), "TLS_CHACHA20_POLY1305_SHA256");
}

// CVE-2021-20201: clients could have servers compute one handshake after the other.
TEST_F(TlsTest, cve_2021_20201_renegotiation_is_refused) {
  open();
  TlsClient client(TLS1_2_VERSION, TLS1_2_VERSION);
  ASSERT_TRUE(talk(client));
  ASSERT_EQ(::SSL_renegotiate(client.ssl()), 1);
  ::SSL_do_handshake(client.ssl());
  talk(client);
  EXPECT_EQ(::SSL_num_renegotiations(client.ssl()), 1);  // asked for
  EXPECT_FALSE(client.is_ready());                       // and not had
}

TEST_F(TlsTest, no_session_tickets_are_given) {
  open();
  TlsClient client;
  ASSERT_TRUE(talk(client));
  client.write(bytes_of("x"));
  ASSERT_TRUE(talk(client));
  EXPECT_EQ(::SSL_SESSION_is_resumable(::SSL_get_session(client.ssl())), 0);
}

TEST_F(TlsTest, what_came_before_the_farewell_counts) {
  open();
  TlsClient client;
  ASSERT_TRUE(talk(client));
  client.write(bytes_of("last words"));
  ::SSL_shutdown(client.ssl());
  EXPECT_FALSE(talk(client));
  EXPECT_EQ(received_, bytes_of("last words"));
}

TEST_F(TlsTest, our_end_is_a_farewell) {
  open();
  TlsClient client;
  ASSERT_TRUE(talk(client));
  Bytes down;
  layer_->end(down);
  client.take(down);
  EXPECT_TRUE(client.is_ended());
  EXPECT_EQ(::SSL_get_shutdown(client.ssl()), SSL_RECEIVED_SHUTDOWN);
}

TEST_F(TlsTest, sending_before_the_handshake_sends_nothing) {
  open();
  Bytes down;
  layer_->send(bytes_of("too early"), down);
  EXPECT_TRUE(down.empty());
  layer_->end(down);
  EXPECT_TRUE(down.empty());
}

std::string failure(const TlsConfig& config) {
  const auto context = TlsContext::create(config);
  return context ? "" : context.error().message;
}

TEST(TlsContext, files_that_do_not_serve_are_named) {
  const auto good = Certificates::shared().config();
  auto config = good;
  config.certificate_file = "/nonexistent/cert.pem";
  EXPECT_THAT(failure(config), HasSubstr("/nonexistent/cert.pem: No such file"));
  config = good;
  config.key_file = "/nonexistent/key.pem";
  EXPECT_THAT(failure(config), HasSubstr("/nonexistent/key.pem: No such file"));
  config = good;
  config.ca_file = good.key_file;
  EXPECT_THAT(failure(config), HasSubstr("CA certificate"));
  config = good;
  config.key_file = Certificates::shared().file("ca-key.pem");
  EXPECT_NE(failure(config), "");
  config = good;
  config.dh_file = good.key_file;
  EXPECT_THAT(failure(config), HasSubstr("Diffie-Hellman"));
  config = good;
  config.ciphers = "NO-SUCH-CIPHER";
  EXPECT_THAT(failure(config), HasSubstr("tls-ciphers"));
  config.ciphers = "TLS_NO_SUCH_SUITE";
  EXPECT_THAT(failure(config), HasSubstr("tls-ciphers"));
}

TEST(TlsContext, encrypted_key_needs_its_password) {
  auto config = Certificates::shared().config();
  const auto path = Certificates::shared().file("encrypted-key.pem");
  {
    const std::unique_ptr<BIO, decltype(&::BIO_free)> in(::BIO_new_file(config.key_file.c_str(), "r"), &::BIO_free);
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key(
        ::PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &::EVP_PKEY_free);
    const std::unique_ptr<BIO, decltype(&::BIO_free)> out(::BIO_new_file(path.c_str(), "w"), &::BIO_free);
    ASSERT_EQ(::PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), ::EVP_aes_256_cbc(), "open", 4, nullptr, nullptr),
              1);
  }
  config.key_file = path;
  EXPECT_THAT(failure(config), HasSubstr("x509-key-password"));
  config.key_password = "shut";
  EXPECT_NE(failure(config), "");
  config.key_password = "open";
  EXPECT_EQ(failure(config), "");
}

TEST(TlsContext, own_diffie_hellman_parameters) {
  auto config = Certificates::shared().config();
  config.dh_file = Certificates::shared().file("dh.pem");
  // Those of RFC 7919, 2048 bits.
  std::ofstream(config.dh_file) << "-----BEGIN DH PARAMETERS-----\n"
                                   "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n"
                                   "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a\n"
                                   "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7\n"
                                   "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi\n"
                                   "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD\n"
                                   "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==\n"
                                   "-----END DH PARAMETERS-----\n";
  EXPECT_EQ(failure(config), "");
}

}  // namespace
}  // namespace spice::net
