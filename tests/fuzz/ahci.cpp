// The guest against the AHCI controller: bytes become register accesses, command lists, tables and other memory of the
// guest, completions in good time or late and in any order, failing disks, discs that come and go, resets, and loads of
// what was saved. The disks check that every request lies inside them.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "tests/device/block/ahci_rig.h"
#include "tests/fuzz/input.h"

namespace {

using tests::AhciRig;
namespace ide = tests::ide;
namespace hba = tests::hba;

constexpr unsigned kMaxSteps = 2000;

using Input = tests::FuzzInput;

class Guest {
 public:
  explicit Guest(Input input) : input_(input) { rig_.enable_all(); }

  void run() {
    for (unsigned step = 0; step < kMaxSteps && !input_.empty(); ++step)
      do_step();
    rig_.disk->failing = false;
    rig_.disc->failing = false;
    settle();
  }

 private:
  unsigned port() { return input_.u8() % 3U; }

  void do_step() {
    const auto choice = input_.u8() % 20U;
    if (choice < 9) {
      access(choice);
    } else {
      happen(choice);
    }
  }

  void access(unsigned choice) {
    switch (choice) {
      case 0: rig_.mmio.space.read(AhciRig::kAbar + input_.u16() % 0xff8U, 1U << (input_.u8() % 4)); break;
      case 1: {
        const auto at = AhciRig::kAbar + input_.u16() % 0xff8U;
        const auto width = 1U << (input_.u8() % 4);
        rig_.mmio.space.write(at, width, input_.u32());
        break;
      }
      case 2: rig_.set(port(), 4U * (input_.u8() % 18U), input_.u32()); break;
      case 3: rig_.set_generic(hba::GHC, input_.u8()); break;
      case 4: whole_command(port()); break;
      case 5: queued_command(); break;
      case 6: put_fis(port()); break;
      case 7: rig_.restart(port()); break;
      default: reset_port(port()); break;
    }
  }

  AhciRig::Command command() {
    AhciRig::Command result;
    result.code = input_.u8();
    result.lba = input_.u16();
    result.count = input_.u8();
    result.features = input_.u8();
    result.device = input_.u8();
    if (result.code != ide::PACKET) return result;
    for (auto& byte : result.packet)
      byte = input_.u8();
    return result;
  }

  // Tables of good and bad descriptors.
  std::vector<AhciRig::Piece> pieces() {
    std::vector<AhciRig::Piece> result(input_.u8() % 8U);
    for (auto& piece : result) {
      const auto kind = input_.u8();
      if (kind == 0xff) {
        const std::uint64_t upper = input_.u32();
        piece.base = (upper << 32) | input_.u32();
      } else {
        piece.base = AhciRig::kData + input_.u16();
      }
      piece.bytes = kind == 0xfe ? input_.u32() : (input_.u8() + 1U) * 1024U;
      piece.interrupt = (kind & 1) != 0;
    }
    return result;
  }

  // Fuzzers do not find headers, tables and FISes that fit together by themselves.
  void whole_command(unsigned port) {
    const auto slot = input_.u8() % 32U;
    const auto wanted = command();
    rig_.put(port, slot, wanted, pieces());
    rig_.issue(port, 1U << slot);
  }

  void queued_command() {
    const auto slot = input_.u8() % 32U;
    const auto flags = input_.u8();
    rig_.queue(slot, (flags & 1) != 0, input_.u16() % 2100U, flags >> 2U, AhciRig::kData + 2U * input_.u16(),
               (flags & 2) != 0 ? ide::kForceUnitAccess : 0U);
  }

  void put_fis(unsigned port) {
    const auto slot = input_.u8() % 32U;
    hba::RegisterH2D fis = AhciRig::fis_of(command());
    fis.type = (input_.u8() & 7) != 0 ? hba::kRegisterH2D : input_.u8();
    fis.flags = input_.u8();
    fis.control = input_.u8();
    const auto flags = input_.u16();
    rig_.put_fis(port, slot, fis, pieces(), flags);
    rig_.issue(port, 1U << slot);
  }

  void reset_port(unsigned port) {
    if ((input_.u8() & 1) != 0) rig_.stop(port);
    rig_.set(port, hba::PxSCTL, 1);
    if ((input_.u8() & 1) != 0) rig_.set(port, hba::PxSCTL, 0);
  }

  void happen(unsigned choice) {
    switch (choice) {
      case 9: rig_.run(); break;
      case 10: rig_.disk->perform_one(); break;
      case 11: postpone_oldest(); break;
      case 12: rig_.disk->failing = rig_.disc->failing = (input_.u8() & 1) != 0; break;
      case 13: hold(); break;
      case 14: change_disc(); break;
      case 15: reset(); break;
      case 16: rig_.set_command(input_.u8()); break;
      case 17: rig_.enable_all(); break;
      case 18: rig_.memory->write(core::Gpa(0x10000U + 4U * input_.u16()), core::le32(input_.u32())); break;
      default: save_and_load(); break;
    }
  }

  void postpone_oldest() {
    auto& waiting = rig_.disk->waiting;
    if (waiting.empty()) return;
    waiting.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }

  void reset() {
    {
      const std::scoped_lock guard(rig_.device.lock());
      rig_.device.reset();
    }
    rig_.pci.remap();
  }

  void hold() {
    const auto bits = input_.u8();
    const bool held = (bits & 1) != 0;
    rig_.disk->cached = (bits & 2) != 0;
    rig_.clock.hold_completions(held);
    if (!held) rig_.clock.deliver_completions();
  }

  void change_disc() {
    const bool force = (input_.u8() & 1) != 0;
    core::Result<std::unique_ptr<core::BlockBackend>> old;
    {
      const std::scoped_lock guard(rig_.device.lock());
      old = rig_.device.eject(AhciRig::kCdrom, force);
    }
    if (!old) return;
    old->reset();
    rig_.disc = std::make_shared<tests::FakeDiskState>(std::size_t{2048} * input_.u8());
    rig_.disc->read_only = true;
    const std::scoped_lock guard(rig_.device.lock());
    static_cast<void>(rig_.device.insert(AhciRig::kCdrom, std::make_unique<tests::FakeDisk>(rig_.disc)));
  }

  void settle() {
    rig_.clock.hold_completions(false);
    rig_.clock.deliver_completions();
    rig_.device.drain();
  }

  // What was saved must load into the same machine, changed by a bit or not.
  void save_and_load() {
    settle();
    core::Stateful* const objects[] = {&rig_.device};
    const auto flip = input_.u32();
    {
      const std::scoped_lock guard(rig_.device.lock());
      auto saved = core::save_state(objects);
      if (!core::load_state(saved, objects)) std::abort();
      saved[flip % saved.size()] = static_cast<std::uint8_t>(saved[flip % saved.size()] ^ (flip >> 24));
      if (!core::load_state(saved, objects)) rig_.device.reset();
    }
    rig_.pci.remap();
  }

  Input input_;
  AhciRig rig_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest(Input({data, size})).run();
  return 0;
}
