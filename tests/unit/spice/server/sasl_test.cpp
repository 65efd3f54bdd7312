// SASL in the handshake, byte for byte; who answers is played.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/server/link_stage.h"
#include "spice/server/sasl_stage.h"
#include "spice/wire/coding.h"
#include "tests/unit/spice/server/fake_sasl.h"

namespace spice::server {
namespace {

using testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;
using State = LinkStage::State;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes word(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

Bytes text(std::string_view value) {
  return {value.begin(), value.end()};
}

// A name, counted without a NUL.
Bytes name(std::string_view value) {
  return word(static_cast<std::uint32_t>(value.size())) + text(value);
}

// Data, counted with its NUL.
Bytes block(std::string_view value) {
  return word(static_cast<std::uint32_t>(value.size() + 1)) + text(value) + Bytes{0};
}

const Bytes kList = name(",SESAME,OTHER,");
const Bytes kNone = word(0);
const Bytes kContinue{0};
const Bytes kComplete{1};
const Bytes kAccept = word(0);
const Bytes kReject = word(1) + block("Authentication failed");
const Bytes kOk = word(0);

class Host final : public LinkStage::Host {
 public:
  const std::array<std::uint8_t, wire::kPublicKeySize>& public_key() override { return key; }
  wire::Capabilities channel_caps(wire::ChannelKey) override { return {}; }
  wire::LinkError transport_verdict(wire::ChannelType, bool) override { return wire::LinkError::Ok; }
  bool accepts_ticket(std::span<const std::uint8_t>) override { return true; }
  SaslService* sasl() override { return &service; }
  wire::LinkError admit(const wire::LinkMessage&) override { return verdict; }

  test::FakeSasl service;
  std::array<std::uint8_t, wire::kPublicKeySize> key{};
  wire::LinkError verdict = wire::LinkError::Ok;
};

class SaslLinkTest : public testing::Test {
 protected:
  Bytes feed(const Bytes& bytes) {
    pending_ = pending_ + bytes;
    const auto taken = stage_.receive(pending_);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    const auto output = stage_.take_output();
    return output ? output->flatten() : Bytes();
  }
  Bytes link(std::vector<std::uint32_t> common_caps = {0xf}) {
    wire::LinkMessage message;
    message.channel_type = wire::ChannelType::Main;
    message.common_caps = std::move(common_caps);
    const auto body = wire::encode(message).flatten();
    return feed(wire::encode(wire::LinkHeader{.size = static_cast<std::uint32_t>(body.size())}).flatten() + body);
  }
  static std::optional<wire::LinkError> full_reply(const Bytes& bytes) {
    if (bytes.size() < 16 + 178) return std::nullopt;
    const auto reply = wire::decode<wire::LinkReply>(std::span(bytes).subspan(bytes.size() - 178));
    return reply ? std::optional(reply->error) : std::nullopt;
  }
  void expect_full_refusal(const Bytes& bytes, wire::LinkError error) {
    EXPECT_EQ(full_reply(feed(bytes)), error);
    EXPECT_EQ(stage_.state(), State::Refused);
  }

  Host host_;
  LinkStage stage_{host_, {.encrypted = true, .local = {"1.2.3.4", "5", "ipv4"}, .remote = {"6.7.8.9", "10", "ipv4"}}};
  Bytes pending_;
};

const Bytes kSasl = word(2);
const Bytes kSesame = block("open sesame");

TEST_F(SaslLinkTest, reply_announces_it) {
  const auto answer = link();
  const auto reply = wire::decode<wire::LinkReply>(std::span(answer).subspan(16));
  EXPECT_THAT(reply->common_caps, ElementsAre(0xd));
}

TEST_F(SaslLinkTest, client_is_linked) {
  link();
  EXPECT_EQ(feed(kSasl), kList);
  EXPECT_TRUE(feed(name("SESAME")).empty());
  EXPECT_EQ(feed(kSesame), block("come in") + kComplete + kAccept + kOk);
  EXPECT_EQ(stage_.state(), State::Linked);
  EXPECT_EQ(stage_.user(), "ali");
  EXPECT_EQ(stage_.take_layer(), nullptr);
  EXPECT_THAT(host_.service.seen, ElementsAre("SESAME:open sesame"));
  ASSERT_EQ(host_.service.carriers.size(), 1U);
  EXPECT_TRUE(host_.service.carriers[0].encrypted);
  EXPECT_EQ(host_.service.carriers[0].remote.host, "6.7.8.9");
}

TEST_F(SaslLinkTest, as_many_steps_as_it_takes) {
  link();
  feed(kSasl);
  EXPECT_EQ(feed(name("SESAME") + kNone), block("say it") + kContinue);
  EXPECT_EQ(feed(block("")), block("say it") + kContinue);
  EXPECT_EQ(feed(kNone), block("say it") + kContinue);
  EXPECT_EQ(feed(kSesame), block("come in") + kComplete + kAccept + kOk);
  EXPECT_THAT(host_.service.seen, ElementsAre("SESAME:-", "", "-", "open sesame"));
}

TEST_F(SaslLinkTest, single_bytes_and_messages_behind) {
  link();
  Bytes answers;
  for (const auto byte : kSasl + name("OTHER") + kNone + kSesame + Bytes{101, 0})
    answers = answers + feed({byte});
  EXPECT_EQ(answers, kList + block("say it") + kContinue + block("come in") + kComplete + kAccept + kOk);
  EXPECT_THAT(pending_, ElementsAre(101, 0));
}

TEST_F(SaslLinkTest, layer_begins_between_the_accept_word_and_the_result) {
  host_.service.wraps = true;
  link();
  feed(kSasl + name("SESAME"));
  EXPECT_EQ(feed(kSesame + Bytes{1, 2, 3}), block("come in") + kComplete + kAccept);
  EXPECT_EQ(stage_.state(), State::Layer);
  EXPECT_FALSE(stage_.finished());
  EXPECT_THAT(pending_, ElementsAre(1, 2, 3));
  EXPECT_NE(stage_.take_layer(), nullptr);
  EXPECT_EQ(stage_.state(), State::Linked);
  EXPECT_EQ(stage_.take_output()->flatten(), kOk);
  EXPECT_EQ(stage_.take_layer(), nullptr);
}

TEST_F(SaslLinkTest, verdict_of_the_server_comes_behind_the_accept_word) {
  host_.verdict = wire::LinkError::BadConnectionId;
  link();
  EXPECT_EQ(feed(kSasl + name("SESAME") + kSesame), kList + block("come in") + kComplete + kAccept + word(8));
  EXPECT_EQ(stage_.state(), State::Refused);
}

TEST_F(SaslLinkTest, wrong_password_is_refused_with_a_reason) {
  link();
  feed(kSasl);
  EXPECT_EQ(feed(name("SESAME") + block("open barley")), kNone + kComplete + kReject);
  EXPECT_EQ(stage_.state(), State::Refused);
  EXPECT_EQ(stage_.error(), wire::LinkError::PermissionDenied);
  EXPECT_TRUE(stage_.user().empty());
}

TEST_F(SaslLinkTest, weak_protection_is_refused_with_a_reason) {
  host_.service.weak = true;
  link();
  feed(kSasl);
  EXPECT_EQ(feed(name("SESAME") + kSesame), block("come in") + kComplete + kReject);
  EXPECT_EQ(stage_.state(), State::Refused);
}

TEST_F(SaslLinkTest, service_that_fails) {
  host_.service.works = false;
  link();
  expect_full_refusal(kSasl, wire::LinkError::Error);
}

TEST_F(SaslLinkTest, tickets_are_refused) {
  link();
  expect_full_refusal(word(1), wire::LinkError::InvalidData);
}

TEST_F(SaslLinkTest, old_client_that_sends_a_ticket_at_once) {
  EXPECT_EQ(full_reply(link({})), wire::LinkError::VersionMismatch);
  EXPECT_EQ(stage_.state(), State::Refused);
}

TEST_F(SaslLinkTest, longest_data) {
  link();
  feed(kSasl + name("SESAME"));
  const std::string longest(SaslStage::kMaxData - 1, 'x');
  EXPECT_EQ(feed(block(longest)), kNone + kComplete + kReject);
}

TEST_F(SaslLinkTest, too_much_data) {
  link();
  feed(kSasl + name("SESAME"));
  expect_full_refusal(word(SaslStage::kMaxData + 1), wire::LinkError::InvalidData);
}

TEST_F(SaslLinkTest, too_much_data_in_a_step) {
  link();
  feed(kSasl + name("SESAME") + kNone);
  expect_full_refusal(word(0xffff'ffff), wire::LinkError::InvalidData);
}

class BadNames : public SaslLinkTest, public testing::WithParamInterface<std::string> {};

TEST_P(BadNames, are_refused) {
  link();
  feed(kSasl);
  expect_full_refusal(name(GetParam()), wire::LinkError::InvalidData);
  EXPECT_TRUE(host_.service.seen.empty());
}

INSTANTIATE_TEST_SUITE_P(SaslLinkTest, BadNames,
                         testing::Values("", ",", "SESAME,", "SESAME,OTHER", "sesame", "ESAME",
                                         std::string("SESAME\0", 7), std::string(101, 'S')));

}  // namespace
}  // namespace spice::server
