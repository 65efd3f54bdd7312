// --spice. Names, values and habits are those of QEMU's -spice; a name that does not work here yet is refused by name.
#include <algorithm>

#include "vmm/config/key_values.h"
#include "vmm/config/options.h"

namespace vmm::config {

namespace {

using core::fail;
using core::Result;

Result<> apply_port(SpiceConfig& config, const KeyValue& pair) {
  const auto port = parse_number(pair.value, 1, 65535);
  if (!port) return fail("port: {}", port.error().message);
  config.port = static_cast<std::uint16_t>(*port);
  return {};
}

Result<> apply_addr(SpiceConfig& config, const KeyValue& pair) {
  config.addr = pair.value;
  return {};
}

template <bool SpiceConfig::* Member>
Result<> apply_flag(SpiceConfig& config, const KeyValue& pair) {
  const auto on = parse_switch(pair);
  if (!on) return std::unexpected(on.error());
  config.*Member = *on;
  return {};
}

Result<> apply_password(SpiceConfig& config, const KeyValue& pair) {
  constexpr std::size_t kMaxPassword = 60;  // what fits a ticket with its NUL
  if (pair.value.size() > kMaxPassword) return fail("password: longer than {} characters", kMaxPassword);
  config.password = pair.value;
  return {};
}

Result<> apply_compression(SpiceConfig& config, const KeyValue& pair) {
  if (pair.value == "off" || pair.value == "lz" || pair.value == "auto_lz") {
    config.compress = pair.value != "off";
    return {};
  }
  if (pair.value == "auto_glz" || pair.value == "glz" || pair.value == "quic" || pair.value == "lz4") {
    return fail("image-compression={}: not built yet; use lz or off", pair.value);
  }
  return fail("image-compression={}: give lz, auto_lz or off", pair.value);
}

// A feature that does not exist yet: its name is known, and saying that it stays off is fine.
Result<> refuse_unless_off(SpiceConfig&, const KeyValue& pair) {
  if (pair.value == "off" || pair.value == "never") return {};
  return fail("{}={}: not built yet; leave it out", pair.key, pair.value);
}

Result<> refuse(SpiceConfig&, const KeyValue& pair) {
  return fail("{}: not built yet; leave it out", pair.key);
}

constexpr SpiceOption kSpiceOptions[] = {
    {"port", "N", "The TCP port to listen on. Needed.", apply_port},
    {"addr", "ADDRESS",
     "The address to listen on. Without it: loopback only, or all addresses once password or disable-ticketing is "
     "given. An address beyond loopback needs one of the two.",
     apply_addr},
    {"ipv4", "on|off", "Listen on IPv4 only.", apply_flag<&SpiceConfig::ipv4_only>},
    {"ipv6", "on|off", "Listen on IPv6 only.", apply_flag<&SpiceConfig::ipv6_only>},
    {"password", "TEXT", "Clients must give this password. An empty one refuses every client.", apply_password},
    {"disable-ticketing", "on|off", "Let clients in without a password.", apply_flag<&SpiceConfig::disable_ticketing>},
    {"image-compression", "lz|auto_lz|off", "How pictures are compressed; lz is the default.", apply_compression},
    {"streaming-video", "off", "", refuse_unless_off},
    {"jpeg-wan-compression", "never", "", refuse_unless_off},
    {"zlib-glz-wan-compression", "never", "", refuse_unless_off},
    {"seamless-migration", "off", "", refuse_unless_off},
    {"sasl", "off", "", refuse_unless_off},
    {"gl", "off", "", refuse_unless_off},
    {"unix", "off", "", refuse_unless_off},
    {"disable-copy-paste", "", "", refuse},
    {"disable-agent-file-xfer", "", "", refuse},
    {"agent-mouse", "", "", refuse},
    {"playback-compression", "", "", refuse},
    {"tls-port", "", "", refuse},
    {"tls-ciphers", "", "", refuse},
    {"tls-channel", "", "", refuse},
    {"plaintext-channel", "", "", refuse},
    {"x509-dir", "", "", refuse},
    {"x509-key-file", "", "", refuse},
    {"x509-key-password", "", "", refuse},
    {"x509-cert-file", "", "", refuse},
    {"x509-cacert-file", "", "", refuse},
    {"x509-dh-key-file", "", "", refuse},
    {"password-secret", "", "", refuse},
    {"rendernode", "", "", refuse},
    {"display", "", "", refuse},
    {"head", "", "", refuse},
};

}  // namespace

std::span<const SpiceOption> spice_options() {
  return kSpiceOptions;
}

Result<> apply_spice(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "port");
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    const auto option = std::ranges::find(kSpiceOptions, pair.key, &SpiceOption::name);
    if (option == std::end(kSpiceOptions)) return fail("unknown key \"{}\"; see minivmm --help", pair.key);
    if (auto applied = option->apply(config.spice, pair); !applied) return applied;
  }
  if (config.spice.port == 0) return fail("needs a port: --spice 3001 or port=3001");
  if (config.spice.ipv4_only && config.spice.ipv6_only) return fail("ipv4 and ipv6 exclude each other");
  if (config.spice.password && config.spice.disable_ticketing) {
    return fail("password and disable-ticketing exclude each other");
  }
  config.spice.enabled = true;
  return {};
}

}  // namespace vmm::config
