#include "spice/wire/common.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

TEST(CommonWire, migrate) {
  EXPECT_EQ(check_golden<Migrate>(u32(3)).flags, 3U);
}

TEST(CommonWire, migrate_data) {
  EXPECT_EQ(check_golden<MigrateData>(text("DCMD"), 0).data.size(), 4U);
  EXPECT_EQ(check_golden<ClientMigrateData>(text("DCMD"), 0).data.size(), 4U);
}

TEST(CommonWire, set_ack) {
  const auto message = check_golden<SetAck>(joined({u32(1), u32(20)}));
  EXPECT_EQ(message.generation, 1U);
  EXPECT_EQ(message.window, 20U);
}

TEST(CommonWire, ping_and_pong) {
  const auto ping = check_golden<Ping>(joined({u32(2), u64(0x10ea01d2b), zeros(1000)}), 12);
  EXPECT_EQ(ping.id, 2U);
  EXPECT_EQ(ping.stamp, 0x10ea01d2bU);
  EXPECT_EQ(ping.padding.size(), 1000U);
  EXPECT_EQ(check_golden<Pong>(joined({u32(2), u64(0x10ea01d2b)})).stamp, 0x10ea01d2bU);
}

TEST(CommonWire, wait_for_channels) {
  const auto message = check_golden<WaitForChannels>(joined({
      u8(2),                   // count
      u8(2), u8(0), u64(17),   // display 0
      u8(2), u8(1), u64(900),  // display 1
  }));
  ASSERT_EQ(message.waits.size(), 2U);
  EXPECT_EQ(message.waits[1].id, 1);
  EXPECT_EQ(message.waits[1].serial, 900U);
}

TEST(CommonWire, disconnecting) {
  EXPECT_EQ(check_golden<Disconnecting>(joined({u64(5), u32(1)})).reason, 1U);
  EXPECT_EQ(check_golden<ClientDisconnecting>(joined({u64(5), u32(1)})).time, 5U);
}

TEST(CommonWire, notify) {
  const auto message = check_golden<Notify>(joined({
      u64(0x421'2b45'8af2),  // time
      u32(1),                // severity
      u32(2),                // visibility
      u32(0),                // what
      u32(5),                // length, without NUL
      text("hello"),
      u8(0),
  }));
  EXPECT_EQ(message.severity, Notify::Severity::Warn);
  EXPECT_EQ(message.visibility, Notify::Visibility::High);
  EXPECT_EQ(message.text, "hello");
}

TEST(CommonWire, notify_without_its_nul_is_refused) {
  EXPECT_FALSE(decode<Notify>(joined({u64(0), u32(0), u32(0), u32(0), u32(1), text("ab")})).has_value());
}

TEST(CommonWire, acks) {
  EXPECT_EQ(check_golden<AckSync>(u32(9)).generation, 9U);
  check_golden<Ack>({});
  check_golden<MigrateFlushMark>({});
}

}  // namespace
}  // namespace spice::wire
