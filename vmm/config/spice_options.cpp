// --spice. Names, values and habits are those of QEMU's -spice; a name that does not work here yet is refused by name.
#include <algorithm>

#include "vmm/config/key_values.h"
#include "vmm/config/options.h"

namespace vmm::config {

namespace {

using core::fail;
using core::Result;

constexpr std::string_view kChannels[] = {"main",      "display",  "inputs", "cursor", "playback", "record",
                                          "smartcard", "usbredir", "port",   "webdav", "default"};

// 0 is none, as for QEMU.
template <std::uint16_t SpiceConfig::* Member>
Result<> apply_port(SpiceConfig& config, const KeyValue& pair) {
  constexpr std::string_view kUnix = "unix:";
  if (Member == &SpiceConfig::port && pair.value.starts_with(kUnix)) {
    config.unix_socket = true;
    config.addr = pair.value.substr(kUnix.size());
    return {};
  }
  const auto port = parse_number(pair.value, 0, 65535);
  if (!port) return fail("{}: {}", pair.key, port.error().message);
  config.*Member = static_cast<std::uint16_t>(*port);
  return {};
}

Result<> apply_addr(SpiceConfig& config, const KeyValue& pair) {
  config.addr = pair.value;
  return {};
}

template <std::optional<int> SpiceConfig::* Member>
Result<> apply_descriptor(SpiceConfig& config, const KeyValue& pair) {
  constexpr int kFirst = 3;  // behind those that every process has
  const auto fd = parse_number(pair.value, kFirst, 1 << 20);
  if (!fd) return fail("{}: {}", pair.key, fd.error().message);
  config.*Member = static_cast<int>(*fd);
  return {};
}

template <std::string SpiceConfig::* Member>
Result<> apply_text(SpiceConfig& config, const KeyValue& pair) {
  if (pair.value.empty()) return fail("{}: is empty", pair.key);
  config.*Member = pair.value;
  return {};
}

template <std::string SpiceTlsConfig::* Member>
Result<> apply_tls(SpiceConfig& config, const KeyValue& pair) {
  if (pair.value.empty()) return fail("{}: is empty", pair.key);
  config.tls.*Member = pair.value;
  return {};
}

template <bool Tls>
Result<> apply_channel(SpiceConfig& config, const KeyValue& pair) {
  if (std::ranges::find(kChannels, pair.value) == std::end(kChannels)) {
    return fail(
        "{}={}: no such channel; give main, display, inputs, cursor, playback, record, smartcard, usbredir, "
        "port, webdav or default",
        pair.key, pair.value);
  }
  config.security.push_back({pair.value, Tls});
  return {};
}

template <bool SpiceConfig::* Member>
Result<> apply_flag(SpiceConfig& config, const KeyValue& pair) {
  const auto on = parse_switch(pair);
  if (!on) return std::unexpected(on.error());
  config.*Member = *on;
  return {};
}

// disable-X=on.
template <bool SpiceConfig::* Member>
Result<> apply_disabling(SpiceConfig& config, const KeyValue& pair) {
  const auto on = parse_switch(pair);
  if (!on) return std::unexpected(on.error());
  config.*Member = !*on;
  return {};
}

template <std::optional<std::string> SpiceConfig::* Member>
Result<> apply_password(SpiceConfig& config, const KeyValue& pair) {
  constexpr std::size_t kMaxPassword = 60;  // what fits a ticket with its NUL
  if (pair.value.size() > kMaxPassword) return fail("{}: longer than {} characters", pair.key, kMaxPassword);
  config.*Member = pair.value;
  return {};
}

// One of a few words.
template <class T, std::size_t N>
Result<> apply_word(T& target, const KeyValue& pair, const std::pair<std::string_view, T> (&words)[N]) {
  const auto* found = std::ranges::find(words, pair.value, &std::pair<std::string_view, T>::first);
  if (found != std::end(words)) {
    target = found->second;
    return {};
  }
  std::string known;
  for (std::size_t word = 0; word < N; ++word)
    known += fmt::format("{}{}", word == 0 ? "" : word + 1 == N ? " or " : ", ", words[word].first);
  return fail("{}={}: give {}", pair.key, pair.value, known);
}

Result<> apply_clients(SpiceConfig& config, const KeyValue& pair) {
  static constexpr std::pair<std::string_view, SpiceClients> kPolicies[] = {
      {"share", SpiceClients::Share}, {"takeover", SpiceClients::Takeover}, {"refuse", SpiceClients::Refuse}};
  return apply_word(config.clients, pair, kPolicies);
}

Result<> apply_picture(SpiceConfig& config, const KeyValue& pair) {
  return set_spice_picture(config.pictures, pair.key, pair.value);
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
    {"port", "N", "The TCP port to listen on. unix:PATH is short for unix=on,addr=PATH.",
     apply_port<&SpiceConfig::port>},
    {"tls-port", "N", "The TCP port to listen on with TLS, beside port or without it. It needs x509-dir.",
     apply_port<&SpiceConfig::tls_port>},
    {"addr", "ADDRESS",
     "The address to listen on. Without it: loopback only, or all addresses once password, password-secret, sasl or "
     "disable-ticketing is given. An address beyond loopback needs one of them.",
     apply_addr},
    {"ipv4", "on|off", "Listen on IPv4 only.", apply_flag<&SpiceConfig::ipv4_only>},
    {"ipv6", "on|off", "Listen on IPv6 only.", apply_flag<&SpiceConfig::ipv6_only>},
    {"unix", "on|off",
     "Listen on a Unix socket instead of a port: addr is its path, or @NAME for an abstract one. Only the same user "
     "can "
     "connect.",
     apply_flag<&SpiceConfig::unix_socket>},
    {"listen-fd", "N",
     "A listening socket that is open already as this descriptor, for instance systemd's first, which is 3.",
     apply_descriptor<&SpiceConfig::listen_fd>},
    {"tls-listen-fd", "N", "The same, for TLS.", apply_descriptor<&SpiceConfig::tls_listen_fd>},
    {"password", "TEXT", "Clients must give this password. An empty one refuses every client.",
     apply_password<&SpiceConfig::password>},
    {"password-secret", "FILE", "The password is what this file holds; a newline at its end does not count.",
     apply_text<&SpiceConfig::password_file>},
    {"view-only-password", "TEXT",
     "Clients that give this password may watch: what they type and where they point goes nowhere. Goes with password.",
     apply_password<&SpiceConfig::view_only_password>},
    {"clients", "share|takeover|refuse",
     "What a further client means: all share the guest (the default), it takes the place of who is there, or it is "
     "refused. Clients that only watch are not counted.",
     apply_clients},
    {"disable-ticketing", "on|off", "Let clients in without a password.", apply_flag<&SpiceConfig::disable_ticketing>},
    {"x509-dir", "DIR", "Where server-key.pem, server-cert.pem and ca-cert.pem are; see gen-certs.",
     apply_tls<&SpiceTlsConfig::directory>},
    {"x509-key-file", "FILE", "The server's key, instead of that of x509-dir.", apply_tls<&SpiceTlsConfig::key_file>},
    {"x509-key-password", "TEXT", "The password of the key file.", apply_tls<&SpiceTlsConfig::key_password>},
    {"x509-cert-file", "FILE", "The server's certificate, or a chain of them.",
     apply_tls<&SpiceTlsConfig::certificate_file>},
    {"x509-cacert-file", "FILE", "The CA's certificate.", apply_tls<&SpiceTlsConfig::ca_file>},
    {"x509-dh-key-file", "FILE", "Diffie-Hellman parameters instead of OpenSSL's own.",
     apply_tls<&SpiceTlsConfig::dh_file>},
    {"tls-ciphers", "LIST",
     "The ciphers of TLS 1.2 as OpenSSL names them; names that begin with TLS_ are cipher suites of TLS 1.3.",
     apply_tls<&SpiceTlsConfig::ciphers>},
    {"tls-channel", "NAME",
     "This channel needs TLS. NAME is main, display, inputs, cursor, playback, record, smartcard, usbredir, port, "
     "webdav "
     "or default. Any number of times.",
     apply_channel<true>},
    {"plaintext-channel", "NAME", "This channel must not use TLS.", apply_channel<false>},
    {"gen-certs", "DIR",
     "Make a CA and a certificate for this host in DIR, say how to use them, and exit. Nothing is overwritten.",
     apply_text<&SpiceConfig::make_certificates>},
    {"vv", "FILE",
     "Write a file that remote-viewer connects with: addresses, CA and password. Only its owner can read it; it goes "
     "when minivmm ends.",
     apply_text<&SpiceConfig::viewer_file>},
    {"sasl", "on|off",
     "Clients are authenticated by SASL, as /etc/sasl2/qemu.conf says, instead of by a password. Without TLS only "
     "mechanisms that encrypt are offered.",
     apply_flag<&SpiceConfig::sasl>},
    {"image-compression", "auto_glz|auto_lz|quic|glz|lz|lz4|off",
     "How pictures are compressed, unless a client prefers another way. auto_glz, the default, and auto_lz send photos "
     "as "
     "quic and the rest as glz or lz; glz remembers earlier pictures.",
     apply_picture},
    {"disable-copy-paste", "on|off", "Whether copying and pasting between clients and the guest is forbidden.",
     apply_disabling<&SpiceConfig::copy_paste>},
    {"disable-agent-file-xfer", "on|off", "Whether dropping files into the guest is forbidden.",
     apply_disabling<&SpiceConfig::file_transfer>},
    {"agent-mouse", "on|off", "Whether the guest's agent may move the pointer, so that it follows that of the client.",
     apply_flag<&SpiceConfig::agent_mouse>},
    {"streaming-video", "off|filter|all",
     "Send what the guest draws again and again at one place as video: nothing, what looks like a film, or all of it. "
     "off is the default.",
     apply_picture},
    {"video-codecs", "ENCODER:CODEC;...",
     "The codecs of such video, best first: spice:mjpeg, gstreamer:vp8 and gstreamer:vp9, or auto. A client's own "
     "order "
     "goes before this one.",
     apply_text<&SpiceConfig::video_codecs>},
    {"jpeg-wan-compression", "auto|never|always",
     "Whether photos lose some of their exactness for speed. auto: for clients whose line carries less than 10 Mbit/s.",
     apply_picture},
    {"zlib-glz-wan-compression", "auto|never|always", "Whether what glz makes is packed once more, likewise.",
     apply_picture},
    {"seamless-migration", "off", "", refuse_unless_off},
    {"gl", "off", "", refuse_unless_off},
    {"playback-compression", "", "", refuse},
    {"rendernode", "", "", refuse},
    {"display", "", "", refuse},
    {"head", "", "", refuse},
};

void fill_in_files(SpiceTlsConfig& tls) {
  if (tls.directory.empty()) return;
  const auto fill = [&tls](std::string& file, const char* name) {
    if (file.empty()) file = fmt::format("{}/{}", tls.directory, name);
  };
  fill(tls.key_file, "server-key.pem");
  fill(tls.certificate_file, "server-cert.pem");
  fill(tls.ca_file, "ca-cert.pem");
}

Result<> check_listening(const SpiceConfig& config) {
  const bool has_plain = config.port != 0 || config.unix_socket || config.listen_fd;
  const bool has_tls = config.tls_port != 0 || config.tls_listen_fd;
  if (!has_plain && !has_tls) return fail("needs a port: --spice 3001, port=3001 or tls-port=3002");
  if (config.unix_socket && config.addr.empty()) return fail("unix=on needs addr=PATH");
  if (config.unix_socket && (config.port != 0 || config.tls_port != 0)) {
    return fail("unix=on listens on addr=PATH only: leave port and tls-port out");
  }
  if (config.port != 0 && config.port == config.tls_port) return fail("port and tls-port are the same");
  if (config.listen_fd && config.listen_fd == config.tls_listen_fd) {
    return fail("listen-fd and tls-listen-fd are the same");
  }
  if (config.ipv4_only && config.ipv6_only) return fail("ipv4 and ipv6 exclude each other");
  if (has_tls && (config.tls.key_file.empty() || config.tls.certificate_file.empty())) {
    return fail("TLS needs x509-dir=DIR; --spice gen-certs=DIR makes its files");
  }
  for (const auto& [channel, tls] : config.security) {
    if (tls && !has_tls) return fail("tls-channel={} needs a tls-port", channel);
    if (!tls && !has_plain) return fail("plaintext-channel={} needs a port", channel);
  }
  return {};
}

Result<> check_tickets(const SpiceConfig& config) {
  if (config.password && !config.password_file.empty()) {
    return fail("password and password-secret exclude each other");
  }
  if (config.disable_ticketing && config.password) return fail("password and disable-ticketing exclude each other");
  if (config.disable_ticketing && !config.password_file.empty()) {
    return fail("password-secret and disable-ticketing exclude each other");
  }
  return {};
}

}  // namespace

std::span<const SpiceOption> spice_options() {
  return kSpiceOptions;
}

Result<> apply_spice(MachineConfig& config, std::string_view value) {
  const auto pairs = split_key_values(value, "port");
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    const auto option = std::ranges::find(kSpiceOptions, pair.key, &SpiceOption::name);
    if (option == std::end(kSpiceOptions)) {
      // It may be the rest of a password, which nobody else is to read.
      if (config.spice.password) return fail("unknown key behind password; a comma in a password is written as two");
      return fail("unknown key \"{}\"; see minivmm --help", pair.key);
    }
    if (auto applied = option->apply(config.spice, pair); !applied) return applied;
  }
  if (!config.spice.make_certificates.empty()) {
    if (pairs->size() > 1) return fail("gen-certs stands alone");
    return {};
  }
  fill_in_files(config.spice.tls);
  if (auto checked = check_listening(config.spice); !checked) return checked;
  if (auto checked = check_tickets(config.spice); !checked) return checked;
  config.spice.enabled = true;
  return {};
}

}  // namespace vmm::config
