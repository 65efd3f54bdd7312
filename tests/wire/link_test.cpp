#include "spice/wire/link.h"

#include "spice/wire/capabilities.h"
#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

TEST(LinkWire, header) {
  const auto header = check_golden<LinkHeader>(joined({
      text("REDQ"),  // magic
      u32(2),        // major
      u32(2),        // minor
      u32(26),       // size
  }));
  EXPECT_EQ(header.magic, kLinkMagic);
  EXPECT_EQ(header.size, 26U);
}

TEST(LinkWire, message) {
  const auto message = check_golden<LinkMessage>(joined({
      u32(0xea6a096b),  // connection id
      u8(2),            // channel type
      u8(1),            // channel id
      u32(1),           // common words
      u32(2),           // channel words
      u32(18),          // caps offset
      u32(0xd),         // common caps
      u32(0x27bf),      // channel caps
      u32(1),
  }));
  EXPECT_EQ(message.connection_id, 0xea6a096bU);
  EXPECT_EQ(message.channel_type, ChannelType::Display);
  EXPECT_EQ(message.channel_id, 1);
  EXPECT_THAT(message.common_caps, testing::ElementsAre(0xd));
  EXPECT_THAT(message.channel_caps, testing::ElementsAre(0x27bf, 1));
}

TEST(LinkWire, message_without_caps_ignores_their_offset) {
  const auto message = decode<LinkMessage>(joined({u32(0), u8(1), u8(0), u32(0), u32(0), u32(0xffff'ffff)}));
  EXPECT_TRUE(message.has_value());
}

TEST(LinkWire, message_with_caps_elsewhere) {
  const auto message = decode<LinkMessage>(joined({u32(0), u8(1), u8(0), u32(1), u32(0), u32(20), zeros(2), u32(7)}));
  ASSERT_TRUE(message.has_value());
  EXPECT_THAT(message->common_caps, testing::ElementsAre(7));
}

TEST(LinkWire, message_with_bad_caps_is_refused) {
  const auto with = [](std::uint32_t common, std::uint32_t channel, std::uint32_t offset) {
    return decode<LinkMessage>(joined({u32(0), u8(1), u8(0), u32(common), u32(channel), u32(offset), u32(1), u32(2)}));
  };
  EXPECT_TRUE(with(1, 1, 18).has_value());
  EXPECT_FALSE(with(1, 1, 17).has_value());            // inside the fixed part
  EXPECT_FALSE(with(1, 1, 0).has_value());             // before it
  EXPECT_FALSE(with(1, 1, 19).has_value());            // runs over the end
  EXPECT_FALSE(with(1, 1, 0xffff'fff0).has_value());   // outside
  EXPECT_FALSE(with(0x4000'0001, 0, 18).has_value());  // 4 n overflows 32 bits
  EXPECT_FALSE(with(1, 0xffff'ffff, 18).has_value());
}

TEST(LinkWire, reply) {
  const auto reply = check_golden<LinkReply>(joined({
      u32(0),             // error
      Golden(162, 0x30),  // public key
      u32(1),             // common words
      u32(1),             // channel words
      u32(178),           // caps offset
      u32(0xb),           // common caps
      u32(0x1052),        // channel caps
  }));
  EXPECT_EQ(reply.error, LinkError::Ok);
  EXPECT_EQ(reply.public_key[161], 0x30);
  EXPECT_THAT(reply.channel_caps, testing::ElementsAre(0x1052));
}

TEST(LinkWire, authentication) {
  EXPECT_EQ(check_golden<AuthChoice>(u32(1)).mechanism, AuthMechanism::Spice);
  EXPECT_EQ(check_golden<EncryptedTicket>(Golden(128, 9)).bytes[127], 9);
  EXPECT_EQ(check_golden<LinkResult>(u32(7)).error, LinkError::PermissionDenied);
}

TEST(LinkWire, data_headers) {
  const auto mini = check_golden<MiniHeader>(joined({u16(304), u32(6885)}));
  EXPECT_EQ(mini.type, 304);
  EXPECT_EQ(mini.size, 6885U);
  const auto full = check_golden<FullHeader>(joined({u64(0x1'0000'0002), u16(3), u32(12), u32(0)}));
  EXPECT_EQ(full.serial, 0x1'0000'0002U);
  EXPECT_EQ(full.type, 3);
  EXPECT_EQ(full.size, 12U);
}

TEST(Capabilities, bits_are_in_words) {
  const Capabilities caps{kMonitorsConfigCap, kStreamReportCap, kPreferredCompressionCap, kPreferredVideoCodecCap};
  EXPECT_THAT(caps.words(), testing::ElementsAre(0x1052));
  EXPECT_TRUE(caps.has(kMonitorsConfigCap));
  EXPECT_FALSE(caps.has(kLz4Cap));
  EXPECT_FALSE(caps.has(32));
  EXPECT_FALSE(caps.has(100'000));
  EXPECT_THAT(Capabilities({33}).words(), testing::ElementsAre(0, 2));
}

}  // namespace
}  // namespace spice::wire
