// The real library on both sides, with accounts in a database of our own.
#include "spice/server/cyrus_sasl.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sasl/sasl.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "spice/net/transport.h"

namespace spice::server {
namespace {

using testing::HasSubstr;
using Verdict = SaslExchange::Verdict;

// The library reads its file once in a process.
class Accounts final : public testing::Environment {
 public:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "minivmm-sasl-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    const auto database = (directory_ / "sasldb2").string();
    std::ofstream(directory_ / "qemu.conf") << "mech_list: scram-sha-256 digest-md5 plain anonymous\n"
                                               "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: "
                                            << database << "\n";
    const auto command = fmt::format("printf secret | /usr/sbin/saslpasswd2 -p -c -f {} ali", database);
    ASSERT_EQ(std::system(command.c_str()), 0) << "package sasl2-bin";
    ::setenv("SASL_CONF_PATH", directory_.c_str(), 1);
    ASSERT_EQ(::sasl_client_init(nullptr), SASL_OK);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

 private:
  std::filesystem::path directory_;
};

const auto* const kAccounts = testing::AddGlobalTestEnvironment(new Accounts);

// Debian's DIGEST-MD5 plug-in loses OpenSSL's legacy provider with every connection that it wraps.
class ForeignLeaks {
 public:
#ifdef __SANITIZE_ADDRESS__
  ForeignLeaks() { __lsan_disable(); }
  ~ForeignLeaks() { __lsan_enable(); }
  ForeignLeaks(const ForeignLeaks&) = delete;
  ForeignLeaks& operator=(const ForeignLeaks&) = delete;
#endif
};

struct Dispose {
  void operator()(sasl_conn_t* connection) const { ::sasl_dispose(&connection); }
};

class Client {
 public:
  Client(std::string user, const std::string& password, bool encrypted) : user_(std::move(user)) {
    secret_.resize(sizeof(sasl_secret_t) + password.size() + 1);
    auto* secret = reinterpret_cast<sasl_secret_t*>(secret_.data());
    secret->len = password.size();
    std::ranges::copy(password, secret->data);
    sasl_conn_t* made = nullptr;
    EXPECT_EQ(::sasl_client_new("spice", "localhost", nullptr, nullptr, callbacks_.data(), SASL_SUCCESS_DATA, &made),
              SASL_OK);
    connection_.reset(made);
    sasl_security_properties_t properties{};
    properties.maxbufsize = 100'000;
    properties.max_ssf = encrypted ? 0 : 100'000;
    EXPECT_EQ(::sasl_setprop(made, SASL_SEC_PROPS, &properties), SASL_OK);
  }

  // Until the server has a verdict.
  Verdict authenticate(SaslExchange& server, const std::string& mechanism) {
    [[maybe_unused]] const ForeignLeaks foreign;
    const char* out = nullptr;
    unsigned size = 0;
    const char* chosen = nullptr;
    ::sasl_client_start(connection_.get(), mechanism.c_str(), nullptr, &out, &size, &chosen);
    auto answer = server.start(mechanism, given(out, size));
    while (answer.verdict == Verdict::Continue) {
      const int result = ::sasl_client_step(connection_.get(), answer.data.data(),
                                            static_cast<unsigned>(answer.data.size()), nullptr, &out, &size);
      if (result != SASL_OK && result != SASL_CONTINUE) return Verdict::Denied;
      answer = server.step(given(out, size));
    }
    if (!answer.data.empty()) {
      // Mutual: the server proves that it knows the password, too.
      EXPECT_EQ(::sasl_client_step(connection_.get(), answer.data.data(), static_cast<unsigned>(answer.data.size()),
                                   nullptr, &out, &size),
                SASL_OK);
    }
    return answer.verdict;
  }

  net::Bytes wrap(const net::Bytes& plain) {
    const char* out = nullptr;
    unsigned size = 0;
    EXPECT_EQ(::sasl_encode(connection_.get(), reinterpret_cast<const char*>(plain.data()),
                            static_cast<unsigned>(plain.size()), &out, &size),
              SASL_OK);
    return {out, out + size};
  }
  net::Bytes unwrap(const net::Bytes& wrapped) {
    const char* out = nullptr;
    unsigned size = 0;
    EXPECT_EQ(::sasl_decode(connection_.get(), reinterpret_cast<const char*>(wrapped.data()),
                            static_cast<unsigned>(wrapped.size()), &out, &size),
              SASL_OK);
    return {out, out + size};
  }

 private:
  static SaslExchange::Data given(const char* out, unsigned size) {
    if (out == nullptr) return std::nullopt;
    return std::string_view(out, size);
  }
  static int name(void* self, int, const char** result, unsigned* size) {
    const auto& user = static_cast<Client*>(self)->user_;
    *result = user.c_str();
    if (size != nullptr) *size = static_cast<unsigned>(user.size());
    return SASL_OK;
  }
  static int secret(sasl_conn_t*, void* self, int, sasl_secret_t** result) {
    *result = reinterpret_cast<sasl_secret_t*>(static_cast<Client*>(self)->secret_.data());
    return SASL_OK;
  }
  template <class F>
  static int (*untyped(F* function))() {
    return reinterpret_cast<int (*)()>(reinterpret_cast<void (*)()>(function));
  }

  std::string user_;
  std::vector<char> secret_;
  std::array<sasl_callback_t, 4> callbacks_{{{SASL_CB_USER, untyped(&name), this},
                                             {SASL_CB_AUTHNAME, untyped(&name), this},
                                             {SASL_CB_PASS, untyped(&secret), this},
                                             {SASL_CB_LIST_END, nullptr, nullptr}}};
  std::unique_ptr<sasl_conn_t, Dispose> connection_;
};

Carrier carrier(bool encrypted) {
  return {.encrypted = encrypted, .local = {"127.0.0.1", "5900", "ipv4"}, .remote = {"127.0.0.1", "40000", "ipv4"}};
}

std::unique_ptr<SaslExchange> begin(bool encrypted) {
  auto sasl = CyrusSasl::create();
  EXPECT_TRUE(sasl.has_value());
  auto exchange = (*sasl)->begin(carrier(encrypted));
  EXPECT_NE(exchange, nullptr);
  return exchange;
}

TEST(CyrusSasl, without_tls_only_what_protects_the_rest_is_offered) {
  EXPECT_EQ(begin(false)->mechanisms(), ",DIGEST-MD5,");
}

TEST(CyrusSasl, with_tls_all_is_offered) {
  const auto exchange = begin(true);
  for (const auto* mechanism : {",SCRAM-SHA-256,", ",DIGEST-MD5,", ",PLAIN,"})
    EXPECT_THAT(exchange->mechanisms(), HasSubstr(mechanism));
}

TEST(CyrusSasl, unix_sockets_have_no_addresses) {
  const auto sasl = CyrusSasl::create();
  EXPECT_NE((*sasl)->begin({.encrypted = false, .local = {"/run/x", "", "unix"}, .remote = {"", "", "unix"}}), nullptr);
}

class Mechanisms : public testing::TestWithParam<const char*> {};

TEST_P(Mechanisms, good_password_over_tls) {
  const auto exchange = begin(true);
  Client client("ali", "secret", true);
  EXPECT_EQ(client.authenticate(*exchange, GetParam()), Verdict::Accepted);
  EXPECT_THAT(exchange->user(), testing::StartsWith("ali"));
  EXPECT_EQ(exchange->take_layer(), nullptr);
}

TEST_P(Mechanisms, bad_password) {
  const auto exchange = begin(true);
  Client client("ali", "wrong", true);
  EXPECT_EQ(client.authenticate(*exchange, GetParam()), Verdict::Denied);
}

TEST_P(Mechanisms, unknown_user) {
  const auto exchange = begin(true);
  Client client("nobody", "secret", true);
  EXPECT_EQ(client.authenticate(*exchange, GetParam()), Verdict::Denied);
}

TEST_P(Mechanisms, garbage) {
  const auto exchange = begin(true);
  auto answer = exchange->start(GetParam(), "garbage");
  for (int i = 0; i < 3 && answer.verdict == Verdict::Continue; ++i)
    answer = exchange->step(std::string_view("\0\xff garbage", 10));
  EXPECT_EQ(answer.verdict, Verdict::Denied);
}

INSTANTIATE_TEST_SUITE_P(CyrusSasl, Mechanisms, testing::Values("SCRAM-SHA-256", "DIGEST-MD5", "PLAIN"));

TEST(CyrusSasl, layer_protects_both_directions) {
  const auto exchange = begin(false);
  Client client("ali", "secret", false);
  ASSERT_EQ(client.authenticate(*exchange, "DIGEST-MD5"), Verdict::Accepted);
  const auto layer = exchange->take_layer();
  ASSERT_NE(layer, nullptr);

  // More than one run of bytes holds.
  net::Bytes plain(100'000);
  for (std::size_t i = 0; i < plain.size(); ++i)
    plain[i] = static_cast<std::uint8_t>(i * 13);
  net::Bytes wrapped;
  layer->send(plain, wrapped);
  EXPECT_GT(wrapped.size(), plain.size());
  EXPECT_EQ(client.unwrap(wrapped), plain);

  const net::Bytes ours(3000, 5);
  net::Bytes up;
  net::Bytes down;
  for (const auto byte : client.wrap(ours))
    EXPECT_TRUE(layer->receive(net::Bytes{byte}, up, down));
  EXPECT_EQ(up, ours);
  EXPECT_TRUE(down.empty());
}

TEST(CyrusSasl, changed_bytes_end_the_layer) {
  const auto exchange = begin(false);
  Client client("ali", "secret", false);
  ASSERT_EQ(client.authenticate(*exchange, "DIGEST-MD5"), Verdict::Accepted);
  const auto layer = exchange->take_layer();
  auto bytes = client.wrap(net::Bytes(100, 5));
  bytes[20] ^= 1;
  net::Bytes up;
  net::Bytes down;
  EXPECT_FALSE(layer->receive(bytes, up, down));
  EXPECT_TRUE(up.empty());
  EXPECT_FALSE(layer->receive(client.wrap(net::Bytes(100, 5)), up, down));
}

TEST(CyrusSasl, oversize_run_ends_the_layer) {
  const auto exchange = begin(false);
  Client client("ali", "secret", false);
  ASSERT_EQ(client.authenticate(*exchange, "DIGEST-MD5"), Verdict::Accepted);
  const auto layer = exchange->take_layer();
  net::Bytes up;
  net::Bytes down;
  EXPECT_FALSE(layer->receive(net::Bytes{0x7f, 0xff, 0xff, 0xff, 1, 2, 3}, up, down));
}

}  // namespace
}  // namespace spice::server
