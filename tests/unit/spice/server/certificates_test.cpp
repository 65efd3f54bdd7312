#include "spice/server/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "tests/unit/spice/tls_client.h"

namespace spice::server {
namespace {

using test::Certificates;

using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;

Certificate read_certificate(const std::string& path) {
  const std::unique_ptr<BIO, decltype(&::BIO_free)> file(::BIO_new_file(path.c_str(), "r"), &::BIO_free);
  return {::PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), &::X509_free};
}

unsigned mode_of(const std::string& path) {
  struct stat file{};
  return ::stat(path.c_str(), &file) == 0 ? file.st_mode & 07777U : 0;
}

TEST(MakeCertificates, server_is_signed_by_the_ca_for_its_names) {
  const auto& made = Certificates::shared();
  const auto ca = read_certificate(made.file(kCaCertificateFile));
  const auto server = read_certificate(made.file(kServerCertificateFile));
  ASSERT_TRUE(ca && server);
  EXPECT_EQ(::X509_check_ca(ca.get()), 1);
  EXPECT_EQ(::X509_check_ca(server.get()), 0);
  EXPECT_EQ(::X509_verify(server.get(), ::X509_get0_pubkey(ca.get())), 1);
  EXPECT_EQ(::X509_check_issued(ca.get(), server.get()), X509_V_OK);
  EXPECT_EQ(::X509_check_host(server.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(::X509_check_ip_asc(server.get(), "127.0.0.1", 0), 1);
  EXPECT_NE(::X509_check_host(server.get(), "elsewhere", 0, 0, nullptr), 1);
}

TEST(MakeCertificates, keys_are_their_owners) {
  EXPECT_EQ(mode_of(Certificates::shared().file(kServerKeyFile)), 0600U);
  EXPECT_EQ(mode_of(Certificates::shared().file("ca-key.pem")), 0600U);
}

TEST(MakeCertificates, nothing_is_overwritten) {
  const auto directory = std::filesystem::path(Certificates::shared().file(kServerKeyFile)).parent_path().string();
  const auto again = make_certificates(directory, {.dns = {"localhost"}, .addresses = {}});
  ASSERT_FALSE(again.has_value());
  EXPECT_THAT(again.error().message, testing::HasSubstr("exists already"));
  EXPECT_FALSE(make_certificates("/nonexistent/certificates", {.dns = {"localhost"}, .addresses = {}}).has_value());
}

TEST(NamesOfThisHost, has_the_local_ones) {
  const auto names = names_of_this_host();
  EXPECT_THAT(names.dns, testing::Contains("localhost"));
  EXPECT_THAT(names.addresses, testing::Contains("127.0.0.1"));
  EXPECT_THAT(names.addresses, testing::Contains("::1"));
}

}  // namespace
}  // namespace spice::server
