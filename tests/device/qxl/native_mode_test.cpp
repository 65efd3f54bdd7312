// Native mode as a driver sees it: rings, what comes back, surfaces and pixels.
#include <algorithm>

#include "tests/device/qxl/native_rig.h"
#include "tests/state/state_law.h"

namespace {

using tests::NativeRig;
using Next = core::DisplaySource::Next;
using Port = devices::qxl::abi::QxlPort;
using Type = devices::qxl::abi::QxlCommandType;
using devices::qxl::abi::QXLCommandRing;
using devices::qxl::abi::QXLRam;
using devices::qxl::abi::QXLReleaseRing;
using devices::qxl::abi::QXLSurfaceCmd;

constexpr std::size_t kCommandRing = offsetof(QXLRam, cmd_ring);
constexpr std::size_t kReleaseRing = offsetof(QXLRam, release_ring);

std::uint32_t guest_pixel(NativeRig& rig, std::uint64_t offset) {
  return rig.ram().all().read<std::uint32_t>(offset).value_or(0);
}

TEST(NativeMode, primary_surface_is_created_and_drawn_on) {
  NativeRig rig;
  rig.go_native(64, 32);
  ASSERT_TRUE(rig.canvas.surfaces.contains(0));
  EXPECT_EQ(rig.canvas.surfaces[0].shape, (core::SurfaceShape{64, 32, core::SurfaceFormat::Xrgb}));
  rig.submit(rig.fill(0x123456, NativeRig::box(1, 2, 5, 4)));
  EXPECT_EQ(rig.canvas.surfaces[0].at(1, 2), 0x123456u);
  EXPECT_EQ(rig.canvas.surfaces[0].at(0, 2), 0u);
}

TEST(NativeMode, idle_device_asks_to_be_notified_of_the_next_command) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.next, Next::Soon) << "drivers often draw again at once";
  rig.pull();
  EXPECT_EQ(rig.next, Next::OnWake);
  EXPECT_EQ(rig.header<std::uint32_t>(kCommandRing + offsetof(QXLCommandRing, notify_on_prod)), 2u);
  EXPECT_EQ(rig.header<std::uint32_t>(offsetof(QXLRam, cursor_ring) + offsetof(QXLCommandRing, notify_on_prod)), 1u);
}

TEST(NativeMode, driver_that_waits_for_room_is_interrupted) {
  NativeRig rig;
  rig.go_native();
  rig.set_header(kCommandRing + offsetof(QXLCommandRing, notify_on_cons), 2);
  rig.push(rig.fill(1, NativeRig::box(0, 0, 1, 1)), Type::Draw);
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.take_pending() & NativeRig::kDisplay, NativeRig::kDisplay);
  rig.set_header(kCommandRing + offsetof(QXLCommandRing, notify_on_cons), 0);
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.take_pending() & NativeRig::kDisplay, 0u);
}

TEST(NativeMode, cursor_ring_has_an_interrupt_of_its_own) {
  NativeRig rig;
  rig.go_native();
  rig.set_header(offsetof(QXLRam, cursor_ring) + offsetof(QXLCommandRing, notify_on_cons), 1);
  rig.set_header(kReleaseRing + offsetof(QXLReleaseRing, notify_on_prod), 0);
  rig.submit(rig.put(std::vector<std::uint8_t>(64)), Type::Cursor);
  EXPECT_EQ(rig.take_pending() & (NativeRig::kDisplay | NativeRig::kCursor), NativeRig::kCursor);
}

TEST(NativeMode, ring_with_more_than_fits_is_a_guest_bug) {
  NativeRig rig;
  rig.go_native();
  rig.set_header(kCommandRing + offsetof(QXLCommandRing, prod), 40);
  rig.port(Port::NotifyCmd);
  EXPECT_EQ(rig.take_pending(), NativeRig::kError);
  rig.pull();
  EXPECT_EQ(rig.take_pending(), 0u) << "said once";
  rig.port(Port::Reset);
  rig.go_native();
  rig.submit(rig.fill(7, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.canvas.surfaces[0].at(0, 0), 7u);
}

TEST(NativeMode, commands_come_back_in_bunches_each_once) {
  NativeRig rig;
  rig.go_native();
  std::vector<std::uint64_t> sent;
  std::vector<std::uint64_t> back;
  for (unsigned i = 0; i < 1000; ++i) {
    const auto command = rig.fill(i, NativeRig::box(0, 0, 4, 4));
    sent.push_back(command - NativeRig::kSlotRam);
    rig.push(command, Type::Draw);
    if (i % 32 == 31) rig.pull();
    if (i % 320 == 319) std::ranges::copy(rig.released(), std::back_inserter(back));
  }
  rig.pull();
  rig.port(Port::FlushRelease);
  std::ranges::copy(rig.released(), std::back_inserter(back));
  EXPECT_EQ(back, sent);
}

TEST(NativeMode, driver_with_nothing_to_take_gets_what_there_is_when_idle) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 4, 4)));
  EXPECT_EQ(rig.released(), (std::vector{NativeRig::kHeap}));
}

TEST(NativeMode, out_of_memory_flushes_what_is_held) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 4, 4)));
  const auto second = rig.fill(1, NativeRig::box(0, 0, 4, 4));
  rig.submit(second);  // held: the ring has the first
  rig.port(Port::NotifyOom);
  EXPECT_EQ(rig.released().size(), 1u) << "not while there is something to take";
  rig.port(Port::NotifyOom);
  EXPECT_EQ(rig.released(), (std::vector{second - NativeRig::kSlotRam}));
}

// Linux's driver finds the ring empty, the device adds an item, the driver asks to be told of the next: of that one.
TEST(NativeMode, driver_that_missed_an_item_is_told_later) {
  constexpr auto kNotify = kReleaseRing + offsetof(QXLReleaseRing, notify_on_prod);
  NativeRig rig;
  rig.go_native();
  rig.set_field(kNotify, 100u);
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 4, 4)));
  EXPECT_EQ(rig.take_pending() & NativeRig::kDisplay, 0u);
  rig.set_field(kNotify, rig.header<std::uint32_t>(kReleaseRing + offsetof(QXLReleaseRing, prod)));
  rig.port(Port::NotifyOom);
  EXPECT_NE(rig.take_pending() & NativeRig::kDisplay, 0u) << "it is out of memory";
  for (unsigned i = 0; i < 32; ++i)
    rig.submit(rig.fill(i, NativeRig::box(0, 0, 4, 4)));
  EXPECT_NE(rig.take_pending() & NativeRig::kDisplay, 0u) << "there is a second item";
}

TEST(NativeMode, driver_with_little_memory_never_starves) {
  constexpr std::uint64_t kPlaces = 1 << 12, kBytes = 256;  // 1 MiB
  NativeRig rig;
  rig.go_native();
  std::vector<std::uint64_t> free;
  for (std::uint64_t place = 0; place < kPlaces; ++place)
    free.push_back(NativeRig::kHeap + place * kBytes);
  const auto collect = [&] { std::ranges::copy(rig.released(), std::back_inserter(free)); };
  for (int i = 0; i < 100'000; ++i) {
    if (free.empty()) collect();
    if (free.empty()) {
      rig.port(Port::NotifyOom);
      collect();
    }
    ASSERT_FALSE(free.empty()) << i;
    rig.heap_ = free.back();
    free.pop_back();
    rig.submit(rig.fill(1, NativeRig::box(0, 0, 1, 1)));
    rig.canvas.drawings.clear();
  }
}

TEST(NativeMode, full_release_ring_loses_nothing) {
  NativeRig rig;
  rig.go_native();
  for (unsigned i = 0; i < 400; ++i)
    rig.submit(rig.fill(i, NativeRig::box(0, 0, 4, 4)));
  const auto prod = rig.header<std::uint32_t>(kReleaseRing + offsetof(QXLReleaseRing, prod));
  EXPECT_EQ(prod, 7u) << "one item is always free";
  auto count = rig.released().size();
  rig.port(Port::FlushRelease);
  count += rig.released().size();
  EXPECT_EQ(count, 400u);
}

TEST(NativeMode, senseless_command_comes_back_undrawn) {
  NativeRig rig;
  rig.go_native();
  auto head = rig.drawable(devices::qxl::abi::QxlDrawType::Copy, NativeRig::box(0, 0, 4, 4));
  rig.submit(rig.put_all(head, devices::qxl::abi::QXLCopy{}));
  EXPECT_TRUE(rig.canvas.drawings.empty());
  EXPECT_EQ(rig.released(), (std::vector{NativeRig::kHeap}));
  EXPECT_EQ(rig.take_pending() & NativeRig::kError, 0u);
  EXPECT_NE(rig.device.describe().find("a drawable has no image"), std::string::npos);
}

TEST(NativeMode, command_outside_of_the_slots_is_passed_over) {
  NativeRig rig;
  rig.go_native();
  for (const auto address : {std::uint64_t{0}, std::uint64_t{5} << 56, NativeRig::kSlotRam | std::uint64_t{1} << 48,
                             NativeRig::kSlotRam + (16 << 20) - 4, ~std::uint64_t{0}}) {
    rig.submit(address);
  }
  rig.submit(rig.fill(9, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.canvas.surfaces[0].at(0, 0), 9u);
}

TEST(NativeMode, update_area_writes_pixels_to_guest_memory) {
  NativeRig rig;
  rig.go_native(64, 32);
  rig.push(rig.fill(0xabcdef, NativeRig::box(0, 0, 64, 32)), Type::Draw);  // nobody was told of it
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(2, 1, 4, 3));
  rig.port(Port::UpdateArea);
  // The stride is negative: row 0 lies last.
  EXPECT_EQ(guest_pixel(rig, 30 * 256 + 2 * 4), 0xabcdefu);
  EXPECT_EQ(guest_pixel(rig, 29 * 256 + 3 * 4), 0xabcdefu);
  EXPECT_EQ(guest_pixel(rig, 30 * 256 + 4 * 4), 0u);
  EXPECT_EQ(guest_pixel(rig, 31 * 256 + 2 * 4), 0u);
}

TEST(NativeMode, update_area_beyond_the_surface_is_cut) {
  NativeRig rig;
  rig.go_native(64, 32);
  rig.push(rig.fill(1, NativeRig::box(0, 0, 64, 32)), Type::Draw);
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(0, 0, 4000, 4000));
  rig.port(Port::UpdateArea);
  EXPECT_EQ(guest_pixel(rig, 0), 1u);
  EXPECT_EQ(guest_pixel(rig, 32 * 256), 0u);
}

TEST(NativeMode, async_update_completes_after_the_pixels_are_there) {
  NativeRig rig;
  rig.go_native(64, 32);
  rig.push(rig.fill(5, NativeRig::box(0, 0, 64, 32)), Type::Draw);
  rig.set_field(offsetof(QXLRam, update_area), NativeRig::box(0, 0, 1, 1));
  rig.port(Port::UpdateAreaAsync);
  EXPECT_EQ(rig.take_pending() & NativeRig::kIoCmd, NativeRig::kIoCmd);
  EXPECT_EQ(guest_pixel(rig, 31 * 256), 5u);
}

TEST(NativeMode, destroyed_primary_leaves_its_pixels_and_is_kept_by_keep_data) {
  NativeRig rig;
  rig.go_native(64, 32);
  rig.push(rig.fill(0x55, NativeRig::box(0, 0, 64, 32)), Type::Draw);
  rig.port(Port::DestroyPrimary);
  EXPECT_FALSE(rig.canvas.surfaces.contains(0));
  rig.set_primary(NativeRig::primary(64, 32, -256, 1));
  rig.port(Port::CreatePrimary);
  EXPECT_EQ(rig.canvas.surfaces[0].at(63, 31), 0x55u);
}

TEST(NativeMode, off_screen_surface_keeps_its_create_command_until_it_goes) {
  NativeRig rig;
  rig.go_native();
  const auto create = rig.surface_command(QXLSurfaceCmd::kCreate, 5, 16, 8);
  rig.submit(create, Type::Surface);
  ASSERT_TRUE(rig.canvas.surfaces.contains(5));
  EXPECT_TRUE(rig.released().empty());
  rig.submit(rig.fill(0x77, NativeRig::box(0, 0, 16, 8), 5));
  EXPECT_EQ(rig.canvas.surfaces[5].at(15, 7), 0x77u);
  rig.released();
  const auto destroy = rig.surface_command(QXLSurfaceCmd::kDestroy, 5);
  rig.submit(destroy, Type::Surface);
  EXPECT_FALSE(rig.canvas.surfaces.contains(5));
  EXPECT_EQ(rig.released(), (std::vector{create - NativeRig::kSlotRam, destroy - NativeRig::kSlotRam}))
      << "the surface's memory is free when the last comes back";
}

TEST(NativeMode, surface_begins_with_guest_memory_if_asked) {
  NativeRig rig;
  rig.go_native();
  rig.device.memory_blocks()[1]->all().write(4, std::uint32_t{0x998877});
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 5, 16, 8, NativeRig::kSlotVram, 1), Type::Surface);
  EXPECT_EQ(rig.canvas.surfaces[5].at(1, 0), 0x998877u);
}

TEST(NativeMode, surface_beyond_the_last_is_a_guest_bug) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 1024, 16, 8), Type::Surface);
  EXPECT_EQ(rig.take_pending() & NativeRig::kError, NativeRig::kError);
}

TEST(NativeMode, impossible_surfaces_are_refused) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 1, 0, 8), Type::Surface);
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 2, 16, 0x80000000), Type::Surface);
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 3, 16, 8, NativeRig::kSlotVram + (1 << 20) - 4),
             Type::Surface);
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 4, 16, 8, NativeRig::kSlotVram, 0, 33), Type::Surface);
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 5, 16, 8, NativeRig::kSlotVram, 0, 1), Type::Surface);
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 0, 16, 8), Type::Surface);
  rig.submit(rig.surface_command(7, 6, 16, 8), Type::Surface);
  rig.port(Port::FlushRelease);
  EXPECT_EQ(rig.canvas.surfaces.size(), 1u);
  EXPECT_EQ(rig.released().size() + rig.released().size(), 7u);
}

TEST(NativeMode, surfaces_over_each_other_have_an_end) {
  NativeRig rig;
  rig.go_native();
  for (std::uint32_t id = 1; id < 100; ++id)
    rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, id, 512, 512), Type::Surface);
  // 17 MiB of memory, 1 MiB each.
  EXPECT_EQ(rig.canvas.surfaces.size(), 1 + 16u);
  EXPECT_NE(rig.device.describe().find("together larger than the device's memory"), std::string::npos);
}

TEST(NativeMode, destroying_all_surfaces_gives_their_commands_back) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 3, 16, 8), Type::Surface);
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 4, 16, 8), Type::Surface);
  rig.port(Port::DestroyAllSurfacesAsync);
  EXPECT_EQ(rig.take_pending() & NativeRig::kIoCmd, NativeRig::kIoCmd);
  EXPECT_TRUE(rig.canvas.surfaces.empty());
  rig.port(Port::FlushRelease);
  EXPECT_EQ(rig.released().size(), 2u);
}

TEST(NativeMode, flush_writes_every_surface_to_guest_memory) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 3, 16, 8), Type::Surface);
  rig.submit(rig.fill(0x42, NativeRig::box(0, 0, 16, 8), 3));
  rig.port(Port::FlushSurfacesAsync);
  EXPECT_EQ(rig.device.memory_blocks()[1]->all().read<std::uint32_t>(8 * 64 - 4), 0x42u);
}

TEST(NativeMode, destroyed_surface_goes_and_its_command_comes_back) {
  NativeRig rig;
  rig.go_native();
  rig.submit(rig.surface_command(QXLSurfaceCmd::kCreate, 3, 16, 8), Type::Surface);
  rig.port(Port::DestroySurfaceAsync, 3);
  EXPECT_EQ(rig.take_pending() & NativeRig::kIoCmd, NativeRig::kIoCmd);
  EXPECT_FALSE(rig.canvas.surfaces.contains(3));
}

TEST(NativeMode, update_command_names_its_number_in_the_rom) {
  NativeRig rig;
  rig.go_native();
  rig.push(rig.fill(3, NativeRig::box(0, 0, 64, 32)), Type::Draw);
  const devices::qxl::abi::QXLUpdateCmd update{rig.heap_, NativeRig::box(0, 0, 1, 1), 77, 0};
  rig.submit(rig.put_all(update), Type::Update);
  EXPECT_EQ(rig.rom().all().read<std::uint32_t>(8), 77u);
  EXPECT_EQ(guest_pixel(rig, 31 * 256), 3u);
}

// Monitors.

std::uint64_t monitors(NativeRig& rig, std::uint16_t count, std::uint16_t most,
                       std::initializer_list<devices::qxl::abi::QXLHead> heads) {
  std::vector<std::uint8_t> bytes(4 + heads.size() * sizeof(devices::qxl::abi::QXLHead));
  std::memcpy(bytes.data(), &count, 2);
  std::memcpy(bytes.data() + 2, &most, 2);
  if (heads.size() > 0) std::memcpy(bytes.data() + 4, heads.begin(), bytes.size() - 4);
  return rig.put(bytes);
}

TEST(NativeMode, monitors_are_told_without_those_that_are_off) {
  NativeRig rig;
  rig.go_native();
  rig.set_field(
      offsetof(QXLRam, monitors_config),
      core::le64(monitors(rig, 3, 4, {{0, 0, 32, 32, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0}, {2, 0, 32, 16, 32, 4, 0}})));
  rig.port(Port::MonitorsConfigAsync);
  EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
  ASSERT_EQ(rig.canvas.monitors.size(), 1u);
  const core::MonitorLayout expected{4, {{0, 0, {0, 0, 32, 32}, 0}, {2, 0, {32, 4, 64, 20}, 0}}};
  EXPECT_EQ(rig.canvas.monitors[0], expected);
}

TEST(NativeMode, senseless_monitors_complete_without_effect) {
  NativeRig rig;
  rig.go_native();
  for (const auto config : {monitors(rig, 0, 4, {}), monitors(rig, 5, 4, {}), std::uint64_t{3} << 56}) {
    rig.set_field(offsetof(QXLRam, monitors_config), core::le64(config));
    rig.port(Port::MonitorsConfigAsync);
    EXPECT_EQ(rig.take_pending(), NativeRig::kIoCmd);
  }
  EXPECT_TRUE(rig.canvas.monitors.empty());
}

TEST(NativeMode, monitors_are_cut_to_the_devices_outputs) {
  NativeRig rig({.max_outputs = 1});
  rig.go_native();
  rig.set_field(offsetof(QXLRam, monitors_config),
                core::le64(monitors(rig, 2, 0, {{0, 0, 32, 32, 0, 0, 0}, {1, 0, 32, 32, 32, 0, 0}})));
  rig.port(Port::MonitorsConfigAsync);
  ASSERT_EQ(rig.canvas.monitors.size(), 1u);
  EXPECT_EQ(rig.canvas.monitors[0].max_allowed, 1u);
  EXPECT_EQ(rig.canvas.monitors[0].heads.size(), 1u);
}

// Counted time.

TEST(NativeMode, counted_time_has_commands_taken_while_a_port_is_written) {
  NativeRig rig({.counted_time = true});
  rig.go_native();
  rig.push(rig.fill(7, NativeRig::box(0, 0, 1, 1)), Type::Draw);
  rig.pull();
  rig.refresh();
  EXPECT_TRUE(rig.canvas.drawings.empty()) << "the worker comes by when it likes";
  rig.port(Port::NotifyCmd);
  EXPECT_EQ(rig.canvas.drawings.size(), 1u);
  const auto prod = rig.header<std::uint32_t>(kCommandRing + offsetof(QXLCommandRing, prod));
  EXPECT_EQ(rig.header<std::uint32_t>(kCommandRing + offsetof(QXLCommandRing, cons)), prod);
  EXPECT_EQ(rig.header<std::uint32_t>(kCommandRing + offsetof(QXLCommandRing, notify_on_prod)), prod + 1);
  EXPECT_EQ(rig.next, Next::OnWake);
}

TEST(NativeMode, counted_time_ends_with_senseless_rings) {
  NativeRig rig({.counted_time = true});
  rig.go_native();
  rig.set_header(kCommandRing + offsetof(QXLCommandRing, prod), 0x1000);
  rig.port(Port::NotifyCmd);
  EXPECT_EQ(rig.take_pending() & NativeRig::kError, NativeRig::kError);
  rig.port(Port::Reset);
  rig.go_native();
  rig.submit(rig.fill(7, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.canvas.drawings.size(), 1u);
}

// Modes.

TEST(NativeMode, reset_returns_to_the_vga_screen) {
  NativeRig rig;
  rig.refresh();
  const auto modes = rig.canvas.modes;
  rig.go_native();
  rig.submit(rig.fill(1, NativeRig::box(0, 0, 64, 32)));
  EXPECT_FALSE(rig.refresh());
  rig.port(Port::Reset);
  EXPECT_TRUE(rig.canvas.surfaces.empty());
  EXPECT_TRUE(rig.refresh());
  EXPECT_EQ(rig.canvas.modes, modes + 1);
  EXPECT_EQ(rig.header<std::uint32_t>(kCommandRing + offsetof(QXLCommandRing, prod)), 0u);
}

TEST(NativeMode, vga_register_write_returns_to_vga_before_revision_5_only) {
  for (const unsigned revision : {4u, 5u}) {
    SCOPED_TRACE(revision);
    NativeRig rig({.sizes = {.revision = revision}});
    rig.go_native();
    rig.out8(0x3c2, 1);
    rig.pull();
    EXPECT_EQ(rig.canvas.surfaces.empty(), revision == 4);
    EXPECT_EQ(rig.device.describe().find(", VGA") != std::string::npos, revision == 4);
  }
}

TEST(NativeMode, secondary_display_has_no_vga) {
  NativeRig rig({.primary = false});
  EXPECT_EQ(rig.bus.config_read(0, NativeRig::kSlot, 8, 4), 0x03800005u);
  EXPECT_FALSE(rig.refresh());
  rig.go_native();
  rig.submit(rig.fill(8, NativeRig::box(0, 0, 1, 1)));
  EXPECT_EQ(rig.canvas.surfaces[0].at(0, 0), 8u);
}

TEST(NativeMode, compat_mode_draws_older_commands_with_15_bit_colours) {
  NativeRig rig({.sizes = {.revision = 1}});
  std::uint32_t mode = 0;  // 640x480 in 16 bits
  rig.port(Port::SetMode, mode);
  ASSERT_TRUE(rig.canvas.surfaces.contains(0));
  EXPECT_EQ(rig.canvas.surfaces[0].shape, (core::SurfaceShape{640, 480, core::SurfaceFormat::Xrgb}));
  EXPECT_EQ(rig.rom().all().read<std::uint32_t>(20), mode);
  devices::qxl::abi::QXLCompatDrawable head{};
  head.release_info = rig.heap_;
  head.type = 1;
  head.bbox = NativeRig::box(0, 0, 2, 2);
  const devices::qxl::abi::QXLFill body{{1, 0x7c1f, {}}, 8, {}};
  // Addresses are the guest's own.
  rig.submit(rig.put_all(head, body) - NativeRig::kSlotRam + NativeRig::kRam);
  EXPECT_EQ(rig.canvas.surfaces[0].at(1, 1), 0xff00ffu);
  EXPECT_EQ(rig.released(), (std::vector{NativeRig::kHeap}));
}

// State.

struct StateRig : NativeRig {
  StateRig() : NativeRig({}, false) {}
  void scribble() {
    place_bars();
    port(Port::Reset);
    go_native();
    push(surface_command(QXLSurfaceCmd::kCreate, 3, 16, 8), Type::Surface);
    push(fill(0x42, NativeRig::box(0, 0, 16, 8), 3), Type::Draw);
    set_field(offsetof(QXLRam, monitors_config), core::le64(monitors(*this, 1, 1, {{0, 0, 32, 32, 0, 0, 0}})));
    port(Port::MonitorsConfigAsync);
    heap_ = kHeap;
    device.source().store(canvas);
  }
};

TEST(NativeMode, obeys_the_state_law) {
  tests::check_state_law<StateRig>();
}

TEST(NativeMode, loaded_machine_shows_what_the_saved_one_did) {
  StateRig rig;
  rig.scribble();
  const auto saved = tests::save_rig(rig);
  StateRig other;
  for (std::size_t i = 0; i < rig.device.memory_blocks().size(); ++i) {
    std::vector<std::uint8_t> bytes(rig.device.memory_blocks()[i]->size());
    rig.device.memory_blocks()[i]->all().read(0, bytes);
    other.device.memory_blocks()[i]->all().write(0, bytes);
  }
  ASSERT_TRUE(tests::load_rig(other, saved));
  other.bus.remap();
  EXPECT_TRUE(other.refresh(true));
  EXPECT_EQ(other.canvas.surfaces[3].at(15, 7), 0x42u);
  EXPECT_EQ(other.canvas.surfaces[0].shape, rig.canvas.surfaces[0].shape);
  EXPECT_EQ(other.canvas.monitors.back(), rig.canvas.monitors.back());
  other.submit(other.surface_command(QXLSurfaceCmd::kDestroy, 3), Type::Surface);
  EXPECT_FALSE(other.canvas.surfaces.contains(3));
}

}  // namespace
