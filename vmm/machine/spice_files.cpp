#include "vmm/machine/spice_files.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "spice/server/certificates.h"
#include "spice/wire/link.h"

namespace vmm::machine {

core::Result<std::string> make_certificates(const std::string& directory) {
  const auto names = spice::server::names_of_this_host();
  if (auto made = spice::server::make_certificates(directory, names); !made) return std::unexpected(made.error());
  std::string known_as;
  for (const auto* list : {&names.dns, &names.addresses})
    for (const auto& name : *list)
      known_as += fmt::format("{}{}", known_as.empty() ? "" : ", ", name);
  return fmt::format(
      "Made in {0}:\n"
      "  server-key.pem, server-cert.pem   for {1}\n"
      "  ca-cert.pem                       what clients need to trust it\n"
      "  ca-key.pem                        signs further certificates; keep it away from everybody, or delete it\n"
      "\n"
      "Serve:    minivmm --spice tls-port=3002,x509-dir={0} ...\n"
      "Connect:  remote-viewer --spice-ca-file={0}/ca-cert.pem 'spice://localhost?tls-port=3002'\n"
      "or let minivmm write it all into a file, with vv=guest.vv, and open that: remote-viewer guest.vv\n",
      directory, known_as);
}

core::Result<std::string> read_password(const std::string& path) {
  const auto fd = core::Fd::open(path, O_RDONLY);
  if (!fd) return std::unexpected(fd.error());
  // One more for a newline, and one to see that there is too much.
  std::array<char, spice::wire::kMaxPasswordLength + 2> bytes{};
  std::size_t size = 0;
  while (size < bytes.size()) {
    const auto count = ::read(fd->get(), bytes.data() + size, bytes.size() - size);
    if (count < 0) return core::fail("cannot read {}: {}", path, core::errno_text());
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  std::string password(bytes.data(), size);
  if (password.ends_with('\n')) password.pop_back();
  if (password.size() > spice::wire::kMaxPasswordLength) {
    return core::fail("{} holds a password of more than {} characters", path, spice::wire::kMaxPasswordLength);
  }
  if (password.contains('\0')) return core::fail("{} holds a NUL, which no password can have", path);
  return password;
}

}  // namespace vmm::machine
