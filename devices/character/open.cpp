#include "devices/character/open.h"

#include "devices/character/file_end.h"
#include "devices/character/pty_end.h"
#include "devices/character/pump.h"
#include "devices/character/stdio_end.h"
#include "devices/character/unix_end.h"

namespace devices::character {

namespace {

// Takes everything, gives nothing.
class NullStream final : public core::CharStream {
 public:
  std::size_t write(std::span<const std::uint8_t> bytes) override { return bytes.size(); }
  void set_receiver(core::CharReceiver) override {}
  void ready_to_receive() override {}
};

core::Result<std::unique_ptr<Endpoint>> open_unix(std::string_view argument) {
  const auto comma = argument.find(',');
  const std::string path(argument.substr(0, comma));
  bool server = true;
  for (auto at = comma; at != std::string_view::npos;) {
    const auto next = argument.find(',', at + 1);
    const auto option = argument.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    if (option == "server=on" || option == "server" || option == "server=off") {
      server = option != "server=off";
    } else if (option != "wait=off") {  // nothing here ever waits for a peer
      return core::fail("unix:{} has no option \"{}\"; it takes server=on or server=off", path, option);
    }
    at = next;
  }
  return server ? listen_unix_end(path) : connect_unix_end(path);
}

core::Result<std::unique_ptr<Endpoint>> open_endpoint(std::string_view spec) {
  constexpr std::string_view kFile = "file:";
  constexpr std::string_view kUnix = "unix:";
  if (spec == "stdio") return open_stdio_end();
  if (spec == "pty") return open_pty_end();
  if (spec.starts_with(kFile)) return open_file_end(std::string(spec.substr(kFile.size())));
  if (spec.starts_with(kUnix)) return open_unix(spec.substr(kUnix.size()));
  return core::fail("\"{}\" is no character stream; use stdio, file:PATH, unix:PATH[,server=on|off], pty or none",
                    spec);
}

}  // namespace

core::Result<std::unique_ptr<core::CharStream>> open(std::string_view spec, const core::ThreadStart& start) {
  if (spec == "null" || spec == "none") return std::make_unique<NullStream>();
  auto endpoint = open_endpoint(spec);
  if (!endpoint) return std::unexpected(endpoint.error());
  auto pump = Pump::start(std::move(*endpoint), start);
  if (!pump) return std::unexpected(pump.error());
  return std::move(*pump);
}

}  // namespace devices::character
