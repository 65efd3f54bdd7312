// Certificates for those who have none: a CA of one's own and a server certificate signed by it. [RFC 5280]
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace spice::server {

// Files of x509-dir, by the names that QEMU's users know.
constexpr const char* kServerKeyFile = "server-key.pem";
constexpr const char* kServerCertificateFile = "server-cert.pem";
constexpr const char* kCaCertificateFile = "ca-cert.pem";

// What a certificate can be for: names and numeric addresses.
struct CertificateNames {
  std::vector<std::string> dns;
  std::vector<std::string> addresses;
};

// Those by which clients may know this host: localhost, its name, its addresses. The first name is the subject.
CertificateNames names_of_this_host();

// Makes the three files and the CA's key in a directory, which is made if need be. Nothing is overwritten. Keys (EC
// P-256) are readable by their owner only.
core::Result<> make_certificates(const std::string& directory, const CertificateNames& names);

}  // namespace spice::server
