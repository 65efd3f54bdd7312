#include "spice/server/certificates.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netdb.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "spice/net/openssl_reason.h"

namespace spice::server {

namespace {

constexpr const char* kCaKeyFile = "ca-key.pem";
constexpr long kValidSeconds = 3650L * 24 * 3600;
constexpr long kClockSkew = 24L * 3600;  // clients' clocks may be behind
constexpr int kSerialBits = 127;         // positive, and of 20 bytes at most [RFC 5280 4.1.2.2]
constexpr unsigned kSecret = S_IRUSR | S_IWUSR;
constexpr unsigned kPublic = kSecret | S_IRGRP | S_IROTH;
constexpr std::size_t kMaxCommonName = 64;  // ub-common-name

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<&::EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<&::X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<&::BIO_free_all>>;

std::unexpected<core::Error> openssl_failure(const char* what) {
  return core::fail("cannot make {}: {}", what, net::openssl_reason());
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Deleter<&::X509_EXTENSION_free>> extension(
      ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && ::X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Deleter<&::BN_free>> number(::BN_new());
  return number && ::BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         ::BN_to_ASN1_INTEGER(number.get(), ::X509_get_serialNumber(certificate)) != nullptr;
}

bool set_subject(X509* certificate, const std::string& name) {
  auto* subject = ::X509_get_subject_name(certificate);
  const auto text = name.substr(0, kMaxCommonName);
  return ::X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("minivmm"), -1,
                                      -1, 0) == 1 &&
         ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0) == 1;
}

struct Extension {
  int kind;
  std::string value;
};

// Signed by `issuer`, or by itself.
Certificate certificate_for(EVP_PKEY* key, const std::string& name, X509* issuer, EVP_PKEY* issuer_key,
                            const std::vector<Extension>& extensions) {
  Certificate made(::X509_new());
  auto* certificate = made.get();
  auto* signer = issuer != nullptr ? issuer : certificate;
  bool fine = certificate != nullptr && ::X509_set_version(certificate, X509_VERSION_3) == 1 &&
              set_serial(certificate) &&
              ::X509_gmtime_adj(::X509_getm_notBefore(certificate), -kClockSkew) != nullptr &&
              ::X509_gmtime_adj(::X509_getm_notAfter(certificate), kValidSeconds) != nullptr &&
              ::X509_set_pubkey(certificate, key) == 1 && set_subject(certificate, name) &&
              ::X509_set_issuer_name(certificate, ::X509_get_subject_name(signer)) == 1;
  for (const auto& [kind, value] : extensions)
    fine = fine && add_extension(certificate, signer, kind, value);
  fine = fine && ::X509_sign(certificate, issuer_key, ::EVP_sha256()) > 0;
  return fine ? std::move(made) : nullptr;
}

std::string alternative_names(const CertificateNames& names) {
  std::string text;
  const auto add = [&text](const char* kind, const std::string& name) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", kind, name);
  };
  for (const auto& name : names.dns)
    add("DNS", name);
  for (const auto& address : names.addresses)
    add("IP", address);
  return text;
}

struct File {
  const char* name;
  unsigned mode;
  std::string text;
};

template <class Write>
std::string pem(Write write) {
  const Memory memory(::BIO_new(::BIO_s_mem()));
  if (!memory || write(memory.get()) != 1) return "";
  char* text = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string pem_of(EVP_PKEY* key) {
  return pem(
      [key](BIO* out) { return ::PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
}

std::string pem_of(X509* certificate) {
  return pem([certificate](BIO* out) { return ::PEM_write_bio_X509(out, certificate); });
}

core::Result<std::vector<File>> make_files(const CertificateNames& names) {
  const Key ca_key(EVP_EC_gen("P-256"));
  const Key key(EVP_EC_gen("P-256"));
  if (!ca_key || !key) return openssl_failure("a key");
  const auto ca = certificate_for(ca_key.get(), fmt::format("SPICE CA of {}", names.dns.front()), nullptr, ca_key.get(),
                                  {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                   {NID_subject_key_identifier, "hash"}});
  if (!ca) return openssl_failure("the CA certificate");
  const auto server = certificate_for(key.get(), names.dns.front(), ca.get(), ca_key.get(),
                                      {{NID_basic_constraints, "critical,CA:FALSE"},
                                       {NID_key_usage, "critical,digitalSignature"},
                                       {NID_ext_key_usage, "serverAuth"},
                                       {NID_subject_key_identifier, "hash"},
                                       {NID_authority_key_identifier, "keyid:always"},
                                       {NID_subject_alt_name, alternative_names(names)}});
  if (!server) return openssl_failure("the server certificate");
  return std::vector<File>{{kCaKeyFile, kSecret, pem_of(ca_key.get())},
                           {kCaCertificateFile, kPublic, pem_of(ca.get())},
                           {kServerKeyFile, kSecret, pem_of(key.get())},
                           {kServerCertificateFile, kPublic, pem_of(server.get())}};
}

core::Result<> write_file(const std::string& path, const File& file) {
  const auto fd = core::Fd::open(path, O_WRONLY | O_CREAT | O_EXCL, file.mode);
  if (!fd) return std::unexpected(fd.error());
  const auto written = ::write(fd->get(), file.text.data(), file.text.size());
  if (written != static_cast<ssize_t>(file.text.size())) {
    return core::fail("cannot write {}: {}", path, core::errno_text());
  }
  return {};
}

bool is_useful(const ifaddrs& interface) {
  if (interface.ifa_addr == nullptr || (interface.ifa_flags & IFF_UP) == 0) return false;
  if (interface.ifa_addr->sa_family == AF_INET) return true;
  if (interface.ifa_addr->sa_family != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(interface.ifa_addr);
  return !IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

void add_once(std::vector<std::string>& all, const std::string& one) {
  if (!one.empty() && std::ranges::find(all, one) == all.end()) all.push_back(one);
}

}  // namespace

CertificateNames names_of_this_host() {
  CertificateNames names{.dns = {}, .addresses = {"127.0.0.1", "::1"}};
  std::array<char, NI_MAXHOST> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) add_once(names.dns, name.data());
  add_once(names.dns, "localhost");
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return names;
  const std::unique_ptr<ifaddrs, Deleter<&::freeifaddrs>> owner(first);
  for (const auto* interface = first; interface != nullptr; interface = interface->ifa_next) {
    if (!is_useful(*interface)) continue;
    const socklen_t size = interface->ifa_addr->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(interface->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
      add_once(names.addresses, text.data());
    }
  }
  return names;
}

core::Result<> make_certificates(const std::string& directory, const CertificateNames& names) {
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return core::fail("cannot make the directory {}: {}", directory, core::errno_text());
  }
  const auto files = make_files(names);
  if (!files) return std::unexpected(files.error());
  for (const auto& file : *files) {
    const auto path = fmt::format("{}/{}", directory, file.name);
    if (::access(path.c_str(), F_OK) == 0) {
      return core::fail("{} exists already and is not overwritten; choose another directory", path);
    }
  }
  for (const auto& file : *files) {
    if (auto written = write_file(fmt::format("{}/{}", directory, file.name), file); !written) return written;
  }
  return {};
}

}  // namespace spice::server
