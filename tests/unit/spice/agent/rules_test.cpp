#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "spice/agent/chunk_reader.h"
#include "spice/agent/message_filter.h"
#include "spice/agent/messages.h"
#include "spice/agent/monitor_trim.h"
#include "spice/agent/outbox.h"
#include "spice/agent/token_bank.h"
#include "tests/unit/spice/agent/fake_guest.h"

namespace spice::agent {
namespace {

using namespace abi;
using test::chunk;
using test::message;
using testing::ElementsAre;
using Verdict = MessageFilter::Verdict;
using Status = ChunkReader::Status;

std::vector<std::size_t> piece_sizes(ChunkReader& reader, std::span<const std::uint8_t> bytes) {
  std::vector<std::size_t> sizes;
  while (reader.feed(bytes) == Status::Piece)
    sizes.push_back(reader.piece().size());
  return sizes;
}

TEST(ChunkReader, long_chunks_become_pieces_of_2048_bytes) {
  ChunkReader reader;
  EXPECT_THAT(piece_sizes(reader, chunk(1, Bytes(5000))), ElementsAre(2048, 2048, 904));
  EXPECT_THAT(piece_sizes(reader, chunk(1, Bytes(2048))), ElementsAre(2048));
  EXPECT_THAT(piece_sizes(reader, chunk(1, Bytes(1))), ElementsAre(1));
}

TEST(ChunkReader, pieces_do_not_depend_on_how_the_bytes_arrive) {
  ChunkReader reader;
  std::vector<std::size_t> sizes;
  for (const auto byte : chunk(1, Bytes(3000))) {
    for (const auto size : piece_sizes(reader, std::span(&byte, 1)))
      sizes.push_back(size);
  }
  EXPECT_THAT(sizes, ElementsAre(2048, 952));
}

TEST(ChunkReader, chunks_for_the_server_and_empty_ones_are_skipped) {
  ChunkReader reader;
  EXPECT_THAT(piece_sizes(reader, chunk(2, Bytes(5000))), ElementsAre());
  EXPECT_THAT(piece_sizes(reader, chunk(1, {})), ElementsAre());
  EXPECT_THAT(piece_sizes(reader, chunk(1, Bytes(7))), ElementsAre(7));
}

TEST(ChunkReader, other_ports_are_an_error) {
  const auto bytes = chunk(3, Bytes(4));
  std::span<const std::uint8_t> rest = bytes;
  EXPECT_EQ(ChunkReader().feed(rest), Status::Broken);
}

TEST(MessageFilter, verdict_of_the_first_piece_is_that_of_all) {
  MessageFilter filter({.copy_paste = false, .file_transfer = true});
  const auto clipboard = message(VD_AGENT_CLIPBOARD, 3000);
  EXPECT_EQ(filter.feed(std::span(clipboard).first(2048)), Verdict::Discard);
  EXPECT_TRUE(filter.begins());
  EXPECT_FALSE(filter.ends());
  EXPECT_EQ(filter.feed(std::span(clipboard).subspan(2048)), Verdict::Discard);
  EXPECT_TRUE(filter.ends());
  EXPECT_EQ(filter.feed(message(VD_AGENT_FILE_XFER_DATA, 5)), Verdict::Pass);
}

TEST(MessageFilter, what_is_disabled_is_discarded) {
  MessageFilter no_clipboard({.copy_paste = false});
  MessageFilter no_files({.file_transfer = false});
  for (const auto type :
       {VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_RELEASE}) {
    EXPECT_EQ(no_clipboard.feed(message(type, 4)), Verdict::Discard) << type;
    EXPECT_EQ(no_files.feed(message(type, 4)), Verdict::Pass) << type;
  }
  for (const auto type : {VD_AGENT_FILE_XFER_START, VD_AGENT_FILE_XFER_STATUS, VD_AGENT_FILE_XFER_DATA}) {
    EXPECT_EQ(no_clipboard.feed(message(type, 4)), Verdict::Pass) << type;
    EXPECT_EQ(no_files.feed(message(type, 4)), Verdict::Discard) << type;
  }
}

TEST(MessageFilter, all_that_is_not_the_servers_own_passes) {
  constexpr std::uint32_t kBeyondAll = VD_AGENT_GRAPHICS_DEVICE_INFO + 2;
  MessageFilter from_guest({});
  MessageFilter from_client({.from_client = true});
  for (std::uint32_t type = VD_AGENT_MOUSE_STATE; type <= kBeyondAll; ++type) {
    const bool is_servers =
        type == VD_AGENT_MOUSE_STATE || type == VD_AGENT_CLIENT_DISCONNECTED || type == VD_AGENT_GRAPHICS_DEVICE_INFO;
    EXPECT_EQ(from_guest.feed(message(type, 4)), Verdict::Pass) << type;
    EXPECT_EQ(from_client.feed(message(type, 4)), is_servers ? Verdict::Discard : Verdict::Pass) << type;
  }
}

TEST(MessageFilter, monitors_go_to_displays_that_take_them) {
  MessageFilter filter({.from_client = true});
  EXPECT_EQ(filter.feed(message(VD_AGENT_MONITORS_CONFIG, 8), true), Verdict::Monitors);
  EXPECT_EQ(filter.feed(message(VD_AGENT_MONITORS_CONFIG, 8), false), Verdict::Pass);
}

TEST(MessageFilter, a_client_does_not_speak_for_the_server) {
  MessageFilter client({.from_client = true});
  for (const auto type : {VD_AGENT_MOUSE_STATE, VD_AGENT_CLIENT_DISCONNECTED, VD_AGENT_GRAPHICS_DEVICE_INFO})
    EXPECT_EQ(client.feed(message(type, 0)), Verdict::Discard);
}

TEST(MessageFilter, broken_pieces_are_told) {
  const FilterRules rules;
  auto other_protocol = message(1, 0);
  other_protocol[0] = 2;
  auto longer_than_it_says = message(4, 10);
  longer_than_it_says.push_back(0);
  EXPECT_EQ(MessageFilter(rules).feed(Bytes(19)), Verdict::Broken);
  EXPECT_EQ(MessageFilter(rules).feed(other_protocol), Verdict::Broken);
  EXPECT_EQ(MessageFilter(rules).feed(longer_than_it_says), Verdict::Broken);
  EXPECT_EQ(MessageFilter(rules).feed(message(4, 2029)), Verdict::Broken);
  EXPECT_EQ(MessageFilter(rules).feed(message(4, 2028)), Verdict::Pass);
}

TEST(MessageFilter, discarding_ends_where_a_message_does) {
  MessageFilter filter(FilterRules{});
  const auto clipboard = message(VD_AGENT_CLIPBOARD, 100);
  EXPECT_EQ(filter.feed(std::span(clipboard).first(50)), Verdict::Pass);
  filter.discard(true);
  EXPECT_EQ(filter.feed(std::span(clipboard).subspan(50, 10)), Verdict::Discard);
  filter.discard(false);
  EXPECT_EQ(filter.feed(std::span(clipboard).subspan(60)), Verdict::Discard);
  EXPECT_EQ(filter.feed(clipboard), Verdict::Pass);
}

TEST(TokenBank, gives_in_bunches_and_knows_when_there_are_none) {
  TokenBank bank;
  for (std::uint32_t i = 0; i < TokenBank::kAll; ++i)
    EXPECT_TRUE(bank.spend());
  EXPECT_FALSE(bank.spend());
  EXPECT_EQ(bank.refund(4), 0U);
  EXPECT_FALSE(bank.spend());
  EXPECT_EQ(bank.refund(3), 7U);
  EXPECT_TRUE(bank.spend());
  bank.refill();
  EXPECT_EQ(bank.refund(4), 0U);
}

TEST(TokenBank, who_sends_much_gets_more_in_larger_bunches) {
  TokenBank bank;
  const auto send_one = [&bank] {
    EXPECT_TRUE(bank.spend());
    return bank.refund(1);
  };
  for (std::uint32_t i = 1; i < TokenBank::kMuch; ++i)
    EXPECT_EQ(send_one(), i % TokenBank::kBunch == 0 ? TokenBank::kBunch : 0U);
  const auto unspent = TokenBank::kAll - (TokenBank::kMuch - 1) % TokenBank::kBunch;
  EXPECT_EQ(send_one(), TokenBank::kMuch - (unspent - 1));
  for (std::uint32_t i = 1; i < TokenBank::kLargeBunch; ++i)
    EXPECT_EQ(send_one(), 0U);
  EXPECT_EQ(send_one(), TokenBank::kLargeBunch);
  for (std::uint32_t i = 0; i < TokenBank::kMuch; ++i)
    EXPECT_TRUE(bank.spend());
  EXPECT_FALSE(bank.spend());
  bank.refill();
  for (std::uint32_t i = 0; i < TokenBank::kAll; ++i)
    EXPECT_TRUE(bank.spend());
  EXPECT_FALSE(bank.spend());
}

TEST(Outbox, server_messages_go_first_but_into_no_chunk) {
  Outbox outbox;
  outbox.add_piece(Bytes{1, 2, 3});
  outbox.add_piece(Bytes{4});
  Bytes out;
  std::size_t room = 5;
  std::optional<Bytes> waiting;
  const Outbox::Guest guest{.write =
                                [&](std::span<const std::uint8_t> bytes) {
                                  const auto part = bytes.first(std::min(room, bytes.size()));
                                  room -= part.size();
                                  out.insert(out.end(), part.begin(), part.end());
                                  return part.size();
                                },
                            .next_message = [&] { return std::exchange(waiting, std::nullopt); }};
  EXPECT_EQ(outbox.pump(guest), 0U);
  waiting = Bytes{9};
  room = 100;
  EXPECT_EQ(outbox.pump(guest), 2U);
  EXPECT_THAT(out, ElementsAre(1, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 2, 0, 0, 0, 1, 0, 0, 0, 9, 1, 0, 0, 0, 1, 0, 0, 0, 4));
}

TEST(Outbox, dropped_pieces_are_not_counted) {
  Outbox outbox;
  outbox.add_piece(Bytes{1, 2, 3});
  outbox.add_piece(Bytes{4});
  std::size_t room = 4;
  std::size_t written = 0;
  const Outbox::Guest guest{.write =
                                [&](std::span<const std::uint8_t> bytes) {
                                  const auto count = std::min(room, bytes.size());
                                  room -= count;
                                  written += count;
                                  return count;
                                },
                            .next_message = [] { return std::nullopt; }};
  EXPECT_EQ(outbox.pump(guest), 0U);
  outbox.drop_pieces();
  room = 100;
  EXPECT_EQ(outbox.pump(guest), 0U);
  EXPECT_EQ(written, 11U);  // the chunk that was under way
}

TEST(AgentMessages, mouse_state_byte_by_byte) {
  EXPECT_THAT(mouse_state({.x = 0x102, .y = 3, .buttons = 0x84, .display = 5}),
              ElementsAre(1, 0, 0, 0,              // protocol
                          1, 0, 0, 0,              // type
                          0, 0, 0, 0, 0, 0, 0, 0,  // opaque
                          13, 0, 0, 0,             // size
                          2, 1, 0, 0,              // x
                          3, 0, 0, 0,              // y
                          0x84, 0, 0, 0,           // buttons
                          5));                     // display
}

TEST(AgentMessages, graphics_device_info_byte_by_byte) {
  const std::vector<DisplayAddress> displays{{1, 2, 3, "pci/0"}};
  const auto bytes = graphics_device_info(displays);
  EXPECT_EQ(test::type_of(bytes), VD_AGENT_GRAPHICS_DEVICE_INFO);
  EXPECT_THAT(Bytes(bytes.begin() + 20, bytes.end()), ElementsAre(1, 0, 0, 0,  // count
                                                                  1, 0, 0, 0,  // channel
                                                                  2, 0, 0, 0,  // monitor
                                                                  3, 0, 0, 0,  // output
                                                                  6, 0, 0, 0,  // address with NUL
                                                                  'p', 'c', 'i', '/', '0', '\0'));
}

TEST(AgentMessages, capabilities_lose_what_is_disabled) {
  auto bytes = message(VD_AGENT_ANNOUNCE_CAPABILITIES, 8, 0);
  bytes[24] = 0xff;
  bytes[25] = 0x80;
  EXPECT_TRUE(announces(bytes, VD_AGENT_CAP_GRAPHICS_DEVICE_INFO));
  EXPECT_FALSE(announces(std::span(bytes).first(25), VD_AGENT_CAP_GRAPHICS_DEVICE_INFO));
  restrict_capabilities(bytes, {.copy_paste = false, .file_transfer = false});
  EXPECT_EQ(bytes[24], 0xff & ~(1 << 3 | 1 << 5 | 1 << 6));
  EXPECT_EQ(bytes[25], 0x80 | 1 << 5);
  restrict_capabilities(std::span(bytes).first(22), {.copy_paste = false, .file_transfer = false});
}

Bytes monitors(std::uint32_t count, std::uint32_t flags, std::initializer_list<std::uint32_t> words) {
  Bytes bytes(8);
  core::store_le(bytes.data(), count);
  core::store_le(bytes.data() + 4, flags);
  for (const auto word : words) {
    bytes.resize(bytes.size() + 4);
    core::store_le(bytes.data() + bytes.size() - 4, word);
  }
  return bytes;
}

TEST(AgentMessages, monitors_with_places_and_sizes) {
  const auto parsed = parse_monitors(
      monitors(2, 3, {600, 800, 32, 0, 0, 480, 640, 32, 800, static_cast<std::uint32_t>(-10), 210 << 16 | 150, 0}));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_THAT(*parsed, ElementsAre(core::ClientMonitor{{0, 0, 800, 600}, 210, 150},
                                   core::ClientMonitor{{800, -10, 1440, 470}, 0, 0}));
}

TEST(AgentMessages, impossible_monitors_are_none) {
  EXPECT_EQ(parse_monitors(Bytes(7)), std::nullopt);
  EXPECT_EQ(parse_monitors(monitors(1, 0, {600, 800, 32, 0})), std::nullopt);
  EXPECT_EQ(parse_monitors(monitors(1, 2, {600, 800, 32, 0, 0})), std::nullopt);
  EXPECT_EQ(parse_monitors(monitors(0xffffffff, 0, {})), std::nullopt);
  EXPECT_EQ(parse_monitors(monitors(1, 0, {0x7fffffff, 800, 32, 0, 0})), std::nullopt);
  EXPECT_EQ(parse_monitors(monitors(1, 0, {600, 800, 32, 0x7fffffff, 0})), std::nullopt);
  EXPECT_TRUE(parse_monitors(monitors(0, 0, {}))->empty());
}

// CVE-2017-7506: the number of monitors was multiplied by their size without a look at how many bytes there are.
TEST(AgentMessages, cve_2017_7506_monitors_must_be_there) {
  for (const auto count : {2U, 0x1000'0000U, 0x0ccc'cccdU, 0xcccc'cccdU, 0xffff'ffffU}) {
    for (const auto flags : {0U, 1U, 2U, 3U, 0xffff'ffffU})
      EXPECT_EQ(parse_monitors(monitors(count, flags, {600, 800, 32, 0, 0, 0, 0})), std::nullopt) << count;
  }
}

Bytes wish(const Bytes& body) {
  auto bytes = message(VD_AGENT_MONITORS_CONFIG, body.size());
  std::ranges::copy(body, bytes.begin() + sizeof(VDAgentMessage));
  return bytes;
}

TEST(MonitorTrim, sizes_go_and_the_rest_stays) {
  const auto with = wish(monitors(2, 3, {600, 800, 32, 0, 0, 480, 640, 32, 800, 0, 210 << 16 | 150, 0}));
  const auto without = wish(monitors(2, 1, {600, 800, 32, 0, 0, 480, 640, 32, 800, 0}));
  MonitorTrim trim;
  EXPECT_EQ(trim.feed(with, true), without);
  EXPECT_EQ(trim.feed(without, true), without);
}

TEST(MonitorTrim, pieces_end_where_the_message_does) {
  const auto with = wish(monitors(1, 2, {600, 800, 32, 0, 0, 210 << 16 | 150}));
  const auto without = wish(monitors(1, 0, {600, 800, 32, 0, 0}));
  for (std::size_t first = 28; first < with.size(); ++first) {
    MonitorTrim trim;
    auto got = trim.feed(std::span(with).first(first), true);
    const auto rest = trim.feed(std::span(with).subspan(first), false);
    EXPECT_EQ(rest.empty(), first >= without.size());
    got.insert(got.end(), rest.begin(), rest.end());
    EXPECT_EQ(got, without);
  }
}

TEST(MonitorTrim, what_is_no_such_message_stays_as_it_is) {
  for (const auto& odd : {wish(Bytes(3)), wish(monitors(1, 2, {600, 800})), wish(monitors(0xffffffff, 2, {1, 2, 3})),
                          wish(monitors(257, 2, {})), wish({})}) {
    MonitorTrim trim;
    EXPECT_EQ(trim.feed(odd, true), odd);
  }
}

}  // namespace
}  // namespace spice::agent
