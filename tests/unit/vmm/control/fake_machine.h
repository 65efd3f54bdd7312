// A machine for monitors to talk to: it does nothing and remembers what it was told.
#pragma once

#include <fmt/format.h>
#include <string>
#include <vector>

#include "core/event/loop.h"
#include "tests/device/fake_wiring.h"
#include "vmm/control/context.h"
#include "vmm/control/endpoint.h"
#include "vmm/machine/controllable.h"

namespace tests {

class FakeMachine final : public vmm::machine::Controllable, core::KeyboardSink, core::MouseSink {
 public:
  using RunState = vmm::machine::RunState;

  RunState state() const override { return run_state; }
  void stop() override { said("stop"); }
  void cont() override { said("cont"); }
  void reset() override { said("reset"); }
  void powerdown() override { said("powerdown"); }
  core::Result<> wakeup() override { return core::fail("Unable to wake up: guest is not in suspended state"); }
  void quit() override { said("quit"); }

  const std::string& name() const override { return name_; }
  const std::array<std::uint8_t, 16>& uuid() const override { return uuid_; }
  unsigned cpus() const override { return 2; }
  std::string_view accelerator() const override { return "soft"; }

  core::KeyboardSink& keyboard() override { return *this; }
  core::MouseSink& mouse() override { return *this; }
  // Nothing writes files.
  core::Result<vmm::machine::Picture> screenshot(const vmm::machine::ScreenshotOf& what) override {
    return core::fail("no picture of {} head {}{}", what.device, what.head ? std::to_string(*what.head) : "any",
                      what.pointer ? " with its pointer" : "");
  }

  core::PciBus& pci() override { return pci_; }
  core::AddressSpace& io() override { return io_; }
  core::AddressSpace& mmio() override { return mmio_; }
  core::RamMap& ram_map() override { return ram_map_; }
  std::vector<vmm::machine::IrqCount> interrupts() override { return {{"IRQ 4", 7}}; }
  std::optional<std::string> dump_device(std::string_view device) override {
    return device == "pic" ? std::optional<std::string>("irr=0\n") : std::nullopt;
  }
  std::vector<std::string> device_names() override { return {"ide", "pic", "pit"}; }
  std::string describe_displays() override { return "qxl0: revision 5, native\n"; }

  std::vector<vmm::machine::Drive> drives() override {
    return {{.name = "ide0-hd0", .path = "disk.img"}, {.name = "ide1-cd0", .path = "", .removable = true}};
  }
  core::Result<> save(const std::string&) override { return core::fail("no snapshots here"); }
  core::Result<> load(const std::string&) override { return core::fail("no snapshots here"); }
  core::Result<> eject(std::string_view drive, bool force) override {
    said(fmt::format("eject {}{}", drive, force ? " by force" : ""));
    return {};
  }
  core::Result<> change(std::string_view drive, const std::string& path, bool) override {
    said(fmt::format("change {} {}", drive, path));
    return {};
  }

  core::Result<> set_balloon(std::uint64_t bytes) override {
    said(fmt::format("balloon {}", bytes));
    return {};
  }
  std::optional<std::uint64_t> balloon() override { return has_balloon ? std::optional(1ull << 30) : std::nullopt; }
  std::optional<vmm::machine::BalloonStatistics> balloon_statistics() override {
    return has_balloon ? std::optional<vmm::machine::BalloonStatistics>(std::in_place) : std::nullopt;
  }
  void set_balloon_polling(std::uint32_t) override {}

  vmm::machine::SpiceStatus spice() override { return spice_status; }
  std::vector<vmm::machine::SpiceClient> spice_clients() override { return clients; }
  core::Result<> set_spice_pictures(const vmm::config::SpicePictures& pictures) override {
    if (!spice_status.enabled) return core::fail("SPICE is not in use");
    spice_status.pictures = pictures;
    return {};
  }
  core::Result<> set_spice_password(const std::string& password, vmm::machine::WhenConnected action) override {
    if (!spice_status.enabled || spice_status.auth != "spice") return core::fail("clients are not asked for one");
    said(fmt::format("password {} {}", password, static_cast<int>(action)));
    return {};
  }
  core::Result<> expire_spice_password(std::optional<std::chrono::sys_seconds> at) override {
    said(at ? fmt::format("expire {}", at->time_since_epoch().count()) : "expire never");
    return {};
  }
  core::Result<> add_spice_client(core::Fd connection, bool skip_auth, bool tls) override {
    if (tls) return core::fail("there is no TLS");
    said(fmt::format("client {}{}", connection.valid(), skip_auth ? " without ticket" : ""));
    return {};
  }

  void key(core::KeyCode code, bool down) override { said(fmt::format("key {:x}{}", code, down ? '+' : '-')); }
  std::uint8_t leds() override { return 0; }
  void set_led_listener(std::function<void(std::uint8_t)>) override {}
  void move(std::int32_t dx, std::int32_t dy, std::int32_t dz, std::uint8_t buttons) override {
    said(fmt::format("move {} {} {} {}", dx, dy, dz, buttons));
  }

  // With a server and one client.
  void serve_spice() {
    spice_status = {.enabled = true,
                    .host = "127.0.0.1",
                    .port = 5900,
                    .auth = "spice",
                    .mouse_mode = "server",
                    .clients = "share",
                    .channels = {{{"127.0.0.1", "40000", "ipv4"}, 77, 1, 0, false}}};
    clients = {{.peer = {"127.0.0.1", "40000", "ipv4"},
                .connection_id = 77,
                .owner = true,
                .view_only = false,
                .bit_rate = 50'000'000,
                .lines = {{"main", 1, 0, false, vmm::machine::SpiceClient::Line::Facts{2048, 100, 0, 250, 10'240}, {}},
                          {"display", 2, 0, false, vmm::machine::SpiceClient::Line::Facts{4096, 50, 7, 300, 20'480},
                           vmm::machine::SpiceDisplayFigures{.methods = {{"glz", 12, 4'096'000, 81'920, 2500}},
                                                             .cache_hits = 3,
                                                             .cache_misses = 9,
                                                             .cache_drops = 1,
                                                             .video = {1, 30, 2, 4, 10'240, 1500},
                                                             .queue = {5, 1024, 77}}},
                          {"inputs", 3, 0, false, std::nullopt, {}}}}};
  }

  std::vector<std::string> told;
  RunState run_state = RunState::Running;
  bool has_balloon = false;
  vmm::machine::SpiceStatus spice_status;
  std::vector<vmm::machine::SpiceClient> clients;

 private:
  void said(std::string what) {
    constexpr std::size_t kMost = 1000;
    if (told.size() < kMost) told.push_back(std::move(what));
  }

  std::string name_ = "fake";
  std::array<std::uint8_t, 16> uuid_{};
  core::AddressSpace io_{"io", 0x10000};
  core::AddressSpace mmio_{"mmio", 0};
  core::RamMap ram_map_;
  RecordingIrqSink pirq_;
  core::PciBus pci_{{io_, mmio_, ram_map_, pirq_}};
};

class TextOutput final : public vmm::control::Output {
 public:
  void send(std::string_view text) override { all += text; }
  bool take_keys() override { return is_terminal; }
  std::string take() { return std::exchange(all, {}); }
  std::string all;
  bool is_terminal = false;
};

}  // namespace tests
