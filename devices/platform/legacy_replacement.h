// Who drives IRQ0 and IRQ8: the PIT and the RTC, or the HPET while its legacy replacement is on. [IA-PC HPET 1.0a,
// 2.3.5] Other inputs pass. What the side that has no say does is remembered, for when it has it again.
#pragma once

#include <array>
#include <mutex>

#include "core/bus/irq.h"

namespace devices::platform {

class LegacyReplacement final {
 public:
  explicit LegacyReplacement(core::IrqSink& isa);

  core::IrqSink& board() { return board_; }  // for the PIT and the RTC
  core::IrqSink& hpet() { return hpet_; }
  void set(bool on);      // the HPET drives them from now on, or no longer; any thread
  bool board_is_heard();  // the PIT and the RTC drive them; any thread

 private:
  enum Side : unsigned { Board, Hpet };
  class Source final : public core::IrqSink {
   public:
    Source(LegacyReplacement& owner, Side side) : owner_(owner), side_(side) {}
    void set_input(unsigned input, bool level) override { owner_.set_input(side_, input, level); }

   private:
    LegacyReplacement& owner_;
    Side side_;
  };
  struct Wire {
    unsigned input = 0;
    core::IrqLine line;
    std::array<bool, 2> levels{};  // by side
  };

  void set_input(Side side, unsigned input, bool level);

  core::IrqSink& isa_;
  std::mutex mutex_;  // before the interrupt controllers' locks
  Side chosen_ = Board;
  std::array<Wire, 2> wires_;
  Source board_{*this, Board};
  Source hpet_{*this, Hpet};
};

}  // namespace devices::platform
