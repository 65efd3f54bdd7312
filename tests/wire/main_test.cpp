#include "spice/wire/main.h"

#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

TEST(MainWire, init) {
  const auto message = check_golden<MainInit>(joined({
      u32(0xea6a096b),   // session
      u32(1),            // displays
      u32(3),            // supported modes
      u32(1),            // current mode
      u32(0),            // agent
      u32(10),           // tokens
      u32(0x4546'2500),  // mm time
      u32(50323456),     // ram hint
  }));
  EXPECT_EQ(message.session_id, 0xea6a096bU);
  EXPECT_EQ(message.supported_mouse_modes, 3U);
  EXPECT_EQ(message.agent_tokens, 10U);
  EXPECT_EQ(message.ram_hint, 50323456U);
}

TEST(MainWire, channels_list) {
  const auto message = check_golden<MainChannelsList>(joined({u32(2), u8(2), u8(0), u8(4), u8(1)}));
  ASSERT_EQ(message.channels.size(), 2U);
  EXPECT_EQ(message.channels[1].type, ChannelType::Cursor);
  EXPECT_EQ(message.channels[1].id, 1);
}

TEST(MainWire, count_beyond_the_message_allocates_nothing) {
  EXPECT_FALSE(decode<MainChannelsList>(joined({u32(0xffff'ffff), u8(2), u8(0)})).has_value());
  EXPECT_FALSE(decode<MainChannelsList>(joined({u32(0x8000'0001), u8(2), u8(0)})).has_value());
}

// CVE-2017-12194: the bytes of an array were computed in 32 bits.
TEST(MainWire, cve_2017_12194_arrays_do_not_overflow) {
  for (const auto count : {0x4000'0000U, 0x7fff'ffffU, 0x8000'0000U, 0xffff'fffeU})
    EXPECT_FALSE(decode<MainChannelsList>(joined({u32(count), zeros(64)})).has_value()) << count;
}

TEST(MainWire, mouse_mode) {
  const auto message = check_golden<MainMouseMode>(joined({u16(3), u16(2)}));
  EXPECT_EQ(message.supported, 3);
  EXPECT_EQ(message.current, 2);
  EXPECT_EQ(check_golden<MainMouseModeRequest>(u16(2)).mode, MouseMode::Client);
}

TEST(MainWire, name_and_uuid) {
  EXPECT_EQ(check_golden<MainName>(joined({u32(12), text("QEMU 7.2.22"), u8(0)})).name, "QEMU 7.2.22");
  Golden uuid;
  for (std::uint8_t i = 0; i < 16; ++i)
    uuid.push_back(i);
  EXPECT_EQ(check_golden<MainUuid>(uuid).uuid[15], 15);
}

TEST(MainWire, single_words) {
  EXPECT_EQ(check_golden<MainMultiMediaTime>(u32(1234)).time_ms, 1234U);
  EXPECT_EQ(check_golden<MainAgentDisconnected>(u32(1)).error, 1U);
  EXPECT_EQ(check_golden<MainAgentToken>(u32(5)).tokens, 5U);
  EXPECT_EQ(check_golden<MainAgentConnectedTokens>(u32(10)).tokens, 10U);
  EXPECT_EQ(check_golden<MainAgentStart>(u32(10)).tokens, 10U);
  EXPECT_EQ(check_golden<MainClientAgentToken>(u32(5)).tokens, 5U);
  EXPECT_EQ(check_golden<MainClientInfo>(u64(1 << 20)).cache_size, 1U << 20);
  check_golden<MainAttachChannels>({});
}

TEST(MainWire, agent_data) {
  EXPECT_EQ(check_golden<MainAgentData>(zeros(700), 0).data.size(), 700U);
  EXPECT_EQ(check_golden<MainClientAgentData>(zeros(20), 0).data.size(), 20U);
}

}  // namespace
}  // namespace spice::wire
