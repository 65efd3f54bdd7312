#include "vmm/cpu/soft/local_apic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

#include "vmm/cpu/soft/features.h"

namespace vmm::cpu::soft {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr std::uint32_t kId = 0x20, kVersion = 0x30, kTpr = 0x80, kPpr = 0xa0, kEoi = 0xb0, kLdr = 0xd0, kDfr = 0xe0,
                        kSvr = 0xf0, kIsr = 0x100, kTmr = 0x180, kIrr = 0x200, kEsr = 0x280, kIcrLow = 0x300,
                        kIcrHigh = 0x310, kTimer = 0x320, kLint0 = 0x350, kError = 0x370, kInitial = 0x380,
                        kCurrent = 0x390, kDivide = 0x3e0;
constexpr std::uint32_t kMsrBase = 0x1b, kMsrDeadline = 0x6e0;
constexpr std::uint64_t kPageAddress = 0xfee0'0000, kEnable = 1u << 11, kX2apic = 1u << 10, kBsp = 1u << 8;
constexpr std::uint32_t kMasked = 1u << 16, kPeriodic = 1u << 17, kDeadlineMode = 1u << 18;

class Bus final : public LocalApicBus {
 public:
  void send(const ApicMessage& message, unsigned) override { sent.push_back(message); }
  void end_level_interrupt(std::uint8_t vector) override { ended.push_back(vector); }
  std::uint64_t now() override { return time; }

  std::vector<ApicMessage> sent;
  std::vector<std::uint8_t> ended;
  std::uint64_t time = 1000;
};

class LocalApicTest : public testing::Test {
 protected:
  explicit LocalApicTest(unsigned index = 0) {
    cpu_->index = index;
    cpu_->features = &CpuFeatures::everything();
    apic_ = std::make_unique<LocalApic>(*cpu_, bus_);
    cpu_->apic = apic_.get();
    apic_->mmio_write(kSvr, 0x1ff);
    cpu_->attention = 0;
  }
  void fixed(std::uint8_t vector, bool level = false) { apic_->receive({.vector = vector, .level = level}); }
  void enter_x2apic() { EXPECT_TRUE(apic_->write_msr(kMsrBase, kPageAddress | kEnable | kX2apic | kBsp)); }
  std::uint64_t msr(std::uint32_t index) {
    std::uint64_t value = 0;
    EXPECT_TRUE(apic_->read_msr(index, value)) << index;
    return value;
  }
  bool reads_msr(std::uint32_t index) {
    std::uint64_t value = 0;
    return apic_->read_msr(index, value);
  }
  void pass_time(std::uint64_t ns) {
    bus_.time += ns;
    apic_->advance(bus_.time);
  }

  std::unique_ptr<Cpu> cpu_ = std::make_unique<Cpu>();
  Bus bus_;
  std::unique_ptr<LocalApic> apic_;
};

TEST_F(LocalApicTest, reset_values_are_those_of_the_manual) {
  apic_->reset();
  EXPECT_EQ(apic_->mmio_read(kId), 0u);
  EXPECT_EQ(apic_->mmio_read(kVersion), 0x0005'0014u);
  EXPECT_EQ(apic_->mmio_read(kDfr), 0xffff'ffffu);
  EXPECT_EQ(apic_->mmio_read(kSvr), 0xffu);
  EXPECT_EQ(apic_->mmio_read(kTimer), kMasked);
  EXPECT_EQ(apic_->base(), kPageAddress | kEnable | kBsp);
  EXPECT_TRUE(apic_->passes_ext_int());
  EXPECT_TRUE(apic_->mmio_covers(kPageAddress + 0x3f0));
  EXPECT_FALSE(apic_->mmio_covers(kPageAddress + 0x1000));
}

TEST_F(LocalApicTest, interrupts_are_taken_by_priority_and_nest) {
  fixed(0x41);
  fixed(0x92);
  EXPECT_EQ(cpu_->attention.load(), 1u);
  EXPECT_THAT(apic_->take(), Optional(0x92));
  EXPECT_EQ(apic_->take(), std::nullopt);
  EXPECT_EQ(apic_->mmio_read(kPpr), 0x90u);
  EXPECT_EQ(apic_->mmio_read(kIsr + 0x40), 1u << 0x12);
  EXPECT_EQ(apic_->mmio_read(kIrr + 0x20), 1u << 1);
  fixed(0xa0);
  EXPECT_THAT(apic_->take(), Optional(0xa0));
  apic_->mmio_write(kEoi, 0);
  EXPECT_EQ(apic_->take(), std::nullopt);
  cpu_->attention = 0;
  apic_->mmio_write(kEoi, 0);
  EXPECT_EQ(cpu_->attention.load(), 1u);
  EXPECT_THAT(apic_->take(), Optional(0x41));
  EXPECT_THAT(bus_.ended, IsEmpty());
}

TEST_F(LocalApicTest, task_priority_holds_back_its_class) {
  apic_->set_tpr(0x4f);
  fixed(0x4f);
  EXPECT_FALSE(apic_->has_interrupt());
  fixed(0x50);
  EXPECT_THAT(apic_->take(), Optional(0x50));
  apic_->mmio_write(kEoi, 0);
  cpu_->attention = 0;
  apic_->mmio_write(kTpr, 0x30);
  EXPECT_EQ(cpu_->attention.load(), 1u);
  EXPECT_THAT(apic_->take(), Optional(0x4f));
}

TEST_F(LocalApicTest, end_of_a_level_interrupt_is_told_and_of_an_edge_is_not) {
  fixed(0x31, true);
  EXPECT_EQ(apic_->mmio_read(kTmr + 0x10), 1u << 0x11);
  EXPECT_THAT(apic_->take(), Optional(0x31));
  apic_->mmio_write(kEoi, 0);
  EXPECT_THAT(bus_.ended, ElementsAre(0x31));
  fixed(0x31, false);
  EXPECT_THAT(apic_->take(), Optional(0x31));
  apic_->mmio_write(kEoi, 0);
  EXPECT_THAT(bus_.ended, ElementsAre(0x31));
  apic_->mmio_write(kEoi, 0);  // nothing in service
  EXPECT_THAT(bus_.ended, ElementsAre(0x31));
}

TEST_F(LocalApicTest, software_disable_masks_and_takes_no_fixed_interrupts) {
  apic_->mmio_write(kTimer, 0x40);
  apic_->mmio_write(kSvr, 0xff);
  EXPECT_EQ(apic_->mmio_read(kTimer), 0x40 | kMasked);
  apic_->mmio_write(kTimer, 0x41);
  EXPECT_EQ(apic_->mmio_read(kTimer), 0x41 | kMasked);
  fixed(0x41);
  EXPECT_FALSE(apic_->has_interrupt());
  apic_->receive({.mode = DeliveryMode::Nmi});
  EXPECT_TRUE(cpu_->nmi_pending);
}

TEST_F(LocalApicTest, errors_show_after_a_write_of_the_status_register) {
  apic_->mmio_write(kError, 0xfe);
  fixed(0x0f);
  EXPECT_EQ(apic_->mmio_read(kEsr), 0u);
  EXPECT_THAT(apic_->take(), Optional(0xfe));
  apic_->mmio_write(kEsr, 0);
  EXPECT_EQ(apic_->mmio_read(kEsr), 0x40u);
  apic_->mmio_write(0x40, 1);  // no such register
  apic_->mmio_write(kIcrLow, 0x05);
  apic_->mmio_write(kEsr, 0);
  EXPECT_EQ(apic_->mmio_read(kEsr), 0xa0u);
  EXPECT_THAT(bus_.sent, IsEmpty());
  apic_->mmio_write(kEsr, 0);
  EXPECT_EQ(apic_->mmio_read(kEsr), 0u);
}

TEST_F(LocalApicTest, error_vector_that_is_illegal_itself_ends) {
  apic_->mmio_write(kError, 0x02);
  fixed(0x01);
  apic_->mmio_write(kEsr, 0);
  EXPECT_EQ(apic_->mmio_read(kEsr), 0x40u);
}

TEST_F(LocalApicTest, command_register_sends_what_it_says) {
  apic_->mmio_write(kIcrHigh, 0x0300'0000);
  apic_->mmio_write(kIcrLow, 0x0000'0831);  // logical
  apic_->mmio_write(kIcrLow, 0x000c'4500);  // INIT to all others
  apic_->mmio_write(kIcrLow, 0x0000'8500);  // INIT level de-assert
  apic_->mmio_write(kIcrLow, 0x0000'0699);  // SIPI
  ASSERT_EQ(bus_.sent.size(), 4u);
  EXPECT_TRUE(bus_.sent[0].logical);
  EXPECT_EQ(bus_.sent[0].destination, 3u);
  EXPECT_EQ(bus_.sent[0].vector, 0x31);
  EXPECT_EQ(bus_.sent[1].mode, DeliveryMode::Init);
  EXPECT_EQ(bus_.sent[1].shorthand, Shorthand::Others);
  EXPECT_TRUE(bus_.sent[1].asserted);
  EXPECT_FALSE(bus_.sent[2].asserted);
  EXPECT_EQ(bus_.sent[3].mode, DeliveryMode::StartUp);
  EXPECT_EQ(bus_.sent[3].vector, 0x99);
}

TEST_F(LocalApicTest, init_and_start_up_reach_the_cpu) {
  apic_->receive({.mode = DeliveryMode::Init, .asserted = false});
  EXPECT_FALSE(cpu_->init_pending);
  apic_->receive({.mode = DeliveryMode::Init});
  apic_->receive({.vector = 0x9f, .mode = DeliveryMode::StartUp});
  EXPECT_TRUE(cpu_->init_pending);
  EXPECT_THAT(apic_->take_start_up(), Optional(0x9f));
  EXPECT_EQ(apic_->take_start_up(), std::nullopt);
}

TEST_F(LocalApicTest, logical_destinations_flat_and_cluster) {
  apic_->mmio_write(kLdr, 0x0400'0000);
  const auto meant = [this](std::uint32_t destination) {
    return apic_->is_destination({.logical = true, .destination = destination});
  };
  EXPECT_TRUE(meant(0x04));
  EXPECT_TRUE(meant(0x0c));
  EXPECT_FALSE(meant(0x08));
  EXPECT_TRUE(meant(0xff));
  apic_->mmio_write(kDfr, 0x0fff'ffff);
  apic_->mmio_write(kLdr, 0x2400'0000);
  EXPECT_TRUE(meant(0x24));
  EXPECT_TRUE(meant(0xf4));
  EXPECT_FALSE(meant(0x14));
  EXPECT_FALSE(meant(0x28));
}

TEST_F(LocalApicTest, physical_destinations) {
  apic_->mmio_write(kId, 0x0700'0000);
  EXPECT_TRUE(apic_->is_destination({.destination = 7}));
  EXPECT_FALSE(apic_->is_destination({.destination = 0}));
  EXPECT_TRUE(apic_->is_destination({.destination = 0xff}));
}

TEST_F(LocalApicTest, message_of_a_device_is_decoded) {
  const auto message = decode_msi(0xfee0'500c, 0xc131);
  EXPECT_EQ(message.vector, 0x31);
  EXPECT_EQ(message.mode, DeliveryMode::LowestPriority);
  EXPECT_TRUE(message.level);
  EXPECT_TRUE(message.logical);
  EXPECT_EQ(message.destination, 5u);
  EXPECT_EQ(decode_msi(0xfee0'0000, 0x0400).mode, DeliveryMode::Nmi);
}

TEST_F(LocalApicTest, one_shot_timer_fires_once) {
  apic_->mmio_write(kDivide, 0x0b);  // by 1
  apic_->mmio_write(kTimer, 0x40);
  EXPECT_EQ(apic_->deadline(), LocalApic::kNever);
  apic_->mmio_write(kInitial, 5000);
  EXPECT_EQ(apic_->deadline(), bus_.time + 5000);
  pass_time(2000);
  EXPECT_EQ(apic_->mmio_read(kCurrent), 3000u);
  EXPECT_FALSE(apic_->has_interrupt());
  pass_time(3000);
  EXPECT_THAT(apic_->take(), Optional(0x40));
  EXPECT_EQ(apic_->mmio_read(kCurrent), 0u);
  EXPECT_EQ(apic_->deadline(), LocalApic::kNever);
}

TEST_F(LocalApicTest, periodic_timer_keeps_its_phase_when_it_is_late) {
  apic_->mmio_write(kDivide, 0x03);  // by 16
  apic_->mmio_write(kTimer, 0x40 | kPeriodic);
  const auto start = bus_.time;
  apic_->mmio_write(kInitial, 10'000);
  pass_time(160'000 * 3 + 5);
  EXPECT_THAT(apic_->take(), Optional(0x40));
  EXPECT_EQ(apic_->deadline(), start + 160'000 * 4);
  EXPECT_EQ(apic_->mmio_read(kCurrent), (160'000u - 5) / 16);
}

TEST_F(LocalApicTest, tiny_period_does_not_occupy_the_host) {
  apic_->mmio_write(kDivide, 0x0b);
  apic_->mmio_write(kTimer, 0x40 | kPeriodic);
  apic_->mmio_write(kInitial, 1);
  pass_time(1'000'000);
  const auto next = apic_->deadline();
  EXPECT_GT(next, bus_.time);
  pass_time(next - bus_.time);
  EXPECT_GE(apic_->deadline(), bus_.time + 10'000);
}

TEST_F(LocalApicTest, masked_timer_counts_but_does_not_interrupt) {
  apic_->mmio_write(kDivide, 0x0b);
  apic_->mmio_write(kTimer, 0x40 | kMasked);
  apic_->mmio_write(kInitial, 100);
  pass_time(200);
  EXPECT_FALSE(apic_->has_interrupt());
}

TEST_F(LocalApicTest, tsc_deadline_that_is_past_does_not_follow_the_clock) {
  apic_->mmio_write(kTimer, 0x41 | kDeadlineMode);
  apic_->write_msr(kMsrDeadline, 1500);
  bus_.time = 2000;  // time goes on while it is looked at
  EXPECT_EQ(apic_->deadline(), 1500u);
  apic_->advance(1900);
  EXPECT_EQ(apic_->deadline(), LocalApic::kNever);
}

TEST_F(LocalApicTest, tsc_deadline_fires_when_the_guests_counter_gets_there) {
  apic_->mmio_write(kTimer, 0x40 | kDeadlineMode);
  cpu_->tsc_offset = std::uint64_t{0} - 500;
  EXPECT_TRUE(apic_->write_msr(kMsrDeadline, 2000));
  EXPECT_EQ(msr(kMsrDeadline), 2000u);
  EXPECT_EQ(apic_->deadline(), 2500u);
  apic_->mmio_write(kInitial, 7);  // not in this mode
  EXPECT_EQ(apic_->mmio_read(kInitial), 0u);
  pass_time(1500);
  EXPECT_THAT(apic_->take(), Optional(0x40));
  EXPECT_EQ(msr(kMsrDeadline), 0u);
  EXPECT_TRUE(apic_->write_msr(kMsrDeadline, 1));  // past
  EXPECT_LE(apic_->deadline(), bus_.time);
  EXPECT_TRUE(apic_->write_msr(kMsrDeadline, ~std::uint64_t{0}));
  EXPECT_GT(apic_->deadline(), bus_.time);
  apic_->mmio_write(kTimer, 0x40);
  EXPECT_EQ(msr(kMsrDeadline), 0u);
  EXPECT_TRUE(apic_->write_msr(kMsrDeadline, 5000));  // ignored in other modes
  EXPECT_EQ(msr(kMsrDeadline), 0u);
}

TEST_F(LocalApicTest, x2apic_mode_has_msrs_instead_of_a_page) {
  EXPECT_FALSE(reads_msr(0x802));
  EXPECT_FALSE(apic_->write_msr(kMsrBase, kPageAddress | kX2apic));
  enter_x2apic();
  EXPECT_FALSE(apic_->mmio_covers(kPageAddress));
  EXPECT_EQ(msr(0x802), 0u);
  EXPECT_EQ(msr(0x80d), 1u);
  EXPECT_FALSE(apic_->write_msr(0x80d, 1));
  EXPECT_FALSE(reads_msr(0x80e));
  EXPECT_FALSE(reads_msr(0x831));
  EXPECT_FALSE(reads_msr(0x80b));
  EXPECT_FALSE(apic_->write_msr(0x80b, 1));
  EXPECT_TRUE(apic_->write_msr(0x80b, 0));
  EXPECT_FALSE(apic_->write_msr(0x808, 0x100));
  EXPECT_TRUE(apic_->write_msr(0x808, 0x20));
  EXPECT_EQ(apic_->tpr(), 0x20);
  EXPECT_TRUE(apic_->write_msr(0x830, std::uint64_t{0x1'0002} << 32 | 0x4831));
  ASSERT_EQ(bus_.sent.size(), 1u);
  EXPECT_EQ(bus_.sent[0].destination, 0x1'0002u);
  EXPECT_TRUE(bus_.sent[0].extended);
  EXPECT_EQ(msr(0x830), std::uint64_t{0x1'0002} << 32 | 0x4831);
  EXPECT_TRUE(apic_->write_msr(0x83f, 0x45));
  EXPECT_THAT(apic_->take(), Optional(0x45));
  EXPECT_FALSE(apic_->write_msr(kMsrBase, kPageAddress | kEnable));  // only off leads out
  EXPECT_TRUE(apic_->write_msr(kMsrBase, kPageAddress));
  EXPECT_FALSE(apic_->is_enabled());
  EXPECT_TRUE(apic_->passes_ext_int());
}

class SecondLocalApicTest : public LocalApicTest {
 protected:
  SecondLocalApicTest() : LocalApicTest(0x25) {}
};

TEST_F(SecondLocalApicTest, x2apic_logical_id_is_cluster_and_bit) {
  EXPECT_FALSE(apic_->passes_ext_int());
  enter_x2apic();
  EXPECT_EQ(msr(0x80d), 0x0002'0020u);
  EXPECT_TRUE(apic_->is_destination({.logical = true, .extended = true, .destination = 0x0002'0030}));
  EXPECT_FALSE(apic_->is_destination({.logical = true, .extended = true, .destination = 0x0001'0020}));
  EXPECT_TRUE(apic_->is_destination({.extended = true, .destination = 0xffff'ffff}));
  EXPECT_TRUE(apic_->is_destination({.destination = 0x25}));
}

TEST_F(LocalApicTest, base_moves_the_page_and_refuses_reserved_bits) {
  EXPECT_TRUE(apic_->write_msr(kMsrBase, 0x1234'5000 | kEnable | kBsp));
  EXPECT_TRUE(apic_->mmio_covers(0x1234'5010));
  EXPECT_FALSE(apic_->mmio_covers(kPageAddress));
  EXPECT_FALSE(apic_->write_msr(kMsrBase, 0x1234'5001));
  EXPECT_FALSE(apic_->write_msr(kMsrBase, std::uint64_t{1} << 50 | kEnable));
}

TEST_F(LocalApicTest, page_that_was_saved_is_the_same_after_loading) {
  apic_->mmio_write(kTimer, 0x40 | kPeriodic);
  apic_->mmio_write(kDivide, 0x0b);
  apic_->mmio_write(kInitial, 50'000);
  apic_->mmio_write(kLint0, 0x700);
  fixed(0x51, true);
  fixed(0x61);
  EXPECT_THAT(apic_->take(), Optional(0x61));
  fixed(0x03);
  pass_time(10'000);
  std::array<std::uint8_t, LocalApic::kPageBytes> page{};
  apic_->save_page(page);
  LocalApic other(*cpu_, bus_);
  ASSERT_TRUE(other.load(apic_->base(), page, 0));
  std::array<std::uint8_t, LocalApic::kPageBytes> again{};
  other.save_page(again);
  EXPECT_EQ(page, again);
  EXPECT_EQ(other.deadline(), apic_->deadline());
  EXPECT_EQ(other.mmio_read(kPpr), 0x60u);
}

TEST_F(LocalApicTest, saved_page_of_x2apic_mode_and_hostile_bases) {
  enter_x2apic();
  std::array<std::uint8_t, LocalApic::kPageBytes> page{};
  apic_->save_page(page);
  LocalApic other(*cpu_, bus_);
  ASSERT_TRUE(other.load(apic_->base(), page, 0));
  std::array<std::uint8_t, LocalApic::kPageBytes> again{};
  other.save_page(again);
  EXPECT_EQ(page, again);
  EXPECT_FALSE(other.load(~std::uint64_t{0}, page, 0));
  EXPECT_FALSE(other.load(kX2apic, page, 0));
  page.fill(0xff);
  EXPECT_TRUE(other.load(kPageAddress | kEnable, page, ~std::uint64_t{0}));
  other.advance(~std::uint64_t{0} - 1);
  while (other.take()) {
  }
}

TEST_F(LocalApicTest, every_offset_and_msr_may_be_touched) {
  for (const bool x2apic : {false, true}) {
    if (x2apic) enter_x2apic();
    for (std::uint32_t offset = 0; offset < LocalApic::kPageBytes; offset += 4) {
      apic_->mmio_write(offset, ~0u);
      apic_->mmio_read(offset);
    }
    for (std::uint32_t index = 0x800; index < 0x900; ++index) {
      apic_->write_msr(index, ~std::uint64_t{0});
      apic_->write_msr(index, 0);
      reads_msr(index);
    }
  }
}

}  // namespace
}  // namespace vmm::cpu::soft
