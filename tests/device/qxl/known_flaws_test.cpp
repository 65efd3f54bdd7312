// What other QXL and VGA devices have had to repair, by the numbers of their flaws (CVE): the same from a guest is
// harmless here. The sanitizers watch.
#include <atomic>
#include <thread>

#include "tests/device/qxl/native_rig.h"

namespace {

namespace abi = devices::qxl::abi;
using tests::NativeRig;
using Draw = abi::QxlDrawType;
using Port = abi::QxlPort;
using Type = abi::QxlCommandType;

struct KnownFlaws : testing::Test {
  KnownFlaws() { rig.go_native(); }

  static constexpr std::uint64_t kRamEnd = NativeRig::kSlotRam + (16 << 20);  // behind the slot's last byte

  void make_surface(std::uint32_t id) {
    rig.submit(rig.surface_command(abi::QXLSurfaceCmd::kCreate, id, 4, 4), Type::Surface);
    rig.canvas.drawings.clear();
  }
  void copy_from(std::uint64_t image) {
    const auto box = NativeRig::box(0, 0, 4, 2);
    rig.submit(rig.put_all(rig.drawable(Draw::Copy, box), abi::QXLCopy{image, box, 8, 1, {}}));
  }
  void set_monitors(std::uint64_t at) {
    rig.set_field(offsetof(abi::QXLRam, monitors_config), core::le64(at));
    rig.port(Port::MonitorsConfigAsync);
  }
  bool has_guest_bug() { return (rig.take_pending() & NativeRig::kError) != 0; }

  NativeRig rig;
};

// CVE-2010-0428, CVE-2010-0431: pointers in the driver's commands were followed wherever they led.
TEST_F(KnownFlaws, cve_2010_0428_and_0431_wild_pointers_lead_nowhere) {
  const std::uint64_t wild[] = {
      1, 0xdead'beef, NativeRig::kSlotRam - 1, kRamEnd, std::uint64_t{3} << 56, ~std::uint64_t{0}};
  for (const auto address : wild) {
    for (const auto type : {Type::Draw, Type::Update, Type::Cursor, Type::Message, Type::Surface})
      rig.submit(address, type);
    copy_from(address);
    copy_from(rig.put_all(abi::QXLImageDescriptor{.id = 1, .type = 0, .flags = 0, .width = 4, .height = 2},
                          abi::QXLBitmap{8, 4, 4, 2, 16, 0, address}));
    rig.submit(rig.put_all(abi::QXLCursorCmd{rig.heap_, 0, {}, 1, address}), Type::Cursor);
    rig.submit(rig.surface_command(abi::QXLSurfaceCmd::kCreate, 5, 4, 4, address), Type::Surface);
    set_monitors(address);
  }
  EXPECT_TRUE(rig.canvas.drawings.empty());
  EXPECT_TRUE(rig.canvas.monitors.empty());
  EXPECT_EQ(rig.canvas.pointer, nullptr);
  EXPECT_FALSE(rig.canvas.surfaces.contains(5));
}

// CVE-2010-0429: memory was given back at addresses that were not checked; the list of what comes back is written
// there.
TEST_F(KnownFlaws, cve_2010_0429_nothing_is_given_back_outside_of_slots) {
  for (std::uint64_t last = 1; last < 8; ++last)
    rig.submit(kRamEnd - last, Type::Message);
  rig.port(Port::FlushRelease);
  EXPECT_TRUE(rig.released().empty());
}

// CVE-2014-3615: a VGA mode larger than the video memory showed what lies behind it.
TEST(KnownFlawsVga, cve_2014_3615_screen_ends_with_the_video_memory) {
  tests::QxlRig rig(tests::small_qxl());
  for (const unsigned bpp : {4u, 8u, 16u, 24u, 32u}) {
    rig.vbe_mode(65535, 65535, bpp);
    rig.vbe(6, 65535);
    rig.vbe(8, 65535);
    rig.vbe(9, 65535);
    rig.refresh();
    EXPECT_LE(std::uint64_t{rig.vbe(6)} * rig.vbe(2) * bpp / 8, 8u << 20) << bpp;
  }
}

// CVE-2016-3710: the window at A0000 was moved to a bank behind the video memory.
TEST(KnownFlawsVga, cve_2016_3710_window_stays_within_the_video_memory) {
  tests::QxlRig rig(tests::small_qxl());
  for (const unsigned mode : {0x61u, 0xe1u, 0x41u}) {
    rig.vbe_mode(640, 480, 8, mode);
    for (const unsigned memory_map : {0u, 4u, 8u, 12u}) {
      rig.gfx(6, memory_map | 1);
      for (const unsigned bank : {127u, 128u, 0x7fffu, 0xffffu}) {
        rig.vbe(5, bank);
        for (const std::uint32_t address : {0xa0000u, 0xaffffu, 0xb0000u, 0xbffffu}) {
          rig.poke(address, 0x5a);
          rig.peek(address);
        }
      }
    }
  }
}

// CVE-2016-3712: VGA registers that are changed while a VBE mode is on made it read behind the video memory.
// CVE-2017-13672, CVE-2017-13673: so did a start address near the end, with or without a split screen.
TEST(KnownFlawsVga, cve_2016_3712_and_2017_13672_and_13673_registers_in_any_state_show_video_memory_only) {
  tests::QxlRig rig(tests::small_qxl());
  for (const bool has_vbe : {true, false}) {
    has_vbe ? rig.vbe_mode(1024, 768, 32) : rig.vbe(4, 0);
    for (const unsigned mode : {0x00u, 0x20u, 0x40u, 0x01u, 0x41u}) {
      rig.gfx(5, mode);
      rig.gfx(6, 1);
      for (const unsigned index : {0x09u, 0x0cu, 0x0du, 0x13u, 0x18u, 0x07u, 0x17u, 0x14u}) {
        rig.crtc(0x11, 0);
        for (const unsigned value : {0u, 0x7fu, 0xffu}) {
          rig.crtc(index, value);
          rig.screen_on();
          rig.refresh();
        }
      }
    }
  }
}

// CVE-2015-3247: the number of monitors was read again after it had been checked, while the guest changed it.
TEST_F(KnownFlaws, cve_2015_3247_monitors_that_change_meanwhile_are_counted_once) {
  constexpr std::uint16_t kHeads = 4;
  std::vector<std::uint8_t> bytes(4 + kHeads * sizeof(abi::QXLHead), 1);
  const auto at = rig.put(bytes);
  const auto place = at - NativeRig::kSlotRam;
  rig.ram().all().write(place + 2, core::le16(kHeads));
  const std::jthread guest([this, place](const std::stop_token& stop) {
    for (std::uint16_t count = 0; !stop.stop_requested(); count ^= 0xfffd)
      rig.ram().all().write(place, core::le16(count));
  });
  for (int i = 0; i < 2000; ++i)
    set_monitors(at);
  for (const auto& layout : rig.canvas.monitors)
    ASSERT_LE(layout.heads.size(), kHeads);
}

// CVE-2015-5260: the number of a surface was an index into an array, unchecked.
TEST_F(KnownFlaws, cve_2015_5260_surface_numbers_beyond_the_last_are_none) {
  make_surface(3);
  for (const std::uint32_t id : {1024u, 0x7fff'ffffu, 0xffff'ffffu}) {
    rig.submit(rig.fill(1, NativeRig::box(0, 0, 1, 1), id));
    copy_from(rig.put_all(abi::QXLImageDescriptor{.id = 1, .type = 104, .flags = 0, .width = 4, .height = 2},
                          core::le32(id)));
    rig.submit(rig.put_all(abi::QXLUpdateCmd{rig.heap_, NativeRig::box(0, 0, 1, 1), 1, id}), Type::Update);
    rig.submit(rig.surface_command(abi::QXLSurfaceCmd::kDestroy, id), Type::Surface);
    EXPECT_TRUE(has_guest_bug()) << id;
    rig.port(Port::Reset);
    rig.go_native();
    rig.submit(rig.surface_command(abi::QXLSurfaceCmd::kCreate, id, 4, 4), Type::Surface);
    EXPECT_TRUE(has_guest_bug()) << id;
    rig.port(Port::Reset);
    rig.go_native();
    rig.set_field(offsetof(abi::QXLRam, update_surface), core::le32(id));
    rig.set_field(offsetof(abi::QXLRam, update_area), NativeRig::box(0, 0, 1, 1));
    rig.port(Port::UpdateArea);
    EXPECT_TRUE(has_guest_bug()) << id;
    rig.port(Port::Reset);
    rig.go_native();
  }
  for (const auto& drawing : rig.canvas.drawings)
    EXPECT_TRUE(std::holds_alternative<core::DrawCopy>(
        drawing->operation));  // the canvas looks for its surface, and finds none
}

// CVE-2015-5261: width, height and stride of a surface were not held against each other, nor against the memory they
// lie in.
TEST_F(KnownFlaws, cve_2015_5261_surfaces_must_fit_their_rows_and_memory) {
  struct Shape {
    std::uint32_t width, height, stride;
    std::uint64_t data;
  };
  constexpr auto kVram = NativeRig::kSlotVram;
  for (const auto& shape : {Shape{1024, 4, 4, kVram},
                            {0x4000'0000, 1, 0, kVram},
                            {0x4000'0001, 1, 4, kVram},
                            {1, 0x4000'0000, 4, kVram},
                            {16, 0x1000'0000, 64, kVram},
                            {16, 16, 0x8000'0000, kVram},
                            {1, 0xffff'ffff, 0xffff'fffc, kVram},
                            {256, 256, 1024, kVram + (1 << 20) - 4},
                            {16, 16, 0xffff'ffc0, kVram + (1 << 20) - 64}}) {
    const auto bytes = abi::QXLSurfaceCmd{
        rig.heap_, 5, abi::QXLSurfaceCmd::kCreate, 1, 32, shape.width, shape.height, shape.stride, shape.data};
    rig.submit(rig.put_all(bytes), Type::Surface);
    EXPECT_FALSE(rig.canvas.surfaces.contains(5)) << shape.width << " x " << shape.height << ", " << shape.stride;
  }
}

// CVE-2016-2150: the same for the primary surface.
TEST_F(KnownFlaws, cve_2016_2150_primary_surface_must_fit_its_rows_and_memory) {
  for (const auto& [width, height, stride] :
       {std::tuple{1024u, 4u, 4}, std::tuple{0x4000'0001u, 1u, 4}, std::tuple{0x8000'0000u, 1u, 0},
        std::tuple{16u, 0x400'0000u, 64}, std::tuple{1u, 1u, std::numeric_limits<std::int32_t>::min()}}) {
    rig.port(Port::Reset);
    rig.add_slots();
    rig.set_primary(NativeRig::primary(width, height, stride, 1));
    rig.port(Port::CreatePrimary);
    EXPECT_FALSE(rig.canvas.surfaces.contains(0)) << width << " x " << height << ", " << stride;
  }
  rig.port(Port::Reset);
  rig.add_slots();
  auto wanted = NativeRig::primary(64, 32, -256, 1);
  wanted.mem = kRamEnd - 256;
  rig.set_primary(wanted);
  rig.port(Port::CreatePrimary);
  EXPECT_FALSE(rig.canvas.surfaces.contains(0));
}

// CVE-2019-3813: the number of a slot was allowed to be one more than there are.
TEST_F(KnownFlaws, cve_2019_3813_slots_end_with_the_last) {
  for (std::uint64_t slot = 8; slot < 256; ++slot)
    rig.submit(slot << 56 | NativeRig::kHeap, Type::Draw);
  EXPECT_TRUE(rig.canvas.drawings.empty());
  EXPECT_TRUE(rig.released().empty());
  EXPECT_FALSE(has_guest_bug());
  rig.port(Port::MemslotAdd, 8);
  EXPECT_TRUE(has_guest_bug());
}

// CVE-2019-12155: what a command is given back through was looked up again, in a slot that was gone meanwhile.
TEST_F(KnownFlaws, cve_2019_12155_commands_come_back_when_their_slot_is_gone) {
  const auto created = rig.heap_;
  make_surface(3);
  rig.port(Port::MemslotDel, 1);
  rig.port(Port::MemslotDel, 2);
  rig.port(Port::DestroyAllSurfaces);
  rig.port(Port::FlushRelease);
  EXPECT_TRUE(rig.canvas.surfaces.empty());
  EXPECT_EQ(rig.released(), std::vector{created});
}

// CVE-2021-4207: a cursor's size was read again after its pixels had been measured by it, while the guest changed it.
TEST_F(KnownFlaws, cve_2021_4207_cursor_that_changes_meanwhile_has_one_size) {
  const std::array<std::uint8_t, 64> pixels{};
  const auto shape = rig.put_all(abi::QXLCursor{1, 0, 4, 4, 0, 0, 64}, abi::QXLDataChunk{64, 0, 0}, pixels);
  const auto place = shape - NativeRig::kSlotRam + offsetof(abi::QXLCursor, width);
  const auto command = rig.put_all(abi::QXLCursorCmd{rig.heap_, 0, {}, 1, shape});
  const std::jthread guest([this, place](const std::stop_token& stop) {
    for (std::uint32_t size = 0x0004'0004; !stop.stop_requested(); size ^= 0xfff0'fff0)
      rig.ram().all().write(place, core::le32(size));
  });
  for (int i = 0; i < 2000; ++i) {
    rig.submit(command, Type::Cursor);
    ASSERT_NE(rig.canvas.pointer, nullptr);
    ASSERT_LE(rig.canvas.pointer->data.size(), 64u);
  }
}

// CVE-2022-4144: an address within a memory was followed by as many bytes as a structure has, which end behind it.
TEST_F(KnownFlaws, cve_2022_4144_structures_end_within_their_memory) {
  for (std::uint64_t left = 1; left < sizeof(abi::QXLDrawable); left += 5) {
    const auto address = kRamEnd - left;
    for (const auto type : {Type::Draw, Type::Update, Type::Surface, Type::Cursor})
      rig.push(address, type, type == Type::Cursor);
    rig.port(Port::NotifyCmd);
    rig.port(Port::NotifyCursor);
    set_monitors(address);
    copy_from(address);
  }
  EXPECT_TRUE(rig.canvas.drawings.empty());
  EXPECT_EQ(rig.canvas.pointer, nullptr);
}

}  // namespace
