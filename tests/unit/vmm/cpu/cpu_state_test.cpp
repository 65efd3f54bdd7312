#include "vmm/cpu/cpu_state.h"

#include <gtest/gtest.h>

namespace {

class Saved final : public core::Stateful {
 public:
  vmm::cpu::CpuState state;
  std::string_view state_name() const override { return "cpu0"; }
  unsigned state_version() const override { return 1; }
  void visit_state(core::StateVisitor& visitor) override { state.visit(visitor); }
};

vmm::cpu::CpuState scribbled() {
  vmm::cpu::CpuState state;
  std::uint64_t next = 0x0102030405060708;
  for (auto& general : state.general)
    general = next++;
  state.rip = 0xffff'ffff'8100'0000;
  state.cs = {0x1234, 0xffff'ffff, 0x10, 0xa09b};
  state.tr.attributes = vmm::cpu::Segment::kUnusable;
  state.idt = {0x5678, 0xfff};
  state.activity = vmm::cpu::Activity::Halted;
  state.events.nmi_pending = true;
  state.events.ext_int_acknowledged = true;
  state.events.ext_int_vector = 8;
  state.local_apic[0x20] = 7;
  state.xsave.assign(832, 0x5a);
  state.msrs = {{0x10, 1}, {0xc000'0080, 0x500}};
  return state;
}

TEST(CpuState, loads_what_was_saved) {
  Saved a;
  a.state = scribbled();
  core::Stateful* const from[] = {&a};
  const auto bytes = core::save_state(from);
  Saved b;
  core::Stateful* const to[] = {&b};
  ASSERT_TRUE(core::load_state(bytes, to));
  EXPECT_EQ(core::diff_state(a, b), "");
}

TEST(CpuState, every_truncation_is_refused) {
  Saved a;
  a.state = scribbled();
  core::Stateful* const objects[] = {&a};
  const auto bytes = core::save_state(objects);
  for (std::size_t length = 1; length < bytes.size(); length += 97) {
    Saved b;
    core::Stateful* const to[] = {&b};
    EXPECT_FALSE(core::load_state(std::span(bytes).first(length), to)) << length;
  }
}

TEST(CpuState, description_names_the_registers) {
  const auto text = scribbled().describe();
  EXPECT_NE(text.find("rip=ffffffff81000000"), std::string::npos);
  EXPECT_NE(text.find("rcx=0102030405060709"), std::string::npos);
}

}  // namespace
