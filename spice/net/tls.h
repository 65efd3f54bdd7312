// TLS as a layer: OpenSSL over memory buffers, without any I/O, so that it moves between threads with its stream.
//
// The server's side only. TLS 1.2 and 1.3; no renegotiation, no session tickets, no compression. Clients show no
// certificates: they say who they are by their ticket.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "spice/net/transport.h"

namespace spice::net {

// Paths, and what OpenSSL is told. Empty: none.
struct TlsConfig {
  std::string key_file;
  std::string certificate_file;  // may hold a chain
  std::string ca_file;           // sent along with the certificate if it completes its chain
  std::string key_password;
  std::string dh_file;  // otherwise OpenSSL's own parameters
  // OpenSSL's list for TLS 1.2; names that begin with TLS_ are the cipher suites of TLS 1.3.
  std::string ciphers;
};

class TlsContext {
 public:
  // Reads the files. The error names the one that does not serve.
  static core::Result<std::shared_ptr<const TlsContext>> create(const TlsConfig& config);

  // The layer of a connection that a client has opened. Any thread.
  std::unique_ptr<Layer> accept() const;

 private:
  struct Impl;
  explicit TlsContext(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace spice::net
