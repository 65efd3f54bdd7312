// SASL by Debian's cyrus-sasl, set up as libspice in QEMU does it: service "spice", application "qemu", whose file is
// /etc/sasl2/qemu.conf (SASL_CONF_PATH in the environment names another folder for it).
//
// On a carrier that does not encrypt, only mechanisms count that protect what follows with a strength of 56 bits or
// more, and none that shows the password. On one that does, any the administrator lists.
#pragma once

#include "core/base/result.h"
#include "spice/server/sasl_exchange.h"

namespace spice::server {

class CyrusSasl final : public SaslService {
 public:
  // Sets the library up, once in a process.
  static core::Result<std::unique_ptr<CyrusSasl>> create();

  std::unique_ptr<SaslExchange> begin(const Carrier& carrier) override;

 private:
  CyrusSasl() = default;
};

}  // namespace spice::server
