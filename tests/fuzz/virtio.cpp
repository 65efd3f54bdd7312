// The guest against the virtio devices: the first byte chooses one and whether it has doorbells, the others become
// accesses to its registers in both layouts, descriptors, rings, requests, time, streams that fill up and hang up,
// resets, and loads of what was saved.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "core/base/log.h"
#include "devices/virtio/virtio_balloon.h"
#include "devices/virtio/virtio_blk.h"
#include "devices/virtio/virtio_blk_abi.h"
#include "devices/virtio/virtio_console.h"
#include "devices/virtio/virtio_rng.h"
#include "tests/device/block/fake_disk.h"
#include "tests/device/fake_char_stream.h"
#include "tests/device/fake_event_waiter.h"
#include "tests/device/virtio/virtio_rig.h"
#include "tests/fuzz/input.h"

namespace {

using tests::VirtioRig;
using namespace devices::virtio;
using namespace devices::virtio::abi;

constexpr unsigned kMaxSteps = 1000;
constexpr std::size_t kDiskBytes = 64 * 1024;

using Input = tests::FuzzInput;

class Guest {
 public:
  explicit Guest(Input input)
      : input_(input), kind_(input_.u8()), rig_(make_device(), true, (kind_ & 0x80) != 0 ? &doorbells_ : nullptr) {}

  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step)
      do_step();
    disk_->failing = false;
    clock_.hold_completions(false);
    settle();
  }

 private:
  std::unique_ptr<VirtioDevice> make_device() {
    switch (kind_ % 4) {
      case 0:
        return std::make_unique<VirtioBlk>(VirtioBlk::Config{std::make_unique<tests::FakeDisk>(disk_), "serial", 2},
                                           clock_);
      case 1:
        return std::make_unique<VirtioConsole>(
            std::vector<VirtioConsole::PortConfig>{{"", &console_}, {"port", &port_}}, clock_);
      case 2:
        return std::make_unique<VirtioRng>([](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{7}); },
                                           clock_);
      default: return std::make_unique<VirtioBalloon>(VirtioBalloon::Wiring{*balloon_memory_, clock_, {}});
    }
  }

  void settle() {
    doorbells_.run();
    clock_.deliver_completions();
    rig_.function->drain();
    clock_.deliver_completions();
    clock_.advance(std::chrono::milliseconds(1));
  }

  void do_step() {
    const auto choice = input_.u8() % 20U;
    if (choice < 10) {
      access(choice);
    } else {
      happen(choice);
    }
  }

  unsigned width() { return 1U << (input_.u8() % 4); }
  unsigned queue() { return input_.u8() % 6U; }

  void access(unsigned choice) {
    switch (choice) {
      case 0: rig_.mmio.read(VirtioRig::kModern + input_.u16() % kModernBarBytes, width()); break;
      case 1: {
        const auto at = VirtioRig::kModern + input_.u16() % kModernBarBytes;
        rig_.mmio.write(at, width(), input_.u32());
        break;
      }
      case 2: {
        const auto at = input_.u8() % kCommonBytes;
        rig_.mmio.write(VirtioRig::kModern + at, width(), input_.u32());
        break;
      }
      case 3: rig_.io.read(VirtioRig::kLegacy + input_.u8() % 64U, width()); break;
      case 4: {
        const auto at = VirtioRig::kLegacy + input_.u8() % 64U;
        rig_.io.write(at, width(), input_.u32());
        break;
      }
      case 5: {
        const auto at = VirtioRig::kMsix + input_.u16() % core::Msix::kBarBytes;
        rig_.mmio.write(at, width(), input_.u32());
        break;
      }
      case 6: rig_.mmio.read(VirtioRig::kMsix + input_.u16() % core::Msix::kBarBytes, width()); break;
      case 7: config_access(); break;
      case 8: rig_.kick(queue()); break;
      default: rig_.start(std::uint64_t{input_.u8()} << 26 | input_.u16()); break;
    }
  }

  void config_access() {
    const auto width = 1U << (input_.u8() % 3);
    const auto offset = input_.u8() % (256U - width) / width * width;
    const bool is_bar = offset >= 0x10 && offset < 0x34;
    if ((input_.u8() & 1) == 0 || is_bar) {
      rig_.config_read(offset, width);
    } else {
      rig_.config_write(offset, width, input_.u32());
    }
  }

  void happen(unsigned choice) {
    switch (choice) {
      case 10: put_descriptor(); break;
      case 11: rig_.make_available(queue(), input_.u8() % 80); break;
      case 12: put_request(); break;
      case 13: rig_.memory->write(core::Gpa(VirtioRig::places(queue()).available + 2), core::le16(input_.u16())); break;
      case 14: {
        const auto microseconds = input_.u8();
        if (microseconds % 8 == 7) doorbells_.run_stale();
        doorbells_.run();
        clock_.advance(std::chrono::microseconds(microseconds));
        break;
      }
      case 15: host(); break;
      case 16: disk_->perform_one(); break;
      case 17: hold(); break;
      case 18: reset(); break;
      default: save_and_load(); break;
    }
  }

  void put_descriptor() {
    const auto in = queue();
    const auto slot = input_.u8() % 70;
    const std::uint64_t address =
        (input_.u8() & 7) == 0 ? std::uint64_t{input_.u32()} << 8 : VirtioRig::kBuffers + input_.u16();
    rig_.write_descriptor(in, static_cast<std::uint16_t>(slot),
                          {address, input_.u16(), static_cast<std::uint16_t>(input_.u8() & 7), input_.u8()});
  }

  // Fuzzers do not find whole requests by themselves.
  void put_request() {
    const auto to = queue();
    const std::uint32_t types[] = {
        kBlkIn, kBlkOut, kBlkFlushRequest, kBlkGetId, kBlkDiscardRequest, kBlkWriteZeroesRequest, input_.u8(), 0};
    rig_.memory->write(core::Gpa(VirtioRig::kBuffers), BlockHeader{types[input_.u8() % 8], input_.u16(), input_.u8()});
    for (unsigned at = 0; at < 16; at += 4)
      rig_.memory->write(core::Gpa(VirtioRig::kBuffers + 0x1000 + at), core::le32(input_.u8()));
    const bool writable = (input_.u8() & 1) != 0;
    rig_.add(to, {{VirtioRig::kBuffers, 16},
                  {VirtioRig::kBuffers + 0x1000, std::uint32_t{input_.u8()} * 128 + 16, writable},
                  {VirtioRig::kBuffers + 0x9000, 1, true}});
    rig_.kick(to);
  }

  void host() {
    const auto what = input_.u8();
    auto& stream = (what & 1) != 0 ? port_ : console_;
    switch (what >> 1 & 3) {
      case 0: stream.room = input_.u16(); break;
      case 1: stream.make_room(input_.u16()); break;
      case 2: stream.set_peer((what & 8) != 0); break;
      default:
        if (stream.attached()) stream.offer("what the host has to say");
    }
    stream.sent.clear();
    if (auto* balloon = dynamic_cast<VirtioBalloon*>(&rig_.function->device()); balloon != nullptr) {
      const std::scoped_lock guard(rig_.function->lock());
      balloon->set_polling(what >> 4 & 1);
    }
    disk_->failing = (what & 0x40) != 0;
    disk_->cached = (what & 0x20) != 0;
  }

  void hold() {
    const bool held = (input_.u8() & 1) != 0;
    clock_.hold_completions(held);
    if (!held) clock_.deliver_completions();
  }

  void reset() {
    {
      const std::scoped_lock guard(rig_.function->lock());
      rig_.function->reset();
    }
    rig_.bus.remap();
    rig_.place_bars();
  }

  // What was saved must load into the same machine, changed by a bit or not.
  void save_and_load() {
    clock_.hold_completions(false);
    settle();
    core::Stateful* const objects[] = {rig_.function.get()};
    {
      const std::scoped_lock guard(rig_.function->lock());
      auto saved = core::save_state(objects);
      if (!core::load_state(saved, objects)) std::abort();
      const auto flip = input_.u32();
      saved[flip % saved.size()] = static_cast<std::uint8_t>(saved[flip % saved.size()] ^ (flip >> 24));
      if (!core::load_state(saved, objects)) rig_.function->reset();
    }
    rig_.bus.remap();
    rig_.place_bars();
  }

  Input input_;
  std::uint8_t kind_;
  tests::FakeEventWaiter doorbells_;
  tests::FakeClock clock_;
  tests::FakeCharStream console_, port_;
  std::shared_ptr<tests::FakeDiskState> disk_ = std::make_shared<tests::FakeDiskState>(kDiskBytes);
  std::unique_ptr<core::GuestMemory> balloon_memory_ = *core::GuestMemory::create(VirtioRig::kRam, VirtioRig::kRam);
  VirtioRig rig_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  core::set_log_level(core::LogLevel::Error);
  Guest(Input({data, size})).run();
  return 0;
}
