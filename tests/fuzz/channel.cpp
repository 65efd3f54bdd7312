// What a linked client sends, over a real connection to a channel: main, inputs, a port, and one that decodes what
// display and cursor channels get. First byte: which (4: the decoder of drawings instead); second: mini or full
// headers.
#include <asio/io_context.hpp>
#include <cstdlib>
#include <sys/socket.h>
#include <vector>

#include "spice/channel/inputs_hub.h"
#include "spice/channel/main_channel.h"
#include "spice/channel/port_channel.h"
#include "spice/wire/display.h"
#include "spice/wire/stream.h"

namespace {

using namespace spice;

class Guest final : public core::KeyboardSink, public core::MouseSink {
 public:
  void key(core::KeyCode code, bool down) override {
    if (down) {
      held_.insert(code);
    } else {
      held_.erase(code);
    }
  }
  std::uint8_t leds() override { return 0; }
  void set_led_listener(std::function<void(std::uint8_t)>) override {}
  void move(std::int32_t, std::int32_t, std::int32_t, std::uint8_t buttons) override { buttons_ = buttons; }
  bool is_at_rest() const { return held_.empty() && buttons_ == 0; }

 private:
  std::set<core::KeyCode> held_;
  std::uint8_t buttons_ = 0;
};

// Decodes every message of display and cursor clients.
class Listener final : public channel::Channel {
 public:
  Listener(core::Loop& loop, channel::LinkedConnection linked) : Channel(loop, std::move(linked)) {}

 private:
  std::span<const Handler> handlers() const override {
    static constexpr std::array kHandlers{channel::on<&Listener::init>, channel::on<&Listener::compression>,
                                          channel::on<&Listener::codecs>, channel::on<&Listener::report>};
    return kHandlers;
  }
  void on_start() override { connection().start_acks(20); }
  bool init(const wire::DisplayInit& message) { return message.cache_pixels >= 0; }
  void compression(const wire::DisplayPreferredCompression&) { send(wire::DisplayMark{}); }
  void codecs(const wire::DisplayPreferredVideoCodec&) {}
  void report(const wire::DisplayStreamReport&) {}
};

class ListenerProvider final : public channel::ChannelProvider {
 public:
  explicit ListenerProvider(core::Loop& loop) : loop_(loop) {}
  wire::Capabilities capabilities() const override { return {}; }
  void accept(channel::LinkedConnection connection) override {
    channels_.add(std::make_unique<Listener>(loop_, std::move(connection)));
  }

 private:
  core::Loop& loop_;
  channel::ChannelList<Listener> channels_;
};

// What decodes must encode to something that decodes to the same.
void check_drawing(std::span<const std::uint8_t> body) {
  const auto message = wire::decode<wire::DisplayDrawCopy>(body);
  if (!message) return;
  const auto bytes = wire::encode(*message).flatten();
  const auto again = wire::decode<wire::DisplayDrawCopy>(bytes);
  if (!again || wire::encode(*again).flatten() != bytes || wire::wire_size(*message) != bytes.size()) std::abort();
  if (wire::to_text(*message) != wire::to_text(*again)) std::abort();
}

struct World {
  core::Loop loop;
  Guest guest;
  agent::GuestPort agent_port{loop, agent::GuestPort::AtClose::Drop};
  agent::GuestPort other_port{loop};
  agent::Agent agent{{}, {loop, agent_port}};
  channel::Pointer pointer{{.loop = loop, .mouse = guest, .agent = &agent}};
  channel::MainProvider main{
      loop, {.name = "fuzz", .channels = [] { return std::vector<wire::ChannelKey>(); }}, {&agent, &pointer}};
  channel::PortProvider port{loop, other_port, "fuzz"};
  channel::InputsHub inputs{loop, guest, pointer};
  ListenerProvider listener{loop};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World world;
  static const bool is_set_up = [] {
    world.agent_port.guest_opened(true);
    world.other_port.guest_opened(true);
    world.other_port.set_receiver([](std::span<const std::uint8_t> bytes, core::Batch) { return bytes.size(); });
    return true;
  }();
  static_cast<void>(is_set_up);
  constexpr std::size_t kMostInput = 64 * 1024;  // fits the socket
  constexpr std::uint8_t kDrawing = 4;
  constexpr unsigned kKinds = 6;
  if (size < 2 || size > kMostInput) return 0;
  const std::span<const std::uint8_t> stream(data + 2, size - 2);
  if (data[0] % kKinds == kDrawing) return check_drawing(stream), 0;

  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) std::abort();
  core::Fd client(fds[1]);
  bool is_gone = false;
  constexpr std::array kTypes{wire::ChannelType::Main,   wire::ChannelType::Inputs, wire::ChannelType::Display,
                              wire::ChannelType::Cursor, wire::ChannelType::Main,   wire::ChannelType::Port};
  channel::LinkedConnection linked;
  linked.stream = net::make_stream(core::Fd(fds[0]));
  linked.stream.fd.tie(std::make_shared<net::Tether>([&is_gone] { is_gone = true; }));
  linked.key = {kTypes.at(data[0] % kKinds), 0};
  linked.mini_header = (data[1] & 1) == 0;
  linked.channel_caps = wire::Capabilities{wire::kNameAndUuidCap};
  linked.session = std::make_shared<channel::SessionInfo>(1);
  linked.session->owner = true;
  const std::array<channel::ChannelProvider*, kKinds> providers{&world.main,     &world.inputs, &world.listener,
                                                                &world.listener, nullptr,       &world.port};
  providers.at(data[0] % kKinds)->accept(std::move(linked));
  if (!stream.empty() && ::send(client.get(), stream.data(), stream.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    std::abort();
  }
  while (world.loop.context().poll() > 0) {
  }
  client.close();
  while (world.loop.context().poll() > 0) {
  }
  if (!is_gone || !world.guest.is_at_rest()) std::abort();
  return 0;
}
