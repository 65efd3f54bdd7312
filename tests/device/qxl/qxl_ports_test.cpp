// The ports of a QXL device outside VGA mode: what is allowed when, mistakes, asynchronous commands, what clients say.
#include <semaphore>
#include <thread>

#include "tests/device/qxl/native_rig.h"

namespace {

using devices::qxl::abi::QXLRam;
using devices::qxl::abi::QXLURect;
using tests::NativeRig;
using tests::QxlRig;
using Port = devices::qxl::abi::QxlPort;

constexpr std::uint32_t kClient = 16;
constexpr std::uint32_t kClientMonitors = 32;

struct Listener final : core::DoorbellListener {
  void doorbell_added(const core::Doorbell& doorbell) override { bells.push_back(doorbell); }
  void doorbell_removed(const core::Doorbell& doorbell) override { std::erase(bells, doorbell); }
  std::vector<core::Doorbell> bells;
};

TEST(QxlPorts, notifications_are_doorbells_that_wake_the_worker) {
  Listener ports;
  QxlRig rig({.doorbell = true});
  rig.place_bars();
  rig.io.set_doorbell_listener(&ports);
  ASSERT_EQ(ports.bells.size(), 2u);
  const auto eventfd = rig.device.source().doorbell();
  EXPECT_GE(eventfd, 0);
  EXPECT_EQ(ports.bells[0], (core::Doorbell{QxlRig::kIo + 0, 1, std::nullopt, eventfd}));
  EXPECT_EQ(ports.bells[1], (core::Doorbell{QxlRig::kIo + 1, 1, std::nullopt, eventfd}));
  rig.io.set_doorbell_listener(nullptr);
}

// They are to be printed, or to be waited for.
TEST(QxlPorts, traced_or_counted_notifications_are_no_doorbells) {
  for (const auto& config :
       {devices::qxl::QxlFunction::Config{.trace = true, .doorbell = true}, {.counted_time = true, .doorbell = true}}) {
    const QxlRig rig(config);
    EXPECT_EQ(rig.device.source().doorbell(), -1);
  }
}

TEST(QxlPorts, slots_must_lie_in_one_of_the_memories) {
  struct Case {
    std::uint64_t start, end;
    bool good;
  };
  constexpr std::uint64_t kRam = NativeRig::kRam, kVram = NativeRig::kVram;
  const Case cases[] = {{kRam, kRam + (16 << 20), true},
                        {kRam + 4096, kRam + 4096, true},
                        {kVram, kVram + (1 << 20), true},
                        {kVram + 4096, kVram + 8192, true},
                        {kRam, kRam + (16 << 20) + 1, false},
                        {kRam - 1, kRam + 4096, false},
                        {kRam + 4096, kRam, false},
                        {0, ~std::uint64_t{0}, false},
                        {0xffff'ffff'ffff'f000, 0x1000, false},
                        {NativeRig::kRom, NativeRig::kRom + 4096, false}};
  for (const auto& [start, end, good] : cases) {
    SCOPED_TRACE(testing::Message() << std::hex << start << ".." << end);
    NativeRig rig;
    rig.set_slot(start, end);
    rig.port(Port::MemslotAdd, 3);
    EXPECT_EQ(rig.take_pending(), good ? 0u : NativeRig::kError);
  }
}

TEST(QxlPorts, slot_in_use_or_beyond_the_last_is_a_guest_bug) {
  NativeRig used;
  used.add_slots();
  used.port(Port::MemslotAdd, 2);
  EXPECT_EQ(used.take_pending(), NativeRig::kError);
  NativeRig beyond;
  beyond.set_slot(NativeRig::kRam, NativeRig::kRam + 4096);
  beyond.port(Port::MemslotAdd, 8);
  EXPECT_EQ(beyond.take_pending(), NativeRig::kError);
  NativeRig gone;
  gone.port(Port::MemslotDel, 8);
  EXPECT_EQ(gone.take_pending(), NativeRig::kError);
}

TEST(QxlPorts, removed_slot_resolves_nothing_and_may_be_added_again) {
  NativeRig rig;
  rig.go_native();
  rig.port(Port::MemslotDel, 1);
  rig.submit(rig.fill(5, NativeRig::box(0, 0, 1, 1)));
  EXPECT_TRUE(rig.canvas.drawings.empty());
  rig.set_slot(NativeRig::kRam, NativeRig::kRam + (16u << 20));
  rig.port(Port::MemslotAddAsync, 1);
  EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
  rig.submit(rig.fill(5, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.canvas.drawings.size(), 1u);
}

TEST(QxlPorts, guest_bug_stops_everything_but_reset) {
  NativeRig rig;
  rig.go_native();
  rig.port(Port::AttachPrimary);
  EXPECT_EQ(rig.take_pending(), NativeRig::kError);
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(0, 0, 1, 1));
  rig.port(Port::UpdateAreaAsync);
  rig.submit(rig.fill(5, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.take_pending(), 0u);
  EXPECT_TRUE(rig.canvas.drawings.empty());
  EXPECT_NE(rig.device.describe().find("guest bug"), std::string::npos);
  rig.port(Port::Reset);
  rig.go_native();
  rig.submit(rig.fill(5, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.canvas.drawings.size(), 1u);
}

TEST(QxlPorts, meaningless_ports_are_guest_bugs_outside_vga_mode) {
  for (const unsigned port : {10u, 11u, 25u, 31u}) {
    SCOPED_TRACE(port);
    NativeRig rig;
    rig.go_native();
    rig.out8(static_cast<std::uint16_t>(NativeRig::kIo + port), 0);
    EXPECT_EQ(rig.take_pending(), NativeRig::kError);
  }
}

TEST(QxlPorts, update_of_nothing_completes_and_reports_an_error) {
  NativeRig rig;
  rig.go_native();
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(5, 5, 5, 9));
  rig.port(Port::UpdateAreaAsync);
  EXPECT_EQ(rig.take_pending(), NativeRig::kError | NativeRig::kIoCmd);
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(0, 0, 1, 1));
  rig.port(Port::UpdateAreaAsync);
  EXPECT_EQ(rig.take_pending() & NativeRig::kIoCmd, NativeRig::kIoCmd) << "no guest bug";
}

TEST(QxlPorts, update_of_an_impossible_area_is_a_guest_bug) {
  for (const auto& area :
       {NativeRig::box(5, 5, 4, 9), NativeRig::box(0xffffffff, 0, 4, 4), NativeRig::box(0, 9, 4, 4)}) {
    NativeRig rig;
    rig.go_native();
    rig.set_field(offsetof(QXLRam, update_area), area);
    rig.port(Port::UpdateArea);
    EXPECT_EQ(rig.take_pending(), NativeRig::kError);
  }
  NativeRig rig;
  rig.go_native();
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(0, 0, 1, 1));
  rig.set_header(offsetof(QXLRam, update_surface), 1024);
  rig.port(Port::UpdateArea);
  EXPECT_EQ(rig.take_pending(), NativeRig::kError);
}

TEST(QxlPorts, second_asynchronous_command_is_a_guest_bug) {
  NativeRig rig;
  rig.go_native();
  rig.device.source().set_wake([] {});  // a worker that has not come to it
  rig.port(Port::FlushSurfacesAsync);
  rig.port(Port::FlushSurfacesAsync);
  EXPECT_EQ(rig.take_pending(), NativeRig::kError);
  rig.pull();
  EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
}

TEST(QxlPorts, what_a_cpu_waits_for_is_served_while_drawings_wait) {
  NativeRig rig;
  rig.go_native();
  rig.device.source().set_wake([] {});
  rig.push(rig.fill(0x123456, NativeRig::box(0, 0, 1, 1)), devices::qxl::abi::QxlCommandType::Draw);
  rig.port(Port::MonitorsConfigAsync);
  rig.device.source().serve(rig.canvas);
  EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
  EXPECT_EQ(rig.canvas.surfaces[0].at(0, 0), 0u);
  rig.pull();
  EXPECT_EQ(rig.canvas.surfaces[0].at(0, 0), 0x123456u);
}

TEST(QxlPorts, asynchronous_command_before_a_reset_does_not_complete) {
  NativeRig rig;
  rig.go_native();
  rig.device.source().set_wake([] {});
  rig.port(Port::FlushSurfacesAsync);
  {
    const std::scoped_lock guard(rig.device.lock());
    rig.device.reset();
  }
  rig.pull();
  EXPECT_EQ(rig.take_pending(), 0u);
  EXPECT_TRUE(rig.canvas.surfaces.empty());
}

TEST(QxlPorts, create_primary_checks_its_operands) {
  const auto result = [](const devices::qxl::abi::QXLSurfaceCreate& wanted) {
    NativeRig rig;
    rig.add_slots();
    rig.set_primary(wanted);
    rig.port(Port::CreatePrimaryAsync);
    return std::pair(rig.take_pending(), rig.canvas.surfaces.contains(0));
  };
  EXPECT_EQ(result(NativeRig::primary(64, 32, 256)), std::pair(NativeRig::kIoCmd, true));
  EXPECT_EQ(result(NativeRig::primary(64, 0x10000, 256)), std::pair(NativeRig::kError, false)) << "too large";
  EXPECT_EQ(result(NativeRig::primary(64, 32, 258)), std::pair(NativeRig::kError, false)) << "odd rows";
  EXPECT_EQ(result(NativeRig::primary(64, 32, 252)), std::pair(NativeRig::kIoCmd, false)) << "short rows: completes";
  auto outside = NativeRig::primary(64, 32, 256);
  outside.mem = std::uint64_t{5} << 56;
  EXPECT_EQ(result(outside), std::pair(NativeRig::kIoCmd, false)) << "no slot: completes";
}

TEST(QxlPorts, destroying_nothing_completes) {
  NativeRig rig;
  rig.go_native();
  rig.port(Port::DestroyPrimaryAsync);
  EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
  rig.port(Port::DestroyPrimaryAsync);
  EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
}

TEST(QxlPorts, second_create_primary_is_a_guest_bug_but_creates) {
  NativeRig rig;
  rig.go_native(64, 32);
  rig.set_primary(NativeRig::primary(32, 32, 128));
  rig.port(Port::CreatePrimaryAsync);
  EXPECT_EQ(rig.take_pending(), NativeRig::kError | NativeRig::kIoCmd);
  EXPECT_EQ(rig.canvas.surfaces[0].shape.width, 32);
}

TEST(QxlPorts, synchronous_port_waits_for_the_worker) {
  NativeRig rig;
  rig.go_native();
  std::binary_semaphore woken(0);
  rig.device.source().set_wake([&woken] { woken.release(); });
  rig.push(rig.fill(5, NativeRig::box(0, 0, 1, 1)), devices::qxl::abi::QxlCommandType::Draw);
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(0, 0, 1, 1));
  const std::jthread worker([&rig, &woken] {
    woken.acquire();
    rig.device.lock().lock();  // free: the vCPU waits without it
    rig.device.lock().unlock();
    rig.pull();
  });
  rig.port(Port::UpdateArea);
  EXPECT_EQ(rig.ram().all().read<std::uint32_t>(31 * 256), 5u);
}

// Clients.

core::DisplayClients some_clients() {
  core::DisplayClients clients{.present = true};
  clients.capabilities[0] = 0x95;
  return clients;
}

TEST(QxlPorts, clients_are_told_from_revision_4_on) {
  for (const unsigned revision : {3u, 4u, 5u}) {
    SCOPED_TRACE(revision);
    NativeRig rig({.sizes = {.revision = revision}});
    rig.device.source().clients_changed(some_clients());
    EXPECT_EQ(rig.take_pending(), revision >= 4 ? kClient : 0u);
    EXPECT_EQ(rig.rom().all().read<std::uint8_t>(69), revision >= 4 ? 1 : 0);
    EXPECT_EQ(rig.rom().all().read<std::uint8_t>(70), revision >= 4 ? 0x95 : 0);
    rig.device.source().clients_changed(some_clients());
    EXPECT_EQ(rig.take_pending(), 0u) << "nothing new";
    rig.port(Port::Reset);
    EXPECT_EQ(rig.rom().all().read<std::uint8_t>(69), revision >= 4 ? 1 : 0) << "a reset sends no client away";
  }
}

TEST(QxlPorts, client_monitors_reach_drivers_that_listen) {
  NativeRig rig;
  const core::ClientMonitor wanted[] = {{.area = {0, 0, 1600, 900}}};
  EXPECT_FALSE(rig.device.source().takes_client_monitors());
  rig.set_header(offsetof(QXLRam, int_mask), 0xffffffff);
  EXPECT_FALSE(rig.device.source().takes_client_monitors());
  rig.set_header(offsetof(QXLRam, int_mask), 7 | kClientMonitors);
  EXPECT_TRUE(rig.device.source().takes_client_monitors());
  rig.device.source().set_client_monitors(wanted);
  EXPECT_EQ(rig.take_pending(), kClientMonitors);
  const auto rom = rig.rom().all();
  EXPECT_EQ(rom.read<std::uint16_t>(132), 1);
  EXPECT_EQ(rom.read<std::uint32_t>(148), 1600u);
  EXPECT_EQ(rom.read<std::uint32_t>(128), 0xd61c52f7u);
  rig.device.source().set_client_monitors(wanted);
  EXPECT_EQ(rig.take_pending(), 0u) << "nothing new";
}

}  // namespace
