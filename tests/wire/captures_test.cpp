// Every message of recorded sessions decodes, and encodes to the very bytes that the reference server or client sent.
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <zlib.h>

#include "spice/wire/common.h"
#include "spice/wire/cursor.h"
#include "spice/wire/display.h"
#include "spice/wire/inputs.h"
#include "spice/wire/link.h"
#include "spice/wire/main.h"
#include "spice/wire/table.h"
#include "tests/wire/golden.h"

namespace spice::wire {
namespace {

Golden read_gzip(const std::filesystem::path& path) {
  Golden bytes;
  auto* file = ::gzopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  std::array<std::uint8_t, 65536> chunk;
  for (int count = 0; (count = ::gzread(file, chunk.data(), chunk.size())) > 0;)
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + count);
  ::gzclose(file);
  return bytes;
}

template <class M>
void round_trip(std::span<const std::uint8_t> body) {
  const auto message = decode<M>(body);
  ASSERT_TRUE(message.has_value());
  ASSERT_THAT(encode(*message).flatten(), testing::ElementsAreArray(body));
  ASSERT_EQ(wire_size(*message), body.size());
}

using RoundTrip = std::function<void(std::span<const std::uint8_t>)>;
using Key = std::tuple<ChannelType, Direction, std::uint16_t>;

template <class... Ms>
void add(std::map<Key, RoundTrip>& all, ChannelType channel, Direction direction) {
  (all.emplace(Key(channel, direction, Ms::kType), &round_trip<Ms>), ...);
}

std::map<Key, RoundTrip> round_trips() {
  using enum ChannelType;
  using enum Direction;
  std::map<Key, RoundTrip> all;
  for (const auto channel : {Main, Display, Inputs, Cursor}) {
    add<Migrate, MigrateData, SetAck, Ping, WaitForChannels, Disconnecting, Notify>(all, channel, ToClient);
    add<AckSync, Ack, Pong, MigrateFlushMark, ClientMigrateData, ClientDisconnecting>(all, channel, ToServer);
  }
  add<MainInit, MainChannelsList, MainMouseMode, MainMultiMediaTime, MainName, MainUuid>(all, Main, ToClient);
  add<MainAttachChannels, MainMouseModeRequest>(all, Main, ToServer);
  add<DisplayMark, DisplayCopyBits, DisplayInvalList, DisplayInvalAllPixmaps, DisplayInvalPalette,
      DisplayInvalAllPalettes, DisplayStreamDestroyAll, DisplayDrawFill, DisplayDrawOpaque, DisplayDrawCopy,
      DisplayDrawBlend, DisplayDrawBlackness, DisplayDrawWhiteness, DisplayDrawInvers, DisplayDrawRop3,
      DisplayDrawStroke, DisplayDrawText, DisplayDrawTransparent, DisplayDrawAlphaBlend, DisplayDrawComposite,
      DisplaySurfaceCreate, DisplaySurfaceDestroy, DisplayMonitorsConfig>(all, Display, ToClient);
  add<DisplayInit, DisplayPreferredCompression, DisplayPreferredVideoCodec>(all, Display, ToServer);
  add<InputsInit, InputsKeyModifiers, InputsMotionAck>(all, Inputs, ToClient);
  add<InputsKeyDown, InputsKeyUp, InputsClientKeyModifiers, InputsMouseMotion>(all, Inputs, ToServer);
  add<CursorInit, CursorReset, CursorSet, CursorMove, CursorHide, CursorInvalAll>(all, Cursor, ToClient);
  return all;
}

// Returns the number of messages.
std::size_t replay(std::span<const std::uint8_t> stream, ChannelType channel, Direction direction) {
  static const auto kRoundTrips = round_trips();
  std::size_t count = 0;
  while (!stream.empty()) {
    const auto header = decode<MiniHeader>(stream);
    if (!header || stream.size() - MiniHeader::kSize < header->size) {
      ADD_FAILURE() << "the capture ends inside a message";
      break;
    }
    const auto body = stream.subspan(MiniHeader::kSize, header->size);
    SCOPED_TRACE(std::string(channel_name(channel)) + " message " + std::to_string(header->type));
    const auto* info = find_message(channel, direction, header->type);
    const auto known = kRoundTrips.find({channel, direction, header->type});
    if (info == nullptr || known == kRoundTrips.end()) {
      ADD_FAILURE() << "not in the table, or not in this test";
      break;
    }
    EXPECT_LE(body.size(), info->max_size);
    known->second(body);
    stream = stream.subspan(MiniHeader::kSize + body.size());
    ++count;
  }
  return count;
}

std::span<const std::uint8_t> behind_link_stage(const Golden& bytes, Direction direction) {
  const std::span<const std::uint8_t> all(bytes);
  const auto header = decode<LinkHeader>(all);
  if (!header) return {};
  const auto message = all.subspan(kLinkHeaderSize, header->size);
  if (direction == Direction::ToClient) {
    round_trip<LinkReply>(message);
    return all.subspan(kLinkHeaderSize + header->size + sizeof(LinkError));
  }
  round_trip<LinkMessage>(message);
  return all.subspan(kLinkHeaderSize + header->size + sizeof(AuthMechanism) + kTicketSize);
}

TEST(Captures, every_message_is_reproduced) {
  constexpr std::array kChannels{ChannelType::Main, ChannelType::Display, ChannelType::Cursor, ChannelType::Inputs};
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MINIVMM_TEST_DATA "/captures")) {
    const auto name = entry.path().filename().string();
    const auto dash = name.rfind('-');
    if (!name.ends_with(".gz") || dash == std::string::npos) continue;
    SCOPED_TRACE(name);
    const auto direction = name.contains(".s2c.") ? Direction::ToClient : Direction::ToServer;
    const auto bytes = read_gzip(entry.path());
    const auto stream = behind_link_stage(bytes, direction);
    ASSERT_FALSE(stream.empty());
    count += replay(stream, kChannels.at(static_cast<std::size_t>(name[dash + 1] - '0')), direction);
  }
  EXPECT_GT(count, 500U);
}

TEST(MessageTable, common_messages_are_found_under_every_channel) {
  const auto* ping = find_message(ChannelType::Cursor, Direction::ToClient, Ping::kType);
  ASSERT_NE(ping, nullptr);
  EXPECT_EQ(ping->name, "PING");
  EXPECT_EQ(find_message(ChannelType::Cursor, Direction::ToServer, 104), nullptr);
  EXPECT_EQ(find_message(ChannelType::Main, Direction::ToServer, MainAttachChannels::kType)->name, "ATTACH_CHANNELS");
  EXPECT_EQ(channel_name(ChannelType::Webdav), "webdav");
  EXPECT_EQ(channel_name(ChannelType{200}), "unknown");
}

}  // namespace
}  // namespace spice::wire
