// The guest against the IDE function: bytes become port accesses, descriptors and other memory of the guest,
// completions in good time or late, failing disks, discs that come and go, resets, and loads of what was saved. The
// disks check that every request lies inside them.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "tests/device/block/ide_rig.h"
#include "tests/fuzz/input.h"

namespace {

using tests::IdePorts;
using tests::IdeRig;
namespace ide = tests::ide;

constexpr unsigned kMaxSteps = 2000;
constexpr std::size_t kLongestString = 8192;

using Input = tests::FuzzInput;

class Guest {
 public:
  explicit Guest(Input input) : input_(input) { rig_.enable_bus_master(); }

  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step)
      do_step();
    rig_.disk->failing = false;
    rig_.disc->failing = false;
    rig_.clock.hold_completions(false);
    rig_.clock.deliver_completions();
    rig_.device.drain();
  }

 private:
  IdePorts ports() { return (input_.u8() & 1) == 0 ? tests::kPrimary : tests::kSecondary; }

  void do_step() {
    const auto choice = input_.u8() % 18U;
    if (choice < 9) {
      access(choice);
    } else {
      happen(choice);
    }
  }

  void access(unsigned choice) {
    const auto p = ports();
    switch (choice) {
      case 0: rig_.bus.space.read(p.command + input_.u8() % 8U, 1U << (input_.u8() % 3)); break;
      case 1: {
        const auto at = p.command + input_.u8() % 8U;
        rig_.bus.space.write(at, 1U << (input_.u8() % 3), input_.u32());
        break;
      }
      case 2: rig_.command(input_.u8(), p); break;
      case 3: rig_.bus.out8(p.control, input_.u8()); break;
      case 4: rig_.read_data(4U * (input_.u16() % (kLongestString / 4)), p, 1U << (input_.u8() % 3)); break;
      case 5:
        rig_.write_data(std::vector<std::uint8_t>(2U * (input_.u16() % (kLongestString / 2)), input_.u8()), p);
        break;
      case 6: rig_.bus.out8(p.bus_master + input_.u8() % 8U, input_.u8()); break;
      case 7: rig_.start_bus_master((input_.u8() & 1) != 0, p); break;
      default: whole_command(p); break;
    }
  }

  // Fuzzers do not find eight register writes in a row by themselves.
  void whole_command(IdePorts p) {
    for (unsigned reg = ide::ERROR; reg <= ide::DEVICE; ++reg)
      rig_.set_reg(reg, input_.u8(), p);
    const auto code = input_.u8();
    rig_.command(code, p);
    if (code != ide::PACKET) return;
    std::array<std::uint8_t, 12> packet{};
    for (auto& byte : packet)
      byte = input_.u8();
    rig_.write_data(packet, p);
  }

  void happen(unsigned choice) {
    switch (choice) {
      case 9: put_prd(); break;
      case 10: rig_.run(); break;
      case 11: rig_.disk->perform_one(); break;
      case 12: rig_.disk->failing = rig_.disc->failing = (input_.u8() & 1) != 0; break;
      case 13: hold(); break;
      case 14: change_disc(); break;
      case 15: reset(); break;
      case 16: rig_.pci.config_write(0, {1, 1}, 4, 2, input_.u8()); break;
      default: save_and_load(); break;
    }
  }

  void reset() {
    const std::scoped_lock guard(rig_.device.lock());
    rig_.device.reset();
  }

  void put_prd() {
    const auto at = IdeRig::kTable + 8U * (input_.u8() % 16U);
    const ide::Prd prd{input_.u32(), input_.u16(), input_.u16()};
    rig_.memory->write(core::Gpa(at), prd);
  }

  void hold() {
    const bool held = (input_.u8() & 1) != 0;
    rig_.clock.hold_completions(held);
    if (!held) rig_.clock.deliver_completions();
  }

  void change_disc() {
    const bool force = (input_.u8() & 1) != 0;
    core::Result<std::unique_ptr<core::BlockBackend>> old;
    {
      const std::scoped_lock guard(rig_.device.lock());
      old = rig_.device.eject(2, force);
    }
    if (!old) return;
    old->reset();
    rig_.disc = std::make_shared<tests::FakeDiskState>(std::size_t{2048} * input_.u8());
    rig_.disc->read_only = true;
    const std::scoped_lock guard(rig_.device.lock());
    static_cast<void>(rig_.device.insert(2, std::make_unique<tests::FakeDisk>(rig_.disc)));
  }

  // What was saved must load into the same machine, changed by a bit or not.
  void save_and_load() {
    rig_.clock.hold_completions(false);
    rig_.clock.deliver_completions();
    rig_.device.drain();
    core::Stateful* const objects[] = {&rig_.device};
    const std::scoped_lock guard(rig_.device.lock());
    auto saved = core::save_state(objects);
    if (!core::load_state(saved, objects)) std::abort();
    const auto flip = input_.u32();
    saved[flip % saved.size()] = static_cast<std::uint8_t>(saved[flip % saved.size()] ^ (flip >> 24));
    if (!core::load_state(saved, objects)) rig_.device.reset();
  }

  Input input_;
  IdeRig rig_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest(Input({data, size})).run();
  return 0;
}
