#include "spice/server/sessions.h"

#include <gtest/gtest.h>

namespace spice::server {
namespace {

using wire::ChannelType;
using wire::LinkError;

wire::LinkMessage message(ChannelType type, std::uint32_t connection_id, std::uint8_t id = 0) {
  wire::LinkMessage made;
  made.connection_id = connection_id;
  made.channel_type = type;
  made.channel_id = id;
  return made;
}

class SessionsTest : public testing::Test {
 protected:
  std::uint32_t link(const wire::LinkMessage& wanted, Role role = Role::Operator) {
    const auto session = sessions_.join(wanted, role);
    ChannelInfo info;
    info.connection_id = session->id;
    info.key = {wanted.channel_type, wanted.channel_id};
    sessions_.add(info, std::make_shared<net::Tether>(nullptr));
    return session->id;
  }
  Sessions sessions_;
};

TEST_F(SessionsTest, main_channels_begin_sessions_of_their_own) {
  const auto first = link(message(ChannelType::Main, 0));
  const auto second = link(message(ChannelType::Main, 0));
  EXPECT_NE(first, 0U);
  EXPECT_NE(first, second);
  EXPECT_EQ(sessions_.size(), 2U);
}

TEST_F(SessionsTest, main_channel_with_a_number_is_a_migration_we_do_not_do) {
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Main, 5)), LinkError::BadConnectionId);
}

TEST_F(SessionsTest, other_channels_need_the_number_of_a_session) {
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, 0)), LinkError::BadConnectionId);
  const auto id = link(message(ChannelType::Main, 0));
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, id)), LinkError::Ok);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, id + 1)), LinkError::BadConnectionId);
}

TEST_F(SessionsTest, watchers_leave_room_for_operators) {
  for (std::size_t i = 0; i < Sessions::kMaxWatchers; ++i) {
    EXPECT_EQ(sessions_.may_link(message(ChannelType::Main, 0), Role::Watcher), LinkError::Ok);
    link(message(ChannelType::Main, 0), Role::Watcher);
  }
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Main, 0), Role::Watcher), LinkError::Error);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Main, 0)), LinkError::Ok);
}

TEST_F(SessionsTest, channel_is_given_once) {
  const auto id = link(message(ChannelType::Main, 0));
  link(message(ChannelType::Display, id));
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Display, id)), LinkError::ChannelNotAvailable);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Display, id, 1)), LinkError::Ok);
  sessions_.remove(id, {ChannelType::Display, 0});
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Display, id)), LinkError::Ok);
}

TEST_F(SessionsTest, session_ends_with_its_main_channel) {
  const auto id = link(message(ChannelType::Main, 0));
  link(message(ChannelType::Display, id));
  EXPECT_TRUE(sessions_.remove(id, {ChannelType::Main, 0}).has_value());
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, id)), LinkError::BadConnectionId);
  EXPECT_EQ(sessions_.size(), 1U);  // until its display is gone, too
  EXPECT_TRUE(sessions_.remove(id, {ChannelType::Display, 0}).has_value());
  EXPECT_EQ(sessions_.size(), 0U);
  EXPECT_FALSE(sessions_.remove(id, {ChannelType::Display, 0}).has_value());
}

TEST_F(SessionsTest, first_who_may_type_is_the_owner_and_hands_it_on) {
  EXPECT_EQ(sessions_.owner(), 0U);
  link(message(ChannelType::Main, 0), Role::Watcher);
  EXPECT_EQ(sessions_.owner(), 0U);
  const auto first = link(message(ChannelType::Main, 0));
  const auto second = link(message(ChannelType::Main, 0));
  const auto third = link(message(ChannelType::Main, 0));
  link(message(ChannelType::Display, first));
  EXPECT_EQ(sessions_.owner(), first);
  sessions_.remove(first, {ChannelType::Main, 0});  // its display is there still
  EXPECT_EQ(sessions_.owner(), second);
  sessions_.remove(second, {ChannelType::Main, 0});
  EXPECT_EQ(sessions_.owner(), third);
  const auto clients = sessions_.clients();
  ASSERT_EQ(clients.size(), 2U);
  EXPECT_TRUE(clients[0].view_only);
  EXPECT_FALSE(clients[0].owner);
  EXPECT_EQ(clients[1].connection_id, third);
  EXPECT_TRUE(clients[1].owner);
}

TEST_F(SessionsTest, cut_operators_leaves_watchers) {
  const auto operator_id = link(message(ChannelType::Main, 0));
  const auto watcher = link(message(ChannelType::Main, 0), Role::Watcher);
  EXPECT_TRUE(sessions_.has_operator());
  sessions_.cut_operators();
  EXPECT_FALSE(sessions_.has_operator());
  EXPECT_TRUE(sessions_.has_client());
  EXPECT_EQ(sessions_.owner(), 0U);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, operator_id)), LinkError::BadConnectionId);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, watcher)), LinkError::Ok);
  sessions_.cut_all();
  EXPECT_FALSE(sessions_.has_client());
}

TEST_F(SessionsTest, ticket_to_watch_is_none_for_the_session_of_an_operator) {
  const auto operator_id = link(message(ChannelType::Main, 0));
  const auto watcher = link(message(ChannelType::Main, 0), Role::Watcher);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, operator_id), Role::Watcher), LinkError::BadConnectionId);
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Inputs, watcher), Role::Watcher), LinkError::Ok);
}

TEST_F(SessionsTest, there_is_an_end_to_sessions) {
  for (std::size_t i = 0; i < Sessions::kMaxSessions; ++i) {
    ASSERT_EQ(sessions_.may_link(message(ChannelType::Main, 0)), LinkError::Ok);
    link(message(ChannelType::Main, 0));
  }
  EXPECT_EQ(sessions_.may_link(message(ChannelType::Main, 0)), LinkError::Error);
}

}  // namespace
}  // namespace spice::server
