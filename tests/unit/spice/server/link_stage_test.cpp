// The handshake over bytes; what it refuses and how.
#include "spice/server/link_stage.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/server/ticket.h"
#include "spice/server/tickets.h"
#include "spice/wire/coding.h"
#include "tests/unit/spice/server/ticket_client.h"

namespace spice::server {
namespace {

using Bytes = std::vector<std::uint8_t>;
using State = LinkStage::State;

class FakeHost final : public LinkStage::Host {
 public:
  const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() override { return key; }
  wire::Capabilities channel_caps(wire::ChannelKey channel) override {
    return channel.type == wire::ChannelType::Display ? wire::Capabilities{1, 4, 6, 12} : wire::Capabilities{};
  }
  wire::LinkError transport_verdict(wire::ChannelType, bool is_encrypted) override {
    return is_encrypted ? encrypted_verdict : plain_verdict;
  }
  bool accepts_ticket(std::span<const std::uint8_t> ticket) override { return ticket[0] == 1; }
  wire::LinkError admit(const wire::LinkMessage&) override { return verdict; }

  std::array<std::uint8_t, wire::kPublicKeySize> key{0x30, 0x81};
  wire::LinkError verdict = wire::LinkError::Ok;
  wire::LinkError plain_verdict = wire::LinkError::Ok;
  wire::LinkError encrypted_verdict = wire::LinkError::Ok;
};

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes header(std::uint32_t size, std::uint32_t major = 2) {
  return wire::encode(wire::LinkHeader{.major_version = major, .minor_version = 7, .size = size}).flatten();
}

Bytes link(const wire::LinkMessage& message) {
  const auto body = wire::encode(message).flatten();
  return header(static_cast<std::uint32_t>(body.size())) + body;
}

wire::LinkMessage display_link(std::vector<std::uint32_t> common = {0xd}) {
  return {.connection_id = 5,
          .channel_type = wire::ChannelType::Display,
          .channel_id = 0,
          .common_caps = std::move(common),
          .channel_caps = {0x27bf}};
}

const Bytes kSpice{1, 0, 0, 0};
const Bytes kGoodTicket = Bytes{1} + Bytes(127);
const Bytes kBadTicket = Bytes(128);

class LinkStageTest : public testing::Test {
 protected:
  // Feeds bytes as a socket would; returns what was answered.
  Bytes feed(const Bytes& bytes) {
    pending_ = pending_ + bytes;
    const auto taken = stage_.receive(pending_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    const auto output = stage_.take_output();
    return output ? output->flatten() : Bytes();
  }
  // The error of a full reply, or nullopt if it is none.
  static std::optional<wire::LinkError> full_reply(const Bytes& bytes) {
    const auto reply_header = wire::decode<wire::LinkHeader>(bytes);
    if (!reply_header || bytes.size() != wire::kLinkHeaderSize + reply_header->size) return std::nullopt;
    return wire::decode<wire::LinkReply>(std::span(bytes).subspan(wire::kLinkHeaderSize))->error;
  }
  void expect_full_refusal(const Bytes& bytes, wire::LinkError error) {
    const auto answer = feed(bytes);
    EXPECT_EQ(answer.size(), 16U + 178U);
    EXPECT_EQ(full_reply(answer), error);
    EXPECT_EQ(stage_.state(), State::Refused);
    EXPECT_EQ(stage_.error(), error);
  }

  FakeHost host_;
  LinkStage stage_{host_};
  Bytes pending_;
};

TEST_F(LinkStageTest, good_client_is_linked) {
  const auto answer = feed(link(display_link()));
  ASSERT_EQ(answer.size(), 16U + 178U + 8U);
  const auto reply = wire::decode<wire::LinkReply>(std::span(answer).subspan(16));
  EXPECT_EQ(reply->error, wire::LinkError::Ok);
  EXPECT_EQ(reply->public_key, host_.key);
  EXPECT_THAT(reply->common_caps, testing::ElementsAre(0xb));
  EXPECT_THAT(reply->channel_caps, testing::ElementsAre(0x1052));
  EXPECT_TRUE(feed(kSpice).empty());
  EXPECT_THAT(feed(kGoodTicket), testing::ElementsAre(0, 0, 0, 0));
  EXPECT_EQ(stage_.state(), State::Linked);
  EXPECT_TRUE(stage_.mini_header());
  EXPECT_EQ(stage_.message().connection_id, 5U);
}

TEST_F(LinkStageTest, handshake_in_single_bytes) {
  Bytes answers;
  for (const auto byte : link(display_link()) + kSpice + kGoodTicket)
    answers = answers + feed({byte});
  EXPECT_EQ(answers.size(), 16U + 178U + 8U + 4U);
  EXPECT_EQ(stage_.state(), State::Linked);
}

TEST_F(LinkStageTest, handshake_in_one_piece_leaves_the_messages_behind_it) {
  const auto answers = feed(link(display_link()) + kSpice + kGoodTicket + Bytes{101, 0, 14});
  EXPECT_EQ(answers.size(), 16U + 178U + 8U + 4U);
  EXPECT_THAT(pending_, testing::ElementsAre(101, 0, 14));
}

TEST_F(LinkStageTest, old_client_sends_its_ticket_at_once) {
  feed(link(display_link({})));
  EXPECT_THAT(feed(kGoodTicket), testing::ElementsAre(0, 0, 0, 0));
  EXPECT_FALSE(stage_.mini_header());
}

TEST_F(LinkStageTest, wrong_magic) {
  expect_full_refusal({'G', 'E', 'T', ' '}, wire::LinkError::InvalidMagic);
}

TEST_F(LinkStageTest, wrong_version) {
  expect_full_refusal(header(18, 3), wire::LinkError::VersionMismatch);
}

TEST_F(LinkStageTest, minor_version_does_not_matter) {
  EXPECT_TRUE(feed(header(18)).empty());
  EXPECT_EQ(stage_.state(), State::Message);
}

TEST_F(LinkStageTest, too_small) {
  expect_full_refusal(header(17), wire::LinkError::InvalidData);
}

TEST_F(LinkStageTest, too_large) {
  expect_full_refusal(header(4097), wire::LinkError::InvalidData);
}

TEST_F(LinkStageTest, capabilities_outside_the_message) {
  auto bytes = link(display_link());
  bytes[16 + 14] = 19;  // caps offset
  expect_full_refusal(bytes, wire::LinkError::InvalidData);
}

TEST_F(LinkStageTest, more_capabilities_than_the_message_holds) {
  auto bytes = link(display_link());
  bytes[16 + 9] = 0xff;  // high byte of the count
  expect_full_refusal(bytes, wire::LinkError::InvalidData);
}

// CVE-2016-9578: the numbers of capabilities and their offset overflowed when they were added up.
TEST_F(LinkStageTest, cve_2016_9578_capabilities_do_not_overflow) {
  for (const auto [common, channel, offset] :
       {std::array{0x4000'0000U, 0U, 18U}, std::array{0x2000'0000U, 0x2000'0000U, 18U},
        std::array{1U, 0xffff'ffffU, 18U}, std::array{1U, 1U, 0xffff'fff8U},
        std::array{0xffff'ffffU, 0xffff'ffffU, 0xffff'ffffU}}) {
    LinkStage stage(host_);
    auto bytes = link(display_link());
    core::store_le(bytes.data() + 16 + 6, common);
    core::store_le(bytes.data() + 16 + 10, channel);
    core::store_le(bytes.data() + 16 + 14, offset);
    stage.receive(bytes);
    EXPECT_EQ(stage.error(), wire::LinkError::InvalidData);
  }
  expect_full_refusal(header(0xffff'ffff), wire::LinkError::InvalidData);
}

TEST_F(LinkStageTest, unknown_mechanism_gets_a_second_full_reply) {
  feed(link(display_link()));
  expect_full_refusal({2, 0, 0, 0}, wire::LinkError::InvalidData);
}

TEST_F(LinkStageTest, wrong_ticket) {
  feed(link(display_link()) + kSpice);
  EXPECT_THAT(feed(kBadTicket), testing::ElementsAre(7, 0, 0, 0));
  EXPECT_EQ(stage_.state(), State::Refused);
}

TEST_F(LinkStageTest, verdict_of_the_server_comes_after_the_ticket) {
  host_.verdict = wire::LinkError::BadConnectionId;
  feed(link(display_link()) + kSpice);
  EXPECT_THAT(feed(kGoodTicket), testing::ElementsAre(8, 0, 0, 0));
  EXPECT_EQ(stage_.error(), wire::LinkError::BadConnectionId);
}

TEST_F(LinkStageTest, nothing_is_taken_after_a_refusal) {
  feed({'n', 'o', 'p', 'e'});
  pending_.clear();
  EXPECT_TRUE(feed(link(display_link())).empty());
  EXPECT_EQ(stage_.state(), State::Refused);
}

TEST(Ticket, key_has_the_size_the_protocol_wants_and_decrypts) {
  const auto key = TicketKey::of_process();
  ASSERT_TRUE(key.has_value());
  const auto ticket = test::encrypt_ticket((*key)->public_key(), "secret");
  EXPECT_EQ((*key)->decrypt(ticket.bytes), "secret");
  EXPECT_EQ(TicketKey::of_process()->get(), key->get());
}

TEST(Ticket, garbage_does_not_decrypt) {
  const auto key = *TicketKey::of_process();
  EXPECT_EQ(key->decrypt(Bytes(128)), std::nullopt);
  EXPECT_EQ(key->decrypt(Bytes(128, 0xff)), std::nullopt);
}

// What spice-html5 makes of one ticket in 256.
TEST(Ticket, leading_zero_at_the_end_is_understood) {
  const auto key = *TicketKey::of_process();
  auto ticket = test::encrypt_ticket(key->public_key(), "secret");
  for (int tries = 0; ticket.bytes[0] != 0 && tries < 20000; ++tries)
    ticket = test::encrypt_ticket(key->public_key(), "secret");
  ASSERT_EQ(ticket.bytes[0], 0);
  EXPECT_EQ(key->decrypt(ticket.bytes), "secret");
  std::ranges::rotate(ticket.bytes, ticket.bytes.begin() + 1);
  EXPECT_EQ(key->decrypt(ticket.bytes), "secret");
}

// CVE-2013-4282: a password longer than the 60 characters that a ticket may have was decrypted into a buffer for those.
TEST(Ticket, cve_2013_4282_long_password_is_only_wrong) {
  const auto key = *TicketKey::of_process();
  for (const std::size_t length : {std::size_t{60}, std::size_t{61}, std::size_t{85}}) {
    const std::string password(length, 'x');
    const auto decrypted = key->decrypt(test::encrypt_ticket(key->public_key(), password).bytes);
    EXPECT_FALSE(decrypted && password_matches("secret", *decrypted)) << length;
  }
}

TEST(Ticket, passwords) {
  EXPECT_TRUE(password_matches("secret", "secret"));
  EXPECT_FALSE(password_matches("secret", "secre"));
  EXPECT_FALSE(password_matches("secret", "secret2"));
  EXPECT_FALSE(password_matches("secret", ""));
  EXPECT_FALSE(password_matches("", ""));
  EXPECT_FALSE(password_matches("", "anything"));
}

TEST_F(LinkStageTest, channel_that_needs_tls_is_refused_without) {
  host_.plain_verdict = wire::LinkError::NeedSecured;
  expect_full_refusal(link(display_link()), wire::LinkError::NeedSecured);
  EXPECT_EQ(stage_.state(), State::Refused);
}

TEST_F(LinkStageTest, channel_that_must_be_plain_is_refused_with_tls) {
  host_.encrypted_verdict = wire::LinkError::NeedUnsecured;
  LinkStage plain(host_);
  plain.receive(link(display_link()));
  EXPECT_EQ(plain.state(), State::Mechanism);
  LinkStage encrypted(host_, {.encrypted = true, .local = {}, .remote = {}});
  encrypted.receive(link(display_link()));
  EXPECT_EQ(encrypted.state(), State::Refused);
  EXPECT_EQ(encrypted.error(), wire::LinkError::NeedUnsecured);
}

constexpr Tickets::Time kNow{std::chrono::seconds(1000)};

TEST(Tickets, roles) {
  const Tickets tickets(true, "type", "watch");
  EXPECT_EQ(tickets.role_of("type", kNow), Role::Operator);
  EXPECT_EQ(tickets.role_of("watch", kNow), Role::Watcher);
  EXPECT_EQ(tickets.role_of("other", kNow), std::nullopt);
  EXPECT_EQ(tickets.role_of("", kNow), std::nullopt);
  EXPECT_EQ(Tickets(true, "same", "same").role_of("same", kNow), Role::Operator);
  EXPECT_EQ(Tickets(true, "", "").role_of("", kNow), std::nullopt);
  EXPECT_EQ(Tickets(false, "type", "").role_of("anything", kNow), Role::Operator);
}

TEST(Tickets, expiry) {
  Tickets tickets(true, "old", "watch");
  tickets.set_expiry(kNow + std::chrono::seconds(2));
  EXPECT_EQ(tickets.role_of("old", kNow + std::chrono::seconds(2)), Role::Operator);
  const auto late = kNow + std::chrono::seconds(3);
  EXPECT_EQ(tickets.role_of("old", late), std::nullopt);
  EXPECT_EQ(tickets.role_of("watch", late), Role::Watcher);
  tickets.set_password("new");  // which changes nothing about its time
  EXPECT_EQ(tickets.role_of("new", late), std::nullopt);
  tickets.set_expiry(std::nullopt);
  EXPECT_EQ(tickets.role_of("new", late), Role::Operator);
  EXPECT_EQ(tickets.role_of("old", late), std::nullopt);
}

}  // namespace
}  // namespace spice::server
